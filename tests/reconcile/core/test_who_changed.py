"""Who made a difference, from what the destination remembers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes.push_data import bill, drafted, invoice_of, line, route

from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Currency, Money
from reconciler.reconcile.core.who_changed import former_ids, may_be_edited, with_authors
from reconciler.sync.model.invoice import Invoice, InvoiceChange
from reconciler.sync.model.push import (
    Effect,
    InvoiceId,
    InvoiceLineId,
    PushKey,
    PushState,
    SiteName,
    StepKind,
    StepName,
    StoredRequest,
)
from reconciler.sync.model.reconciliation import Difference, DifferenceClass

C = DifferenceClass
GBP = Currency("GBP", 2)
MADE = invoice_of(drafted(bill(line("USAGE", "400", units="8"), line("AD_HOC", "7")), route()))
FIRST, SECOND = MADE.lines
FEE = replace(SECOND, id=InvoiceLineId("li_9"), description="Set-up fee")
NOON = datetime(2026, 12, 3, 12, tzinfo=UTC)


def change(
    hour: int, invoice: Invoice | None, user: str = "k.smith", key: str = MADE.id
) -> InvoiceChange:
    source = "api" if user == "key" else "admin_console"
    return InvoiceChange(InvoiceId(key), NOON + timedelta(hours=hour), user, source, invoice)


def differs(kind: DifferenceClass, line_id: str | None = None, key: str = MADE.id) -> Difference:
    line = InvoiceLineId(line_id) if line_id else None
    return Difference(kind, BillId("b"), AccountId("a"), InvoiceId(key), None, "text", line)


def named(difference: Difference, *changes: InvoiceChange, former: tuple[str, ...] = ()) -> str:
    (found,) = with_authors([difference], changes, map(InvoiceId, former))
    by = found.by
    return f"{by.did} by {by.user} at {by.at:%H}" if by else ""


OURS = change(0, MADE, "key")
WITH_FEE = replace(MADE, lines=(*MADE.lines, FEE))
DEARER = replace(MADE, lines=(replace(FIRST, amount=Money(41000, GBP)), SECOND))


@pytest.mark.parametrize(
    ("difference", "changes", "wanted"),
    [
        (differs(C.EXTRA, "li_9"), [OURS, change(2, WITH_FEE)], "added by k.smith at 14"),
        (
            differs(C.EXTRA, "li_9"),
            [OURS, change(2, WITH_FEE), change(3, replace(WITH_FEE, status="posted"), "pat")],
            "added by k.smith at 14",
        ),
        (differs(C.EXTRA, "li_9"), [change(2, WITH_FEE)], "added by k.smith at 14"),
        (differs(C.EXTRA, "li_9"), [OURS], ""),
        (
            differs(C.EDITED, SECOND.id),
            [OURS, change(1, replace(MADE, lines=(FIRST,)), "pat")],
            "taken off by pat at 13",
        ),
        (differs(C.EDITED, FIRST.id), [OURS, change(1, DEARER)], "changed by k.smith at 13"),
        (differs(C.PERIOD, FIRST.id), [OURS], ""),
        (differs(C.EDITED, FIRST.id), [], ""),
        (
            differs(C.MISSING),
            [OURS, change(1, replace(MADE, status="voided")), change(2, None)],
            "voided by k.smith at 13",
        ),
        (differs(C.MISSING), [change(1, replace(MADE, deleted=True))], "deleted by k.smith at 13"),
        (differs(C.MISSING), [OURS], ""),
        (differs(C.AMOUNT), [OURS, change(4, None, "pat")], "credited by pat at 16"),
        (differs(C.AMOUNT), [OURS], ""),
        (differs(C.EXTRA), [change(1, MADE, "pat"), change(2, WITH_FEE)], "added by pat at 13"),
        (differs(C.EXTRA), [], ""),
        (differs(C.CUSTOMER), [OURS, change(1, DEARER)], ""),
    ],
)
def test_each_kind_of_difference_has_the_change_that_made_it(
    difference: Difference, changes: list[InvoiceChange], wanted: str
) -> None:
    assert named(difference, *changes) == wanted


def test_only_changes_of_the_same_invoice_count_under_all_its_ids() -> None:
    closed = differs(C.EXTRA, "li_9", key="17")
    draft = change(1, WITH_FEE, key="draft_1")
    assert named(closed, draft) == ""
    assert named(closed, draft, former=("draft_1",)) == "added by k.smith at 13"


def test_a_line_as_it_was_sent_and_a_bill_without_invoice_are_nobodys_edit() -> None:
    assert not may_be_edited(differs(C.AMOUNT, FIRST.id))
    assert not may_be_edited(replace(differs(C.MISSING), invoice_id=None))
    assert may_be_edited(differs(C.AMOUNT))
    assert named(differs(C.AMOUNT, FIRST.id), OURS, change(4, None)) == ""


def test_the_ids_that_an_invoice_had_are_those_of_the_steps_that_were_done() -> None:
    def effect(kind: StepKind, state: PushState, made: str, on: str = "") -> Effect:
        key = PushKey(SiteName("s"), BillId("b"), 1, StepName(kind))
        found = Effect(key, state, StoredRequest("/x", b""))
        return replace(found, object_id=made, invoice_id=InvoiceId(on) if on else None)

    done = PushState.DONE
    effects = [
        effect(StepKind.CREATE_INVOICE, done, "inv_1"),
        effect(StepKind.ADD_LINE, done, "17", "draft_1"),
        effect(StepKind.ADD_LINE, PushState.REFUSED, "", "draft_2"),
        effect(StepKind.CREDIT_NOTE, done, "CN-1", "inv_1"),
    ]
    assert former_ids(effects) == ("inv_1", "17", "draft_1")
