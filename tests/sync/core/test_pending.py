"""Waiting for the pending invoice, and telling our lines on it from others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fakes.push_data import NOW, bill, drafted, invoice_of, line, route

from reconciler.definitions.kinds.integration import PendingPolicy
from reconciler.kernel.times import duration
from reconciler.sync.core.pending import (
    KeepWaiting,
    NotStarted,
    PendingChoice,
    UseInvoice,
    WaitIsOver,
    choose_pending,
    time_left,
)
from reconciler.sync.core.readback.invoice_lines import (
    new_lines,
    same_line,
    stamped,
    told_apart,
    twice,
)
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import Found, InvoiceId, InvoiceLineId, NotFound, Undecidable

DRAFT = drafted(bill(line(), line("AD_HOC", "7")), route(page={"create_invoice": False}))
END = DRAFT.period.end
POLICY = PendingPolicy()


def pending(**more: Any) -> Invoice:
    return invoice_of(DRAFT, **({"status": "pending", "date": END} | more))


def choose(*invoices: Invoice, hours: int = 0) -> PendingChoice:
    return choose_pending(invoices, END, NOW, POLICY, NOW + timedelta(hours=hours))


@pytest.mark.parametrize("days", [-3, 0, 3])
def test_the_only_pending_invoice_near_the_bills_end_is_used(days: int) -> None:
    invoice = pending(date=END + timedelta(days=days))
    far = pending(id=InvoiceId("far"), date=END + timedelta(days=40))
    assert choose(far, invoice) == UseInvoice(invoice)


def test_two_near_the_bills_end_are_for_a_person() -> None:
    found = choose(pending(), pending(id=InvoiceId("inv_0")))
    assert isinstance(found, NotStarted)
    assert "inv_0 and inv_1" in found.why


@pytest.mark.parametrize(
    "change",
    [
        {"status": "posted"},
        {"deleted": True},
        {"date": None},
        {"date": END + timedelta(days=3, seconds=1)},
    ],
)
def test_none_near_the_bills_end_is_waited_for(change: dict[str, Any]) -> None:
    assert choose(pending(**change)) == KeepWaiting(NOW + timedelta(days=5))


def test_when_the_wait_is_over_the_policy_decides() -> None:
    assert choose(hours=119) == KeepWaiting(NOW + timedelta(days=5))
    assert choose(hours=120) == WaitIsOver("error", NOW)


def test_lines_are_begun_only_with_twice_the_time_they_need() -> None:
    minute = timedelta(minutes=1)
    late = END + timedelta(hours=47)
    assert time_left(pending(), 30, minute, POLICY, late) == ""
    assert "31 lines need 0:31:00" in time_left(pending(), 31, minute, POLICY, late)
    assert "has no date" in time_left(pending(date=None), 1, minute, POLICY, late)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("48h", timedelta(days=2)),
        ("5d", timedelta(days=5)),
    ],
)
def test_durations_are_whole_numbers_with_a_unit(text: str, wanted: timedelta) -> None:
    assert duration(text) == wanted


WANTED = DRAFT.lines[0]
FIRST = InvoiceLineId("li_1")
SECOND = InvoiceLineId("li_2")


def test_no_new_line_means_that_it_did_not_arrive() -> None:
    assert new_lines(pending(), {FIRST, SECOND}, WANTED) == NotFound()


def test_exactly_one_equal_new_line_is_ours() -> None:
    assert new_lines(pending(), {SECOND}, WANTED) == Found("inv_1", (FIRST,))


@pytest.mark.parametrize(
    ("invoice", "before", "why"),
    [
        (pending(), {FIRST}, "not exactly one like ours"),
        (pending(), set(), "has 2 new lines"),
        (pending(), {"li_0", FIRST, SECOND}, "lines li_0 are no longer on"),
        (pending(status="voided"), {SECOND}, "was deleted or voided"),
        (pending(deleted=True), {SECOND}, "was deleted or voided"),
    ],
)
def test_everything_else_is_for_a_person(
    invoice: Invoice, before: set[InvoiceLineId], why: str
) -> None:
    found = new_lines(invoice, before, WANTED)
    assert isinstance(found, Undecidable)
    assert why in found.reason


def test_a_person_who_adds_an_identical_line_leaves_it_undecided() -> None:
    ours = pending().lines[0]
    twice = pending(lines=(ours, replace(ours, id=InvoiceLineId("li_9"))))
    assert isinstance(new_lines(twice, set(), WANTED), Undecidable)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"date_from": None, "date_to": None}, True),
        ({"price_id": "x"}, False),
        ({"amount": DRAFT.lines[1].expected}, False),
        ({"date_from": NOW}, False),
        ({"date_to": NOW}, False),
    ],
)
def test_a_line_is_ours_by_price_amount_and_period(change: dict[str, Any], same: bool) -> None:
    assert same_line(replace(pending().lines[0], **change), WANTED) is same
    if "amount" in change:
        assert same_line(replace(pending().lines[0], **change), replace(WANTED, expected=None))


def test_one_stamped_invoice_is_ours_and_none_is_nothing() -> None:
    invoice = invoice_of(DRAFT)
    assert stamped([]) == NotFound()
    assert stamped([invoice]) == Found("inv_1", (FIRST, SECOND))


@pytest.mark.parametrize(
    ("change", "why"), [({"status": "voided"}, "was voided"), ({"deleted": True}, "was deleted")]
)
def test_a_stamped_invoice_that_is_gone_is_for_a_person(change: dict[str, Any], why: str) -> None:
    found = stamped([replace(invoice_of(DRAFT), **change)])
    assert isinstance(found, Undecidable)
    assert why in found.reason


def test_two_stamped_invoices_are_for_a_person() -> None:
    found = stamped([invoice_of(DRAFT), invoice_of(DRAFT, id=InvoiceId("inv_0"))])
    assert found == Undecidable("several invoices carry the stamp of the bill: inv_0, inv_1")


def test_lines_are_paired_only_where_nothing_is_left_to_choose() -> None:
    first, second = pending().lines
    again = replace(first, id=InvoiceLineId("li_9"))
    assert told_apart((first, second), DRAFT, (0, 1)) == {0: first.id, 1: second.id}
    assert told_apart((first, again, second), DRAFT, (0, 1)) == {1: second.id}
    assert told_apart((second,), DRAFT, (0, 1)) == {1: second.id}
    assert twice((first, again, second), DRAFT) == (first.id, again.id)
    assert twice((first, second), DRAFT) == ()
