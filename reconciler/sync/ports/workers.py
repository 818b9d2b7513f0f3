"""Who works on bills, and what a piece of work is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from reconciler.errors import BusyError
from reconciler.kernel.address import BillId
from reconciler.kernel.ports import Stopped
from reconciler.m3ter.bill import Bill
from reconciler.sync.model.push import SiteName

Outcome = TypeVar("Outcome")


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
