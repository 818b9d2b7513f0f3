"""Durations as they stand in definitions: a whole number with s, m, h or d."""

from __future__ import annotations

from datetime import timedelta

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def duration(text: str) -> timedelta:
    """Read a duration that the schema has checked, for example ``5d``."""
    return int(text[:-1]) * _UNITS[text[-1]]
