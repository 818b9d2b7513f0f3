"""Re-learn from stamps what a lost ledger knew, and list what stamps cannot say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from reconciler.definitions.model import Effective
from reconciler.kernel.address import BillId
from reconciler.kernel.ports import Progress, Task
from reconciler.m3ter.ports import BillQuery, Bills
from reconciler.sync.core.stamp_findings import Rebuilt, StampedInvoice, as_stamped, undecided
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.ports.destination import PushDestination
from reconciler.sync.ports.ledger import Ledger
from reconciler.sync.run.bill_stream import DATE_MARGIN


def rebuild(
    ledger: Ledger,
    destination: PushDestination,
    bills: Bills,
    effective: Effective,
    since: datetime,
    *,
    progress: Progress,
) -> Rebuilt:
    """Put every stamped invoice since a time into the ledger's stamp index.

    Args:
        ledger: Opened to be rebuilt.
        destination: The site that the invoices are read from; nothing is written there.
        bills: m3ter's; those that are there now may have been sent by the lost ledger.
        effective: Which integrations push, and how.
        since: Before the first bill that the ledger may have lost.
        progress: Counts invoices.
    """
    found: dict[BillId, list[StampedInvoice]] = {}
    with progress.task("Stamped invoices", None) as task:
        stream = _noted(destination.stamped(since), found, task)
        new = ledger.put_stamps(destination.site, stream)
    return Rebuilt(
        since=since,
        read=sum(map(len, found.values())),
        new=new,
        undecided=undecided(found),
        unstamped=pending_pushes(effective),
        newest=_newest(bills, since, progress),
    )


def pending_pushes(effective: Effective) -> tuple[str, ...]:
    """Name the push integrations that add lines to pending invoices."""
    return tuple(
        integration.name
        for integration in effective.integrations
        if integration.spec.delivery == "push"
        and integration.spec.chargebee is not None
        and not integration.spec.chargebee.create_invoice
    )


def stamp_fields(effective: Effective) -> tuple[str, ...]:
    """Name the custom fields that carry bill ids."""
    pushes = (
        integration.spec.push
        for integration in effective.integrations
        if integration.spec.push is not None
    )
    return tuple(sorted({push.stamp for push in pushes}))


def _newest(bills: Bills, since: datetime, progress: Progress) -> datetime | None:
    """Give when the newest bill was created; read after the invoices, so that none is missed."""
    newest: datetime | None = None
    with progress.task("Bills", None) as task:
        for bill in bills.list(BillQuery(since=since.date() - DATE_MARGIN, lines=False)):
            if bill.created_at is not None:
                newest = max(newest or bill.created_at, bill.created_at)
            task.advance()
    return newest


def _noted(
    invoices: Iterable[Invoice], found: dict[BillId, list[StampedInvoice]], task: Task
) -> Iterator[Invoice]:
    for invoice in invoices:
        if invoice.stamp:
            found.setdefault(invoice.stamp, []).append(as_stamped(invoice))
            task.advance()
            yield invoice
