"""The invoices of one bill: those that are stamped with it, and those that the ledger knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from reconciler.drafting.draft import InvoiceDraft
from reconciler.kernel.address import BillId
from reconciler.reconcile.routes import PushRoutes
from reconciler.sync.core.readback.recorded import in_our_order, invoice_ids, without_undone
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import Effect, SiteName
from reconciler.sync.ports.destination import PushDestination
from reconciler.sync.ports.ledger import Ledger


class StampedInvoices(Protocol):
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
    destination: PushDestination
    routes: PushRoutes
    shelf: StampedInvoices


def invoices_of(
    bill: BillId, effects: tuple[Effect, ...], draft: InvoiceDraft | None, ports: SidePorts
) -> tuple[Invoice, ...]:
    """Give the invoices of a bill with their lines, ours first, those that were undone last."""
    known = invoice_ids(effects)
    found = {invoice.id: invoice for invoice in ports.shelf.take(bill)}
    for identity in (*known, *found):
        if identity not in found or not found[identity].lines:
            read = ports.destination.read(identity)
            if read is not None:
                found[identity] = read
    if draft is not None and any(invoice_id not in found for invoice_id in known):
        # a pending invoice may get another id when it is closed
        found |= {
            invoice.id: invoice for invoice in ports.destination.by_bill(bill, draft, effects)
        }
    return in_our_order(without_undone(tuple(found.values()), effects), known)
