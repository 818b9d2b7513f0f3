"""One pace for all workers of a site, on the database's clock."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.push_effects import OTHER_SITE, SITE, expected
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.secret import Secret
from reconciler.ledger.opening import create_ledger
from reconciler.ledger.rate_limit import BATCH, FULL_PACE, SLOWEST, Bucket, SharedBucket
from reconciler.ledger.sql.database import Database
from reconciler.ledger.sql.postgres import open_postgres
from reconciler.sync.core.when_to_act import RetryTimes
from reconciler.transport.system_clock import SystemClock

SECOND = 1_000_000
START = Bucket(0, 0, 0, FULL_PACE, 0)


@given(
    st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(1, BATCH)), max_size=30),
    st.floats(0.5, 60),
    st.floats(1, 20),
)
def test_no_window_sees_more_than_the_rate_and_the_burst(
    turns: list[tuple[int, int]], rate: float, burst: float
) -> None:
    bucket, now, slots = START, 0, list[int]()
    for wait, count in turns:
        now += wait
        bucket, given_out = bucket.reserved(now, count, rate, burst)
        assert all(slot >= now for slot in given_out)
        slots += given_out
    slots.sort()
    for first, begin in enumerate(slots):
        for last in range(first, len(slots)):
            seconds = (slots[last] - begin) / SECOND
            assert last - first + 1 <= rate * seconds + burst + 1


def test_slots_are_even_and_none_is_given_twice() -> None:
    bucket, first = START.reserved(0, 3, 2, 1)
    _, second = bucket.reserved(SECOND // 4, 2, 2, 1)
    assert [*first, *second] == [0, SECOND // 2, SECOND, 3 * SECOND // 2, 2 * SECOND]


def test_a_quiet_moment_allows_a_burst_and_no_more() -> None:
    _, slots = START.reserved(10 * SECOND, 5, 1, 3)
    assert [slot - 10 * SECOND for slot in slots] == [0, 0, 0, SECOND, 2 * SECOND]


def test_after_a_429_nothing_goes_before_its_time_then_slower_then_as_before() -> None:
    paused = START.reserved(0, 10, 1, 1)[0].paused(0, 5)
    assert (paused.epoch, paused.pace) == (1, FULL_PACE // 2)
    bucket, slots = paused.reserved(SECOND, 2, 1, 1)
    assert slots == (5 * SECOND, 7 * SECOND)
    assert bucket.recovered(20 * SECOND).pace == FULL_PACE


def test_429s_of_requests_in_flight_together_count_once() -> None:
    once = START.paused(0, 5)
    again = once.paused(SECOND, 5)
    assert (again.pace, again.epoch, again.paused_until) == (once.pace, 2, 6 * SECOND)


def test_the_pace_never_falls_to_nothing() -> None:
    bucket = START
    for turn in range(20):
        bucket = bucket.paused(turn * SECOND, 0.1)
    assert bucket.pace >= SLOWEST


def test_a_clock_that_goes_back_does_not_speed_it_up() -> None:
    bucket = START.reserved(100 * SECOND, 1, 1, 1)[0].paused(100 * SECOND, 1)
    assert bucket.recovered(50 * SECOND).pace == bucket.pace
    assert bucket.recovered(50 * SECOND).updated_at == bucket.updated_at


@pytest.fixture
def ready(database: Database) -> Database:
    create_ledger(database, expected(), RetryTimes())
    return database


def test_one_thread_is_paced(ready: Database, clock: FakeClock) -> None:
    bucket = SharedBucket(ready, SITE, 2)
    for _ in range(5):
        bucket.acquire()
    assert clock.seconds == pytest.approx(2, abs=0.001)
    assert bucket.pace == 2


def test_sites_do_not_share_a_pace(ready: Database, clock: FakeClock) -> None:
    for site in (SITE, OTHER_SITE):
        SharedBucket(ready, site, 1).acquire()
    assert clock.seconds == 0


def test_two_processes_share_a_row(ready: Database, clock: FakeClock) -> None:
    both = [SharedBucket(ready, SITE, 1) for _ in range(2)]
    for turn in range(6):
        both[turn % 2].acquire()
    assert clock.seconds == pytest.approx(5, abs=0.001)


def test_a_429_in_one_process_voids_the_slots_of_all(ready: Database) -> None:
    clock = ready.clock
    assert isinstance(clock, FakeClock)
    bucket, other = (SharedBucket(ready, SITE, 1) for _ in range(2))
    bucket.acquire()

    class Hears(FakeClock):
        """While this process waits for its slot, the other one hears of a 429."""

        def sleep(self, seconds: float) -> None:
            clock.sleep(seconds)
            if not self.slept:
                other.slow_down(10)
            self.slept.append(seconds)

        def monotonic(self) -> float:
            return clock.monotonic()

    waiting = SharedBucket(_with_clock(ready, Hears()), SITE, 1)
    waiting.acquire()
    assert clock.seconds >= 11
    assert waiting.pace < 1


def _with_clock(database: Database, waits: FakeClock) -> Database:
    """The same database, whose waits are seen; its time stays that of the first clock."""

    class Seen(Database):
        def now(self, connection: object) -> object:  # type: ignore[override]
            return database.now(connection)  # type: ignore[arg-type]

    return Seen(database.engine, waits, database.where)


def test_own_429s_void_own_slots(ready: Database, clock: FakeClock) -> None:
    bucket = SharedBucket(ready, SITE, 100)
    bucket.acquire()
    bucket.slow_down(3)
    bucket.acquire()
    assert clock.seconds == pytest.approx(3, abs=0.1)


@pytest.fixture
def shared(postgres_url: Secret) -> Iterator[Database]:
    database = open_postgres(postgres_url, SystemClock())
    create_ledger(database, expected(), RetryTimes())
    yield database
    database.close()


def test_threads_that_wait_together_reserve_together(shared: Database) -> None:
    bucket = SharedBucket(shared, SITE, 200, burst=1)
    began = time.monotonic()

    def ten() -> None:
        for _ in range(10):
            bucket.acquire()

    threads = [threading.Thread(target=ten) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    took = time.monotonic() - began
    assert 159 / 200 <= took < 1.6


def test_three_processes_get_the_limit_and_no_more(shared: Database, postgres_url: Secret) -> None:
    rate, seconds = 60, 2
    script = Path(__file__).parent / "rate_worker.py"
    arguments = [postgres_url.reveal(), str(rate), "1", str(seconds), "4"]
    processes = [
        subprocess.Popen([sys.executable, script, *arguments], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    grants = sorted(
        float(text) for process in processes for text in process.communicate(timeout=30)[0].split()
    )
    assert all(process.returncode == 0 for process in processes)
    span = grants[-1] - grants[0]
    assert len(grants) - 1 <= rate * span * 1.02 + 2
    assert len(grants) - 1 >= rate * span * 0.85
