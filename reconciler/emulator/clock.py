"""The emulator's clock: starts where the scenario says, moves with real time and by command."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class EmulatorClock:
    """Time as both emulated vendors see it.

    Attributes:
        beginning: The instant it started from.
        ticks: Whether real time moves the clock; otherwise only ``advance`` and ``set`` do.
    """

    def __init__(
        self,
        start: datetime,
        *,
        ticks: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ticks = ticks
        self._monotonic = monotonic
        self.beginning = start
        self._base = start
        self._started = monotonic()

    def now(self) -> datetime:
        """The current emulated instant, in UTC."""
        if not self.ticks:
            return self._base
        return self._base + timedelta(seconds=self._monotonic() - self._started)

    def hold(self, start: datetime) -> None:
        """Stand still at an instant, so that what is made meanwhile bears the same times always."""
        self.ticks = False
        self.set(start)

    def release(self, start: datetime, *, ticks: bool) -> None:
        """Begin to run from an instant."""
        self.set(start)
        self.ticks = ticks

    def advance(self, seconds: float) -> None:
        """Move by a number of seconds; never backwards.

        Raises:
            ValueError: If ``seconds`` is negative.
        """
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._base += timedelta(seconds=seconds)

    def set(self, at: datetime) -> None:
        """Jump to an instant; the past is allowed, because a test may want to go back."""
        self._base = at.astimezone(UTC)
        self._started = self._monotonic()


def iso(instant: datetime) -> str:
    """Write an instant as m3ter does: UTC with milliseconds and ``Z``."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant; one without an offset is UTC.

    Raises:
        ValueError: If it is not one.
    """
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
