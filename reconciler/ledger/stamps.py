"""The stamp index: invoices that carry a bill's id, as they were read last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice

from sqlalchemy import Connection, func, select

from reconciler.kernel.address import BillId
from reconciler.ledger.rows import stamp_columns, stamped_invoice
from reconciler.ledger.sql.database import Database
from reconciler.ledger.sql.tables import stamps
from reconciler.ledger.sql.upsert import put
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import SiteName

BATCH = 200


def put_stamps(database: Database, site: SiteName, invoices: Iterable[Invoice]) -> int:
    """Add read invoices, a batch a transaction; gives how many were new.

    The stream is read between transactions: it may wait for a network.
    """
    new = 0
    stamped = (one for one in invoices if one.stamp)
    for batch in _batches(stamped):
        new += database.write(partial(_put, site=site, batch=batch))
    return new


def stamps_of(connection: Connection, site: SiteName, bill: BillId) -> tuple[Invoice, ...]:
    """Give the invoices that carry a bill's id, without their lines."""
    rows = connection.execute(
        select(stamps)
        .where((stamps.c.site == site) & (stamps.c.bill_id == bill))
        .order_by(stamps.c.invoice_id)
    ).mappings()
    return tuple(stamped_invoice(row) for row in rows)


def _put(connection: Connection, site: SiteName, batch: dict[str, Invoice]) -> int:
    known = connection.execute(
        select(func.count()).where((stamps.c.site == site) & stamps.c.invoice_id.in_(batch))
    ).scalar_one()
    put(connection, stamps, [stamp_columns(site, one) for one in batch.values()])
    return len(batch) - int(known)


def _batches(invoices: Iterator[Invoice]) -> Iterator[dict[str, Invoice]]:
    while batch := {str(one.id): one for one in islice(invoices, BATCH)}:
        yield batch
