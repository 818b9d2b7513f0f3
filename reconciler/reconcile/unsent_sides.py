"""A bill of which nothing was sent: who takes it, what it comes to, and what holds it back."""

from __future__ import annotations

from dataclasses import replace

from reconciler.drafting.draft import BlockedBill, InvoiceDraft, NothingToSend
from reconciler.drafting.draft_bill import billed_amount
from reconciler.kernel.money import Money
from reconciler.m3ter.bill import Bill
from reconciler.reconcile.bill_invoices import SidePorts, invoices_of
from reconciler.reconcile.core.month import (
    BillSides,
    NotSent,
    OutsideTable,
    not_sent_by_reasons,
    not_sent_by_row,
    not_sent_by_switch,
)
from reconciler.reconcile.routes import NotOurs, NotYet, RouteStanding, SentByM3ter, UndecidedRoute
from reconciler.sync.core.readback.compare import BillComparison, ThreeSides, reconcile_bill
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.reconciliation import Difference, DifferenceClass
from reconciler.sync.ports.ledger import BillRow

_LEFT = {
    NotOurs: OutsideTable.NOT_OURS,
    NotYet: OutsideTable.NOT_YET,
    SentByM3ter: OutsideTable.BY_M3TER,
}


def unrecorded(bill: Bill, row: BillRow | None, ports: SidePorts) -> BillSides:
    """Nothing was ever drafted in the ledger: who takes the bill, and what is due."""
    standing = ports.routes.standing(bill)
    invoices = invoices_of(bill.id, (), None, ports)
    plain = blank(bill, standing.integration, row)
    if isinstance(standing, NotOurs | NotYet | SentByM3ter):
        kept = not_due(bill, plain, standing, ports)
        case = ThreeSides(bill.id, bill.account_id, None, None, invoices)
        return decided(kept, case) if invoices else kept
    unsent = _by_row(row)
    outcome = ports.routes.draft(bill, standing.integration)
    match outcome:
        case BlockedBill():
            return blocked_sides(bill, plain, blocking(outcome, unsent), invoices, ports)
        case NothingToSend() if not invoices:
            return replace(plain, left=OutsideTable.NOTHING_TO_SEND, why=outcome.why)
        case _:
            due = outcome if isinstance(outcome, InvoiceDraft) else None
            unsent = _held_now(standing, due, row, ports)
            missing = why_missing(row) if row is not None else "no `sync run` has tried it yet"
            case = ThreeSides(
                bill.id, bill.account_id, due, None, invoices, missing, unsent is not None
            )
            return decided(plain, case, unsent)


def blocking(outcome: BlockedBill, by_row: NotSent | None) -> NotSent:
    """Say why a bill is not sent: what blocks it, unless a person decided that it stays so."""
    if by_row is not None and by_row.settled:
        return by_row
    return not_sent_by_reasons(outcome.reasons)


def blocked_sides(
    bill: Bill, plain: BillSides, unsent: NotSent, invoices: tuple[Invoice, ...], ports: SidePorts
) -> BillSides:
    """A blocked bill has no draft, yet its money is due and must not vanish from the table.

    Nothing of it can stand at the destination, unless an invoice carries its stamp.
    """
    money = money_billed(bill, ports)
    extra = reconcile_bill(ThreeSides(bill.id, bill.account_id, None, None, invoices))
    differences = extra.differences if extra else ()
    if money is None:
        text = f"an amount that cannot be read is due and was not sent: {unsent.why}"
        missing = Difference(DifferenceClass.MISSING, bill.id, bill.account_id, None, None, text)
        return replace(plain, differences=(missing, *differences))
    zero = Money(0, money.currency)
    same = extra is not None and extra.currency == money.currency
    invoiced = extra.invoiced if extra is not None and same else zero
    return replace(
        plain,
        differences=differences,
        money=money,
        held=unsent,
        invoices=tuple(other.id for other in invoices),
        result=BillComparison(
            money.currency, money, zero, money, invoiced, zero, zero, differences
        ),
    )


def not_due(
    bill: Bill, plain: BillSides, standing: NotOurs | NotYet | SentByM3ter, ports: SidePorts
) -> BillSides:
    """A bill of which nothing was sent, and that is not ours to send now."""
    left = _LEFT[type(standing)]
    return replace(plain, left=left, money=money_billed(bill, ports), why=standing.why)


def _held_now(
    standing: RouteStanding, due: InvoiceDraft | None, row: BillRow | None, ports: SidePorts
) -> NotSent | None:
    """Say what holds a bill back of which the ledger has no draft."""
    by_row = _by_row(row)
    if by_row is not None and by_row.settled:
        return by_row
    if isinstance(standing, UndecidedRoute):
        return NotSent(standing.short, standing.why, standing.page)
    if row is not None and row.status is PushStatus.BLOCKED and due is not None:
        reasons = ports.destination.check(due)
        return not_sent_by_reasons(reasons) if reasons else by_row
    if by_row is not None:
        return by_row
    paused = ports.ledger.paused(ports.site)
    return not_sent_by_switch(paused, ports.ledger.disabled(ports.site, standing.integration))


def decided(plain: BillSides, case: ThreeSides, unsent: NotSent | None = None) -> BillSides:
    """Reconcile a case; ``unsent`` counts only where it is due and nothing was sent."""
    result = reconcile_bill(case)
    if result is None:
        return replace(plain, left=plain.left or OutsideTable.NOT_OURS)
    return replace(
        plain,
        invoices=tuple(stamped.id for stamped in case.invoices),
        result=result,
        differences=result.differences,
        left=None,
        money=result.billed,
        held=unsent if case.sent is None and case.due is not None else None,
    )


def why_missing(row: BillRow) -> str:
    """Say where the ledger has a bill that is missing."""
    return f"{row.status.value}: {row.message}" if row.message else row.status.value


def blank(bill: Bill, integration: str, row: BillRow | None) -> BillSides:
    """Begin with what is known of a bill before it is compared."""
    status = row.status.value if row else ""
    return BillSides(bill.id, bill.account_code or bill.account_id, integration, status)


def money_billed(bill: Bill, ports: SidePorts) -> Money | None:
    """Say what m3ter bills, also where it cannot be drafted."""
    return billed_amount(bill, ports.routes.readings.currencies)


def _by_row(row: BillRow | None) -> NotSent | None:
    if row is None:
        return None
    return not_sent_by_row(row.status, row.message, again=row.next_at is not None)
