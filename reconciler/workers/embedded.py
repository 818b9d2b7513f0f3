"""Workers in this process: bounded threads over a lazily read stream of jobs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Generic

from reconciler.kernel.ports import Clock, Stopped
from reconciler.sync.core.when_to_act import BusyBills
from reconciler.sync.ports.workers import BillBusyError, Job, Outcome, Schedule

MOST_THREADS = 16
LOOK_AHEAD = 64
"""Jobs that are held back in memory: one with the same ``serial`` is at work, or the bill is."""
HEAR_SECONDS = 0.1
"""How soon a stop is heard."""


@dataclass(frozen=True, slots=True)
class EmbeddedWorkers:
    """Implements ``sync.ports.workers.Workers`` for one process.

    Attributes:
        threads: At most 16 work at once.
    """

    clock: Clock
    threads: int = MOST_THREADS

    def run(
        self, jobs: Iterable[Job], work: Callable[[Job], Outcome], stopped: Stopped
    ) -> Iterator[tuple[Job, Outcome]]:
        """Work on a stream of jobs until all of them are over."""
        threads = min(self.threads, MOST_THREADS)
        with ThreadPoolExecutor(threads, "push") as pool:
            yield from _Round(iter(jobs), work, stopped, pool, self.clock, threads).outcomes()

    def serve(
        self, schedules: Sequence[Schedule], work: Callable[[Job], Outcome], stopped: Stopped
    ) -> Iterator[tuple[Job, Outcome]]:
        """Begin every schedule at once, then each in its time, one after the other."""
        due = {schedule.name: self.clock.monotonic() for schedule in schedules}
        while not stopped():
            now = self.clock.monotonic()
            for schedule in schedules:
                if due[schedule.name] <= now and not stopped():
                    due[schedule.name] = now + schedule.minutes * 60
                    yield from self.run(schedule.jobs(), work, stopped)
            self.clock.sleep(HEAR_SECONDS)


@dataclass(slots=True)
class _Round(Generic[Outcome]):
    """One stream on its way through the pool."""

    jobs: Iterator[Job]
    work: Callable[[Job], Outcome]
    stopped: Stopped
    pool: ThreadPoolExecutor
    clock: Clock
    threads: int
    flying: dict[Future[Outcome], Job] = field(default_factory=dict)
    held: deque[Job] = field(default_factory=deque)
    later: list[tuple[float, Job]] = field(default_factory=list)
    busy: BusyBills = field(default_factory=BusyBills)
    exhausted: bool = False
    fatal: BaseException | None = None

    def outcomes(self) -> Iterator[tuple[Job, Outcome]]:
        """Begin and end jobs until none is left; then raise what was fatal."""
        while True:
            self._begin()
            if not self.flying and (self._ending() or not self._more()):
                break
            yield from self._finished()
        if self.fatal is not None:
            raise self.fatal

    def _more(self) -> bool:
        return bool(self.held or self.later) or not self.exhausted

    def _ending(self) -> bool:
        return self.fatal is not None or self.stopped()

    def _begin(self) -> None:
        busy = {flight.serial for flight in self.flying.values()}
        while len(self.flying) < self.threads and not self._ending():
            job = self._next(busy)
            if job is None:
                return
            busy.add(job.serial)
            self.flying[self.pool.submit(self.work, job)] = job

    def _next(self, busy: set[str]) -> Job | None:
        """Give the first job whose serial is free; those before it are held back."""
        for number, job in enumerate(self.held):
            if job.serial not in busy:
                del self.held[number]
                return job
        for number, (at, job) in enumerate(self.later):
            if at <= self.clock.monotonic() and job.serial not in busy:
                del self.later[number]
                return job
        while len(self.held) + len(self.later) < LOOK_AHEAD and (read := self._read()) is not None:
            if read.serial not in busy:
                return read
            self.held.append(read)
        return None

    def _read(self) -> Job | None:
        if self.exhausted:
            return None
        try:
            job = next(self.jobs, None)
        except Exception as error:  # noqa: BLE001  raised when what is in flight has ended
            self.fatal = error
            job = None
        self.exhausted = job is None
        return job

    def _finished(self) -> Iterator[tuple[Job, Outcome]]:
        """Give what ended; wait a moment where nothing has."""
        if not self.flying:
            self.clock.sleep(HEAR_SECONDS)
            return
        done, _ = wait(self.flying, HEAR_SECONDS, FIRST_COMPLETED)
        for future in done:
            job = self.flying.pop(future)
            try:
                outcome = future.result()
            except BillBusyError as busy:
                seconds = self.busy.again_in(job.bill_id, busy.seconds)
                self.later.append((self.clock.monotonic() + seconds, job))
            except BaseException as error:  # noqa: BLE001  raised when the others have ended
                self.fatal = self.fatal or error
            else:
                self.busy.free(job.bill_id)
                yield job, outcome
