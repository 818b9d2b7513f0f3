"""A clock that stands still until a test moves it, or until someone sleeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class FakeClock:
    """Implements ``kernel.ports.Clock``; sleeping moves it and is remembered."""

    time: datetime = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self.seconds += seconds
