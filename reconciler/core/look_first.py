"""What to do with an effect next: send, look, wait, ask a person; decided by state and ages.

Chargebee remembers an idempotency key for 30 minutes from its first use. So the same bytes may be
repeated while the *first* attempt of a round is young; after that only a look-up decides, and not
before the *last* attempt is so old that whatever it did is visible.

Source: Chargebee API docs, "Idempotency": keys are kept for 30 minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from reconciler.core.retrying import RetrySchedule, retry_at
from reconciler.domain.push import Effect, PushState


@dataclass(frozen=True, slots=True)
class LookFirst:
    """The numbers; two minutes of clock skew keep them on the safe side of the 30 minutes.

    Attributes:
        replay_for: Age of a round's first attempt until which the same bytes are sent again.
        look_after: Age of the last attempt from which an empty look-up counts.
        between_looks: Least time between two empty look-ups that count.
        looks: How many empty look-ups prove that nothing arrived.
        schedule: Delays between attempts.
    """

    replay_for: timedelta = timedelta(minutes=20)
    look_after: timedelta = timedelta(minutes=35)
    between_looks: timedelta = timedelta(minutes=2)
    looks: int = 2
    schedule: RetrySchedule = field(default_factory=RetrySchedule)


@dataclass(frozen=True, slots=True)
class Send:
    """Send the stored request, byte for byte."""


@dataclass(frozen=True, slots=True)
class Look:
    """Look whether it arrived."""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Nothing may be done before that time."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Only a person can go on: ``sync resolve``, ``sync retry`` or ``sync skip``."""

    why: str


@dataclass(frozen=True, slots=True)
class Finished:
    """It is done."""


Move = Send | Look | WaitUntil | AskPerson | Finished


def next_move(effect: Effect, now: datetime, settings: LookFirst) -> Move:
    """Decide what to do with an effect now."""
    match effect.state:
        case PushState.INTENDED:
            return Send()
        case PushState.RETRY:
            return _retry(effect, now, settings)
        case PushState.SENDING | PushState.IN_DOUBT:
            return _in_doubt(effect, now, settings)
        case PushState.REFUSED | PushState.CLOSED | PushState.PERSON:
            return AskPerson(effect.message)
        case PushState.DONE:
            return Finished()
        case _:
            assert_never(effect.state)


def proves_absence(effect: Effect, settings: LookFirst) -> bool:
    """Whether the empty look-ups of an effect prove that no attempt arrived."""
    return len(_counted(effect, settings)) >= settings.looks


def _retry(effect: Effect, now: datetime, settings: LookFirst) -> Move:
    if effect.last_attempt_at is None:
        return Send()
    due = retry_at(effect.failures, effect.failed_since, effect.last_attempt_at, settings.schedule)
    if due is None:
        return AskPerson(f"tried for {settings.schedule.give_up_after}: {effect.message}")
    return Send() if now >= due else WaitUntil(due, effect.message)


def _in_doubt(effect: Effect, now: datetime, settings: LookFirst) -> Move:
    """Repeat while the key is fresh, else look."""
    first = effect.round_started_at or now
    last = effect.last_attempt_at or now
    if effect.key_conflict:
        return _look(effect, last, now, settings) if effect.empty_looks else Look()
    due = retry_at(effect.failures, None, last, settings.schedule) or last
    if max(now, due) - first < settings.replay_for:
        return Send() if now >= due else WaitUntil(due, effect.message)
    return _look(effect, last, now, settings)


def _look(effect: Effect, last: datetime, now: datetime, settings: LookFirst) -> Move:
    looks = _counted(effect, settings)
    due = looks[-1] + settings.between_looks if looks else last + settings.look_after
    why = "the outcome is not known; looked for again when whatever was sent must be visible"
    return Look() if now >= due else WaitUntil(due, why)


def _counted(effect: Effect, settings: LookFirst) -> list[datetime]:
    """Give the empty look-ups that count: late enough, and far enough apart."""
    if effect.last_attempt_at is None:
        return []
    counted: list[datetime] = []
    earliest = effect.last_attempt_at + settings.look_after
    for at in effect.empty_looks:
        if at >= earliest:
            counted.append(at)
            earliest = at + settings.between_looks
    return counted
