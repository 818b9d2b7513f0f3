"""Signs of life, and the jobs of those who give none: taken over while everyone works on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from procrastinate import App, JobContext, exceptions
from procrastinate.jobs import Status
from procrastinate.worker import Worker


@dataclass(slots=True)
class Care:
    """What one worker does besides its jobs, three times in every ``dead_after`` seconds.

    Attributes:
        dead_after: Seconds without a sign of life after which a worker's jobs are taken over.
        here: Numbers of the jobs that are really at work in this process.
        heard_at: When the database answered last.
    """

    dead_after: float
    here: set[int] = field(default_factory=set)
    heard_at: float = field(default_factory=time.monotonic)

    async def keep(self, worker: Worker) -> None:
        """Go on until cancelled; a database that is away is asked again."""
        before: set[int] = set()
        while True:
            await asyncio.sleep(self.dead_after / 3)
            try:
                before = await self._round(worker, before)
                self.heard_at = time.monotonic()
            except exceptions.ConnectorException:
                continue

    def silence(self) -> float:
        """Give the seconds since the database answered last."""
        return time.monotonic() - self.heard_at

    @contextmanager
    def at_work(self, context: JobContext) -> Iterator[None]:
        """Know a job to be at work for the time of a ``with`` block."""
        number = context.job.id
        assert number is not None
        self.here.add(number)
        try:
            yield
        finally:
            self.here.discard(number)

    async def _round(self, worker: Worker, before: set[int]) -> set[int]:
        manager = worker.app.job_manager
        strays: set[int] = set()
        if worker.worker_id is not None:
            await manager.update_heartbeat(worker.worker_id)
            strays = await self._strays(worker)
            await _again(worker.app, strays & before)
        dead = await manager.get_stalled_jobs(seconds_since_heartbeat=self.dead_after)
        await _again(worker.app, {one.id for one in dead if one.id is not None})
        return strays

    async def _strays(self, worker: Worker) -> set[int]:
        """Find jobs that the queue thinks we work on: an answer to or from it was lost."""
        rows = await worker.app.connector.execute_query_all_async(
            "select id from procrastinate_jobs where worker_id = %(worker)s and status = 'doing'",
            worker=worker.worker_id,
        )
        return {int(row["id"]) for row in rows} - self.here


async def _again(app: App, jobs: Iterable[int]) -> None:
    """Put jobs back into the queue."""
    manager = app.job_manager
    for one in jobs:
        try:
            await manager.retry_job_by_id_async(one, datetime.now(UTC))
        except exceptions.UniqueViolation:
            # the bill waits in the queue again; the dead job would hold its lock for ever
            await manager.finish_job_by_id_async(one, Status.FAILED, delete_job=True)
