"""A worker that goes on for days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reconciler.kernel.ports import Stopped
from reconciler.sync.model.standing import Standing
from reconciler.sync.ports.workers import Job, Schedule
from reconciler.sync.push.push_bill import Pusher
from reconciler.sync.run.bill_stream import jobs_of
from reconciler.sync.run.world import SyncPorts

POLL_MINUTES = 5


@dataclass(slots=True)
class Serving:
    """A worker that goes on for days: what is in force is read again before every round.

    Attributes:
        refreshed: Reads what is in force, and the stamped invoices.
    """

    ports: SyncPorts
    stopped: Stopped
    refreshed: Callable[[], Pusher]
    pusher: Pusher

    def outcomes(self) -> Iterator[Standing]:
        """Work on whatever becomes ready, until stopped."""
        poll = Schedule("poll", POLL_MINUTES, self._due)
        for _, ended in self.ports.workers.serve([poll], self._work, self.stopped):
            yield ended

    def _due(self) -> Iterable[Job]:
        self.pusher = self.refreshed()
        return jobs_of(self.pusher.judge, self.ports, lambda _: None, self.stopped)

    def _work(self, job: Job) -> Standing:
        return self.pusher.work(job)
