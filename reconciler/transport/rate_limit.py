"""The token bucket of one process: one per organisation or site, shared by all its threads."""

from __future__ import annotations

import threading

from reconciler.kernel.ports import Clock

SLOWEST = 1 / 16
"""The share of the configured rate that repeated 429s never go below."""
RECOVERY_SECONDS = 30.0
"""Seconds from a standstill back to the configured rate."""


class TokenBucket:
    """Gives out evenly spaced slots; implements ``kernel.ports.RateLimit``.

    A slot is reserved under the lock and waited for outside of it, so waiting threads do not
    wake each other. After a 429 all reserved slots are void: whoever waits reserves anew behind
    the pause, at half the pace, which then grows back to the configured one.

    Attributes:
        per_second: The configured rate.
        burst: How many requests may follow each other at once after a quiet moment, at least 1;
            it also makes up for late wake-ups. In any second at most ``per_second + burst`` start.
    """

    def __init__(self, per_second: float, clock: Clock, *, burst: float = 1.0) -> None:
        self.per_second = per_second
        self.burst = max(1.0, burst)
        self._clock = clock
        self._lock = threading.Lock()
        self._factor = 1.0
        self._next = self._updated = clock.monotonic()
        self._paused_until = self._next
        self._epoch = 0

    @property
    def pace(self) -> float:
        """Give the present rate per second; lower than configured after a 429."""
        with self._lock:
            self._recover(self._clock.monotonic())
            return self.per_second * self._factor

    def acquire(self) -> None:
        """Wait until one request may be sent."""
        while True:
            slot, epoch = self._reserve()
            wait = slot - self._clock.monotonic()
            if wait > 0:
                self._clock.sleep(wait)
            with self._lock:
                if epoch == self._epoch:
                    return

    def slow_down(self, seconds: float) -> None:
        """Hear of a 429: send nothing for so many seconds, then go slower for a while.

        The answers to requests that were in flight together count as one 429.
        """
        with self._lock:
            now = self._clock.monotonic()
            self._recover(now)
            if now >= self._paused_until:
                self._factor = max(SLOWEST, self._factor / 2)
            self._paused_until = max(self._paused_until, now + max(0.0, seconds))
            self._next = self._paused_until
            self._epoch += 1

    def _reserve(self) -> tuple[float, int]:
        with self._lock:
            now = self._clock.monotonic()
            self._recover(now)
            interval = 1.0 / (self.per_second * self._factor)
            earliest = self._next - (self.burst - 1.0) * interval
            slot = max(now, earliest, self._paused_until)
            self._next = max(slot, self._next) + interval
            return slot, self._epoch

    def _recover(self, now: float) -> None:
        since = max(self._updated, self._paused_until)
        if now > since:
            self._factor = min(1.0, self._factor + (now - since) / RECOVERY_SECONDS)
        self._updated = max(self._updated, now)
