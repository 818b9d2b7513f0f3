"""The real clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_NOTHING = timedelta()


class SystemClock:
    """Implements ``kernel.ports.Clock`` by the machine's clocks.

    Args:
        ahead: How far the time is ahead of the machine's, in a rehearsal.
    """

    def __init__(self, ahead: timedelta = _NOTHING) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        """Give the time in UTC, with its zone."""
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        """Give seconds that only go forward."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; nothing or less is no wait."""
        if seconds > 0:
            time.sleep(seconds)
