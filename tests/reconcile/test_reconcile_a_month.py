"""A month reconciled: every class of difference reaches the table, and no bill vanishes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fakes.push_data import bill, invoice_of, line, route
from fakes.push_reading import NAME, SITE, Month, month

from reconciler.cli.progress import SilentProgress
from reconciler.errors import ExitCode
from reconciler.kernel.address import BillId
from reconciler.kernel.line_item import LineItemType
from reconciler.kernel.money import Currency, Money
from reconciler.m3ter.bill import Bill
from reconciler.reconcile.bill_invoices import SidePorts
from reconciler.reconcile.core.month import BillSides, OutsideTable, Question, Reconciled
from reconciler.reconcile.reconcile import ReconcilePorts, reconcile
from reconciler.reconcile.routes import NotOurs, NotYet, SentByM3ter
from reconciler.sync.core.billing_month import BillingMonth
from reconciler.sync.model.push import (
    InvoiceId,
    InvoiceLineId,
    Performed,
    PushStatus,
    StepKind,
    UnknownOutcome,
)
from reconciler.sync.model.reconciliation import DifferenceClass

GBP = Currency("GBP", 2)
NOV = BillingMonth(2026, 11)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Month]:
    with month(tmp_path) as opened:
        yield opened


def one(number: int, amount: str = "400", **more: Any) -> Bill:
    return bill(line("USAGE", amount, units="8"), id=BillId(f"bill-{number}"), **more)


def asked(world: Month, **more: Any) -> tuple[Reconciled, dict[str, BillSides]]:
    heard: dict[str, BillSides] = {}

    def hear(sides: BillSides) -> None:
        assert sides.bill_id not in heard, "each bill is heard once"
        heard[sides.bill_id] = sides

    sides = SidePorts(SITE, world.ledger, world.site, world.routes, world.shelf)
    ports = ReconcilePorts(world.bills, sides, world.site, SilentProgress())
    return reconcile(Question(NOV, **more), ports, hear), heard


def test_a_month_sent_as_billed_adds_up(world: Month) -> None:
    bills = [one(1), one(2, "7.25")]
    world.billed(*bills)
    for number, entry in enumerate(bills, start=1):
        world.sent(entry, number)
    found, heard = asked(world)
    (row,) = found.totals
    assert [row.bills, row.billed.minor, row.sent.minor, row.invoiced.minor] == [
        2,
        40725,
        40725,
        40725,
    ]
    assert (row.unexplained.minor, found.differences, found.exit_code) == (0, 0, ExitCode.DONE)
    assert heard["bill-1"].invoices == ("inv_1",)
    assert world.site.reads == [], "stamped invoices were listed, not read one by one"
    assert world.routes.expected == [2]


def test_a_line_added_in_chargebee_is_unexplained(world: Month) -> None:
    each = one(1)
    world.billed(each)
    made = world.sent(each)
    fee = replace(made.lines[0], id=InvoiceLineId("li_9"), description="Set-up fee")
    world.site.put(replace(made, lines=(*made.lines, replace(fee, amount=Money(2500, GBP)))))
    found, _ = asked(world)
    assert found.totals[0].unexplained.minor == 2500
    assert found.exit_code is ExitCode.OUTSIDE_TOLERANCE
    ((difference, account),) = found.shown
    assert (difference.kind, account) == (DifferenceClass.EXTRA, "acme-uk")


@pytest.mark.parametrize(
    ("tolerances", "own", "outside"),
    [
        ({}, "0", 1),
        ({"GBP": "25"}, "0", 0),
        ({"USD": "25"}, "0", 1),
        ({}, "25", 0),
        ({"GBP": "1"}, "25", 1),
    ],
)
def test_tolerance_is_by_currency_over_the_integrations_own(
    world: Month, tolerances: dict[str, str], own: str, outside: int
) -> None:
    world.routes.limit = Decimal(own)
    each = one(1)
    world.billed(each)
    made = world.sent(each)
    fee = replace(made.lines[0], id=InvoiceLineId("li_9"), amount=Money(2500, GBP))
    world.site.put(replace(made, lines=(*made.lines, fee)))
    given = {currency: Decimal(limit) for currency, limit in tolerances.items()}
    found, _ = asked(world, tolerances=given)
    assert (found.differences, found.outside) == (1, outside)


def test_a_bill_that_nothing_holds_back_is_missing(world: Month) -> None:
    world.billed(one(1))
    found, heard = asked(world)
    assert found.totals[0].unexplained.minor == -40000
    ((difference, _account),) = found.shown
    assert difference.kind is DifferenceClass.MISSING
    assert "no `sync run` has tried it yet" in difference.text
    assert (heard["bill-1"].held, found.exit_code) == (None, ExitCode.OUTSIDE_TOLERANCE)


def test_bills_outside_the_table_are_counted_with_their_money(world: Month) -> None:
    world.billed(*(one(n) for n in range(1, 6)))
    stand = world.routes.standings
    stand[BillId("bill-1")] = NotOurs("in no push integration")
    stand[BillId("bill-2")] = NotYet(NAME, "it is PENDING")
    stand[BillId("bill-3")] = SentByM3ter(NAME, "run r1")
    world.routes.by = route(entity={"excluded_line_item_types": (LineItemType.USAGE,)})
    world.recorded(one(5), PushStatus.COMPLETE, message="m3ter sent it itself")
    found, heard = asked(world)
    assert found.totals == ()
    assert {left: purse.bills for left, purse in found.left.items()} == {
        OutsideTable.NOT_OURS: 1,
        OutsideTable.NOT_YET: 1,
        OutsideTable.BY_M3TER: 2,
        OutsideTable.NOTHING_TO_SEND: 1,
    }
    assert found.left[OutsideTable.NOT_YET].money == (Money(40000, GBP),)
    assert heard["bill-5"].why == "m3ter sent it itself"


def test_a_bill_that_is_not_ours_with_our_stamp_is_extra(world: Month) -> None:
    world.billed(one(1))
    world.site.put(invoice_of(world.drafted(one(1))))
    world.routes.standings[BillId("bill-1")] = NotOurs("it left the scope")
    found, heard = asked(world)
    assert heard["bill-1"].left is None
    assert found.totals[0].unexplained.minor == 40000


def test_a_recalculated_bill_is_named_as_such(world: Month) -> None:
    world.sent(one(1))
    world.billed(one(1, "410"))
    found, _ = asked(world)
    ((difference, _account),) = found.shown
    assert difference.kind is DifferenceClass.AMOUNT
    assert "recalculated" in difference.text
    assert found.totals[0].unexplained.minor == -1000


def test_a_sent_bill_that_cannot_be_drafted_any_more_keeps_both_amounts(world: Month) -> None:
    world.sent(one(1))
    world.billed(one(1, "410"))
    world.routes.by = route(page={"default_price_id": None})
    found, heard = asked(world)
    assert found.totals[0].billed.minor == 41000
    assert "cannot be drafted" in heard["bill-1"].differences[0].text
    assert heard["bill-1"].differences[0].unexplained == Money(-1000, GBP)


def test_a_sent_bill_changed_to_an_unknown_currency_has_no_amount_to_compare(
    world: Month,
) -> None:
    world.sent(one(1))
    world.billed(one(1, currency="???"))
    found, heard = asked(world)
    assert heard["bill-1"].differences[0].unexplained is None
    assert "an unknown sum" in heard["bill-1"].differences[0].text
    assert found.totals[0].billed.minor == 40000


def test_a_sent_bill_that_now_adds_up_to_nothing_is_a_difference(world: Month) -> None:
    world.sent(one(1))
    world.billed(one(1, "0"))
    found, _ = asked(world)
    assert found.totals[0].unexplained.minor == 40000


def test_an_unknown_outcome_whose_invoice_stands_nets_to_nothing(world: Month) -> None:
    each = one(1)
    world.billed(each)
    world.recorded(each, PushStatus.UNKNOWN, world.drafted(each), message="no answer came")
    world.attempted(each.id, UnknownOutcome("the connection was cut"))
    world.site.put(invoice_of(world.drafted(each)))
    found, heard = asked(world)
    assert found.totals[0].unexplained.minor == 0
    assert len(heard["bill-1"].differences) == 2


def test_lines_on_a_pending_invoice_are_found_by_their_ids(world: Month) -> None:
    world.routes.by = route(page={"create_invoice": False})
    each = one(1)
    world.billed(each)
    draft = world.drafted(each)
    own = invoice_of(draft)
    monthly = replace(own.lines[0], id=InvoiceLineId("li_0"), amount=Money(900, GBP))
    world.site.put(replace(own, id=InvoiceId("inv_p"), stamp=None, lines=(monthly, *own.lines)))
    world.recorded(each, PushStatus.COMPLETE, draft)
    world.attempted(
        each.id,
        Performed("inv_p", (InvoiceLineId("li_1"),)),
        kind=StepKind.ADD_LINE,
        before=frozenset({InvoiceLineId("li_0")}),
        draft_line=0,
    )
    found, heard = asked(world)
    assert found.totals[0].unexplained.minor == 0
    assert heard["bill-1"].invoices == ("inv_p",)


def test_an_invoice_that_got_another_id_is_found_by_the_bill(world: Month) -> None:
    each = one(1)
    world.billed(each)
    made = world.sent(each)
    del world.site.invoices[made.id]
    world.site.put(replace(made, id=InvoiceId("inv_new"), lines=()))
    world.site.put(replace(made, id=InvoiceId("inv_new")))
    found, heard = asked(world)
    assert found.differences == 0
    assert heard["bill-1"].invoices == ("inv_new",)


def test_an_invoice_listed_without_lines_is_read(world: Month) -> None:
    each = one(1)
    world.billed(each)
    made = world.sent(each)
    world.shelf.put(replace(made, lines=()))
    world.site.invoices[made.id] = replace(made, stamp=None)
    found, _ = asked(world)
    assert (found.differences, world.site.reads) == (0, ["inv_1"])


def test_an_earlier_invoice_that_was_credited_whole_is_not_extra(world: Month) -> None:
    each = one(1)
    world.billed(each)
    made = world.sent(each)
    world.site.put(replace(made, credited=Money(40000, GBP)))
    draft = world.drafted(each)
    world.recorded(each, PushStatus.COMPLETE, draft, generation=2)
    world.attempted(each.id, Performed("inv_2", (InvoiceLineId("li_1"),)), generation=2)
    world.site.put(replace(made, id=InvoiceId("inv_2")))
    found, heard = asked(world)
    assert (found.differences, heard["bill-1"].invoices) == (0, ("inv_2",))


def test_a_bill_that_m3ter_lost_is_still_compared(world: Month) -> None:
    world.sent(one(1))
    world.recorded(one(2), PushStatus.WAITING)
    found, heard = asked(world)
    assert found.totals[0].unexplained.minor == 40000
    assert heard["bill-2"].left is OutsideTable.NOT_OURS


def test_a_bill_with_an_odd_date_is_found_through_the_ledger(world: Month) -> None:
    each = one(1, bill_date=date(2025, 1, 1))
    world.billed(each)
    world.sent(each)
    found, heard = asked(world)
    assert (found.differences, list(heard)) == (0, ["bill-1"])


def test_a_bill_that_moved_to_another_month_is_not_listed(world: Month) -> None:
    world.sent(one(1))
    world.billed(one(1, start_date=date(2026, 12, 1), end_date=date(2027, 1, 1)))
    found, heard = asked(world)
    assert (found.totals, heard) == ((), {})


def test_an_invoice_with_the_stamp_of_nobody_is_extra_in_one_month_only(world: Month) -> None:
    ghost = invoice_of(world.drafted(one(9)), id=InvoiceId("inv_9"))
    world.site.put(replace(ghost, date=datetime(2026, 12, 3, tzinfo=UTC)))
    world.site.put(
        replace(
            ghost,
            id=InvoiceId("inv_8"),
            stamp=BillId("bill-8"),
            date=datetime(2027, 1, 3, tzinfo=UTC),
        )
    )
    world.site.put(replace(ghost, id=InvoiceId("inv_7"), stamp=BillId("bill-7")))
    world.billed(one(7, start_date=date(2026, 9, 1), end_date=date(2026, 10, 1)))
    found, heard = asked(world)
    assert list(heard) == ["bill-9"]
    assert found.shown[0][0].kind is DifferenceClass.EXTRA


def test_bills_of_other_integrations_are_counted_apart(world: Month) -> None:
    world.billed(one(1))
    found, heard = asked(world, integration="chargebee-us")
    assert (found.totals, found.differences) == ((), 0)
    assert heard["bill-1"].left is OutsideTable.OTHER


def test_many_bills_leave_only_sums_and_the_first_differences(world: Month) -> None:
    world.billed(*(one(n) for n in range(230)))
    found, _ = asked(world)
    assert found.totals[0].bills == 230
    assert (len(found.shown), found.outside) == (40, 230)
    assert world.routes.expected == [100, 100, 30]
