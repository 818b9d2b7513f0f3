"""Workers on many machines: jobs in PostgreSQL, delivered by procrastinate.

The ledger stays the truth; a queue that is lost costs nothing but a look at what is due. A job is
a bill, its lock the ``serial`` (one at a time in all workers), its queueing lock the bill (once in
the queue). Jobs of workers that died are taken over by the others while they run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Generic

from reconciler.errors import InvalidError
from reconciler.kernel.ports import Clock, Stopped
from reconciler.kernel.secret import Secret
from reconciler.sync.ports.workers import Job, Outcome, Schedule

if TYPE_CHECKING:
    from reconciler.workers.job_queue import JobQueue

MOST_THREADS = 16
AHEAD = 500
"""Jobs of one run that are in the queue at once; more are read when these are over."""
HEAR_SECONDS = 0.1
"""How soon a stop is heard."""
OVER_SECONDS = 0.5
"""How often a run asks which of its jobs are over, perhaps on other machines."""


class EngineMissingError(InvalidError):
    """Workers on many machines were asked for, but the extra is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "workers on several machines need procrastinate and PostgreSQL's driver, which are not "
            "installed; nothing was sent.\n"
            "Install them with: pip install 'm3ter-reconciler[postgres]'"
        )


@dataclass(frozen=True, slots=True)
class ProcrastinateWorkers:
    """Implements ``sync.ports.workers.Workers`` over the ledger's PostgreSQL.

    Attributes:
        url: The ledger's database; the jobs have a schema of their own in it.
        threads: At most 16 work at once in this process.
        dead_after: Seconds without a sign of life after which a worker's jobs are taken over.
        patience: Seconds that the database may be away before the work ends.
    """

    url: Secret
    clock: Clock
    threads: int = MOST_THREADS
    dead_after: float = 30.0
    patience: float = 60.0

    def __post_init__(self) -> None:
        """Refuse at once where the extra is missing.

        Raises:
            EngineMissingError: With the line that installs it.
        """
        if find_spec("procrastinate") is None or find_spec("psycopg") is None:
            raise EngineMissingError

    def run(
        self, jobs: Iterable[Job], work: Callable[[Job], Outcome], stopped: Stopped
    ) -> Iterator[tuple[Job, Outcome]]:
        """Work on a stream of jobs, together with whoever else works, until all are over.

        Stopping takes back what nobody has begun.
        """
        queue = self._queue(work, ())
        with queue:
            yield from _Run(iter(jobs), queue, self.clock, stopped).outcomes()
        yield from _rest(queue)

    def serve(
        self, schedules: Sequence[Schedule], work: Callable[[Job], Outcome], stopped: Stopped
    ) -> Iterator[tuple[Job, Outcome]]:
        """Work on whatever is in the queue, and look for more in time, until stopped."""
        queue = self._queue(work, schedules)
        with queue:
            while queue.fatal is None and not stopped():
                yield from queue.outcomes(HEAR_SECONDS)
        yield from _rest(queue)

    def _queue(
        self, work: Callable[[Job], Outcome], schedules: Sequence[Schedule]
    ) -> JobQueue[Outcome]:
        from reconciler.workers.job_queue import JobQueue

        threads = min(self.threads, MOST_THREADS)
        return JobQueue(self.url, work, schedules, threads, self.dead_after, self.patience)


@dataclass(slots=True)
class _Run(Generic[Outcome]):
    """One stream on its way through the queue; ``queue.known`` are its jobs that are not over."""

    jobs: Iterator[Job]
    queue: JobQueue[Outcome]
    clock: Clock
    stopped: Stopped
    exhausted: bool = False
    asked_at: float = field(default=0.0)

    def outcomes(self) -> Iterator[tuple[Job, Outcome]]:
        try:
            while not self._ending() and (not self.exhausted or self.queue.known):
                self._hand_out()
                yield from self.queue.outcomes(HEAR_SECONDS)
                self._drop_over()
        finally:
            if self.queue.known and self.queue.alive and not self.queue.gone:
                self.queue.forget(self.queue.known)

    def _ending(self) -> bool:
        return self.queue.fatal is not None or self.stopped()

    def _hand_out(self) -> None:
        from reconciler.workers.jobs import queueing_lock

        while not self.exhausted and len(self.queue.known) < AHEAD and not self._ending():
            try:
                job = next(self.jobs, None)
            except Exception as error:  # noqa: BLE001  raised when what is in flight has ended
                self.queue.fail(error)
                return
            if job is None:
                self.exhausted = True
                return
            self.queue.known[queueing_lock(job)] = job
            self.queue.defer(job)

    def _drop_over(self) -> None:
        now = self.clock.monotonic()
        if now - self.asked_at < OVER_SECONDS:
            return
        self.asked_at = now
        asked = list(self.queue.known)
        for lock in set(asked) - self.queue.waiting(asked):
            del self.queue.known[lock]


def _rest(queue: JobQueue[Outcome]) -> Iterator[tuple[Job, Outcome]]:
    """Give what ended last, then raise what was fatal."""
    yield from queue.outcomes(0)
    if queue.fatal is not None:
        raise queue.fatal
