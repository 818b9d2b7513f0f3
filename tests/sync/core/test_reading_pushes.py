"""The small pure parts under reconcile, explain and status: months, sums, what was sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from fakes.push_data import bill, drafted, invoice_of, line, route
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drafting.draft_bill import billed_amount
from reconciler.drafting.route import Readings
from reconciler.errors import ExitCode
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Currency, Money, chargebee_currencies
from reconciler.sync.core.billing_month import BillingMonth, NotAMonthError
from reconciler.sync.core.push_summary import BillDeadlines, Pushed, standing_of
from reconciler.sync.core.readback.compare import ThreeSides, compare_all, reconcile_bill
from reconciler.sync.core.readback.recorded import (
    in_our_order,
    invoice_ids,
    line_ids,
    recorded_of,
    without_undone,
)
from reconciler.sync.core.tally import Purse, Tally
from reconciler.sync.model.push import (
    Effect,
    InvoiceId,
    InvoiceLineId,
    PushKey,
    PushState,
    PushStatus,
    SiteName,
    StepKind,
    StepName,
    StoredRequest,
)

GBP = Currency("GBP", 2)
TABLE = chargebee_currencies()


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-1", "26-01", "2026-11 ", "0000-01", "", "\u0662\u0660\u0662\u0666-11"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(NotAMonthError, match="2026-11"):
        BillingMonth.parse(text)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_every_end_of_a_period_belongs_to_exactly_one_month(end: date) -> None:
    for reading in ("exclusive", "inclusive"):
        readings = Readings(bill_end_date=reading)
        last = end - timedelta(days=1) if reading == "exclusive" else end
        mine = BillingMonth(last.year, last.month)
        assert mine.holds(end, readings)
        assert not mine.next.holds(end, readings)


def test_a_month_knows_its_days_and_its_name() -> None:
    december = BillingMonth.parse("2026-12")
    assert (december.first, december.after) == (date(2026, 12, 1), date(2027, 1, 1))
    assert (str(december), december.key) == ("Dec 2026", "2026-12")
    assert BillingMonth.before(date(2027, 1, 1)) == december
    assert BillingMonth.before(date(2027, 1, 31)) == december


def test_running_totals_are_those_of_the_whole() -> None:
    draft = drafted(bill(line()), route())
    cases = [ThreeSides(BillId(f"bill-{n}"), AccountId("a"), draft, None, ()) for n in range(3)]
    tally = Tally()
    for case in cases:
        result = reconcile_bill(case)
        assert result is not None
        tally.add(result)
    assert tuple(tally.totals()) == compare_all(cases).totals


def test_a_purse_counts_bills_whose_money_is_not_known() -> None:
    purse = Purse()
    purse.add(None)
    purse.add(Money(5, GBP))
    purse.add(Money(7, GBP))
    assert (purse.bills, purse.money) == (3, (Money(12, GBP),))


def test_what_m3ter_bills_is_known_without_a_draft() -> None:
    one = bill(line("USAGE", "0.005"), line("CREDIT_MEMO", "-3"), line("USAGE", None))
    assert billed_amount(bill(*one.lines[:2]), TABLE) == Money(-299, GBP)
    assert billed_amount(one, TABLE) is None
    assert billed_amount(replace(one, total=Decimal("7.5")), TABLE) == Money(750, GBP)
    assert billed_amount(bill(total=Decimal(4)), TABLE) == Money(400, GBP)
    assert billed_amount(bill(), TABLE) == Money(0, GBP)
    assert billed_amount(bill(line(), currency="???"), TABLE) is None
    assert billed_amount(bill(line("USAGE", "1e30")), TABLE) is None


def effect(kind: StepKind, state: PushState = PushState.DONE, **changes: object) -> Effect:
    generation = changes.pop("generation", 1)
    assert isinstance(generation, int)
    key = PushKey(SiteName("s"), BillId("b"), generation, StepName(kind))
    made = Effect(key, state, StoredRequest("/x", b""))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_nothing_was_sent_while_no_step_is_done() -> None:
    draft = drafted(bill(line()), route())
    open_step = effect(StepKind.CREATE_INVOICE, PushState.IN_DOUBT, object_id="inv_1")
    assert recorded_of(draft, [open_step], 1, ()) is None
    assert invoice_ids([open_step]) == ()


def test_our_lines_come_from_the_steps_that_made_them() -> None:
    ids = (InvoiceLineId("a"), InvoiceLineId("b"))
    made = effect(StepKind.CREATE_INVOICE, line_ids=ids, object_id="inv_1")
    added = effect(
        StepKind.ADD_LINE,
        line_ids=(InvoiceLineId("c"),),
        draft_line=2,
        invoice_id=InvoiceId("inv_p"),
        lines_before=frozenset({InvoiceLineId("theirs"), InvoiceLineId("a")}),
    )
    unknown = effect(
        StepKind.ADD_LINE,
        draft_line=3,
        object_id="inv_q",
        lines_before=frozenset({InvoiceLineId("theirs"), InvoiceLineId("c")}),
    )
    credit = effect(StepKind.CREDIT_NOTE, object_id="cn_1")
    steps = [made, added, unknown, credit]
    assert line_ids(steps) == {0: "a", 1: "b", 2: "c"}
    assert invoice_ids(steps) == ("inv_1", "inv_p", "inv_q")
    draft = drafted(bill(line()), route())
    credited = replace(invoice_of(draft), credited=Money(5, GBP))
    sent = recorded_of(draft, steps, 1, (credited,))
    assert sent is not None
    assert (sent.foreign, sent.credited) == (frozenset({"theirs"}), Money(5, GBP))


def test_the_newest_generations_invoice_comes_first() -> None:
    old = effect(StepKind.CREATE_INVOICE, object_id="inv_1")
    new = effect(StepKind.CREATE_INVOICE, object_id="inv_2", generation=2)
    known = invoice_ids([old, new])
    assert known == ("inv_2", "inv_1")
    draft = drafted(bill(line()), route())
    found = [
        replace(invoice_of(draft), id=InvoiceId(literal)) for literal in ("inv_9", "inv_1", "inv_2")
    ]
    assert [invoice.id for invoice in in_our_order(found, known)] == ["inv_2", "inv_1", "inv_9"]


def pushed(status: PushStatus, end: date, integration: str = "uk") -> Pushed:
    now = datetime(2026, 12, 1, tzinfo=UTC)
    bill_id = BillId(f"{status}-{end}")
    return Pushed(bill_id, AccountId("a"), integration, status, Money(100, GBP), end, now, None, "")


def test_overdue_is_what_is_unfinished_after_its_patience() -> None:
    end = date(2026, 12, 1)
    now = datetime(2026, 12, 4, tzinfo=UTC)
    bills = [
        pushed(PushStatus.BLOCKED, end),
        pushed(PushStatus.COMPLETE, end),
        pushed(PushStatus.DISABLED, end),
        pushed(PushStatus.WAITING, end, "pending"),
        pushed(PushStatus.BLOCKED, date(2026, 12, 2)),
    ]
    patience = BillDeadlines(own={"pending": timedelta(days=5)})
    found = standing_of("acme-test", now, bills, patience)
    assert (found.overdue.bills, found.overdue.money) == (1, (Money(100, GBP),))
    assert [push.period_end for push in found.listed] == [end]
    assert found.exit_code is ExitCode.OUTSIDE_TOLERANCE
    assert found.counts[PushStatus.BLOCKED].bills == 2
    assert standing_of("acme-test", now - timedelta(seconds=1), bills, patience).exit_code == 0


def test_of_many_overdue_bills_the_first_are_listed() -> None:
    bills = [pushed(PushStatus.BLOCKED, date(2026, 1, 1))] * 50
    found = standing_of("s", datetime(2026, 12, 4, tzinfo=UTC), bills, BillDeadlines())
    assert (found.overdue.bills, len(found.listed)) == (50, 20)


def test_an_invoice_that_we_closed_is_known_by_its_new_id() -> None:
    made = effect(StepKind.CREATE_INVOICE, object_id="draft_1")
    closing = effect(StepKind.CLOSE_INVOICE, invoice_id=InvoiceId("draft_1"), object_id="7")
    replaced = effect(StepKind.ADD_LINE, invoice_id=InvoiceId("draft_1"), object_id="draft_1")
    assert invoice_ids([made, replaced]) == ("draft_1",)
    assert invoice_ids([made, replaced, closing]) == ("7",)
    begun = replace(closing, state=PushState.IN_DOUBT)
    assert invoice_ids([made, begun]) == ("draft_1",)


def test_credits_beside_an_invoice_count_with_those_on_it() -> None:
    draft = drafted(bill(line()), route())
    made = effect(StepKind.CREATE_INVOICE, object_id="inv_1")
    on_it = replace(invoice_of(draft), credited=Money(5, GBP))
    for invoices, beside, wanted in (
        ((on_it,), Money(3, GBP), Money(8, GBP)),
        ((on_it,), None, Money(5, GBP)),
        ((), Money(3, GBP), Money(3, GBP)),
    ):
        sent = recorded_of(draft, [made], 1, invoices, beside)
        assert sent is not None
        assert sent.credited == wanted


def test_an_invoice_whose_lines_were_credited_to_be_billed_anew_is_undone() -> None:
    draft = drafted(bill(line()), route())
    line_id = invoice_of(draft).lines[0].id
    total = invoice_of(draft).lines[0].amount
    old = effect(StepKind.CREATE_INVOICE, object_id="draft_1", line_ids=(line_id,))
    new = effect(StepKind.CREATE_INVOICE, object_id="inv_2", generation=2)
    credit = effect(StepKind.CREDIT_NOTE, invoice_id=InvoiceId("7"), object_id="cn", generation=2)
    former = replace(credit, key=replace(credit.key, step=StepName(StepKind.CREDIT_NOTE, 1)))
    seven = replace(invoice_of(draft), id=InvoiceId("7"), credited=total)
    second = replace(invoice_of(draft), id=InvoiceId("inv_2"))
    both = (seven, second)
    assert without_undone(both, [old, new, former]) == (second,)
    assert without_undone(both, [old, new, credit]) == both
    partly = replace(seven, credited=total - Money(1, GBP))
    assert without_undone((partly, second), [old, new, former]) == (partly, second)
    foreign = replace(seven.lines[0], id=InvoiceLineId("theirs"))
    wider = replace(seven, lines=(*seven.lines, foreign))
    assert without_undone((wider, second), [old, new, former]) == (second,)
