"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def shown_time(text: str) -> str:
    """Write an ISO 8601 time as ``1 Dec 2026, 09:00``, in UTC; other texts stay as they are."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    if time.tzinfo is not None:
        time = time.astimezone(UTC)
    return f"{time.day} {time:%b %Y, %H:%M}"
