"""Workers over PostgreSQL: many processes, one queue, and nobody waits for the dead."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.postgres import Postgres, query
from fakes.push_effects import job

from reconciler.errors import ReconcilerError
from reconciler.kernel.secret import Secret
from reconciler.sync.ports.workers import BillBusyError, Job, Schedule
from reconciler.transport.system_clock import SystemClock
from reconciler.workers.job_queue import QueueGoneError
from reconciler.workers.jobs import cron, schema_name
from reconciler.workers.procrastinate import ProcrastinateWorkers

HERE = Path(__file__).parent


def never() -> bool:
    return False


def workers(url: Secret, threads: int = 4, dead_after: float = 2.0) -> ProcrastinateWorkers:
    return ProcrastinateWorkers(url, SystemClock(), threads, dead_after)


def number(one: Job) -> int:
    return int(one.bill_id.removeprefix("bill-"))


def left(url: Secret) -> list[tuple[str, str]]:
    table = f"{schema_name()}.procrastinate_jobs"
    return query(url, f"select queueing_lock, status::text from {table} order by id")


def test_every_job_is_done_and_nothing_is_left_behind(postgres_url: Secret) -> None:
    ended = dict(workers(postgres_url).run((job(i) for i in range(40)), number, never))
    assert {job.bill_id: value for job, value in ended.items()} == {
        f"bill-{i}": i for i in range(40)
    }
    assert left(postgres_url) == []


def test_the_tables_have_a_schema_of_their_own(postgres_url: Secret) -> None:
    list(workers(postgres_url).run([], number, never))
    found = query(
        postgres_url,
        "select distinct schemaname from pg_tables where tablename like 'procrastinate%'",
    )
    assert found == [(schema_name(),)]
    assert schema_name().startswith("reconciler_jobs_03_")


def test_jobs_of_one_subscription_never_work_at_the_same_time(postgres_url: Secret) -> None:
    at_work: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock = threading.Lock()

    def work(one: Job) -> None:
        with lock:
            at_work[one.serial] += 1
            most[one.serial] = max(most[one.serial], at_work[one.serial])
        time.sleep(0.02)
        with lock:
            at_work[one.serial] -= 1

    jobs = [job(position, f"sub-{position % 2}") for position in range(10)]
    assert len(list(workers(postgres_url).run(jobs, work, never))) == 10
    assert set(most.values()) == {1}


def test_two_runs_at_once_share_the_work(postgres_url: Secret) -> None:
    done: Counter[str] = Counter()
    lock = threading.Lock()

    def work(one: Job) -> None:
        time.sleep(0.02)
        with lock:
            done[one.bill_id] += 1

    def run() -> None:
        list(workers(postgres_url, 2).run((job(i) for i in range(30)), work, never))

    both = [threading.Thread(target=run) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(30)
    assert len(done) == 30
    # a job that ended before the other run handed it out is delivered again: once is the ledger's
    assert set(done.values()) <= {1, 2}


def test_a_stop_takes_back_what_nobody_began(postgres_url: Secret) -> None:
    stop = threading.Event()
    begun: list[int] = []

    def work(one: Job) -> int:
        begun.append(number(one))
        stop.set()
        time.sleep(0.1)
        return number(one)

    run = workers(postgres_url, 2).run((job(i) for i in range(100)), work, stop.is_set)
    ended = [number for _, number in run]
    assert sorted(ended) == sorted(begun)
    assert len(begun) < 20
    assert left(postgres_url) == []


class RefusedKeyError(Exception):
    pass


def test_a_fatal_error_ends_the_run(postgres_url: Secret) -> None:
    def work(one: Job) -> int:
        if number(one) == 3:
            raise RefusedKeyError
        return number(one)

    with pytest.raises(RefusedKeyError):
        list(workers(postgres_url, 1).run((job(i) for i in range(100)), work, never))
    assert left(postgres_url) == []


def test_a_stream_that_breaks_ends_the_run(postgres_url: Secret) -> None:
    def jobs() -> Iterator[Job]:
        yield job(1)
        raise RefusedKeyError

    with pytest.raises(RefusedKeyError):
        list(workers(postgres_url).run(jobs(), number, never))


def test_a_busy_bill_comes_again(postgres_url: Secret) -> None:
    tries: Counter[str] = Counter()

    def work(one: Job) -> int:
        tries[one.bill_id] += 1
        if tries[one.bill_id] == 1:
            raise BillBusyError(one.bill_id, 0.5)
        return tries[one.bill_id]

    assert [number for _, number in workers(postgres_url).run([job(1)], work, never)] == [2]


def test_the_bill_at_hand_is_delivered_in_the_same_process(postgres_url: Secret) -> None:
    given = object()
    one = Job(job(1).site, job(1).bill_id, "sub", given)  # type: ignore[arg-type]
    assert [bill for _, bill in workers(postgres_url).run([one], lambda j: j.bill, never)] == [
        given
    ]


def until(true: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)


def test_serving_polls_at_once_and_works_on_what_it_finds(postgres_url: Secret) -> None:
    schedules = [Schedule("poll", 5, lambda: [job(1), job(2)])]
    done: list[int] = []
    for _, entry in workers(postgres_url).serve(schedules, number, lambda: len(done) >= 2):
        done.append(entry)
    assert sorted(done) == [1, 2]


def test_a_schedule_that_fails_ends_the_serving(postgres_url: Secret) -> None:
    def jobs() -> Iterator[Job]:
        raise RefusedKeyError

    with pytest.raises(RefusedKeyError):
        list(workers(postgres_url).serve([Schedule("poll", 5, jobs)], number, never))


def test_jobs_of_a_killed_worker_are_taken_over_without_a_restart(
    postgres_url: Secret, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    script = HERE / "hanging_worker.py"
    doomed = subprocess.Popen([sys.executable, script, postgres_url.reveal(), str(begun)])
    try:
        until(begun.exists)
    finally:
        doomed.kill()
        doomed.wait(10)
    assert left(postgres_url) == [("acme-test/bill-1", "doing")]
    done: list[int] = []
    serving = workers(postgres_url, dead_after=1.0).serve([], number, lambda: bool(done))
    for _, entry in serving:
        done.append(entry)
    assert done == [1]
    assert left(postgres_url) == []


def test_a_dead_job_whose_bill_waits_again_frees_its_subscription(
    postgres_url: Secret, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    script = HERE / "hanging_worker.py"
    doomed = subprocess.Popen([sys.executable, script, postgres_url.reveal(), str(begun)])
    try:
        until(begun.exists)
    finally:
        doomed.kill()
        doomed.wait(10)
    run = workers(postgres_url, dead_after=1.0).run([job(1), job(2, "sub-1")], number, never)
    assert sorted(number for _, number in run) == [1, 2]
    assert left(postgres_url) == []


def test_a_restarted_database_is_waited_for(own_postgres: Postgres) -> None:
    url = own_postgres.create("jobs")
    done: set[int] = set()

    def work(one: Job) -> int:
        time.sleep(0.05)
        return number(one)

    for _, entry in workers(url, 2, dead_after=1.0).run((job(i) for i in range(40)), work, never):
        if len(done) == 5:
            own_postgres.restart()
        done.add(entry)
    assert done == set(range(40))


def test_a_database_that_starts_late_is_waited_for(own_postgres: Postgres) -> None:
    url = own_postgres.create("jobs")
    own_postgres.stop()
    back = threading.Timer(0.5, own_postgres.start)
    back.start()
    assert [number for _, number in workers(url).run([job(1)], number, never)] == [1]
    back.join()


def test_a_run_gives_up_on_a_database_that_stays_away(own_postgres: Postgres) -> None:
    url = own_postgres.create("jobs")
    away = ProcrastinateWorkers(url, SystemClock(), 2, dead_after=0.9, patience=1.0)
    stopping = threading.Event()

    def work(one: Job) -> int:
        if not stopping.is_set():
            stopping.set()
            own_postgres.stop()
        time.sleep(0.1)
        return number(one)

    with pytest.raises(QueueGoneError, match="does not answer"):
        list(away.run((job(i) for i in range(40)), work, never))
    own_postgres.start()


def test_serving_gives_up_on_a_database_that_stays_away(own_postgres: Postgres) -> None:
    url = own_postgres.create("jobs")
    away = ProcrastinateWorkers(url, SystemClock(), 2, dead_after=0.9, patience=1.0)

    def look() -> list[Job]:
        own_postgres.stop()
        return []

    with pytest.raises(QueueGoneError):
        list(away.serve([Schedule("poll", 5, look)], number, never))
    own_postgres.start()


@pytest.mark.parametrize("missing", ["procrastinate", "psycopg"])
def test_a_missing_extra_is_said_with_the_line_that_installs_it(missing: str) -> None:
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from reconciler.kernel.secret import Secret\n"
        "from reconciler.transport.system_clock import SystemClock\n"
        "from reconciler.workers.procrastinate import EngineMissingError, ProcrastinateWorkers\n"
        "try: ProcrastinateWorkers(Secret('x'), SystemClock())\n"
        "except EngineMissingError as error: print(error.exit_code, error)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("10 workers on several machines need procrastinate")
    assert "pip install 'm3ter-reconciler[postgres]'" in told.stdout


def test_three_that_serve_poll_one_after_the_other(
    postgres_url: Secret,
) -> None:
    gate, looks = threading.Event(), Counter[str]()

    def look() -> list[Job]:
        looks["poll"] += 1
        gate.wait(10)
        return []

    def serve() -> None:
        list(workers(postgres_url).serve([Schedule("poll", 30, look)], number, gate.is_set))

    three = [threading.Thread(target=serve) for _ in range(3)]
    for thread in three:
        thread.start()
    until(lambda: looks["poll"] == 1)
    time.sleep(0.2)
    # one is at work and at most one waits in the queue
    assert looks["poll"] == 1
    assert len(left(postgres_url)) <= 2
    gate.set()
    for thread in three:
        thread.join(20)
    assert looks["poll"] <= 2


def test_a_database_that_is_not_there_is_an_error_without_its_address(tmp_path: Path) -> None:
    url = Secret(f"postgresql://ann:s3cr3t-word@/none?host={tmp_path}&connect_timeout=1")
    away = ProcrastinateWorkers(url, SystemClock(), patience=0.5)
    with pytest.raises(ReconcilerError) as raised:
        list(away.run([job(1)], number, never))
    assert "s3cr3t-word" not in str(raised.value)
    assert "does not answer" in str(raised.value)


def test_the_library_prints_nothing(
    postgres_url: Secret, capfd: pytest.CaptureFixture[str]
) -> None:
    def work(one: Job) -> None:
        raise RefusedKeyError

    with pytest.raises(RefusedKeyError):
        list(workers(postgres_url).run([job(1)], work, never))
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("procrastinate").handlers


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (1, "*/1 * * * *"),
        (5, "*/5 * * * *"),
        (30, "*/30 * * * *"),
        (60, "0 */1 * * *"),
        (360, "0 */6 * * *"),
        (1440, "0 0 * * *"),
    ],
)
def test_intervals_are_written_as_cron_does(minutes: int, text: str) -> None:
    assert cron(minutes) == text


@pytest.mark.parametrize("minutes", [7, 45, 61, 90, 300, 2880])
def test_other_intervals_are_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match=f"{minutes} minutes"):
        cron(minutes)
