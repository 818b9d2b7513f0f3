"""Times as records write them."""

from __future__ import annotations

from datetime import UTC, datetime


def written_time(time: datetime) -> str:
    """Write a time in UTC to the second, ISO 8601 with ``Z``."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
