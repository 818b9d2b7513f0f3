"""Time, progress, pace and notices: what the world gives to every subject."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

Stopped = Callable[[], bool]
"""Asked often; once it says yes nothing new begins, and what is in flight is finished."""


class Clock(Protocol):
    """Time as a seam: tests wait for nothing."""

    def now(self) -> datetime:
        """Give the time in UTC, with its zone."""
        ...

    def monotonic(self) -> float:
        """Give seconds that only go forward."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class RateLimit(Protocol):
    """One bucket per organisation or site, shared by everything that calls it."""

    def acquire(self) -> None:
        """Wait until one request may be sent."""
        ...

    def slow_down(self, seconds: float) -> None:
        """Hear of a 429: send nothing for so many seconds, then go slower for a while."""
        ...


class Task(Protocol):
    """One counted piece of work."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Report that so many more are done; ``note`` replaces the remark behind the counts."""
        ...


class Progress(Protocol):
    """Says how far a long piece of work is; silent where nobody watches."""

    def task(self, label: str, total: int | None) -> AbstractContextManager[Task]:
        """Open a task; ``total`` is ``None`` when it is not known."""
        ...


class Notifier(Protocol):
    """Tells configured people; failures are swallowed and counted, never raised."""

    def notify(self, event: str, title: str, text: str) -> None:
        """Tell whoever subscribed to the event."""
        ...
