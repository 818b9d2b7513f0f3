"""Leases with fences: at most one worker acts for a bill, and one that lost its lease stops."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from reconciler.domain.address import BillId
from reconciler.domain.push import SiteName
from reconciler.ledger.database import Database
from reconciler.ledger.rows import stamp_text
from reconciler.ledger.tables import leases
from reconciler.ports.ledger import Lease, LeaseLostError


def claim(
    database: Database, site: SiteName, bill: BillId, worker: str, seconds: float
) -> Lease | None:
    """Take the lease of a bill that nobody holds; ``None`` when someone does."""
    try:
        with database.write() as connection:
            now = database.now(connection)
            return _taken(connection, now, Lease(site, bill, worker, 1, _until(now, seconds)))
    except IntegrityError:
        # two workers inserted the first lease of a bill at once
        return None


def renew(database: Database, lease: Lease, seconds: float) -> Lease:
    """Hold a lease longer.

    Raises:
        LeaseLostError: When it is lost already.
    """
    with database.write() as connection:
        now = refuse_lost(database, connection, lease)
        longer = Lease(lease.site, lease.bill_id, lease.worker, lease.fence, _until(now, seconds))
        connection.execute(
            update(leases).where(_mine(lease)).values(until=stamp_text(longer.until))
        )
        return longer


def release(database: Database, lease: Lease) -> None:
    """Let the bill go; the fence stays, so that it never falls."""
    with database.write() as connection:
        now = database.now(connection)
        connection.execute(update(leases).where(_mine(lease)).values(until=stamp_text(now)))


def refuse_lost(database: Database, connection: Connection, lease: Lease) -> datetime:
    """Check a lease inside a transaction, and give its time.

    Raises:
        LeaseLostError: When a newer fence exists or the time is over.
    """
    now = database.now(connection)
    held = connection.execute(
        select(leases.c.until).where(_mine(lease)).with_for_update()
    ).scalar_one_or_none()
    if held is None or held <= stamp_text(now):
        raise LeaseLostError(lease)
    return now


def _taken(connection: Connection, now: datetime, wanted: Lease) -> Lease | None:
    place = (leases.c.site == wanted.site) & (leases.c.bill_id == wanted.bill_id)
    row = connection.execute(
        select(leases.c.fence, leases.c.until).where(place).with_for_update()
    ).one_or_none()
    values = {"worker": wanted.worker, "until": stamp_text(wanted.until)}
    if row is None:
        connection.execute(
            insert(leases).values(
                site=wanted.site, bill_id=wanted.bill_id, fence=wanted.fence, **values
            )
        )
        return wanted
    if row.until > stamp_text(now):
        return None
    fence = row.fence + 1
    connection.execute(update(leases).where(place).values(fence=fence, **values))
    return Lease(wanted.site, wanted.bill_id, wanted.worker, fence, wanted.until)


def _mine(lease: Lease) -> ColumnElement[bool]:
    return (
        (leases.c.site == lease.site)
        & (leases.c.bill_id == lease.bill_id)
        & (leases.c.fence == lease.fence)
    )


def _until(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
