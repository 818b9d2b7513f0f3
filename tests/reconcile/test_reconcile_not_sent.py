"""What is knowingly held back is in a column of its own, with its reason; it is no difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.push_data import bill, invoice_of, line, route
from fakes.push_reading import NAME, SITE, Month, month

from reconciler.cli.progress import SilentProgress
from reconciler.drafting.draft import BlockCode, BlockReason, InvoiceDraft
from reconciler.errors import ExitCode
from reconciler.kernel.address import BillId
from reconciler.kernel.money import Currency, Money
from reconciler.m3ter.bill import Bill
from reconciler.reconcile.bill_invoices import SidePorts
from reconciler.reconcile.core.month import BillSides, OutsideTable, Question, Reconciled
from reconciler.reconcile.reconcile import ReconcilePorts, reconcile
from reconciler.reconcile.routes import NotOurs, NotYet, SentByM3ter, UndecidedRoute
from reconciler.sync.core.billing_month import BillingMonth
from reconciler.sync.model.push import (
    InvoiceId,
    InvoiceLineId,
    Performed,
    PushStatus,
    Refused,
    StepKind,
    UnknownOutcome,
)
from reconciler.sync.model.reconciliation import DifferenceClass

GBP = Currency("GBP", 2)
NOV = BillingMonth(2026, 11)
BEFORE: frozenset[InvoiceLineId] = frozenset({InvoiceLineId("li_0")})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Month]:
    with month(tmp_path) as opened:
        yield opened


def one(number: int, amount: str = "400", **more: Any) -> Bill:
    return bill(line("USAGE", amount, units="8"), id=BillId(f"bill-{number}"), **more)


def asked(world: Month, **more: Any) -> tuple[Reconciled, dict[str, BillSides]]:
    heard: dict[str, BillSides] = {}
    sides = SidePorts(SITE, world.ledger, world.site, world.routes, world.shelf)
    ports = ReconcilePorts(world.bills, sides, world.site, SilentProgress())
    found = reconcile(
        Question(NOV, **more), ports, lambda sides: heard.update({sides.bill_id: sides})
    )
    for row in found.totals:
        explained = row.sent.minor - row.rounding.minor + row.not_sent.minor
        if all(difference.kind is not DifferenceClass.AMOUNT for difference, _ in found.shown):
            missing = sum(
                -difference.unexplained.minor
                for difference, _ in found.shown
                if difference.kind is DifferenceClass.MISSING and difference.unexplained is not None
            )
            assert row.billed.minor == explained + missing, "m3ter = sent + not sent + unexplained"
    return found, heard


def test_a_waiting_bill_is_not_sent_and_no_difference(world: Month) -> None:
    world.billed(one(1), one(2))
    world.sent(one(1))
    world.recorded(one(2), PushStatus.WAITING, message="no pending invoice yet")
    found, heard = asked(world)
    (row,) = found.totals
    assert (row.not_sent.minor, row.unexplained.minor, found.differences) == (40000, 0, 0)
    (unsent,) = found.unsent
    assert (unsent.bill_id, unsent.money) == ("bill-2", Money(40000, GBP))
    assert unsent.held.why == "no pending invoice yet"
    assert unsent.held.page.endswith("#waiting")
    assert heard["bill-2"].held == unsent.held
    assert (found.not_yet.bills, found.complete, found.exit_code) == (1, False, ExitCode.DONE)


def test_a_month_that_must_be_complete_is_not_while_a_bill_is_held_back(world: Month) -> None:
    world.billed(one(1))
    world.recorded(one(1), PushStatus.WAITING)
    assert asked(world, complete=True)[0].exit_code is ExitCode.OUTSIDE_TOLERANCE


def test_a_bill_that_a_person_skipped_does_not_keep_a_month_open(world: Month) -> None:
    world.routes.by = route(page={"default_price_id": None})
    world.billed(one(1))
    world.recorded(one(1), PushStatus.DISABLED, message="k.smith: paid by hand")
    found, heard = asked(world, complete=True)
    assert (found.never.bills, found.not_yet.bills, found.complete) == (1, 0, True)
    assert found.totals[0].not_sent.minor == 40000
    assert found.exit_code is ExitCode.DONE
    held = heard["bill-1"].held
    assert held is not None
    assert (held.settled, held.why) == (True, "k.smith: paid by hand")


def test_a_blocked_bill_keeps_its_money_and_its_reason(world: Month) -> None:
    world.routes.by = route(page={"default_price_id": None})
    world.billed(one(1), bill(line(), id=BillId("bill-2"), currency="???"))
    found, heard = asked(world)
    (row,) = found.totals
    assert (row.billed.minor, row.not_sent.minor, row.unexplained.minor) == (40000, 40000, 0)
    held = heard["bill-1"].held
    assert held is not None
    assert held.page.endswith("#blocked-price")
    unknown = heard["bill-2"]
    assert (unknown.result, unknown.differences[0].unexplained) == (None, None)
    assert found.outside == 1, "money that nobody can read is nobody's explanation"


def test_a_stamped_invoice_of_a_blocked_bill_is_extra(world: Month) -> None:
    draft = world.drafted(one(1))
    world.site.put(invoice_of(draft))
    world.routes.by = route(page={"default_price_id": None})
    world.billed(one(1))
    found, heard = asked(world)
    assert [difference.kind for difference in heard["bill-1"].differences] == [
        DifferenceClass.EXTRA
    ]
    assert found.totals[0].unexplained.minor == 40000


def test_doubt_about_the_route_holds_a_bill_back(world: Month) -> None:
    world.billed(one(1))
    world.recorded(one(1), PushStatus.BLOCKED, message="as it was yesterday")
    doubt = UndecidedRoute(NAME, "native selects it too", "another route may bill it", "page#x")
    world.routes.standings[BillId("bill-1")] = doubt
    _, heard = asked(world)
    held = heard["bill-1"].held
    assert held is not None
    assert (held.short, held.why, held.page) == (
        "another route may bill it",
        "native selects it too",
        "page#x",
    )


@pytest.mark.parametrize(
    ("ready", "short", "why"),
    [
        (True, "blocked", "the subscription is cancelled"),
        (False, "Chargebee is not ready for it", "sub_1 is cancelled (correct the mapping)"),
    ],
)
def test_what_chargebee_was_not_ready_for_is_asked_for_again(
    world: Month, ready: bool, short: str, why: str
) -> None:
    world.billed(one(1))
    world.recorded(one(1), PushStatus.BLOCKED, message="the subscription is cancelled")
    reason = BlockReason(BlockCode.PREFLIGHT, "sub_1 is cancelled", "correct the mapping")
    world.site.reasons = () if ready else (reason,)
    held = asked(world)[1]["bill-1"].held
    assert held is not None
    assert (held.short, held.why) == (short, why)


def test_a_good_bill_that_a_person_skipped_says_who(world: Month) -> None:
    world.billed(one(1))
    world.recorded(one(1), PushStatus.DISABLED, message="k.smith: paid by hand")
    found, heard = asked(world)
    held = heard["bill-1"].held
    assert held is not None
    assert (held.settled, held.why, found.never.bills) == (True, "k.smith: paid by hand", 1)


@pytest.mark.parametrize(("stop", "page"), [("pause", "#paused"), ("disable", "#disabled")])
def test_a_paused_site_or_a_disabled_push_is_a_reason(world: Month, stop: str, page: str) -> None:
    world.billed(one(1))
    if stop == "pause":
        world.ledger.pause(SITE, "k.smith", "look first")
    else:
        world.ledger.disable(SITE, NAME, "ten failures")
    found, heard = asked(world)
    held = heard["bill-1"].held
    assert held is not None
    assert held.page.endswith(page)
    assert found.differences == 0


def test_a_refused_bill_of_which_nothing_stands_is_held_back(world: Month) -> None:
    each = one(1)
    world.billed(each)
    world.recorded(each, PushStatus.ERROR, world.drafted(each), message="unknown price")
    world.attempted(each.id, Refused("x", "unknown price"))
    found, heard = asked(world)
    held = heard["bill-1"].held
    assert held is not None
    assert held.page.endswith("#refused-line")
    assert found.totals[0].not_sent.minor == 40000


def test_a_refused_bill_that_was_broken_since_tells_what_blocks_it(world: Month) -> None:
    each = one(1)
    world.recorded(each, PushStatus.ERROR, world.drafted(each), message="unknown price")
    world.billed(one(1, "410"))
    world.routes.by = route(page={"default_price_id": None})
    found, heard = asked(world)
    held = heard["bill-1"].held
    assert held is not None
    assert held.page.endswith("#blocked-price")
    assert found.totals[0].not_sent.minor == 41000


@pytest.mark.parametrize("changed", ["400", "410"])
def test_a_bill_whose_request_may_have_arrived_is_missing(world: Month, changed: str) -> None:
    each = one(1)
    world.recorded(each, PushStatus.UNKNOWN, world.drafted(each), message="no answer came")
    world.attempted(each.id, UnknownOutcome("the connection was cut"))
    world.billed(one(1, changed))
    if changed != "400":
        world.routes.by = route(page={"default_price_id": None})
    found, heard = asked(world)
    assert [difference.kind for difference in heard["bill-1"].differences] == [
        DifferenceClass.MISSING
    ]
    assert "no answer came" in heard["bill-1"].differences[0].text
    assert (heard["bill-1"].held, found.not_yet.bills) == (None, 0)


@pytest.mark.parametrize(
    ("standing", "left"),
    [
        (NotOurs("nothing is pushed any more"), OutsideTable.NOT_OURS),
        (NotYet(NAME, "it is PENDING"), OutsideTable.NOT_YET),
        (SentByM3ter(NAME, "run r1"), OutsideTable.BY_M3TER),
    ],
)
def test_a_bill_that_was_only_intended_and_is_not_ours_now_is_not_due(
    world: Month, standing: NotOurs | NotYet | SentByM3ter, left: OutsideTable
) -> None:
    each = one(1)
    world.billed(each)
    world.recorded(each, PushStatus.WAITING, world.drafted(each))
    world.routes.standings[each.id] = standing
    found, heard = asked(world)
    assert (heard["bill-1"].left, found.totals, found.differences) == (left, (), 0)


def partly(world: Month, status: PushStatus) -> InvoiceDraft:
    """Send the first of two lines to a pending invoice; the second is refused."""
    world.routes.by = route(page={"create_invoice": False})
    each = bill(line("USAGE", "400", units="8"), line("AD_HOC", "7"), id=BillId("bill-1"))
    world.billed(each)
    draft = world.drafted(each)
    world.recorded(each, status, draft, message="the second line was refused")
    added = Performed("inv_p", (InvoiceLineId("li_1"),))
    more: dict[str, Any] = {"kind": StepKind.ADD_LINE, "before": BEFORE}
    world.attempted(each.id, added, draft_line=0, **more)
    world.attempted(each.id, Refused("x", "no"), draft_line=1, number=1, **more)
    own = invoice_of(draft)
    world.site.put(replace(own, id=InvoiceId("inv_p"), stamp=None, lines=own.lines[:1]))
    return draft


def test_the_rest_of_a_bill_that_was_sent_in_part_is_not_sent(world: Month) -> None:
    partly(world, PushStatus.PARTIAL)
    found, heard = asked(world)
    (row,) = found.totals
    money = (row.billed, row.sent, row.not_sent, row.invoiced, row.unexplained)
    assert [amount.minor for amount in money] == [40700, 40000, 700, 40000, 0]
    held = heard["bill-1"].held
    assert held is not None
    assert held.page.endswith("#partial")
    assert found.unsent[0].money == Money(700, GBP)


def test_a_line_that_was_done_and_is_gone_stays_a_difference(world: Month) -> None:
    partly(world, PushStatus.PARTIAL)
    kept = world.site.invoices[InvoiceId("inv_p")]
    world.site.put(replace(kept, lines=()))
    found, heard = asked(world)
    assert found.totals[0].not_sent.minor == 700
    assert [difference.unexplained for difference in heard["bill-1"].differences] == [
        Money(-40000, GBP)
    ]


def test_of_a_finished_bill_nothing_is_held_back(world: Month) -> None:
    partly(world, PushStatus.COMPLETE)
    found, heard = asked(world)
    assert (heard["bill-1"].held, found.totals[0].not_sent.minor) == (None, 0)
    assert found.totals[0].unexplained.minor == -700


def test_bills_of_other_integrations_are_not_held_back_here(world: Month) -> None:
    world.billed(one(1))
    world.recorded(one(1), PushStatus.WAITING)
    found, heard = asked(world, integration="chargebee-us")
    assert (found.not_yet.bills, heard["bill-1"].held) == (0, None)


def test_only_the_first_bills_that_are_not_sent_are_listed(world: Month) -> None:
    world.ledger.pause(SITE, "k.smith", "look first")
    world.billed(*(one(n) for n in range(60)))
    found, _ = asked(world)
    assert (len(found.unsent), found.not_yet.bills) == (40, 60)
    assert found.totals[0].not_sent.minor == 60 * 40000
