"""Bills that were sent: what a change of the bill means, and what is read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.drafting.draft import InvoiceDraft
from reconciler.drafting.draft_bill import billed_amount
from reconciler.drafting.draft_json import draft_from_json
from reconciler.drafting.input_hash import input_hash
from reconciler.kernel.money import Money
from reconciler.kernel.runbook import Page, page
from reconciler.m3ter.bill import Bill
from reconciler.sync.core.readback.compare import BillComparison, ThreeSides, reconcile_bill
from reconciler.sync.core.readback.recorded import in_our_order, invoice_ids, line_ids, recorded_of
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import Effect, PushState, PushStatus, StepKind
from reconciler.sync.model.recalculation import (
    CreditAndRebill,
    LeaveToPerson,
    Reopened,
    ReplaceLines,
    SentBill,
    Unchanged,
    VoidAndRecreate,
    recalculated,
)
from reconciler.sync.model.standing import BillStanding, Group, Who
from reconciler.sync.model.statuses import bill_page
from reconciler.sync.ports.destination import PushDestination
from reconciler.sync.ports.ledger import BillRow

Change = ReplaceLines | CreditAndRebill | VoidAndRecreate


def judge_sent(
    bill: Bill,
    row: BillRow,
    effects: Sequence[Effect],
    destination: PushDestination,
    route: PushRoute,
    *,
    approved: bool,
) -> BillStanding | Change:
    """Judge a bill that was sent and is no longer as it was sent, or no longer approved.

    Returns:
        A standing when nothing is sent, else what the policy does with what was sent before.
    """
    who = Who(bill.id, bill.account_id, bill.account_code)
    money = billed_amount(bill, route.route.readings.currencies)
    found = recalculated(
        _sent_bill(row, effects, destination),
        input_hash(bill),
        route.route.policy.recalculated,
        approved=approved,
    )
    match found:
        case Unchanged():
            again = row.status is not PushStatus.COMPLETE
            why = "approved, and again as it was sent" if again else row.message
            standing = BillStanding(Group.UNCHANGED, who, row.integration, "already sent", why)
            return replace(standing, money=row.billed, status=PushStatus.COMPLETE)
        case Reopened(changed):
            how = "and its amounts changed" if changed else "and its amounts are the same"
            why = f"it was sent as {row.billed}, and is {bill.status} in m3ter again, {how}"
            standing = BillStanding(
                Group.DECIDE, who, row.integration, "reopened after it was sent", why
            )
            return replace(
                standing, money=money, status=PushStatus.REOPENED, page=page(Page.REOPENED)
            )
        case LeaveToPerson(why, paid):
            why = f"{why}: sent as {row.billed}, m3ter bills {money} now"
            short = f"recalculated after it was {'paid' if paid else 'sent'}"
            status = PushStatus.INVOICE_ALREADY_PAID if paid else PushStatus.REOPENED
            standing = BillStanding(Group.DECIDE, who, row.integration, short, why)
            return replace(standing, money=money, status=status, page=bill_page(status))
        case _:
            return found


def billed_before(nothing: BillStanding) -> BillStanding:
    """Leave a bill to a person of which m3ter bills nothing any more, and which was sent."""
    why = f"it was sent, and m3ter bills nothing of it any more: {nothing.why}"
    short = "recalculated after it was sent"
    standing = replace(nothing, group=Group.DECIDE, short=short, why=why)
    return replace(standing, status=PushStatus.REOPENED, page=page(Page.REOPENED))


def read_back(
    destination: PushDestination, draft: InvoiceDraft, effects: Sequence[Effect], generation: int
) -> tuple[BillComparison | None, tuple[Invoice, ...]]:
    """Read a sent bill back and compare it line by line, before tax."""
    mine = [effect for effect in effects if effect.key.generation == generation]
    known = invoice_ids(mine)
    read = [destination.read(invoice_id) for invoice_id in known]
    invoices = tuple(invoice for invoice in read if invoice is not None)
    if len(invoices) < len(known) or not known:
        invoices = in_our_order(destination.by_bill(draft.bill_id, draft, effects), known)
    amount = given_for(destination, draft, effects, generation)
    sent = recorded_of(draft, effects, generation, invoices, amount)
    case = ThreeSides(draft.bill_id, draft.account_id, draft, sent, invoices[:1])
    return reconcile_bill(case), invoices


def given_for(
    destination: PushDestination, draft: InvoiceDraft, effects: Sequence[Effect], generation: int
) -> Money | None:
    """Read what a bill's sending credited beside its invoice; nothing is read without credits."""
    if not draft.credits:
        return None
    return destination.given(
        draft, [effect for effect in effects if effect.key.generation == generation]
    )


def _sent_bill(row: BillRow, effects: Sequence[Effect], destination: PushDestination) -> SentBill:
    mine = [effect for effect in effects if effect.key.generation == row.generation]
    done = [effect for effect in mine if effect.state is PushState.DONE]
    if not done or not row.draft:
        return SentBill(row.input_hash, None, frozenset())
    draft = draft_from_json(row.draft)
    invoices = in_our_order(destination.by_bill(row.bill_id, draft, effects), invoice_ids(mine))
    ours = frozenset(line_ids(done).values())
    promotional = next(
        (
            effect.object_id
            for effect in effects
            if effect.key.step.kind is StepKind.PROMOTIONAL_CREDIT
        ),
        "",
    )
    return SentBill(row.input_hash, invoices[0] if invoices else None, ours, promotional)
