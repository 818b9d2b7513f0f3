"""``RECONCILER_LOOK_FIRST``: the numbers of ``sync/core/look_first.py`` as a job writes them.

``replay=20m, look=35m, between=2m, looks=2, retry=1m/2m/5m/15m/1h, giveup=24h``: any of them, in
any order; the last delay of ``retry`` is that of every later attempt. Shorter numbers are for
rehearsals against an emulator, whose requests never arrive half an hour late.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from reconciler.errors import InvalidError
from reconciler.sync.core.look_first import LookFirst
from reconciler.sync.core.retrying import RetrySchedule

_UNITS = {"ms": "0.001", "s": "1", "m": "60", "h": "3600", "d": "86400"}
_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)", re.ASCII)
_COUNT = re.compile(r"[1-9]", re.ASCII)
_DEFAULT = LookFirst()
# Source: Chargebee API docs, "Idempotency": keys are kept for 30 minutes.
_REMEMBERED = timedelta(minutes=30)


class LookFirstSyntaxError(InvalidError):
    """An entry cannot be understood, or would send the same bytes under a forgotten key."""

    def __init__(self, entry: str, reason: str) -> None:
        super().__init__(
            f"RECONCILER_LOOK_FIRST has the entry {entry!r}: {reason}. Nothing was sent."
            " For example: replay=20m, look=35m, between=2m, looks=2, retry=1m/2m/5m/15m/1h."
        )


def parse_look_first(text: str) -> LookFirst:
    """Read the variable; what it does not name keeps its default.

    Raises:
        LookFirstSyntaxError: When an entry cannot be understood.
    """
    settings = _DEFAULT
    for entry in re.split(r"[\s,]+", text):
        if entry:
            settings = _with(settings, entry)
    return settings


def _with(settings: LookFirst, entry: str) -> LookFirst:
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
    *delays, last = [_duration(entry, one) for one in value.split("/")]
    return replace(old, delays=tuple(delays), afterwards=last)


def _duration(entry: str, value: str) -> timedelta:
    match = _DURATION.fullmatch(value)
    if match is None:
        raise LookFirstSyntaxError(entry, f"{value!r} is no duration such as 500ms, 20m or 24h")
    milliseconds = Decimal(match.group(1)) * Decimal(_UNITS[match.group(2)]) * 1000
    return timedelta(milliseconds=int(milliseconds))
