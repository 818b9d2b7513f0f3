"""Times as records write them, and durations as definitions write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def written_time(time: datetime) -> str:
    """Write a time in UTC to the second, ISO 8601 with ``Z``."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def duration(text: str) -> timedelta:
    """Read a duration that the schema has checked, for example ``5d``."""
    return int(text[:-1]) * _UNITS[text[-1]]
