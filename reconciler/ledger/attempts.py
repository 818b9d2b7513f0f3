"""The history of requests: one row for each that was about to be sent; no credentials."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from reconciler.kernel.address import BillId
from reconciler.ledger.rows import instant_text, read_instant, stamp_text
from reconciler.ledger.sql.damage import refuse_damaged_rows
from reconciler.ledger.sql.tables import attempts, effects
from reconciler.sync.model.push import (
    Performed,
    PushKey,
    SiteName,
    StepName,
    StepOutcome,
    Undecidable,
    UnknownOutcome,
)
from reconciler.sync.ports.ledger import Attempt, Lease


def begin(
    connection: Connection, effect: int, lease: Lease, at: datetime, vendor_at: datetime | None
) -> None:
    """Open an attempt."""
    last = connection.execute(
        select(func.coalesce(func.max(attempts.c.number), 0)).where(attempts.c.effect == effect)
    ).scalar_one()
    connection.execute(
        insert(attempts).values(
            effect=effect,
            number=last + 1,
            started_at=stamp_text(at),
            vendor_at=instant_text(vendor_at),
            outcome="",
            message="",
            worker=lease.worker,
            fence=lease.fence,
        )
    )


def is_over(connection: Connection, effect: int, lease: Lease) -> bool:
    """Say whether the newest attempt under a lease has ended already."""
    number = _newest(connection, effect, lease)
    if number is None:
        return False
    ended = select(attempts.c.ended_at).where(
        (attempts.c.effect == effect) & (attempts.c.number == number)
    )
    return connection.execute(ended).scalar_one() is not None


def end(
    connection: Connection, effect: int, lease: Lease, outcome: StepOutcome, at: datetime
) -> None:
    """Close the newest attempt under a lease."""
    number = _newest(connection, effect, lease)
    connection.execute(
        update(attempts)
        .where((attempts.c.effect == effect) & (attempts.c.number == number))
        .values(ended_at=stamp_text(at), outcome=type(outcome).__name__, message=_words(outcome))
    )


def attempts_of(connection: Connection, site: SiteName, bill: BillId) -> tuple[Attempt, ...]:
    """Give the attempts of a bill, oldest first."""
    joined = select(attempts, effects.c.generation, effects.c.step).join(
        effects, attempts.c.effect == effects.c.number
    )
    rows = connection.execute(
        joined.where((effects.c.site == site) & (effects.c.bill_id == bill)).order_by(
            attempts.c.started_at, attempts.c.effect, attempts.c.number
        )
    ).mappings()
    return tuple(_attempt(row, site, bill) for row in rows)


@refuse_damaged_rows(attempts)
def _attempt(row: RowMapping, site: SiteName, bill: BillId) -> Attempt:
    return Attempt(
        key=PushKey(site, bill, row["generation"], StepName.parse(row["step"])),
        number=row["number"],
        started_at=datetime.fromisoformat(row["started_at"]),
        ended_at=read_instant(row["ended_at"]),
        outcome=row["outcome"],
        message=row["message"],
        worker=row["worker"],
        vendor_at=read_instant(row["vendor_at"]),
    )


def _newest(connection: Connection, effect: int, lease: Lease) -> int | None:
    found: int | None = connection.execute(
        select(func.max(attempts.c.number)).where(
            (attempts.c.effect == effect) & (attempts.c.fence == lease.fence)
        )
    ).scalar_one()
    return found


def _words(outcome: StepOutcome) -> str:
    match outcome:
        case Performed(object_id):
            return f"as {object_id}"
        case UnknownOutcome(reason) | Undecidable(reason):
            return reason
        case _:
            return outcome.message
