"""One bill on all three sides: what m3ter bills, what the ledger sent, what stands on invoices."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from reconciler.drafting.draft import BlockedBill, InvoiceDraft, NothingToSend
from reconciler.drafting.draft_json import draft_from_json
from reconciler.drafting.input_hash import input_hash
from reconciler.kernel.address import AccountId, BillId
from reconciler.m3ter.bill import Bill
from reconciler.reconcile.bill_invoices import SidePorts, invoices_of
from reconciler.reconcile.core.month import (
    BillSides,
    OutsideTable,
    lines_not_sent,
    not_sent_by_row,
    part_not_sent,
)
from reconciler.reconcile.core.who_changed import former_ids
from reconciler.reconcile.routes import NotOurs, NotYet, SentByM3ter
from reconciler.reconcile.unsent_sides import (
    blank,
    blocked_sides,
    blocking,
    decided,
    money_billed,
    not_due,
    unrecorded,
    why_missing,
)
from reconciler.sync.core.readback.compare import ThreeSides
from reconciler.sync.core.readback.invoice_lines import Recorded
from reconciler.sync.core.readback.recorded import recorded_of
from reconciler.sync.judge.sent_bill import given_for
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import Effect, PushStatus
from reconciler.sync.model.reconciliation import Difference, DifferenceClass
from reconciler.sync.ports.ledger import BillRow


def sides_of(bill: Bill, ports: SidePorts) -> BillSides:
    """Look at a bill that m3ter has, with all of its lines."""
    row = ports.ledger.bill(ports.site, bill.id)
    if row is not None and row.draft:
        return _recorded(bill, row, ports)
    if row is not None and row.status is PushStatus.COMPLETE:
        plain = blank(bill, row.integration, row)
        return replace(
            plain, left=OutsideTable.BY_M3TER, money=money_billed(bill, ports), why=row.message
        )
    return unrecorded(bill, row, ports)


def sides_without_bill(row: BillRow, ports: SidePorts) -> BillSides:
    """Look at a bill that the ledger has, and m3ter has no longer."""
    plain = BillSides(row.bill_id, row.account_id, row.integration, row.status.value)
    if not row.draft:
        return replace(plain, left=OutsideTable.NOT_OURS, why="m3ter no longer has the bill")
    draft = draft_from_json(row.draft)
    sent, invoices, effects = _sent(row, draft, ports)
    plain = replace(plain, account=draft.account_code or row.account_id, former=former_ids(effects))
    return decided(plain, ThreeSides(row.bill_id, row.account_id, None, sent, invoices))


def sides_of_stamp(bill_id: BillId, ports: SidePorts, first: date, after: date) -> BillSides:
    """Look at invoices with the stamp of a bill that neither m3ter nor the ledger has.

    Args:
        bill_id: The stamp.
        ports: The three sides.
        first: Only invoices dated on this day or later, so that one month lists each.
        after: And before this day.
    """
    invoices = tuple(
        invoice
        for invoice in invoices_of(bill_id, (), None, ports)
        if invoice.date is None or first <= invoice.date.date() < after
    )
    plain = BillSides(bill_id, "", "", "")
    return decided(plain, ThreeSides(bill_id, AccountId(""), None, None, invoices))


def _recorded(bill: Bill, row: BillRow, ports: SidePorts) -> BillSides:
    """The ledger holds a draft: compare it with the bill of now and with the invoices."""
    draft = draft_from_json(row.draft)
    sent, invoices, effects = _sent(row, draft, ports)
    plain = replace(blank(bill, row.integration, row), former=former_ids(effects))
    unsent = not_sent_by_row(row.status, row.message, effects, again=row.next_at is not None)
    if sent is None and unsent is not None and not unsent.settled and not invoices:
        standing = ports.routes.standing(bill)
        if isinstance(standing, NotOurs | NotYet | SentByM3ter):
            return not_due(bill, plain, standing, ports)
    if input_hash(bill) == draft.input_hash:
        due: InvoiceDraft | None = draft
    else:
        outcome = ports.routes.draft(bill, row.integration)
        if isinstance(outcome, BlockedBill) and sent is not None:
            case = ThreeSides(bill.id, bill.account_id, draft, sent, invoices)
            return _changed_and_blocked(bill, plain, case, outcome, ports)
        if isinstance(outcome, BlockedBill) and unsent is not None:
            return blocked_sides(bill, plain, blocking(outcome, unsent), invoices, ports)
        due = None if isinstance(outcome, NothingToSend) else draft
        due = outcome if isinstance(outcome, InvoiceDraft) else due
    case = ThreeSides(
        bill.id, bill.account_id, due, sent, invoices, why_missing(row), unsent is not None
    )
    sides = decided(plain, case, unsent)
    if sent is not None and sides.result is not None and sides.result.not_sent.minor:
        return replace(sides, held=part_not_sent(row.status, row.message))
    return sides


def _changed_and_blocked(
    bill: Bill, plain: BillSides, case: ThreeSides, outcome: BlockedBill, ports: SidePorts
) -> BillSides:
    """A sent bill changed in m3ter into one that cannot be drafted: money is known, lines not.

    Args:
        bill: As m3ter has it now.
        plain: What is known of it.
        case: What was sent, taken for due.
        outcome: Why it cannot be drafted.
        ports: The three sides.
    """
    draft = case.due
    assert draft is not None, "what was recorded is taken for due"
    why = "; ".join(reason.text for reason in outcome.reasons)
    now = money_billed(bill, ports)
    same = now is not None and now.currency == draft.currency
    text = f"m3ter changed the bill after it was recorded; it bills {now or 'an unknown sum'} now,"
    text += f" {draft.billed} was recorded, and it cannot be drafted: {why}"
    gap = draft.billed - now if now is not None and same else None
    difference = Difference(DifferenceClass.AMOUNT, bill.id, bill.account_id, None, gap, text)
    sides = decided(plain, case)
    assert sides.result is not None, "a recorded draft is a side"
    differences = (difference, *sides.differences)
    result = replace(sides.result, differences=differences)
    if now is not None and same:
        result = replace(result, billed=now)
    return replace(sides, result=result, differences=differences)


def _sent(
    row: BillRow, draft: InvoiceDraft, ports: SidePorts
) -> tuple[Recorded | None, tuple[Invoice, ...], tuple[Effect, ...]]:
    """Give what was sent, the invoices, and the effects that the ledger holds."""
    effects = ports.ledger.effects(ports.site, row.bill_id)
    invoices = invoices_of(row.bill_id, effects, draft, ports)
    amount = given_for(ports.destination, draft, effects, row.generation)
    sent = recorded_of(draft, effects, row.generation, invoices, amount)
    if sent is not None:
        lines, notes = lines_not_sent(draft, effects, row.generation, row.status)
        sent = replace(sent, held=lines, credits_held=notes)
    return sent, invoices, effects
