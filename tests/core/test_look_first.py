"""What to do next with an effect, by its state and its ages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes.push_data import NOW

from reconciler.core.look_first import (
    AskPerson,
    Finished,
    Look,
    LookFirst,
    Move,
    Send,
    WaitUntil,
    next_move,
)
from reconciler.core.retrying import RetrySchedule, retry_at
from reconciler.domain.address import BillId
from reconciler.domain.push import (
    Effect,
    PushKey,
    PushState,
    SiteName,
    StepKind,
    StepName,
    StoredRequest,
)

KEY = PushKey(SiteName("acme"), BillId("b"), 1, StepName(StepKind.CREATE_INVOICE))


def at(minute: float) -> datetime:
    return NOW + timedelta(minutes=minute)


def move(state: PushState, minute: float = 0, **more: Any) -> Move:
    one = Effect(KEY, state, StoredRequest("/p", b""), **more)
    return next_move(one, at(minute), LookFirst())


def doubt(minute: float, last: float = 0, **more: Any) -> Move:
    more = {"round_started_at": at(0), "last_attempt_at": at(last), "failures": 1} | more
    return move(PushState.IN_DOUBT, minute, **more)


def test_what_was_never_sent_is_sent_and_what_is_done_is_finished() -> None:
    assert move(PushState.INTENDED) == Send()
    assert move(PushState.DONE) == Finished()
    assert move(PushState.RETRY) == Send()


@pytest.mark.parametrize("state", [PushState.REFUSED, PushState.CLOSED, PushState.PERSON])
def test_what_needs_a_person_says_what_was_heard(state: PushState) -> None:
    assert move(state, message="no such price") == AskPerson("no such price")


def test_a_young_doubt_is_sent_again_after_its_delay() -> None:
    assert doubt(0.5, message="cut") == WaitUntil(at(1), "cut")
    assert doubt(1) == Send()
    assert doubt(19.9) == Send()


def test_a_crash_is_sent_again_at_once() -> None:
    assert move(PushState.SENDING, 0.1, round_started_at=at(0), last_attempt_at=at(0)) == Send()


def test_a_clock_that_went_back_is_young() -> None:
    assert doubt(-2, failures=0) == WaitUntil(at(0), "")


def test_the_age_of_the_key_is_that_of_the_first_attempt_not_of_the_last() -> None:
    found = doubt(21, last=19)
    assert isinstance(found, WaitUntil)
    assert found.at == at(19 + 35)


def test_a_repeat_that_would_come_too_late_is_not_waited_for() -> None:
    found = doubt(8, last=8, failures=4)
    assert isinstance(found, WaitUntil)
    assert found.at == at(8 + 35)


def test_an_old_doubt_is_looked_for_twice_two_minutes_apart() -> None:
    assert doubt(34.9) == WaitUntil(at(35), doubt(20).why)  # type: ignore[union-attr]
    assert doubt(35) == Look()
    assert doubt(36, empty_looks=(at(35),)) == WaitUntil(at(37), doubt(20).why)  # type: ignore[union-attr]
    assert doubt(37, empty_looks=(at(35),)) == Look()
    assert doubt(3 * 24 * 60) == Look()


def test_a_look_before_its_time_does_not_count() -> None:
    assert doubt(35, empty_looks=(at(10),)) == Look()
    assert doubt(36, empty_looks=(at(10),)) == Look()


def test_a_taken_key_is_looked_up_at_once_and_never_sent_again() -> None:
    assert doubt(1, key_conflict=True) == Look()
    assert isinstance(doubt(2, key_conflict=True, empty_looks=(at(1),)), WaitUntil)
    assert doubt(35, key_conflict=True, empty_looks=(at(1),)) == Look()


def test_a_doubt_without_times_counts_from_now() -> None:
    assert move(PushState.IN_DOUBT) == Send()


def test_a_failure_is_retried_on_schedule_and_given_up_after_a_day() -> None:
    retry = {"failures": 1, "failed_since": at(0), "last_attempt_at": at(0), "message": "busy"}
    assert move(PushState.RETRY, 0.5, **retry) == WaitUntil(at(1), "busy")
    assert move(PushState.RETRY, 1, **retry) == Send()
    late = retry | {"failures": 30, "last_attempt_at": at(23.5 * 60)}
    assert move(PushState.RETRY, 23.6 * 60, **late) == AskPerson("tried for 1 day, 0:00:00: busy")


@pytest.mark.parametrize(
    ("failures", "minutes"), [(0, 0), (1, 1), (2, 2), (3, 5), (4, 15), (5, 60), (9, 60)]
)
def test_the_delays_are_1_2_5_15_minutes_then_hourly(failures: int, minutes: int) -> None:
    assert retry_at(failures, None, at(0), RetrySchedule()) == at(minutes)
