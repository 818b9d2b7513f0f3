"""What to do with an effect next, and when: send, look, wait, ask a person; by state and ages.

Chargebee remembers an idempotency key for 30 minutes from its first use. So the same bytes may be
repeated while the *first* attempt of a round is young; after that only a look-up decides, and not
before the *last* attempt is so old that whatever it did is visible.

Source: Chargebee API docs, "Idempotency": keys are kept for 30 minutes.

``RECONCILER_LOOK_FIRST`` writes these numbers for a job:
``replay=20m, look=35m, between=2m, looks=2, retry=1m/2m/5m/15m/1h, giveup=24h``: any of them, in
any order; the last delay of ``retry`` is that of every later attempt. Shorter numbers are for
rehearsals against an emulator, whose requests never arrive half an hour late.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import assert_never

from reconciler.errors import InvalidError
from reconciler.kernel.runbook import Page
from reconciler.sync.core.clocks import Clocks
from reconciler.sync.model.push import Effect, PushState


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """The delays.

    Attributes:
        delays: After the first failures in a row, in order.
        afterwards: After every later one.
        give_up_after: Since the first failure of the row.
    """

    delays: tuple[timedelta, ...] = (
        timedelta(minutes=1),
        timedelta(minutes=2),
        timedelta(minutes=5),
        timedelta(minutes=15),
    )
    afterwards: timedelta = timedelta(hours=1)
    give_up_after: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class RetryTimes:
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
    """Only a person can go on: ``sync decide``, ``sync retry`` or ``sync decide --skip``."""

    why: str


@dataclass(frozen=True, slots=True)
class Finished:
    """It is done."""


Move = Send | Look | WaitUntil | AskPerson | Finished


class LookFirstSyntaxError(InvalidError):
    """An entry cannot be understood, or would send the same bytes under a forgotten key."""

    def __init__(self, entry: str, reason: str) -> None:
        super().__init__(
            f"RECONCILER_LOOK_FIRST has the entry {entry!r}: {reason}. Nothing was sent."
            " For example: replay=20m, look=35m, between=2m, looks=2, retry=1m/2m/5m/15m/1h."
        )


@dataclass(slots=True)
class BusyBills:
    """Counts how often bills were found busy in a row."""

    _found: dict[str, int] = field(default_factory=dict)

    def again_in(self, bill: str, first: float) -> float:
        """Give the seconds until a busy bill is looked at again: twice as many each time.

        Args:
            bill: Which one.
            first: Seconds after it was found busy for the first time.
        """
        before = self._found.get(bill, 0)
        if len(self._found) >= REMEMBERED_MAX:
            self._found.clear()
        self._found[bill] = before + 1
        # longer waits are given as they are asked for
        return max(first, min(LONGEST_SECONDS, first * 2.0 ** min(before, 16)))

    def free(self, bill: str) -> None:
        """Hear that a bill was not busy any more."""
        self._found.pop(bill, None)


_NONE = timedelta()
_NO_TIME = "Chargebee's answers bear no time, so nobody can tell how old the last attempt is"
_HIDDEN = "the outcome is not known; looked for again when whatever was sent must be visible"


def next_move(
    effect: Effect, clocks: Clocks, settings: RetryTimes, *, looked: bool = False
) -> Move:
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


def with_look(effect: Effect, at: datetime, settings: RetryTimes) -> tuple[datetime, ...]:
    """Add an empty look at a vendor's time to those that count: the first, and what is late enough.

    A vendor's clock that went back begins anew.
    """
    looks = effect.empty_looks
    if not looks or at < looks[0]:
        return (at,)
    return (*looks, at) if at >= _look_due(looks, settings) else looks


def proves_absence(effect: Effect, at: datetime, settings: RetryTimes) -> bool:
    """Whether the empty look-ups of an effect prove that no attempt arrived.

    Args:
        effect: With its looks.
        at: The ledger's time, by which the last attempt must be as old.
        settings: The numbers.
    """
    old = effect.last_attempt_at is None or at - effect.last_attempt_at >= settings.look_after
    return old and len(effect.empty_looks) > settings.looks


def _send(effect: Effect, clocks: Clocks, settings: RetryTimes, *, looked: bool) -> Move:
    """Send what nobody ever doubted; all else only right after a look that found nothing."""
    if not effect.doubt:
        return Send()
    if not looked:
        return Look()
    if effect.doubt == "open" and (why := _distrust(effect, clocks, settings)):
        return WaitUntil(clocks.machine + settings.between_looks, why, Page.CLOCKS)
    return Send()


def _retry(effect: Effect, clocks: Clocks, settings: RetryTimes, *, looked: bool) -> Move:
    last = effect.last_attempt_at
    if last is None:
        return _send(effect, clocks, settings, looked=looked)
    due = retry_at(effect.failures, effect.failed_since, last, settings.schedule)
    if due is None:
        return AskPerson(f"tried for {settings.schedule.give_up_after}: {effect.message}")
    if left := _left(due, last, clocks, settings):
        return WaitUntil(clocks.machine + left, effect.message)
    return _send(effect, clocks, settings, looked=looked)


def _doubted(effect: Effect, clocks: Clocks, settings: RetryTimes) -> Move:
    """Look, unless the same bytes may soon be repeated: what was cut may still be under way."""
    began, left = effect.round_started_at, _pause(effect, clocks, settings)
    young = began is not None and clocks.ledger + left - began < settings.replay_for
    if left and young and not effect.key_conflict and not effect.empty_looks:
        return WaitUntil(clocks.machine + left, effect.message)
    return Look()


def _looked(effect: Effect, clocks: Clocks, settings: RetryTimes) -> Move:
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


def _pause(effect: Effect, clocks: Clocks, settings: RetryTimes) -> timedelta:
    """Say how long to wait until the next attempt of a round."""
    last = effect.last_attempt_at or clocks.ledger
    due = retry_at(effect.failures, None, last, settings.schedule) or last
    return _left(due, last, clocks, settings)


def _left(due: datetime, last: datetime, clocks: Clocks, settings: RetryTimes) -> timedelta:
    """Say how long to wait; an attempt from the future says nothing about the pace."""
    future = last > clocks.ledger + settings.skew
    return _NONE if future else max(_NONE, due - clocks.ledger)


def _key_age(effect: Effect, vendor: datetime, ledger: datetime) -> timedelta | None:
    """Give the age of a round's first attempt by the clock that says more; ``None``: not known."""
    if effect.round_vendor_at is None or effect.round_started_at is None:
        return None
    return max(vendor - effect.round_vendor_at, ledger - effect.round_started_at)


def _distrust(effect: Effect, clocks: Clocks, settings: RetryTimes) -> str:
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


def _look_due(looks: tuple[datetime, ...], settings: RetryTimes) -> datetime:
    """Say when an empty look counts next, by the vendor's clock."""
    first, *later = looks
    return later[-1] + settings.between_looks if later else first + settings.look_after


_UNITS = {"ms": "0.001", "s": "1", "m": "60", "h": "3600", "d": "86400"}
_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)", re.ASCII)
_COUNT = re.compile(r"[1-9]", re.ASCII)
_DEFAULT = RetryTimes()
# Source: Chargebee API docs, "Idempotency": keys are kept for 30 minutes.
_REMEMBERED = timedelta(minutes=30)


def parse_retry_times(text: str) -> RetryTimes:
    """Read the variable; what it does not name keeps its default.

    Raises:
        LookFirstSyntaxError: When an entry cannot be understood.
    """
    settings = _DEFAULT
    for entry in re.split(r"[\s,]+", text):
        if entry:
            settings = _with(settings, entry)
    return settings


def _with(settings: RetryTimes, entry: str) -> RetryTimes:
    name, _, value = entry.partition("=")
    match name:
        case "replay":
            return replace(settings, replay_for=_replay(entry, value))
        case "look":
            return replace(settings, look_after=_duration(entry, value))
        case "between":
            return replace(settings, between_looks=_duration(entry, value))
        case "looks" if _COUNT.fullmatch(value):
            return replace(settings, looks=int(value))
        case "retry":
            return replace(settings, schedule=_schedule(settings.schedule, entry, value))
        case "giveup":
            schedule = replace(settings.schedule, give_up_after=_duration(entry, value))
            return replace(settings, schedule=schedule)
        case _:
            raise LookFirstSyntaxError(entry, "it is none of the known names with a value")


def _replay(entry: str, value: str) -> timedelta:
    found = _duration(entry, value)
    if found >= _REMEMBERED:
        raise LookFirstSyntaxError(entry, "Chargebee remembers a key for 30 minutes only")
    return found


def _schedule(old: RetrySchedule, entry: str, value: str) -> RetrySchedule:
    *delays, last = [_duration(entry, delay) for delay in value.split("/")]
    return replace(old, delays=tuple(delays), afterwards=last)


def _duration(entry: str, value: str) -> timedelta:
    match = _DURATION.fullmatch(value)
    if match is None:
        raise LookFirstSyntaxError(entry, f"{value!r} is no duration such as 500ms, 20m or 24h")
    milliseconds = Decimal(match.group(1)) * Decimal(_UNITS[match.group(2)]) * 1000
    return timedelta(milliseconds=int(milliseconds))


def retry_at(
    failures: int, failed_since: datetime | None, last_attempt: datetime, schedule: RetrySchedule
) -> datetime | None:
    """Say when to try again.

    Args:
        failures: In a row; 0 means at once.
        failed_since: First failure of the row; ``None`` never gives up.
        last_attempt: The latest attempt.
        schedule: The delays.

    Returns:
        The time, at once being that of the last attempt, or ``None`` to give up.
    """
    if not failures:
        return last_attempt
    few = failures <= len(schedule.delays)
    due = last_attempt + (schedule.delays[failures - 1] if few else schedule.afterwards)
    if failed_since is not None and due - failed_since > schedule.give_up_after:
        return None
    return due


LONGEST_SECONDS = 15.0
"""A holder that died keeps a bill for minutes; looking more rarely than this wins nothing."""
REMEMBERED_MAX = 10_000
"""Bills whose count is kept; a worker that runs for months begins to count anew then."""
