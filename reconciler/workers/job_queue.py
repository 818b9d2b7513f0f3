"""The engine's side of asyncio: one thread with a loop, in which procrastinate works."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import psycopg
from procrastinate import App, JobContext, PsycopgConnector, exceptions
from procrastinate.jobs import DeleteJobCondition
from procrastinate.worker import Worker

from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.address import BillId
from reconciler.kernel.runbook import Page, page
from reconciler.kernel.secret import Secret
from reconciler.sync.core.when_to_act import BusyBills
from reconciler.sync.model.push import SiteName
from reconciler.sync.ports.workers import BillBusyError, Job, Outcome, Schedule
from reconciler.workers import jobs
from reconciler.workers.jobs import Care, cron, make_schema, queueing_lock

QUEUE = "push"
POLL_SECONDS = 0.5
"""How often the queue is asked when no notification comes."""
PAUSE_SECONDS = 0.2
Result = TypeVar("Result")


class QueueGoneError(ReconcilerError):
    """The database with the jobs does not answer."""

    exit_code = ExitCode.UNKNOWN_OUTCOME

    def __init__(self) -> None:
        super().__init__(
            "the queue of bills in the ledger's PostgreSQL does not answer.\n"
            "Nothing new was sent; what was under way was finished, and is in the ledger as far as "
            "that answered. Run the same command again when the database is back; see "
            f"{page(Page.UNKNOWN)}."
        )


@dataclass(slots=True)
class JobQueue(Generic[Outcome]):
    """One process's part in the queue; a context manager that starts and ends its worker.

    Attributes:
        work: Called in a thread for every job.
        threads: How many of them.
        dead_after: Seconds without a sign of life after which a worker's jobs are taken over.
        patience: Seconds that the database may be away before the work ends.
        fatal: What ended the work, when something did.
    """

    url: Secret
    work: Callable[[Job], Outcome]
    schedules: Sequence[Schedule]
    threads: int
    dead_after: float
    patience: float
    fatal: BaseException | None = None
    known: dict[str, Job] = field(default_factory=dict)
    _busy: BusyBills = field(default_factory=BusyBills)
    _outcomes: SimpleQueue[tuple[Job, Outcome]] = field(default_factory=SimpleQueue)
    _ready: threading.Event = field(default_factory=threading.Event)
    _ending: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: asyncio.Event = field(default_factory=asyncio.Event)
    _care: Care = field(init=False)
    _loop: asyncio.AbstractEventLoop | None = None
    _app: App | None = None
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self._care = Care(self.dead_after)

    def __enter__(self) -> JobQueue[Outcome]:
        # without a handler Python prints what a library logs, jobs and addresses included
        for name in ("procrastinate", "psycopg"):
            logging.getLogger(name).addHandler(logging.NullHandler())
        self._thread = threading.Thread(target=self._in_thread, name="push-queue")
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        """Begin nothing new, finish what is in flight."""
        assert self._thread is not None
        if self.alive:
            self._tell(self._close)
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the queue can be spoken to; always inside the block, unless it never began."""
        return self._app is not None and self._ready.is_set() and self._loop is not None

    @property
    def _opened(self) -> App:
        assert self._app is not None
        return self._app

    @property
    def gone(self) -> bool:
        """Whether the database was given up."""
        return isinstance(self.fatal, QueueGoneError)

    def fail(self, error: BaseException) -> None:
        """Begin nothing new: something fatal happened; the first one counts."""
        self.fatal = self.fatal or error
        if self.alive:
            self._tell(self._ending.set)

    def outcomes(self, seconds: float) -> Iterator[tuple[Job, Outcome]]:
        """Give what ended here; waits so long for the first."""
        try:
            yield self._outcomes.get(timeout=seconds)
            while True:
                yield self._outcomes.get_nowait()
        except Empty:
            return

    def defer(self, job: Job) -> None:
        """Put a job in the queue; one whose bill waits there already is not put twice."""
        self._call(lambda: jobs.defer(self._opened, job, 0))

    def waiting(self, locks: Iterable[str]) -> set[str]:
        """Say which bills have a job that is not over, on any machine."""
        return self._call(lambda: jobs.waiting(self._opened, list(locks)))

    def forget(self, locks: Iterable[str]) -> None:
        """Take jobs out of the queue that nobody has begun."""
        self._call(lambda: jobs.forget(self._opened, list(locks)))

    def _call(self, make: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Run a coroutine in the loop from another thread, again while the database is away.

        Raises:
            QueueGoneError: When it does not come back.
        """
        assert self._loop is not None
        until = time.monotonic() + self.patience
        while True:
            try:
                return asyncio.run_coroutine_threadsafe(make(), self._loop).result()
            except exceptions.ConnectorException:
                if self.gone or time.monotonic() >= until:
                    self.fail(QueueGoneError())
                    raise QueueGoneError from None
            time.sleep(PAUSE_SECONDS)

    def _tell(self, act: Callable[[], object]) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(act)

    def _close(self) -> None:
        self._ending.set()
        self._closing.set()

    def _in_thread(self) -> None:
        try:
            asyncio.run(self._main())
        except (psycopg.Error, exceptions.ConnectorException):
            # their words name the address
            self.fatal = self.fatal or QueueGoneError()
        except Exception as error:  # noqa: BLE001  raised in the caller's thread
            self.fatal = self.fatal or error
        finally:
            self._loop = None
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        # an answer that the database could not take is no news: the job is taken over
        self._loop.set_exception_handler(lambda *_: None)
        schema = await asyncio.to_thread(make_schema, self.url, self.patience)
        connector = PsycopgConnector(
            conninfo=self.url.reveal(),
            kwargs={"options": f"-c search_path={schema}"},
            min_size=1,
            max_size=8,
            timeout=min(10.0, self.patience),
        )
        self._app = App(connector=connector)
        with (
            ThreadPoolExecutor(self.threads, "push") as pool,
            ThreadPoolExecutor(max(1, len(self.schedules)), "push-schedule") as lookers,
        ):
            self._declare(self._app, pool, lookers)
            async with self._app.open_async():
                await self._begin_schedules(self._app)
                self._ready.set()
                await self._work(self._app)
                await self._closing.wait()

    def _declare(self, app: App, pool: ThreadPoolExecutor, lookers: ThreadPoolExecutor) -> None:
        async def push(context: JobContext, site: str, bill_id: str, serial: str) -> None:
            job = Job(SiteName(site), BillId(bill_id), serial)
            with self._care.at_work(context):
                await self._push(self.known.get(queueing_lock(job), job), pool)

        app.task(name="push", queue=QUEUE, pass_context=True)(push)
        for schedule in self.schedules:
            self._declare_schedule(app, schedule, lookers)

    def _declare_schedule(self, app: App, schedule: Schedule, lookers: ThreadPoolExecutor) -> None:
        async def look(context: JobContext, timestamp: int) -> None:
            del timestamp
            with self._care.at_work(context):
                await asyncio.get_running_loop().run_in_executor(lookers, self._feed, schedule)

        name = f"schedule/{schedule.name}"
        task = app.task(name=name, queue=QUEUE, lock=name, queueing_lock=name, pass_context=True)(
            look
        )
        app.periodic(cron=cron(schedule.minutes), periodic_id=schedule.name)(task)

    async def _begin_schedules(self, app: App) -> None:
        for schedule in self.schedules:
            try:
                await app.tasks[f"schedule/{schedule.name}"].defer_async(timestamp=0)
            except exceptions.AlreadyEnqueued:
                continue

    async def _push(self, job: Job, pool: ThreadPoolExecutor) -> None:
        if self._ending.is_set():
            await jobs.defer(self._opened, job, 0)
            return
        loop = asyncio.get_running_loop()
        try:
            outcome = await loop.run_in_executor(pool, self.work, job)
        except BillBusyError as busy:
            seconds = self._busy.again_in(job.bill_id, busy.seconds)
            await jobs.defer(self._opened, job, seconds)
        except Exception as error:  # noqa: BLE001  raised in the caller's thread
            self.fail(error)
        else:
            self._busy.free(job.bill_id)
            self._outcomes.put((job, outcome))

    def _feed(self, schedule: Schedule) -> None:
        try:
            for job in schedule.jobs():
                if self._ending.is_set():
                    return
                self.defer(job)
        except Exception as error:  # noqa: BLE001  raised in the caller's thread
            self.fail(error)

    async def _work(self, app: App) -> None:
        """Run the worker; again when the database went away under it."""
        while not self._ending.is_set():
            worker = Worker(
                app,
                queues=[QUEUE],
                name=None,
                concurrency=self.threads,
                fetch_job_polling_interval=POLL_SECONDS,
                delete_jobs=DeleteJobCondition.ALWAYS,
                install_signal_handlers=False,
                update_heartbeat_interval=self.dead_after / 3,
                stalled_worker_timeout=self.dead_after,
            )
            helpers = [
                asyncio.create_task(task) for task in (self._end(worker), self._care.keep(worker))
            ]
            try:
                await _untyped(worker).run()
            except exceptions.ConnectorException:
                if self._care.silence() > self.patience:
                    self.fail(QueueGoneError())
                await asyncio.sleep(PAUSE_SECONDS)
            finally:
                for helper in helpers:
                    helper.cancel()
                await asyncio.gather(*helpers, return_exceptions=True)

    async def _end(self, worker: Worker) -> None:
        await self._ending.wait()
        _untyped(worker).stop()


def _untyped(worker: Worker) -> Any:  # noqa: ANN401  two of its methods have no annotations
    return worker
