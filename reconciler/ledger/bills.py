"""Where each bill stands, one row a bill, and which invoices carry its id, as read last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from reconciler.kernel.address import BillId
from reconciler.ledger.rows import bill_columns, bill_of, put, stamp_columns, stamped_invoice
from reconciler.ledger.sql.database import Database
from reconciler.ledger.sql.tables import bills, stamps
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import PushStatus, SiteName
from reconciler.sync.ports.ledger import BillRow

PAGE = 500
_ONE = select(bills).where(
    (bills.c.site == bindparam("of_site")) & (bills.c.bill_id == bindparam("of_bill"))
)


def bill(connection: Connection, site: SiteName, bill_id: BillId) -> BillRow | None:
    """Give the row of a bill."""
    row = connection.execute(_ONE, {"of_site": site, "of_bill": bill_id}).mappings().first()
    return None if row is None else bill_of(row)


def put_bill(connection: Connection, row: BillRow) -> None:
    """Insert or replace the row of a bill."""
    put(connection, bills, [bill_columns(row)])


def stream_bills(
    database: Database, site: SiteName, statuses: Iterable[PushStatus] | None
) -> Iterator[BillRow]:
    """Stream the bills of a site by period end and id, a page in memory at a time.

    No transaction is open between pages, so the reader may take its time and write.
    """
    wanted = bills.c.site == site
    if statuses is not None:
        wanted &= bills.c.status.in_([status.value for status in statuses])
    pages = select(bills).where(wanted).order_by(bills.c.period_end, bills.c.bill_id).limit(PAGE)
    query = pages
    while True:
        rows = database.read(partial(_rows, query=query))
        yield from rows
        if len(rows) < PAGE:
            return
        end, last = rows[-1].period_end.isoformat(), rows[-1].bill_id
        query = pages.where(
            (bills.c.period_end > end) | ((bills.c.period_end == end) & (bills.c.bill_id > last))
        )


def _rows(connection: Connection, query: Select[Any]) -> list[BillRow]:
    return [bill_of(row) for row in connection.execute(query).mappings()]


BATCH = 200


def put_stamps(database: Database, site: SiteName, invoices: Iterable[Invoice]) -> int:
    """Add read invoices, a batch a transaction; gives how many were new.

    The stream is read between transactions: it may wait for a network.
    """
    new = 0
    stamped = (other for other in invoices if other.stamp)
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
    put(connection, stamps, [stamp_columns(site, invoice) for invoice in batch.values()])
    return len(batch) - int(known)


def _batches(invoices: Iterator[Invoice]) -> Iterator[dict[str, Invoice]]:
    while batch := {str(invoice.id): invoice for invoice in islice(invoices, BATCH)}:
        yield batch
