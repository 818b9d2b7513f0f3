"""One bill on all three sides: what m3ter bills, what the ledger sent, what stands on invoices."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from reconciler.core.billed import billed
from reconciler.core.case import Case, CaseResult
from reconciler.core.draft_input import input_hash
from reconciler.core.draft_json import draft_from_json
from reconciler.core.held import (
    Held,
    held_by_reasons,
    held_by_row,
    held_by_switch,
    held_lines,
    held_part,
)
from reconciler.core.invoice_lines import Sent
from reconciler.core.reconciled import BillSides, Left
from reconciler.core.reconciliation import reconcile_bill
from reconciler.core.sent import sent_of
from reconciler.core.who_changed import former_ids
from reconciler.domain.address import AccountId, BillId
from reconciler.domain.bill import Bill
from reconciler.domain.draft import BlockedBill, InvoiceDraft, NothingToSend
from reconciler.domain.invoice import Invoice
from reconciler.domain.money import Money
from reconciler.domain.push import Effect, PushStatus
from reconciler.domain.reconciliation import Difference, DifferenceClass
from reconciler.ports.ledger import BillRow
from reconciler.workflows.bill_invoices import SidePorts, invoices_of
from reconciler.workflows.push_view import (
    NotOurs,
    NotYet,
    SentByM3ter,
    Standing,
    Undecided,
)
from reconciler.workflows.sent_bill import given_for

_LEFT = {NotOurs: Left.NOT_OURS, NotYet: Left.NOT_YET, SentByM3ter: Left.BY_M3TER}


def sides_of(bill: Bill, ports: SidePorts) -> BillSides:
    """Look at a bill that m3ter has, with all of its lines."""
    row = ports.ledger.bill(ports.site, bill.id)
    if row is not None and row.draft:
        return _recorded(bill, row, ports)
    if row is not None and row.status is PushStatus.COMPLETE:
        plain = _blank(bill, row.integration, row)
        return replace(plain, left=Left.BY_M3TER, money=_money(bill, ports), why=row.message)
    return _unrecorded(bill, row, ports)


def sides_without_bill(row: BillRow, ports: SidePorts) -> BillSides:
    """Look at a bill that the ledger has, and m3ter has no longer."""
    plain = BillSides(row.bill_id, row.account_id, row.integration, row.status.value)
    if not row.draft:
        return replace(plain, left=Left.NOT_OURS, why="m3ter no longer has the bill")
    draft = draft_from_json(row.draft)
    sent, invoices, effects = _sent(row, draft, ports)
    plain = replace(plain, account=draft.account_code or row.account_id, former=former_ids(effects))
    return _decided(plain, Case(row.bill_id, row.account_id, None, sent, invoices))


def sides_of_stamp(bill_id: BillId, ports: SidePorts, first: date, after: date) -> BillSides:
    """Look at invoices with the stamp of a bill that neither m3ter nor the ledger has.

    Args:
        bill_id: The stamp.
        ports: The three sides.
        first: Only invoices dated on this day or later, so that one month lists each.
        after: And before this day.
    """
    invoices = tuple(
        one
        for one in invoices_of(bill_id, (), None, ports)
        if one.date is None or first <= one.date.date() < after
    )
    plain = BillSides(bill_id, "", "", "")
    return _decided(plain, Case(bill_id, AccountId(""), None, None, invoices))


def _recorded(bill: Bill, row: BillRow, ports: SidePorts) -> BillSides:
    """The ledger holds a draft: compare it with the bill of now and with the invoices."""
    draft = draft_from_json(row.draft)
    sent, invoices, effects = _sent(row, draft, ports)
    plain = replace(_blank(bill, row.integration, row), former=former_ids(effects))
    held = held_by_row(row.status, row.message, effects)
    if sent is None and held is not None and not held.settled and not invoices:
        standing = ports.routes.standing(bill)
        if isinstance(standing, NotOurs | NotYet | SentByM3ter):
            return _not_due(bill, plain, standing, ports)
    if input_hash(bill) == draft.input_hash:
        due: InvoiceDraft | None = draft
    else:
        outcome = ports.routes.draft(bill, row.integration)
        if isinstance(outcome, BlockedBill) and sent is not None:
            case = Case(bill.id, bill.account_id, draft, sent, invoices)
            return _changed_and_blocked(bill, plain, case, outcome, ports)
        if isinstance(outcome, BlockedBill) and held is not None:
            return _blocked(bill, plain, _blocking(outcome, held), invoices, ports)
        due = None if isinstance(outcome, NothingToSend) else draft
        due = outcome if isinstance(outcome, InvoiceDraft) else due
    case = Case(bill.id, bill.account_id, due, sent, invoices, _missing(row), held is not None)
    decided = _decided(plain, case, held)
    if sent is not None and decided.result is not None and decided.result.not_sent.minor:
        return replace(decided, held=held_part(row.status, row.message))
    return decided


def _unrecorded(bill: Bill, row: BillRow | None, ports: SidePorts) -> BillSides:
    """Nothing was ever drafted in the ledger: who takes the bill, and what is due."""
    standing = ports.routes.standing(bill)
    invoices = invoices_of(bill.id, (), None, ports)
    plain = _blank(bill, standing.integration, row)
    if isinstance(standing, NotOurs | NotYet | SentByM3ter):
        kept = _not_due(bill, plain, standing, ports)
        case = Case(bill.id, bill.account_id, None, None, invoices)
        return _decided(kept, case) if invoices else kept
    held = held_by_row(row.status, row.message) if row is not None else None
    outcome = ports.routes.draft(bill, standing.integration)
    match outcome:
        case BlockedBill():
            return _blocked(bill, plain, _blocking(outcome, held), invoices, ports)
        case NothingToSend() if not invoices:
            return replace(plain, left=Left.NOTHING_TO_SEND, why=outcome.why)
        case _:
            due = outcome if isinstance(outcome, InvoiceDraft) else None
            held = _held_now(standing, due, row, ports)
            missing = _missing(row) if row is not None else "no `sync run` has tried it yet"
            case = Case(bill.id, bill.account_id, due, None, invoices, missing, held is not None)
            return _decided(plain, case, held)


def _not_due(
    bill: Bill, plain: BillSides, standing: NotOurs | NotYet | SentByM3ter, ports: SidePorts
) -> BillSides:
    """A bill of which nothing was sent, and that is not ours to send now."""
    left = _LEFT[type(standing)]
    return replace(plain, left=left, money=_money(bill, ports), why=standing.why)


def _held_now(
    standing: Standing, due: InvoiceDraft | None, row: BillRow | None, ports: SidePorts
) -> Held | None:
    """Say what holds a bill back of which the ledger has no draft."""
    by_row = held_by_row(row.status, row.message) if row is not None else None
    if by_row is not None and by_row.settled:
        return by_row
    if isinstance(standing, Undecided):
        return Held(standing.short, standing.why, standing.page)
    if row is not None and row.status is PushStatus.BLOCKED and due is not None:
        reasons = ports.destination.check(due)
        return held_by_reasons(reasons) if reasons else by_row
    if by_row is not None:
        return by_row
    paused = ports.ledger.paused(ports.site)
    return held_by_switch(paused, ports.ledger.disabled(ports.site, standing.integration))


def _decided(plain: BillSides, case: Case, held: Held | None = None) -> BillSides:
    result = reconcile_bill(case)
    if result is None:
        return replace(plain, left=plain.left or Left.NOT_OURS)
    return replace(
        plain,
        invoices=tuple(one.id for one in case.invoices),
        result=result,
        differences=result.differences,
        left=None,
        money=result.billed,
        held=held if case.sent is None and case.due is not None else None,
    )


def _blocking(outcome: BlockedBill, by_row: Held | None) -> Held:
    """Say why a bill is not sent: what blocks it, unless a person decided that it stays so."""
    if by_row is not None and by_row.settled:
        return by_row
    return held_by_reasons(outcome.reasons)


def _blocked(
    bill: Bill, plain: BillSides, held: Held, invoices: tuple[Invoice, ...], ports: SidePorts
) -> BillSides:
    """A blocked bill has no draft, yet its money is due and must not vanish from the table.

    Nothing of it can stand at the destination, unless an invoice carries its stamp.
    """
    money = _money(bill, ports)
    extra = reconcile_bill(Case(bill.id, bill.account_id, None, None, invoices))
    differences = extra.differences if extra else ()
    if money is None:
        text = f"an amount that cannot be read is due and was not sent: {held.why}"
        missing = Difference(DifferenceClass.MISSING, bill.id, bill.account_id, None, None, text)
        return replace(plain, differences=(missing, *differences))
    zero = Money(0, money.currency)
    same = extra is not None and extra.currency == money.currency
    invoiced = extra.invoiced if extra is not None and same else zero
    return replace(
        plain,
        differences=differences,
        money=money,
        held=held,
        invoices=tuple(one.id for one in invoices),
        result=CaseResult(money.currency, money, zero, money, invoiced, zero, zero, differences),
    )


def _changed_and_blocked(
    bill: Bill, plain: BillSides, case: Case, outcome: BlockedBill, ports: SidePorts
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
    why = "; ".join(one.text for one in outcome.reasons)
    now = _money(bill, ports)
    same = now is not None and now.currency == draft.currency
    text = f"m3ter changed the bill after it was recorded; it bills {now or 'an unknown sum'} now,"
    text += f" {draft.billed} was recorded, and it cannot be drafted: {why}"
    gap = draft.billed - now if now is not None and same else None
    found = Difference(DifferenceClass.AMOUNT, bill.id, bill.account_id, None, gap, text)
    decided = _decided(plain, case)
    assert decided.result is not None, "a recorded draft is a side"
    differences = (found, *decided.differences)
    result = replace(decided.result, differences=differences)
    if now is not None and same:
        result = replace(result, billed=now)
    return replace(decided, result=result, differences=differences)


def _sent(
    row: BillRow, draft: InvoiceDraft, ports: SidePorts
) -> tuple[Sent | None, tuple[Invoice, ...], tuple[Effect, ...]]:
    """Give what was sent, the invoices, and the effects that the ledger holds."""
    effects = ports.ledger.effects(ports.site, row.bill_id)
    invoices = invoices_of(row.bill_id, effects, draft, ports)
    given = given_for(ports.destination, draft, effects, row.generation)
    sent = sent_of(draft, effects, row.generation, invoices, given)
    if sent is not None:
        lines, notes = held_lines(draft, effects, row.generation, row.status)
        sent = replace(sent, held=lines, credits_held=notes)
    return sent, invoices, effects


def _missing(row: BillRow) -> str:
    """Say where the ledger has a bill that is missing."""
    return f"{row.status.value}: {row.message}" if row.message else row.status.value


def _blank(bill: Bill, integration: str, row: BillRow | None) -> BillSides:
    status = row.status.value if row else ""
    return BillSides(bill.id, bill.account_code or bill.account_id, integration, status)


def _money(bill: Bill, ports: SidePorts) -> Money | None:
    return billed(bill, ports.routes.readings.currencies)
