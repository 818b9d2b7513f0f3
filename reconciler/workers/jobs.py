"""Jobs as rows of the engine's tables: put there, looked for, taken back, taken over, recurring."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from procrastinate import App, JobContext, exceptions
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from procrastinate.worker import Worker
from psycopg import sql

from reconciler.kernel.secret import Secret
from reconciler.sync.ports.workers import Job


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
        await _again(worker.app, {job.id for job in dead if job.id is not None})
        return strays

    async def _strays(self, worker: Worker) -> set[int]:
        """Find jobs that the queue thinks we work on: an answer to or from it was lost."""
        rows = await worker.app.connector.execute_query_all_async(
            "select id from procrastinate_jobs where worker_id = %(worker)s and status = 'doing'",
            worker=worker.worker_id,
        )
        return {int(row["id"]) for row in rows} - self.here


async def defer(app: App, job: Job, seconds: float) -> None:
    """Put a job in the queue; one whose bill waits there already is not put twice."""
    deferrer = app.tasks["push"].configure(
        lock=job.serial,
        queueing_lock=queueing_lock(job),
        schedule_in={"seconds": max(1, round(seconds))} if seconds else None,
    )
    try:
        await deferrer.defer_async(site=job.site, bill_id=job.bill_id, serial=job.serial)
    except exceptions.AlreadyEnqueued:
        return


async def waiting(app: App, locks: list[str]) -> set[str]:
    """Say which bills have a job that is not over, on any machine."""
    rows = await app.connector.execute_query_all_async(
        "select queueing_lock from procrastinate_jobs"
        " where queueing_lock = any(%(locks)s) and status in ('todo', 'doing')",
        locks=locks,
    )
    return {str(row["queueing_lock"]) for row in rows}


async def forget(app: App, locks: list[str]) -> None:
    """Take jobs out of the queue that nobody has begun."""
    await app.connector.execute_query_async(
        "delete from procrastinate_jobs where queueing_lock = any(%(locks)s) and status = 'todo'",
        locks=locks,
    )


def queueing_lock(job: Job) -> str:
    """Name a bill in the queue."""
    return f"{job.site}/{job.bill_id}"


async def _again(app: App, jobs: Iterable[int]) -> None:
    """Put jobs back into the queue."""
    manager = app.job_manager
    for job in jobs:
        try:
            await manager.retry_job_by_id_async(job, datetime.now(UTC))
        except exceptions.UniqueViolation:
            # the bill waits in the queue again; the dead job would hold its lock for ever
            await manager.finish_job_by_id_async(job, Status.FAILED, delete_job=True)


MAKING_LOCK = 0x6A6F6273
"""PostgreSQL's advisory lock: one worker makes the tables, the others wait."""
PAUSE_SECONDS = 0.2


def schema_name() -> str:
    """Name the schema after the newest of procrastinate's migrations.

    Jobs are hints, so a newer layout begins with empty tables instead of migrating the old ones.
    """
    files = Path(SchemaManager.get_migrations_path()).glob("*.sql")
    newest = max(file.name.partition("_")[0] for file in files)
    return "reconciler_jobs_" + re.sub(r"\D+", "_", newest)


def make_schema(url: Secret, patience: float = 0.0) -> str:
    """Make the tables where they are missing, and give the name of their schema.

    Args:
        url: The database.
        patience: Seconds that it may be away.
    """
    until = time.monotonic() + patience
    while True:
        try:
            return _made(url)
        except psycopg.OperationalError:
            if time.monotonic() >= until:
                raise
        time.sleep(PAUSE_SECONDS)


def _made(url: Secret) -> str:
    name = schema_name()
    with psycopg.connect(url.reveal()) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", [MAKING_LOCK])
        found = connection.execute("select to_regclass(%s)", [f"{name}.procrastinate_jobs"])
        if found.fetchone() == (None,):
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))
            connection.execute(sql.SQL("set local search_path to {}").format(sql.Identifier(name)))
            connection.execute(SchemaManager.get_schema())
    return name


HOUR = 60
DAY = 24


def cron(minutes: int) -> str:
    """Write an interval as cron does.

    Raises:
        ValueError: When the interval divides neither an hour nor a day in hours.
    """
    hours, rest = divmod(minutes, HOUR)
    if not hours and HOUR % minutes == 0:
        return f"*/{minutes} * * * *"
    if rest or not hours or DAY % hours:
        raise ValueError(f"{minutes} minutes divide neither an hour nor a day")
    return f"0 */{hours} * * *" if hours < DAY else "0 0 * * *"
