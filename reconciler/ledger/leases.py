"""Leases with fences: at most one worker acts for a bill, and one that lost its lease stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, bindparam, insert, select, update

from reconciler.kernel.address import BillId
from reconciler.ledger.rows import stamp_text
from reconciler.ledger.sql.database import Database, tries
from reconciler.ledger.sql.tables import Columns, leases
from reconciler.sync.model.push import SiteName
from reconciler.sync.ports.ledger import Lease, LeaseLostError

# Made once: they run for every bill, and to build one costs more than to run it.
_PLACE = (leases.c.site == bindparam("of_site")) & (leases.c.bill_id == bindparam("of_bill"))
_MINE = _PLACE & (leases.c.fence == bindparam("of_fence"))
_HELD = select(leases.c.until).where(_MINE).with_for_update()
_TAKEN = select(leases.c.fence, leases.c.until).where(_PLACE).with_for_update()
_TAKE = update(leases).where(_PLACE)
_HOLD = update(leases).where(_MINE)
_LET_GO = update(leases).where(_MINE & (leases.c.until > bindparam("now")))


def claim(
    database: Database, site: SiteName, bill: BillId, worker: str, seconds: float
) -> Lease | None:
    """Take the lease of a bill that nobody holds; ``None`` when someone does."""
    wanted = Lease(site, bill, worker, 1, datetime.max.replace(tzinfo=UTC))

    def take(connection: Connection) -> Lease | None:
        return _taken(database, connection, wanted, seconds)

    return tries(lambda: database.write(take))


def renew(database: Database, lease: Lease, seconds: float) -> Lease:
    """Hold a lease longer.

    Raises:
        LeaseLostError: When it is lost already.
    """

    def hold(connection: Connection) -> Lease:
        now = refuse_lost_lease(database, connection, lease)
        until = _until(now, seconds)
        connection.execute(_HOLD, {**_of(lease), "until": stamp_text(until)})
        return replace(lease, until=until)

    return database.write(hold)


def release(database: Database, lease: Lease) -> None:
    """Let the bill go; the fence stays, so that it never falls."""

    def let_go(connection: Connection) -> None:
        now = stamp_text(database.now(connection))
        connection.execute(_LET_GO, {**_of(lease), "now": now, "until": now})

    database.write(let_go)


def end_all(connection: Connection, now: datetime) -> None:
    """End every lease; only where the caller is the one writer, so that all holders are dead."""
    over = stamp_text(now)
    connection.execute(update(leases).where(leases.c.until > over).values(until=over))


def holds_fence(connection: Connection, lease: Lease) -> bool:
    """Say whether nobody took the bill since; the time may be over. Others wait meanwhile."""
    return connection.execute(_HELD, _of(lease)).scalar_one_or_none() is not None


def refuse_lost_lease(database: Database, connection: Connection, lease: Lease) -> datetime:
    """Check a lease inside a transaction, and give its time.

    Raises:
        LeaseLostError: When a newer fence exists or the time is over.
    """
    held = connection.execute(_HELD, _of(lease)).scalar_one_or_none()
    # read the time only now: waiting for the row may have taken long
    now = database.now(connection)
    if held is None or held <= stamp_text(now):
        raise LeaseLostError(lease)
    return now


def _taken(
    database: Database, connection: Connection, wanted: Lease, seconds: float
) -> Lease | None:
    place = {"of_site": wanted.site, "of_bill": wanted.bill_id}
    row = connection.execute(_TAKEN, place).one_or_none()
    now = database.now(connection)
    if row is not None and row.until > stamp_text(now):
        return None
    fence = row.fence + 1 if row else wanted.fence
    lease = replace(wanted, fence=fence, until=_until(now, seconds))
    values = {"worker": lease.worker, "fence": fence, "until": stamp_text(lease.until)}
    if row is None:
        new = {"site": lease.site, "bill_id": lease.bill_id, **values}
        connection.execute(insert(leases), new)
    else:
        connection.execute(_TAKE, {**place, **values})
    return lease


def _of(lease: Lease) -> Columns:
    return {"of_site": lease.site, "of_bill": lease.bill_id, "of_fence": lease.fence}


def _until(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
