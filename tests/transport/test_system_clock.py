from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconciler.transport.system_clock import SystemClock


def test_the_real_clock_tells_utc_and_sleeps_only_forward() -> None:
    clock = SystemClock()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    before = clock.monotonic()
    clock.sleep(-1)
    clock.sleep(0.01)
    assert 0.01 <= clock.monotonic() - before < 2


def test_a_rehearsal_may_be_ahead() -> None:
    ahead = SystemClock(timedelta(days=9)).now() - datetime.now(UTC)
    assert timedelta(days=8) < ahead < timedelta(days=10)
