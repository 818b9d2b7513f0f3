"""Workers in this process: bounded, lazy, in turn, and quick to stop."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from fakes.push_effects import job

from reconciler.sync.ports.workers import BillBusyError, Job, Schedule
from reconciler.transport.system_clock import SystemClock
from reconciler.workers.embedded import LOOK_AHEAD, MOST_THREADS, EmbeddedWorkers


def never() -> bool:
    return False


def workers(threads: int = 4) -> EmbeddedWorkers:
    return EmbeddedWorkers(SystemClock(), threads)


def number(one: Job) -> int:
    return int(one.bill_id.removeprefix("bill-"))


def test_every_job_is_done_once_and_its_outcome_comes_back() -> None:
    jobs = [job(position) for position in range(100)]
    ended = dict(workers().run(jobs, number, never))
    assert ended == {job: number(job) for job in jobs}


def test_no_more_than_sixteen_work_at_once_whatever_is_asked() -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    def work(_: Job) -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.01)
        with lock:
            at_work -= 1

    ended = list(workers(100).run((job(position) for position in range(100)), work, never))
    assert (len(ended), most) == (100, MOST_THREADS)


def test_the_stream_is_read_only_as_far_as_threads_are_free() -> None:
    read = 0

    def jobs() -> Iterator[Job]:
        nonlocal read
        for position in range(10_000):
            read += 1
            yield job(position)

    running = workers(4).run(jobs(), number, never)
    for _ in range(10):
        next(running)
    assert read <= 10 + 2 * 4
    running.close()  # type: ignore[attr-defined]


def test_jobs_of_one_subscription_never_work_at_the_same_time() -> None:
    at_work: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock = threading.Lock()

    def work(one: Job) -> None:
        with lock:
            at_work[one.serial] += 1
            most[one.serial] = max(most[one.serial], at_work[one.serial])
        time.sleep(0.002)
        with lock:
            at_work[one.serial] -= 1

    jobs = [job(position, f"sub-{position % 3}") for position in range(60)]
    assert len(list(workers(8).run(jobs, work, never))) == 60
    assert set(most.values()) == {1}


def test_a_busy_subscription_does_not_hold_up_the_others_nor_fill_the_memory() -> None:
    release = threading.Event()
    read = 0

    def jobs() -> Iterator[Job]:
        nonlocal read
        for position in range(5):
            yield job(position, "busy")
        yield job(100)
        for position in range(200, 1000):
            read += 1
            yield job(position, "busy")

    def work(one: Job) -> int:
        if one.bill_id == "bill-0":
            release.wait(5)
        return number(one)

    running = workers(2).run(jobs(), work, never)
    assert next(running)[1] == 100
    time.sleep(0.05)
    release.set()
    assert next(running)[1] in {0, 1}
    assert read <= LOOK_AHEAD + 2
    running.close()  # type: ignore[attr-defined]


def test_a_stop_begins_nothing_new_and_finishes_what_is_in_flight() -> None:
    begun: list[int] = []
    stop = threading.Event()

    def work(one: Job) -> int:
        begun.append(number(one))
        if len(begun) == 4:
            stop.set()
        time.sleep(0.05)
        return number(one)

    ended = [number for _, number in workers(4).run((job(i) for i in range(99)), work, stop.is_set)]
    assert sorted(ended) == sorted(begun)
    assert len(begun) == 4


def test_closing_finishes_what_is_in_flight() -> None:
    ended: list[int] = []

    def work(one: Job) -> None:
        time.sleep(0.05)
        ended.append(number(one))

    running = workers(3).run((job(position) for position in range(99)), work, never)
    next(running)
    running.close()  # type: ignore[attr-defined]
    count = len(ended)
    time.sleep(0.1)
    assert len(ended) == count <= 6


class RefusedKeyError(Exception):
    pass


def test_a_fatal_error_is_raised_after_the_others_ended() -> None:
    begun: list[int] = []

    def work(one: Job) -> int:
        begun.append(number(one))
        if number(one) == 5:
            raise RefusedKeyError
        time.sleep(0.02)
        return number(one)

    ended: list[int] = []
    with pytest.raises(RefusedKeyError):
        ended.extend(
            number for _, number in workers(4).run((job(i) for i in range(999)), work, never)
        )
    assert len(begun) < 20
    assert len(ended) == 0 or set(ended) == set(begun) - {5}


def test_outcomes_before_a_fatal_error_are_given_first() -> None:
    def work(one: Job) -> int:
        if number(one) == 0:
            raise RefusedKeyError
        time.sleep(0.05)
        return number(one)

    running = workers(2).run([job(0), job(1)], work, never)
    assert next(running)[1] == 1
    with pytest.raises(RefusedKeyError):
        next(running)


def test_a_stream_that_breaks_lets_what_is_in_flight_end() -> None:
    def jobs() -> Iterator[Job]:
        yield job(1)
        raise RefusedKeyError

    running = workers().run(jobs(), number, never)
    assert next(running)[1] == 1
    with pytest.raises(RefusedKeyError):
        next(running)


def test_a_busy_bill_comes_again() -> None:
    tries: Counter[Job] = Counter()

    def work(one: Job) -> int:
        tries[one] += 1
        if number(one) == 1 and tries[one] < 3:
            raise BillBusyError(one.bill_id, 0.01)
        return tries[one]

    ended = {number(job): tried for job, tried in workers(2).run([job(1), job(2)], work, never)}
    assert ended == {1: 3, 2: 1}


def test_a_stop_does_not_wait_for_a_busy_bill() -> None:
    stop = threading.Event()

    def work(one: Job) -> None:
        stop.set()
        raise BillBusyError(one.bill_id, 3600)

    assert list(workers().run([job(1)], work, stop.is_set)) == []


def test_serving_looks_again_and_again_in_time() -> None:
    clock = QuickClock()
    looks: Counter[str] = Counter()

    def look(name: str) -> Iterable[Job]:
        looks[name] += 1
        return [job(looks[name])]

    schedules = [
        Schedule("poll", 5, lambda: look("poll")),
        Schedule("reconcile", 60, lambda: look("reconcile")),
    ]
    serving = EmbeddedWorkers(clock).serve(schedules, number, lambda: clock.seconds > 3599)
    assert len(list(serving)) == 13
    assert looks == {"poll": 12, "reconcile": 1}


class QuickClock(SystemClock):
    """Sleeps a second for every tenth that is asked for, without waiting."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds * 10
