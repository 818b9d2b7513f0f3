from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.sync.core.when_to_act import LookFirstSyntaxError, RetryTimes, parse_retry_times


def test_nothing_said_is_the_defaults() -> None:
    assert parse_retry_times(" ") == RetryTimes()


def test_every_number_can_be_set() -> None:
    found = parse_retry_times("replay=1.5s, look=3s between=500ms,looks=3,retry=1s/2m/1h,giveup=2d")
    assert found.replay_for == timedelta(seconds=1.5)
    assert found.look_after == timedelta(seconds=3)
    assert found.between_looks == timedelta(milliseconds=500)
    assert found.looks == 3
    assert found.schedule.delays == (timedelta(seconds=1), timedelta(minutes=2))
    assert found.schedule.afterwards == timedelta(hours=1)
    assert found.schedule.give_up_after == timedelta(days=2)


@pytest.mark.parametrize("text", ["replay", "look=1", "looks=0", "wait=1s", "retry=1s//2s"])
def test_what_cannot_be_understood_is_quoted(text: str) -> None:
    with pytest.raises(LookFirstSyntaxError, match="RECONCILER_LOOK_FIRST"):
        parse_retry_times(text)


def test_a_key_is_never_used_when_it_may_be_forgotten() -> None:
    with pytest.raises(LookFirstSyntaxError, match="30 minutes"):
        parse_retry_times("replay=30m")
