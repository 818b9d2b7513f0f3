"""The states of one effect and the transitions between them, as one table.

"In doubt" wins: once an attempt may have arrived, a later refusal, rate limit or closed invoice
says nothing about the earlier attempt, so only an answer that names the object, a look-up or a
person ends the doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.errors import ReconcilerError
from reconciler.kernel.exact_json import digest
from reconciler.sync.core.when_to_act import RetryTimes, proves_absence, with_look
from reconciler.sync.model.push import (
    Attempted,
    CredentialsRefused,
    Effect,
    Event,
    Found,
    KeyConflict,
    NotFound,
    NotPerformed,
    Performed,
    PushState,
    PushStatus,
    Redrafted,
    Refused,
    Resolved,
    Undecidable,
    UnknownOutcome,
    WindowClosed,
)


class ImpossibleTransitionError(ReconcilerError):
    """Something happened to an effect that cannot happen in its state."""

    def __init__(self, effect: Effect, event: Event) -> None:
        super().__init__(
            f"effect {effect.key} is {effect.state}; {type(event).__name__} cannot happen to it."
            " Nothing was recorded or sent. Please report this"
        )


_Failure = NotPerformed | Refused | KeyConflict | WindowClosed | CredentialsRefused | UnknownOutcome
_Happening = Attempted | Performed | Found | NotFound | Undecidable | Redrafted | _Failure
_LOOKED = {Found: PushState.DONE, Undecidable: PushState.PERSON}
# What is not in the table cannot happen; ``after`` says so rather than guess. Two rows depend on
# more than the state: an empty look-up that proves absence, and which way a person decided.
TABLE: Mapping[PushState, Mapping[type[Event], PushState]] = {
    PushState.INTENDED: {
        Attempted: PushState.SENDING,
        NotFound: PushState.INTENDED,
        Redrafted: PushState.INTENDED,
        **_LOOKED,
    },
    PushState.SENDING: {
        Attempted: PushState.IN_DOUBT,  # the process died under the attempt before
        Performed: PushState.DONE,
        NotPerformed: PushState.RETRY,
        CredentialsRefused: PushState.RETRY,
        Refused: PushState.REFUSED,
        WindowClosed: PushState.CLOSED,
        KeyConflict: PushState.IN_DOUBT,
        UnknownOutcome: PushState.IN_DOUBT,
        NotFound: PushState.IN_DOUBT,
        **_LOOKED,
    },
    PushState.IN_DOUBT: {
        Attempted: PushState.IN_DOUBT,
        Performed: PushState.DONE,
        NotPerformed: PushState.IN_DOUBT,
        CredentialsRefused: PushState.IN_DOUBT,
        Refused: PushState.IN_DOUBT,
        WindowClosed: PushState.IN_DOUBT,
        KeyConflict: PushState.IN_DOUBT,
        UnknownOutcome: PushState.IN_DOUBT,
        NotFound: PushState.IN_DOUBT,
        **_LOOKED,
    },
    PushState.RETRY: {
        Attempted: PushState.SENDING,
        NotFound: PushState.RETRY,
        **_LOOKED,
    },
    PushState.REFUSED: {
        Redrafted: PushState.INTENDED,
        NotFound: PushState.REFUSED,
        **_LOOKED,
    },
    PushState.CLOSED: {
        Redrafted: PushState.INTENDED,
        NotFound: PushState.CLOSED,
        **_LOOKED,
    },
    PushState.PERSON: {},
    PushState.DONE: {},
}
# A person may decide whatever is not done.
DECIDABLE = frozenset(PushState) - {PushState.DONE}


def after(effect: Effect, event: Event, at: datetime, settings: RetryTimes) -> Effect:
    """Give the effect as it is after an event.

    Args:
        effect: Before.
        event: What happened.
        at: When; the ledger's clock.
        settings: Decides when empty look-ups prove absence.

    Raises:
        ImpossibleTransitionError: When the table has no such transition.
    """
    if isinstance(event, Resolved):
        if effect.state not in DECIDABLE:
            raise ImpossibleTransitionError(effect, event)
        return _resolved(effect, event)
    state = TABLE[effect.state].get(type(event))
    if state is None:
        raise ImpossibleTransitionError(effect, event)
    doubt = "open" if state is PushState.IN_DOUBT else effect.doubt
    return _noted(replace(effect, state=state, doubt=doubt), effect, event, at, settings)


def idempotency_key(effect: Effect) -> str:
    """Give the key of the next attempt: SHA-256 of the effect and its definite rejections."""
    return digest({"effect": str(effect.key), "rejections": effect.rejections})


def _noted(
    new: Effect, old: Effect, event: _Happening, at: datetime, settings: RetryTimes
) -> Effect:
    match event:
        case Attempted(vendor_at):
            goes_on = old.round_started_at is not None
            return replace(
                new,
                attempts=old.attempts + 1,
                round_started_at=old.round_started_at or at,
                round_vendor_at=old.round_vendor_at if goes_on else vendor_at,
                last_attempt_at=at,
                last_vendor_at=vendor_at,
                empty_looks=(),
            )
        case Performed(object_id, line_ids, _) | Found(object_id, line_ids):
            return replace(
                new, object_id=object_id, line_ids=line_ids, failures=0, failed_since=None
            )
        case NotFound(vendor_at):
            return _looked(new, vendor_at, at, settings)
        case Redrafted(step):
            return replace(
                new,
                request=step.request,
                invoice_id=step.invoice_id,
                lines_before=step.lines_before,
                draft_line=step.draft_line,
                failures=0,
                failed_since=None,
            )
        case Undecidable(reason):
            return replace(new, message=reason)
        case _:
            return _failed(new, old, event, at)


def _failed(new: Effect, old: Effect, event: _Failure, at: datetime) -> Effect:
    """Count a failed attempt; a refusal that is definite changes the key of the next one."""
    definite = new.state in {PushState.REFUSED, PushState.CLOSED}
    in_doubt = new.state is PushState.IN_DOUBT
    return replace(
        new,
        rejections=old.rejections + (1 if definite else 0),
        failures=old.failures + 1,
        failed_since=old.failed_since or at,
        round_started_at=old.round_started_at if in_doubt else None,
        round_vendor_at=old.round_vendor_at if in_doubt else None,
        key_conflict=old.key_conflict or isinstance(event, KeyConflict),
        message=_words(event),
    )


def _looked(new: Effect, vendor_at: datetime | None, at: datetime, settings: RetryTimes) -> Effect:
    """Note an empty look; without the vendor's time it proves nothing."""
    if new.state is not PushState.IN_DOUBT or vendor_at is None:
        return new
    looked = replace(new, empty_looks=with_look(new, vendor_at, settings))
    if not proves_absence(looked, at, settings):
        return looked
    if new.key_conflict:
        reason = "the key is taken by an earlier attempt, yet nothing of it can be found"
        return replace(looked, state=PushState.PERSON, message=reason)
    message = "looked for and not there: it never arrived"
    return replace(
        looked,
        state=PushState.RETRY,
        round_started_at=None,
        round_vendor_at=None,
        empty_looks=(),
        message=message,
    )


def _resolved(effect: Effect, decision: Resolved) -> Effect:
    """Take a person's word: it was sent, as which object, or it was not."""
    if decision.object_id is None:
        before = effect.lines_before
        if decision.line_ids:
            before = frozenset(decision.line_ids).union(before or ())
        return replace(
            effect,
            state=PushState.RETRY,
            lines_before=before,
            round_started_at=None,
            round_vendor_at=None,
            empty_looks=(),
            doubt="decided",
            key_conflict=False,
            rejections=effect.rejections + 1,
            failures=0,
            failed_since=None,
            message=decision.reason,
        )
    return replace(
        effect,
        state=PushState.DONE,
        object_id=decision.object_id,
        line_ids=decision.line_ids,
        message=decision.reason,
    )


def _words(event: _Failure) -> str:
    match event:
        case NotPerformed(code, message, _) | Refused(code, message):
            return f"{code}: {message}"
        case UnknownOutcome(reason):
            return reason
        case _:
            return event.message


# Source: Chargebee API docs, create an invoice: a date more than a calendar month ago is refused.
# What it says of a period that was closed in its books is not documented; it is about the same
# field. A refusal's message begins with the field that it is about.
DATE_FIELD = "invoice_date"
_DOUBT = frozenset({PushState.SENDING, PushState.IN_DOUBT, PushState.PERSON})


def status_of(effects: Sequence[Effect], steps: int) -> PushStatus:
    """Say where a bill stands.

    A bill is complete only with all of its effects. Doubt comes before everything, then what is
    half done: ``PARTIAL`` when an invoice closed, or refused a step, after some were done.

    Args:
        effects: Of the newest generation.
        steps: How many the generation has in all.
    """
    states = [effect.state for effect in effects]
    some = PushState.DONE in states
    if _DOUBT.intersection(states):
        return PushStatus.UNKNOWN
    if PushState.CLOSED in states:
        return PushStatus.PARTIAL if some else PushStatus.WAITING
    if PushState.REFUSED in states:
        return PushStatus.PARTIAL if some else _refused(effects)
    if PushState.RETRY in states:
        return PushStatus.AWAITING_RETRY
    if states and len(states) >= steps and all(state is PushState.DONE for state in states):
        return PushStatus.COMPLETE
    return PushStatus.STARTED


def _refused(effects: Sequence[Effect]) -> PushStatus:
    refused = [effect.message for effect in effects if effect.state is PushState.REFUSED]
    closed = any(DATE_FIELD in reason for reason in refused)
    return PushStatus.ACCOUNTING_PERIOD_CLOSED if closed else PushStatus.ERROR
