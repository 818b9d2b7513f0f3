"""Time, progress, pace and notices: what the world gives to workflows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from reconciler.domain.address import BillId
from reconciler.domain.bill import Bill
from reconciler.domain.push import SiteName
from reconciler.errors import BusyError

Outcome = TypeVar("Outcome")
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


@dataclass(frozen=True, slots=True)
class Job:
    """One bill to work on; a hint and never the truth, which is the ledger's.

    Attributes:
        serial: Jobs with the same text never run at the same time: the subscription, or the
            account where it is not known yet. Of several jobs for one bill in a queue one is kept.
        bill: As it was read, when it is at hand; ``None`` on another machine, which reads it again.
    """

    site: SiteName
    bill_id: BillId
    serial: str
    bill: Bill | None = field(default=None, compare=False, repr=False)


class BillBusyError(BusyError):
    """``work`` says: another worker holds the bill; bring it again when its lease may be over."""

    def __init__(self, bill: BillId, seconds: float) -> None:
        super().__init__(
            f"another worker holds bill {bill}; nothing was done to it here. It is tried again in "
            f"{seconds:.0f} s."
        )
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something that comes again and again, once in all workers together.

    Attributes:
        name: Unique among the schedules; letters, digits and hyphens.
        minutes: Between two times; a divisor of 60, or hours that divide a day.
        jobs: Looks for work and gives it; whatever else it does is its own affair. It must bear
            being called twice. Whatever it raises is fatal.
    """

    name: str
    minutes: int
    jobs: Callable[[], Iterable[Job]]


class Workers(Protocol):
    """Delivers jobs to threads, here or on other machines; at least once, never exactly once.

    ``work`` answers for everything that concerns one bill, and records it in the ledger. It raises
    ``BillBusyError`` to get the same job again later, for example after ``claim`` gave ``None``;
    whatever else it raises is fatal (a refused key): nothing new begins, what is in flight is
    finished, and the error is raised. The iterators must be exhausted or closed; closing one means
    stop.
    """

    def run(
        self, jobs: Iterable[Job], work: Callable[[Job], Outcome], stopped: Stopped
    ) -> Iterator[tuple[Job, Outcome]]:
        """Work on a stream of jobs, read lazily, until all of them are over.

        Yields:
            Every job that ended in this process, in the order of ending, with what ``work`` gave.
        """
        ...

    def serve(
        self, schedules: Sequence[Schedule], work: Callable[[Job], Outcome], stopped: Stopped
    ) -> Iterator[tuple[Job, Outcome]]:
        """Work on whatever comes, from schedules and from other machines, until stopped.

        Yields:
            As ``run``.
        """
        ...
