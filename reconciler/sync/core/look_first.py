"""What to do with an effect next: send, look, wait, ask a person; decided by state and ages.

Whatever was ever in doubt is looked for before it is sent again, each time. Chargebee remembers an
idempotency key for 30 minutes from its first use. So right after an empty look the same bytes may
be repeated while the *first* attempt of a round is young; after that only look-ups decide, and not
before the *last* attempt is so old that whatever it did is visible.

No clock is trusted alone. A key is young only if it is so by the vendor's clock and by the
ledger's; the time until a look-up counts begins with the first look after the attempt, by the
vendor's clock, and has passed by the ledger's too. Clocks that are apart, and an attempt from the
future, leave only looking.

Source: Chargebee API docs, "Idempotency": keys are kept for 30 minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from reconciler.kernel.runbook import Page
from reconciler.sync.core.clocks import Clocks
from reconciler.sync.core.retrying import RetrySchedule, retry_at
from reconciler.sync.model.push import Effect, PushState

_NONE = timedelta()
_NO_TIME = "Chargebee's answers bear no time, so nobody can tell how old the last attempt is"
_HIDDEN = "the outcome is not known; looked for again when whatever was sent must be visible"


@dataclass(frozen=True, slots=True)
class LookFirst:
    """The numbers; what is between 20 and 30 minutes is for pauses between a look and a send.

    Attributes:
        replay_for: Age of a round's first attempt until which the same bytes are sent again.
        look_after: Time since the first look after an attempt from which an empty one counts.
        between_looks: Least time between two empty look-ups that count.
        looks: How many empty look-ups prove that nothing arrived.
        skew: Clocks that differ by more are not trusted.
        schedule: Delays between attempts.
    """

    replay_for: timedelta = timedelta(minutes=20)
    look_after: timedelta = timedelta(minutes=35)
    between_looks: timedelta = timedelta(minutes=2)
    looks: int = 2
    skew: timedelta = timedelta(minutes=2)
    schedule: RetrySchedule = field(default_factory=RetrySchedule)


@dataclass(frozen=True, slots=True)
class Send:
    """Send the stored request, byte for byte."""


@dataclass(frozen=True, slots=True)
class Look:
    """Look whether it arrived."""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Nothing may be done before that time, by this machine's clock.

    Attributes:
        page: A page of the runbook that says more than that of the state.
    """

    at: datetime
    why: str
    page: Page | None = None


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Only a person can go on: ``sync resolve``, ``sync retry`` or ``sync skip``."""

    why: str


@dataclass(frozen=True, slots=True)
class Finished:
    """It is done."""


Move = Send | Look | WaitUntil | AskPerson | Finished


def next_move(effect: Effect, clocks: Clocks, settings: LookFirst, *, looked: bool = False) -> Move:
    """Decide what to do with an effect now.

    Args:
        effect: As the ledger has it.
        clocks: What they say now.
        settings: The numbers.
        looked: Whether it was looked for just now and not found.
    """
    match effect.state:
        case PushState.INTENDED:
            return _send(effect, clocks, settings, looked=looked)
        case PushState.RETRY:
            return _retry(effect, clocks, settings, looked=looked)
        case PushState.SENDING | PushState.IN_DOUBT:
            return (
                _looked(effect, clocks, settings) if looked else _doubted(effect, clocks, settings)
            )
        case PushState.REFUSED | PushState.CLOSED | PushState.PERSON:
            return AskPerson(effect.message)
        case PushState.DONE:
            return Finished()
        case _:
            assert_never(effect.state)


def with_look(effect: Effect, at: datetime, settings: LookFirst) -> tuple[datetime, ...]:
    """Add an empty look at a vendor's time to those that count: the first, and what is late enough.

    A vendor's clock that went back begins anew.
    """
    looks = effect.empty_looks
    if not looks or at < looks[0]:
        return (at,)
    return (*looks, at) if at >= _look_due(looks, settings) else looks


def proves_absence(effect: Effect, at: datetime, settings: LookFirst) -> bool:
    """Whether the empty look-ups of an effect prove that no attempt arrived.

    Args:
        effect: With its looks.
        at: The ledger's time, by which the last attempt must be as old.
        settings: The numbers.
    """
    old = effect.last_attempt_at is None or at - effect.last_attempt_at >= settings.look_after
    return old and len(effect.empty_looks) > settings.looks


def _send(effect: Effect, clocks: Clocks, settings: LookFirst, *, looked: bool) -> Move:
    """Send what nobody ever doubted; all else only right after a look that found nothing."""
    if not effect.doubt:
        return Send()
    if not looked:
        return Look()
    if effect.doubt == "open" and (why := _distrust(effect, clocks, settings)):
        return WaitUntil(clocks.machine + settings.between_looks, why, Page.CLOCKS)
    return Send()


def _retry(effect: Effect, clocks: Clocks, settings: LookFirst, *, looked: bool) -> Move:
    last = effect.last_attempt_at
    if last is None:
        return _send(effect, clocks, settings, looked=looked)
    due = retry_at(effect.failures, effect.failed_since, last, settings.schedule)
    if due is None:
        return AskPerson(f"tried for {settings.schedule.give_up_after}: {effect.message}")
    if left := _left(due, last, clocks, settings):
        return WaitUntil(clocks.machine + left, effect.message)
    return _send(effect, clocks, settings, looked=looked)


def _doubted(effect: Effect, clocks: Clocks, settings: LookFirst) -> Move:
    """Look, unless the same bytes may soon be repeated: what was cut may still be under way."""
    began, left = effect.round_started_at, _pause(effect, clocks, settings)
    young = began is not None and clocks.ledger + left - began < settings.replay_for
    if left and young and not effect.key_conflict and not effect.empty_looks:
        return WaitUntil(clocks.machine + left, effect.message)
    return Look()


def _looked(effect: Effect, clocks: Clocks, settings: LookFirst) -> Move:
    """After an empty look: repeat while the key is surely fresh, else look again later."""
    vendor = clocks.vendor
    why = _distrust(effect, clocks, settings)
    if vendor is None or why:
        return WaitUntil(clocks.machine + settings.between_looks, why, Page.CLOCKS)
    if not effect.key_conflict and (age := _key_age(effect, vendor, clocks.ledger)) is not None:
        left = _pause(effect, clocks, settings)
        if age + left < settings.replay_for:
            return WaitUntil(clocks.machine + left, effect.message) if left else Send()
    left = _look_due(effect.empty_looks, settings) - vendor if effect.empty_looks else _NONE
    return WaitUntil(clocks.machine + max(left, settings.between_looks), _HIDDEN)


def _pause(effect: Effect, clocks: Clocks, settings: LookFirst) -> timedelta:
    """Say how long to wait until the next attempt of a round."""
    last = effect.last_attempt_at or clocks.ledger
    due = retry_at(effect.failures, None, last, settings.schedule) or last
    return _left(due, last, clocks, settings)


def _left(due: datetime, last: datetime, clocks: Clocks, settings: LookFirst) -> timedelta:
    """Say how long to wait; an attempt from the future says nothing about the pace."""
    future = last > clocks.ledger + settings.skew
    return _NONE if future else max(_NONE, due - clocks.ledger)


def _key_age(effect: Effect, vendor: datetime, ledger: datetime) -> timedelta | None:
    """Give the age of a round's first attempt by the clock that says more; ``None``: not known."""
    if effect.round_vendor_at is None or effect.round_started_at is None:
        return None
    return max(vendor - effect.round_vendor_at, ledger - effect.round_started_at)


def _distrust(effect: Effect, clocks: Clocks, settings: LookFirst) -> str:
    """Say why no clock can tell the age of an attempt; empty when all of them agree."""
    if clocks.vendor is None:
        return _NO_TIME
    if apart := clocks.apart(settings.skew):
        return f"{apart}, so nobody can tell how old the last attempt is"
    pairs = (
        (effect.last_vendor_at, clocks.vendor),
        (effect.round_vendor_at, clocks.vendor),
        (effect.last_attempt_at, clocks.ledger),
        (effect.round_started_at, clocks.ledger),
    )
    if any(at is not None and at > now + settings.skew for at, now in pairs):
        return "an attempt was made in the future: a clock was wrong then, or is now"
    return ""


def _look_due(looks: tuple[datetime, ...], settings: LookFirst) -> datetime:
    """Say when an empty look counts next, by the vendor's clock."""
    first, *later = looks
    return later[-1] + settings.between_looks if later else first + settings.look_after
