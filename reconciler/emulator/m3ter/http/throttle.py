"""m3ter's rate limits, in real time: per organisation and second, per address and 5 minutes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW_SECONDS = 300


class Throttle:
    """Counts requests; over the limit they are refused until the window has moved on."""

    def __init__(
        self,
        *,
        per_second: int,
        per_window: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set the limits; 0 is no limit.

        Args:
            per_second: Requests in one clock second for the organisation.
            per_window: Requests in any five minutes for one address.
            monotonic: Real time in seconds.
        """
        # Source: docs.m3ter.com, config API limits: 50 per second and organisation, refused
        # "for the remainder of the second"; 20,000 per rolling 5 minutes and address
        self._per_second = per_second
        self._per_window = per_window
        self._monotonic = monotonic
        self._second = -1
        self._in_second = 0
        self._recent: deque[float] = deque()

    def admits(self) -> bool:
        """Count one request and say whether it may pass."""
        now = self._monotonic()
        if int(now) != self._second:
            self._second, self._in_second = int(now), 0
        while self._recent and self._recent[0] <= now - _WINDOW_SECONDS:
            self._recent.popleft()
        if self._per_second and self._in_second >= self._per_second:
            return False
        if self._per_window and len(self._recent) >= self._per_window:
            return False
        self._in_second += 1
        self._recent.append(now)
        return True
