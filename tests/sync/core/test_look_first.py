"""What to do next with an effect, by its state and its ages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes.push_data import NOW

from reconciler.kernel.address import BillId
from reconciler.kernel.runbook import Page
from reconciler.sync.core.clocks import Clocks
from reconciler.sync.core.when_to_act import (
    AskPerson,
    Finished,
    Look,
    Move,
    RetrySchedule,
    RetryTimes,
    Send,
    WaitUntil,
    next_move,
    proves_absence,
    retry_at,
    with_look,
)
from reconciler.sync.model.push import (
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


def move(
    state: PushState,
    minute: float = 0,
    *,
    looked: bool = True,
    vendor: float | None = 0,
    ledger: float = 0,
    **more: Any,
) -> Move:
    """Decide at a minute; ``vendor`` and ``ledger`` are how far their clocks are ahead of ours."""
    effect = Effect(KEY, state, StoredRequest("/p", b""), **more)
    theirs = None if vendor is None else at(minute + vendor)
    return next_move(
        effect, Clocks(at(minute), at(minute + ledger), theirs), RetryTimes(), looked=looked
    )


def doubt(minute: float, last: float = 0, **more: Any) -> Move:
    """A doubt whose round began at minute 0 by every clock."""
    times: dict[str, Any] = {"round_started_at": at(0), "last_attempt_at": at(last)}
    theirs: dict[str, Any] = {"round_vendor_at": at(0), "last_vendor_at": at(last)}
    return move(PushState.IN_DOUBT, minute, **({"failures": 1, **times, **theirs} | more))


def waits(found: Move, until: float, page: Page | None = None) -> str:
    """Check that a move waits until a minute of our clock; gives the reason."""
    assert isinstance(found, WaitUntil)
    assert (found.at, found.page) == (at(until), page)
    return found.why


def test_what_was_never_sent_is_sent_and_what_is_done_is_finished() -> None:
    assert move(PushState.INTENDED) == Send()
    assert move(PushState.DONE) == Finished()
    assert move(PushState.RETRY) == Send()


@pytest.mark.parametrize("state", [PushState.REFUSED, PushState.CLOSED, PushState.PERSON])
def test_what_needs_a_person_says_what_was_heard(state: PushState) -> None:
    assert move(state, message="no such price") == AskPerson("no such price")


def test_a_doubt_is_looked_for_before_everything_else_once_its_delay_is_over() -> None:
    assert waits(doubt(0.5, looked=False, message="cut"), 1) == "cut"
    for minute in (1, 19, 35, 3 * 24 * 60):
        assert doubt(minute, looked=False) == Look()
    assert doubt(0.5, looked=False, empty_looks=(at(0.2),)) == Look()
    assert doubt(8, last=8, failures=4, looked=False) == Look(), "a repeat would come too late"
    assert doubt(-60, looked=False) == Look(), "its attempt is from the future"
    assert move(PushState.SENDING, looked=False) == Look()
    for state in (PushState.INTENDED, PushState.RETRY):
        for kind in ("open", "decided"):
            assert move(state, looked=False, doubt=kind) == Look()
            assert move(state, doubt=kind) == Send()


def test_a_young_doubt_is_sent_again_after_its_delay() -> None:
    assert waits(doubt(0.5, message="cut"), 1) == "cut"
    assert doubt(1) == Send()
    assert doubt(19.9) == Send()


def test_a_crash_is_sent_again_at_once() -> None:
    assert doubt(0.1, failures=0) == Send()


def test_the_age_of_the_key_is_that_of_the_first_attempt_not_of_the_last() -> None:
    assert "must be visible" in waits(doubt(21, last=19, empty_looks=(at(21),)), 21 + 35)


def test_a_repeat_that_would_come_too_late_is_not_waited_for() -> None:
    assert "must be visible" in waits(doubt(8, last=8, failures=4, empty_looks=(at(8),)), 8 + 35)


def test_a_key_is_young_only_by_the_clock_that_says_more() -> None:
    assert "must be visible" in waits(doubt(18, round_vendor_at=at(-3), empty_looks=(at(18),)), 53)
    assert "must be visible" in waits(doubt(18, round_started_at=at(-3), empty_looks=(at(18),)), 53)
    assert isinstance(doubt(1, round_vendor_at=None, empty_looks=(at(1),)), WaitUntil)


def test_an_old_doubt_is_looked_for_again_35_minutes_after_the_first_look() -> None:
    old: dict[str, Any] = {"round_vendor_at": at(-60), "round_started_at": at(-60)}
    assert "must be visible" in waits(doubt(0, **old, empty_looks=(at(0),)), 35)
    assert "must be visible" in waits(doubt(20, **old, empty_looks=(at(0),)), 35)
    assert "must be visible" in waits(doubt(35, **old, empty_looks=(at(0), at(35))), 37)


def test_only_the_first_look_and_those_late_enough_count() -> None:
    effect = Effect(KEY, PushState.IN_DOUBT, StoredRequest("/p", b""), last_attempt_at=at(0))
    for minute in (1, 10, 35.9, 36, 37, 37.9, 38):
        effect = replace(effect, empty_looks=with_look(effect, at(minute), RetryTimes()))
        assert proves_absence(effect, at(minute), RetryTimes()) == (minute == 38)
    assert effect.empty_looks == (at(1), at(36), at(38))
    assert not proves_absence(effect, at(34.9), RetryTimes()), "the ledger's clock says it is young"


def test_a_vendor_clock_that_went_back_begins_to_look_anew() -> None:
    effect = Effect(KEY, PushState.IN_DOUBT, StoredRequest("/p", b""), empty_looks=(at(60), at(95)))
    assert with_look(effect, at(59), RetryTimes()) == (at(59),)


@pytest.mark.parametrize("state", [PushState.IN_DOUBT, PushState.RETRY, PushState.INTENDED])
def test_without_the_vendors_time_a_doubt_is_only_looked_for(state: PushState) -> None:
    for minute in (0, 1, 19, 300):
        found = move(state, minute, vendor=None, doubt="open")
        assert "bear no time" in waits(found, minute + 2, Page.CLOCKS)
    assert move(state, vendor=None, doubt="open", looked=False) == Look()


@pytest.mark.parametrize("state", [PushState.IN_DOUBT, PushState.RETRY, PushState.INTENDED])
@pytest.mark.parametrize(
    ("apart", "words"),
    [
        ({"vendor": 2.1, "ledger": 0}, "clock of Chargebee is 126 s ahead of that of this machine"),
        ({"vendor": -60, "ledger": 0}, "clock of this machine is 3,600 s ahead of that of Charg"),
        ({"vendor": 0, "ledger": 3}, "clock of the ledger's database is 180 s ahead of that of th"),
        (
            {"vendor": -1.5, "ledger": 1},
            "clock of the ledger's database is 150 s ahead of that of C",
        ),
    ],
)
def test_clocks_that_are_apart_leave_only_looking(
    state: PushState, apart: dict[str, Any], words: str
) -> None:
    assert words in waits(move(state, 5, doubt="open", **apart), 7, Page.CLOCKS)
    assert move(state, 5, doubt="open", looked=False, **apart) == Look()


def test_two_minutes_between_clocks_are_borne() -> None:
    assert doubt(5, vendor=2, ledger=1) == Send()


@pytest.mark.parametrize(
    "name", ["round_started_at", "last_attempt_at", "round_vendor_at", "last_vendor_at"]
)
def test_an_attempt_from_the_future_leaves_only_looking(name: str) -> None:
    changed: dict[str, Any] = {name: at(7.1)}
    assert "in the future" in waits(doubt(5, **changed), 7, Page.CLOCKS)


def test_a_persons_word_needs_a_look_and_no_clock() -> None:
    assert move(PushState.RETRY, vendor=None, ledger=99, doubt="decided") == Send()


def test_what_nobody_doubts_needs_no_clock() -> None:
    for state in (PushState.INTENDED, PushState.RETRY):
        assert move(state, vendor=None, ledger=99, looked=False) == Send()


def test_an_attempt_from_the_future_does_not_hold_up_what_was_surely_not_done() -> None:
    retry: dict[str, Any] = {
        "failures": 1,
        "failed_since": at(60),
        "last_attempt_at": at(60),
        "message": "busy",
    }
    assert move(PushState.RETRY, 0, **retry) == Send()


def test_a_wait_is_told_by_our_clock_and_measured_by_theirs() -> None:
    retry: dict[str, Any] = {
        "failures": 1,
        "failed_since": at(60),
        "last_attempt_at": at(60),
        "message": "busy",
    }
    assert waits(move(PushState.RETRY, 0, ledger=60.5, **retry), 0.5) == "busy"


def test_a_taken_key_is_only_looked_for_and_never_sent_again() -> None:
    taken: dict[str, Any] = {"key_conflict": True, "empty_looks": (at(1),)}
    assert doubt(1, looked=False, key_conflict=True) == Look()
    assert "must be visible" in waits(doubt(2, **taken), 36)


def test_a_failure_is_retried_on_schedule_and_given_up_after_a_day() -> None:
    retry: dict[str, Any] = {
        "failures": 1,
        "failed_since": at(0),
        "last_attempt_at": at(0),
        "message": "busy",
    }
    assert move(PushState.RETRY, 0.5, **retry) == WaitUntil(at(1), "busy")
    assert move(PushState.RETRY, 1, **retry) == Send()
    late: dict[str, Any] = retry | {"failures": 30, "last_attempt_at": at(23.5 * 60)}
    assert move(PushState.RETRY, 23.6 * 60, **late) == AskPerson("tried for 1 day, 0:00:00: busy")


@pytest.mark.parametrize(
    ("failures", "minutes"), [(0, 0), (1, 1), (2, 2), (3, 5), (4, 15), (5, 60), (9, 60)]
)
def test_the_delays_are_1_2_5_15_minutes_then_hourly(failures: int, minutes: int) -> None:
    assert retry_at(failures, None, at(0), RetrySchedule()) == at(minutes)
