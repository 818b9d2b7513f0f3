"""Bills that are due again soon: not counted yet, and brought again within the same run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.ports import Clock, Stopped
from reconciler.sync.core.when_to_act import BusyBills
from reconciler.sync.model.standing import BillStanding, Group, Who
from reconciler.sync.ports.workers import BillBusyError, Job

KEPT_MAX = 2_000
"""Bills that one run waits for at most; more are left for the next one, so memory has a bound."""
HEAR_SECONDS = 0.1
"""How soon a stop is heard."""
TOLD_SECONDS = 3.0
"""Shorter waits are not worth a line."""


def _silent(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class RunPatience:
    """How long a run waits.

    Attributes:
        wait: For bills that are due again so long after everything else was done.
        tell: Hears what is waited for, one line each time.
    """

    wait: timedelta = timedelta()
    tell: Callable[[str], None] = _silent


NO_PATIENCE = RunPatience()


@dataclass(slots=True)
class DueAgain:
    """Bills of one run that are not over: each is brought again when it is due."""

    clock: Clock
    _heap: list[tuple[datetime, int, Job, BillStanding]] = field(default_factory=list)
    _brought: dict[BillId, BillStanding] = field(default_factory=dict)
    _busy: BusyBills = field(default_factory=BusyBills)
    _number: Iterator[int] = field(default_factory=count)

    def ended(self, job: Job, standing: BillStanding) -> BillStanding | None:
        """Hear where a bill stands; ``None`` when it is kept to be brought again."""
        before = self._brought.pop(job.bill_id, None)
        if before is not None and before.new and before.status is standing.status:
            # what was news when it was kept has been told to nobody yet
            standing = replace(standing, new=True)
        if standing.again_at is None or len(self._heap) >= KEPT_MAX:
            self._busy.free(job.bill_id)
            return standing
        kept = (replace(job, bill=None), replace(standing, draft=None))
        heappush(self._heap, (standing.again_at, next(self._number), *kept))
        return None

    def busy(self, job: Job, error: BillBusyError) -> BillStanding:
        """Give the standing of a bill that another worker holds."""
        who = Who(job.bill_id, AccountId(""))
        if job.bill is not None:
            who = Who(job.bill_id, job.bill.account_id, job.bill.account_code)
        seconds = self._busy.again_in(job.bill_id, error.seconds)
        return BillStanding(
            Group.UNDER_WAY,
            who,
            short="another worker has it",
            why="another run or worker has it, or had it when it died; its lease ends by itself",
            again_at=self.clock.now() + timedelta(seconds=seconds),
        )

    def due(self) -> Iterator[Job]:
        """Give the bills that are due by now."""
        while self._heap and self._heap[0][0] <= self.clock.now():
            _, _, job, standing = heappop(self._heap)
            self._brought[job.bill_id] = standing
            yield job

    def between(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Give the bills that are due before each of the others."""
        for job in jobs:
            yield from self.due()
            yield job

    def next_at(self, until: datetime) -> datetime | None:
        """Say when the next bill is due; ``None`` when none is until then."""
        return self._heap[0][0] if self._heap and self._heap[0][0] <= until else None

    def left(self) -> Iterator[BillStanding]:
        """Give where the bills stand that were not brought to an end; they are kept no more."""
        yield from (*(kept[-1] for kept in sorted(self._heap)), *self._brought.values())
        self._heap.clear()
        self._brought.clear()

    def told(self, until: datetime) -> str:
        """Say what is waited for."""
        waited = [kept for kept in self._heap if kept[0] <= until]
        at, _, _, standing = self._heap[0]
        bills = "1 bill" if len(waited) == 1 else f"{len(waited):,} bills"
        name = standing.who.account_code or f"bill {standing.who.bill_id}"
        last = max(kept[0] for kept in waited)
        return f"waiting until {last:%H:%M} UTC for {bills} (next: {name} at {at:%H:%M:%S})"

    def wait(self, until: datetime, enough: Stopped) -> None:
        """Wait until a bill is due; a stop is heard at once."""
        while not enough() and (left := (until - self.clock.now()).total_seconds()) > 0:
            self.clock.sleep(min(HEAR_SECONDS, left))
