"""Effects and their attempts: every state change is one transaction under a fence."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from reconciler.core.look_first import LookFirst
from reconciler.core.push_machine import after
from reconciler.domain.address import BillId
from reconciler.domain.push import (
    Attempted,
    Effect,
    Event,
    Mark,
    PushKey,
    PushState,
    SiteName,
    Step,
    StepOutcome,
)
from reconciler.errors import ReconcilerError
from reconciler.ledger.rows import (
    Columns,
    effect_columns,
    effect_of,
    instant,
    stamp_text,
)
from reconciler.ledger.tables import attempts, effects, ledger, marks
from reconciler.ports.ledger import Attempt, Lease, Provenance


class NoSuchEffectError(ReconcilerError):
    """An effect was spoken of that was never intended."""

    def __init__(self, key: PushKey) -> None:
        super().__init__(f"the ledger has no effect {key}; nothing was recorded or sent")


def effects_of(connection: Connection, site: SiteName, bill: BillId) -> tuple[Effect, ...]:
    """Give every effect of a bill, by generation and in the order of intent."""
    rows = connection.execute(
        select(effects)
        .where((effects.c.site == site) & (effects.c.bill_id == bill))
        .order_by(effects.c.generation, effects.c.number)
    ).mappings()
    return tuple(effect_of(row) for row in rows)


def find(connection: Connection, key: PushKey) -> Effect:
    """Give one effect.

    Raises:
        NoSuchEffectError: When it was never intended.
    """
    row = connection.execute(select(effects).where(_is(key)).with_for_update()).mappings().first()
    if row is None:
        raise NoSuchEffectError(key)
    return effect_of(row)


def intend(connection: Connection, key: PushKey, step: Step, why: Provenance) -> Effect:
    """Store an effect; one that exists is given back as it stands."""
    row = connection.execute(select(effects).where(_is(key))).mappings().first()
    if row is not None:
        return effect_of(row)
    effect = Effect(
        key=key,
        state=PushState.INTENDED,
        request=step.request,
        invoice_id=step.invoice_id,
        lines_before=step.lines_before,
        draft_line=step.draft_line,
    )
    connection.execute(insert(effects).values(**effect_columns(effect), **_provenance(why)))
    connection.execute(update(ledger).values(sequence=ledger.c.sequence + 1))
    return effect


def happened(
    connection: Connection, key: PushKey, event: Event, at: datetime, settings: LookFirst
) -> Effect:
    """Take an effect one transition further, as the table of states says."""
    new = after(find(connection, key), event, at, settings)
    connection.execute(update(effects).where(_is(key)).values(**effect_columns(new)))
    return new


def under_way(connection: Connection, key: PushKey, at: datetime, worker: str) -> None:
    """Open an attempt."""
    number = connection.execute(select(effects.c.number).where(_is(key))).scalar_one()
    last = connection.execute(
        select(func.coalesce(func.max(attempts.c.number), 0)).where(attempts.c.effect == number)
    ).scalar_one()
    connection.execute(
        insert(attempts).values(
            effect=number,
            number=last + 1,
            started_at=stamp_text(at),
            outcome="",
            message="",
            worker=worker,
        )
    )


def over(connection: Connection, key: PushKey, outcome: StepOutcome, at: datetime) -> None:
    """Close the newest attempt."""
    number = connection.execute(select(effects.c.number).where(_is(key))).scalar_one()
    newest = (
        select(func.max(attempts.c.number)).where(attempts.c.effect == number).scalar_subquery()
    )
    connection.execute(
        update(attempts)
        .where((attempts.c.effect == number) & (attempts.c.number == newest))
        .values(
            ended_at=stamp_text(at),
            outcome=type(outcome).__name__,
            message=str(getattr(outcome, "message", "") or getattr(outcome, "reason", "")),
        )
    )


def mark_attempt(connection: Connection, key: PushKey, mark: Mark, at: datetime) -> None:
    """Record how an attempt ended for the integration that it was made for."""
    integration = connection.execute(select(effects.c.integration).where(_is(key))).scalar_one()
    connection.execute(
        insert(marks).values(site=key.site, integration=integration, mark=mark, at=stamp_text(at))
    )


def provenance_columns(why: Provenance) -> Columns:
    """Give the columns that say in whose name something is sent."""
    return _provenance(why)


def attempts_of(connection: Connection, site: SiteName, bill: BillId) -> tuple[Attempt, ...]:
    """Give the attempts of a bill, oldest first."""
    joined = select(
        effects,
        attempts.c.number.label("attempt"),
        attempts.c.started_at,
        attempts.c.ended_at,
        attempts.c.outcome,
        attempts.c.message.label("said"),
        attempts.c.worker,
    ).join(attempts, attempts.c.effect == effects.c.number)
    rows = connection.execute(
        joined.where((effects.c.site == site) & (effects.c.bill_id == bill)).order_by(
            attempts.c.started_at, attempts.c.effect, attempts.c.number
        )
    ).mappings()
    return tuple(
        Attempt(
            key=effect_of(row).key,
            number=row["attempt"],
            started_at=datetime.fromisoformat(row["started_at"]),
            ended_at=instant(row["ended_at"]),
            outcome=row["outcome"],
            message=row["said"],
            worker=row["worker"],
        )
        for row in rows
    )


def attempted(
    connection: Connection, lease: Lease, key: PushKey, at: datetime, settings: LookFirst
) -> Effect:
    """Record that a request is about to be sent."""
    effect = happened(connection, key, Attempted(), at, settings)
    under_way(connection, key, at, lease.worker)
    return effect


def _provenance(why: Provenance) -> Columns:
    return {
        "run": why.run,
        "integration": why.integration,
        "record": why.record,
        "commit_id": why.commit,
        "bill_version": why.bill_version,
        "input_hash": why.input_hash,
    }


def _is(key: PushKey) -> ColumnElement[bool]:
    return (
        (effects.c.site == key.site)
        & (effects.c.bill_id == key.bill_id)
        & (effects.c.generation == key.generation)
        & (effects.c.step == str(key.step))
    )
