"""Effects: every change of state is one transition of the push machine, under a fence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, false, insert, or_, select, update

from reconciler.errors import ReconcilerError
from reconciler.kernel.address import BillId
from reconciler.ledger import attempts
from reconciler.ledger.rows import effect_columns, effect_of
from reconciler.ledger.sql.tables import Columns, effects
from reconciler.sync.core.effect_states import after
from reconciler.sync.core.when_to_act import RetryTimes
from reconciler.sync.model.push import (
    Attempted,
    Effect,
    Event,
    Found,
    InvoiceLineId,
    Performed,
    PushKey,
    PushState,
    Redrafted,
    Resolved,
    SiteName,
    Step,
    StepOutcome,
)
from reconciler.sync.ports.ledger import Lease, Provenance

UNDER_WAY = frozenset({PushState.SENDING, PushState.IN_DOUBT})
"""States in which an answer to an attempt decides."""
FINAL = frozenset({PushState.DONE, PushState.PERSON})
"""States that an answer does not change, because a look-up or another worker came first."""


# Made once: they run for every bill, and to build one costs more than to run it.
_OF_BILL = (effects.c.site == bindparam("of_site")) & (effects.c.bill_id == bindparam("of_bill"))
_IS = (
    _OF_BILL
    & (effects.c.generation == bindparam("of_generation"))
    & (effects.c.step == bindparam("of_step"))
)
_ALL = select(effects).where(_OF_BILL).order_by(effects.c.generation, effects.c.number)
_ONE = select(effects).where(_IS)
_HELD = _ONE.with_for_update()
_NUMBER = select(effects.c.number).where(_IS)
_INTEGRATION = select(effects.c.integration).where(_IS)
_CHANGE = update(effects).where(_IS)


class NoSuchEffectError(ReconcilerError):
    """An effect was spoken of that was never intended."""

    def __init__(self, key: PushKey) -> None:
        super().__init__(
            f"the ledger has no effect {key}; nothing was recorded or sent. Please report this."
        )


def effects_of(connection: Connection, site: SiteName, bill: BillId) -> tuple[Effect, ...]:
    """Give every effect of a bill, by generation and in the order of intent."""
    rows = connection.execute(_ALL, {"of_site": site, "of_bill": bill}).mappings()
    return tuple(effect_of(row) for row in rows)


def lines_known(
    connection: Connection, site: SiteName, lines: Collection[InvoiceLineId]
) -> frozenset[InvoiceLineId]:
    """Give those of some lines that effects of any bill made."""
    named = (effects.c.line_ids.contains(line, autoescape=True) for line in lines)
    query = select(effects).where((effects.c.site == site) & or_(false(), *named))
    recorded = (effect_of(row) for row in connection.execute(query).mappings())
    return frozenset(line for effect in recorded for line in effect.line_ids).intersection(lines)


def find(connection: Connection, key: PushKey) -> Effect:
    """Give one effect, and hold it until the transaction ends.

    Raises:
        NoSuchEffectError: When it was never intended.
    """
    row = connection.execute(_HELD, _of(key)).mappings().first()
    if row is None:
        raise NoSuchEffectError(key)
    return effect_of(row)


def intend(connection: Connection, key: PushKey, step: Step, why: Provenance) -> Effect:
    """Store an effect; one that exists is given back as it stands."""
    row = connection.execute(_ONE, _of(key)).mappings().first()
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
    connection.execute(insert(effects), {**effect_columns(effect), **_provenance(why)})
    return effect


def redraft(
    connection: Connection,
    key: PushKey,
    step: Step,
    why: Provenance,
    *,
    at: datetime,
    settings: RetryTimes,
) -> Effect:
    """Replace the request of an effect of which provably nothing arrived."""
    effect = happened(connection, key, Redrafted(step), at, settings)
    connection.execute(_CHANGE, {**_of(key), **_provenance(why)})
    return effect


def happened(
    connection: Connection, key: PushKey, event: Event, at: datetime, settings: RetryTimes
) -> Effect:
    """Take an effect one transition further, as the table of states says."""
    new = after(find(connection, key), event, at, settings)
    connection.execute(_CHANGE, {**_of(key), **effect_columns(new)})
    return new


def attempted(
    connection: Connection,
    lease: Lease,
    key: PushKey,
    at: datetime,
    *,
    vendor_at: datetime | None,
    settings: RetryTimes,
) -> Effect:
    """Record that a request is about to be sent."""
    effect = happened(connection, key, Attempted(vendor_at), at, settings)
    attempts.begin(connection, number_of(connection, key), lease, at, vendor_at)
    return effect


def ended(
    connection: Connection,
    lease: Lease,
    key: PushKey,
    outcome: StepOutcome,
    *,
    at: datetime,
    settings: RetryTimes,
    current: bool,
) -> Effect:
    """Record what an attempt ended in; saying it twice changes nothing.

    Args:
        connection: Of the transaction.
        lease: Under which it was sent.
        key: The effect.
        outcome: What was heard.
        at: The ledger's time.
        settings: When empty look-ups prove absence.
        current: Whether nobody took the bill since. What another worker recorded, or a person
            decided meanwhile, stands above a late answer, except that it may name what was made.
    """
    number = number_of(connection, key)
    if attempts.is_over(connection, number, lease):
        return find(connection, key)
    attempts.end(connection, number, lease, outcome, at)
    effect = find(connection, key)
    if effect.state in FINAL:
        return _heard_late(connection, effect, outcome)
    if current and (effect.state in UNDER_WAY or not effect.attempts):
        return happened(connection, key, outcome, at, settings)
    if isinstance(outcome, Performed):
        created = Found(outcome.object_id, outcome.line_ids)
        return happened(connection, key, created, at, settings)
    return effect


def _heard_late(connection: Connection, effect: Effect, outcome: StepOutcome) -> Effect:
    """Keep what is decided; a second object that was made is said in the effect's words."""
    if not isinstance(outcome, Performed) or outcome.object_id == effect.object_id:
        return effect
    words = f"{effect.message}; " if effect.message else ""
    said = replace(effect, message=f"{words}an attempt also made {outcome.object_id}")
    connection.execute(_CHANGE, {**_of(effect.key), "message": said.message})
    return said


def resolved(
    connection: Connection, key: PushKey, decision: Resolved, at: datetime, settings: RetryTimes
) -> Effect:
    """Take a person's word; saying it twice changes nothing."""
    effect = find(connection, key)
    if effect.state is PushState.DONE and effect.object_id == decision.object_id:
        return effect
    return happened(connection, key, decision, at, settings)


def number_of(connection: Connection, key: PushKey) -> int:
    """Give the number that attempts know an effect by.

    Raises:
        NoSuchEffectError: When it was never intended.
    """
    found = connection.execute(_NUMBER, _of(key)).scalar_one_or_none()
    if found is None:
        raise NoSuchEffectError(key)
    return int(found)


def integration_of_effect(connection: Connection, key: PushKey) -> str:
    """Give the integration that an effect is sent for."""
    return str(connection.execute(_INTEGRATION, _of(key)).scalar_one())


def _of(key: PushKey) -> Columns:
    """Choose the row of an effect."""
    return {
        "of_site": key.site,
        "of_bill": key.bill_id,
        "of_generation": key.generation,
        "of_step": str(key.step),
    }


def _provenance(why: Provenance) -> Columns:
    return {
        "run": why.run,
        "integration": why.integration,
        "record": why.record,
        "commit_id": why.commit,
        "bill_version": why.bill_version,
        "input_hash": why.input_hash,
    }
