from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest
from fakes.clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from reconciler.transport.rate_limit import SLOWEST, TokenBucket


def _starts(bucket: TokenBucket, clock: FakeClock, count: int) -> list[float]:
    starts = []
    for _ in range(count):
        bucket.acquire()
        starts.append(clock.monotonic())
    return starts


@given(
    rate=st.integers(1, 60),
    burst=st.integers(1, 10),
    pauses=st.lists(st.floats(0, 3), max_size=60),
)
def test_no_second_sees_more_than_rate_and_burst(
    rate: int, burst: int, pauses: list[float]
) -> None:
    clock = FakeClock()
    bucket = TokenBucket(rate, clock, burst=burst)
    starts = []
    for pause in pauses:
        clock.advance(pause)
        bucket.acquire()
        starts.append(clock.monotonic())
    starts += _starts(bucket, clock, 2 * rate)
    for first in starts:
        assert sum(first <= start < first + 1 - 1e-6 for start in starts) <= rate + burst


@given(rate=st.integers(1, 60), late=st.floats(0, 0.5))
def test_the_configured_rate_is_reached_though_wake_ups_are_late(rate: int, late: float) -> None:
    clock = FakeClock()
    bucket = TokenBucket(rate, clock, burst=2)
    for _ in range(10 * rate):
        bucket.acquire()
        clock.advance(late / rate)
    assert 10 * rate / max(clock.monotonic(), 1e-9) >= 0.95 * rate


def test_nothing_is_sent_during_the_pause_after_a_429() -> None:
    clock = FakeClock()
    bucket = TokenBucket(10, clock)
    bucket.acquire()
    bucket.slow_down(7)
    bucket.acquire()
    assert clock.monotonic() == pytest.approx(7)


def test_after_a_429_the_pace_is_halved_and_grows_back() -> None:
    clock = FakeClock()
    bucket = TokenBucket(10, clock)
    bucket.slow_down(1)
    assert bucket.pace == pytest.approx(5)
    clock.advance(1 + 7.5)
    assert bucket.pace == pytest.approx(7.5)
    clock.advance(60)
    assert bucket.pace == 10


def test_429s_of_requests_in_flight_together_count_as_one() -> None:
    clock = FakeClock()
    bucket = TokenBucket(16, clock)
    for _ in range(16):
        bucket.slow_down(1)
    assert bucket.pace == pytest.approx(8)


def test_repeated_429s_never_bring_the_pace_to_nothing() -> None:
    clock = FakeClock()
    bucket = TokenBucket(32, clock)
    for _ in range(20):
        bucket.slow_down(1)
        clock.advance(1.0)
    assert bucket.pace >= 32 * SLOWEST


def test_who_waits_when_a_429_comes_waits_out_its_pause_too() -> None:
    class Interrupting(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.slept) == 1:
                bucket.slow_down(5)

    clock = Interrupting()
    bucket = TokenBucket(2, clock)
    bucket.acquire()
    bucket.acquire()
    assert clock.monotonic() == pytest.approx(0.5 + 5)


def test_many_threads_share_one_rate() -> None:
    class Locked(FakeClock):
        def sleep(self, seconds: float) -> None:
            with lock:
                super().sleep(seconds)

    lock = Lock()
    clock = Locked()
    bucket = TokenBucket(20, clock)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: bucket.acquire(), range(100)))
    # The fake clock adds the sleeps of all threads, so this is the least it may show.
    assert clock.monotonic() >= 99 / 20 - 1e-6
