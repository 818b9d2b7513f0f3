"""One bill on all three sides: what m3ter bills, what the ledger sent, what stands on invoices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from reconciler.core.billed import billed
from reconciler.core.draft_input import input_hash
from reconciler.core.draft_json import draft_from_json
from reconciler.core.reconciled import BillSides, Left
from reconciler.core.reconciliation import Case, CaseResult, reconcile_bill
from reconciler.core.sent import in_our_order, invoice_ids, sent_of
from reconciler.domain.address import AccountId, BillId
from reconciler.domain.bill import Bill
from reconciler.domain.draft import BlockedBill, InvoiceDraft, NothingToSend
from reconciler.domain.invoice import Invoice
from reconciler.domain.money import Money
from reconciler.domain.push import Effect, PushStatus, SiteName
from reconciler.domain.reconciliation import Difference, DifferenceClass
from reconciler.ports.destination import Destination
from reconciler.ports.ledger import BillRow, Ledger
from reconciler.workflows.push_view import NotOurs, NotYet, PushRoutes, SentByM3ter, Undecided

_LEFT = {NotOurs: Left.NOT_OURS, NotYet: Left.NOT_YET, SentByM3ter: Left.BY_M3TER}


class InvoiceShelf(Protocol):
    """Stamped invoices of a site, and which bills were compared, kept outside memory."""

    def put(self, invoice: Invoice) -> None:
        """Keep an invoice under its stamp; one without a stamp is let go."""
        ...

    def take(self, bill: BillId) -> tuple[Invoice, ...]:
        """Give the invoices of a bill, and remember that it was asked for."""
        ...

    def rest(self) -> Iterator[BillId]:
        """Stream the bills that were never asked for."""
        ...

    def meet(self, bill: BillId) -> bool:
        """Remember that a bill was compared; says whether it is the first time."""
        ...

    def met(self, bill: BillId) -> bool:
        """Tell whether a bill was compared."""
        ...


@dataclass(frozen=True, slots=True)
class SidePorts:
    """Where the three sides come from."""

    site: SiteName
    ledger: Ledger
    destination: Destination
    routes: PushRoutes
    shelf: InvoiceShelf


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
    effects = ports.ledger.effects(ports.site, row.bill_id)
    invoices = _invoices(row.bill_id, effects, draft, ports)
    sent = sent_of(draft, effects, row.generation, invoices)
    case = Case(row.bill_id, row.account_id, None, sent, invoices)
    return _decided(replace(plain, account=draft.account_code or row.account_id), case)


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
        for one in _invoices(bill_id, (), None, ports)
        if one.date is None or first <= one.date.date() < after
    )
    plain = BillSides(bill_id, "", "", "")
    return _decided(plain, Case(bill_id, AccountId(""), None, None, invoices))


def why_not_sent(row: BillRow) -> str:
    """Say why a bill was not sent, as the ledger has it."""
    return f"{row.status.value}: {row.message}" if row.message else row.status.value


def _recorded(bill: Bill, row: BillRow, ports: SidePorts) -> BillSides:
    """The ledger holds a draft: compare it with the bill of now and with the invoices."""
    draft = draft_from_json(row.draft)
    effects = ports.ledger.effects(ports.site, bill.id)
    invoices = _invoices(bill.id, effects, draft, ports)
    sent = sent_of(draft, effects, row.generation, invoices)
    plain = _blank(bill, row.integration, row)
    if input_hash(bill) == draft.input_hash:
        due: InvoiceDraft | None = draft
    else:
        outcome = ports.routes.draft(bill, row.integration)
        if isinstance(outcome, BlockedBill):
            return _changed_and_blocked(bill, plain, draft, outcome, ports)
        due = outcome if isinstance(outcome, InvoiceDraft) else None
    case = Case(bill.id, bill.account_id, due, sent, invoices, why_not_sent(row))
    return _decided(plain, case)


def _unrecorded(bill: Bill, row: BillRow | None, ports: SidePorts) -> BillSides:
    """Nothing was ever drafted in the ledger: who takes the bill, and what is due."""
    standing = ports.routes.standing(bill)
    invoices = _invoices(bill.id, (), None, ports)
    plain = _blank(bill, standing.integration, row)
    if isinstance(standing, NotOurs | NotYet | SentByM3ter):
        left = _LEFT[type(standing)]
        kept = replace(plain, left=left, money=_money(bill, ports), why=standing.why)
        case = Case(bill.id, bill.account_id, None, None, invoices)
        return _decided(kept, case) if invoices else kept
    why = standing.why if isinstance(standing, Undecided) else ""
    outcome = ports.routes.draft(bill, standing.integration)
    match outcome:
        case BlockedBill():
            return _blocked(bill, plain, outcome, invoices, ports)
        case NothingToSend() if not invoices:
            return replace(plain, left=Left.NOTHING_TO_SEND, why=outcome.why)
        case _:
            due = outcome if isinstance(outcome, InvoiceDraft) else None
            why = why or (why_not_sent(row) if row else "no run has tried it yet")
            case = Case(bill.id, bill.account_id, due, None, invoices, why)
            return _decided(plain, case)


def _decided(plain: BillSides, case: Case) -> BillSides:
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
    )


def _blocked(
    bill: Bill,
    plain: BillSides,
    outcome: BlockedBill,
    invoices: tuple[Invoice, ...],
    ports: SidePorts,
) -> BillSides:
    """A blocked bill has no draft, yet its money is due and must not vanish from the table."""
    why = "; ".join(one.text for one in outcome.reasons)
    money = _money(bill, ports)
    text = (
        f"{money or 'an amount that cannot be read'} is due and was not sent: it is blocked: {why}"
    )
    missing = Difference(
        DifferenceClass.MISSING, bill.id, bill.account_id, None, -money if money else None, text
    )
    extra = reconcile_bill(Case(bill.id, bill.account_id, None, None, invoices))
    differences = (missing, *(extra.differences if extra else ()))
    kept = replace(plain, differences=differences, money=money, why=why)
    if money is None:
        return kept
    zero = Money(0, money.currency)
    same = extra is not None and extra.currency == money.currency
    invoiced = extra.invoiced if extra is not None and same else zero
    return replace(
        kept,
        invoices=tuple(one.id for one in invoices),
        result=CaseResult(money.currency, money, zero, invoiced, zero, zero, differences),
    )


def _changed_and_blocked(
    bill: Bill, plain: BillSides, draft: InvoiceDraft, outcome: BlockedBill, ports: SidePorts
) -> BillSides:
    """A sent bill changed in m3ter into one that cannot be drafted: money is known, lines not."""
    why = "; ".join(one.text for one in outcome.reasons)
    now = _money(bill, ports)
    same = now is not None and now.currency == draft.currency
    text = f"m3ter changed the bill after it was recorded; it bills {now or 'an unknown sum'} now,"
    text += f" {draft.billed} was recorded, and it cannot be drafted: {why}"
    gap = draft.billed - now if now is not None and same else None
    found = Difference(DifferenceClass.AMOUNT, bill.id, bill.account_id, None, gap, text)
    effects = ports.ledger.effects(ports.site, bill.id)
    invoices = _invoices(bill.id, effects, draft, ports)
    row = ports.ledger.bill(ports.site, bill.id)
    sent = sent_of(draft, effects, row.generation if row else 1, invoices)
    case = Case(bill.id, bill.account_id, draft, sent, invoices, why)
    decided = _decided(plain, case)
    assert decided.result is not None, "a recorded draft is a side"
    differences = (found, *decided.differences)
    result = replace(decided.result, differences=differences)
    if now is not None and same:
        result = replace(result, billed=now)
    return replace(decided, result=result, differences=differences, why=why)


def _blank(bill: Bill, integration: str, row: BillRow | None) -> BillSides:
    status = row.status.value if row else ""
    return BillSides(bill.id, bill.account_code or bill.account_id, integration, status)


def _money(bill: Bill, ports: SidePorts) -> Money | None:
    return billed(bill, ports.routes.readings.currencies)


def _invoices(
    bill: BillId, effects: tuple[Effect, ...], draft: InvoiceDraft | None, ports: SidePorts
) -> tuple[Invoice, ...]:
    """Give the invoices of a bill with their lines, ours first, those that were undone last."""
    known = invoice_ids(effects)
    found = {one.id: one for one in ports.shelf.take(bill)}
    for identity in (*known, *found):
        if identity not in found or not found[identity].lines:
            read = ports.destination.read(identity)
            if read is not None:
                found[identity] = read
    if draft is not None and any(one not in found for one in known):
        # a pending invoice may get another id when it is closed
        found |= {one.id: one for one in ports.destination.by_bill(bill, draft, effects)}
    newest = max((one.key.generation for one in effects), default=1)
    replaced = set(invoice_ids([one for one in effects if one.key.generation < newest]))
    replaced -= set(invoice_ids([one for one in effects if one.key.generation == newest]))
    kept = [one for one in found.values() if not (one.id in replaced and _credited(one))]
    return in_our_order(kept, known)


def _credited(invoice: Invoice) -> bool:
    """Tell whether credit notes take back the whole of an invoice."""
    total = sum(one.amount.minor - one.discount.minor for one in invoice.lines)
    return invoice.credited is not None and invoice.credited.minor >= total
