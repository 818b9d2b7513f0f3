"""What stamps alone cannot decide: bills with several invoices, or with none that counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.kernel.address import BillId
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import InvoiceId


@dataclass(frozen=True, slots=True)
class StampedInvoice:
    """One stamped invoice, as far as the question needs it."""

    id: InvoiceId
    counts: bool


@dataclass(frozen=True, slots=True)
class UndecidedBill:
    """A bill that a person must look at before it is sent or left alone."""

    bill_id: BillId
    invoices: tuple[InvoiceId, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was learnt.

    Attributes:
        read: Stamped invoices that were read.
        new: Those of them that the ledger did not know.
        undecided: Bills that stop until a person decides.
        unstamped: Push integrations that add lines to pending invoices, which carry no stamp: each
            of their bills from before stops, and ``sync plan`` lists it.
        newest: When the newest bill was created, by m3ter's clock.
    """

    since: datetime
    read: int
    new: int
    undecided: tuple[UndecidedBill, ...]
    unstamped: tuple[str, ...]
    newest: datetime | None = None


def as_stamped(invoice: Invoice) -> StampedInvoice:
    """Keep what the question needs; a voided or deleted invoice does not bill anybody."""
    return StampedInvoice(invoice.id, not invoice.deleted and invoice.status != "voided")


def undecided(stamped: Mapping[BillId, Sequence[StampedInvoice]]) -> tuple[UndecidedBill, ...]:
    """List the bills whose invoices do not say whether they were sent once, by bill."""
    bills = (_why(bill, invoices) for bill, invoices in sorted(stamped.items()))
    return tuple(bill for bill in bills if bill is not None)


def _why(bill: BillId, invoices: Sequence[StampedInvoice]) -> UndecidedBill | None:
    counting = [other.id for other in invoices if other.counts]
    if len(counting) == 1:
        return None
    if counting:
        return UndecidedBill(bill, _ids(counting), "several invoices carry its stamp")
    gone = _ids(other.id for other in invoices)
    return UndecidedBill(bill, gone, "its invoice is voided or deleted, and nothing says why")


def _ids(invoices: Iterable[InvoiceId]) -> tuple[InvoiceId, ...]:
    return tuple(sorted(invoices))
