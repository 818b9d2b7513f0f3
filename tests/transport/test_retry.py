from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.transport.retry import (
    Answer,
    AnswerTooLargeError,
    LostAnswerError,
    NotSentError,
    Outcome,
    RetryPolicy,
    Verdict,
    backoff,
    judge,
    pause_seconds,
    retry_after,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
AGAIN, FINAL, LATER, UNKNOWN = Verdict.AGAIN, Verdict.FINAL, Verdict.LATER, Verdict.UNKNOWN
NEVER_SENT = NotSentError("GET x", "refused")
CUT = LostAnswerError("GET x", "cut")
TOO_LARGE = AnswerTooLargeError("GET x", 10)


def _answer(status: int, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@pytest.mark.parametrize(
    ("outcome", "read", "write"),
    [
        (NEVER_SENT, AGAIN, AGAIN),
        (CUT, AGAIN, UNKNOWN),
        (TOO_LARGE, FINAL, UNKNOWN),
        (_answer(200), FINAL, FINAL),
        (_answer(302), FINAL, FINAL),
        (_answer(400), FINAL, FINAL),
        (_answer(403), FINAL, FINAL),
        (_answer(404), FINAL, FINAL),
        (_answer(408), AGAIN, UNKNOWN),
        (_answer(413), FINAL, FINAL),
        (_answer(425), AGAIN, UNKNOWN),
        (_answer(429), LATER, LATER),
        (_answer(500), AGAIN, UNKNOWN),
        (_answer(502), AGAIN, UNKNOWN),
        (_answer(503), AGAIN, UNKNOWN),
        (_answer(504), AGAIN, UNKNOWN),
    ],
)
def test_only_what_surely_did_not_happen_is_written_again(
    outcome: Outcome, read: Verdict, write: Verdict
) -> None:
    policy = RetryPolicy()
    assert judge(outcome, policy, writes=False) is read
    assert judge(outcome, policy, writes=True) is write


def test_a_status_that_promises_nothing_was_done_lets_a_write_go_again() -> None:
    policy = RetryPolicy(not_processed=frozenset({503}))
    assert judge(_answer(503), policy, writes=True) is AGAIN
    assert judge(_answer(500), policy, writes=True) is UNKNOWN


@given(attempt=st.integers(1, 200), chance=st.floats(0, 1, exclude_max=True))
def test_waits_double_up_to_their_cap_and_are_spread_over_the_upper_half(
    attempt: int, chance: float
) -> None:
    policy = RetryPolicy(first_wait=0.5, longest_wait=8)
    cap = min(8.0, 0.5 * 2.0 ** (attempt - 1))
    assert cap / 2 <= backoff(policy, attempt, lambda: chance) <= cap


@given(seconds=st.integers(0, 100_000))
def test_retry_after_is_read_as_seconds_and_as_a_date(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after({"retry-after": str(seconds)}, NOW) == seconds
    assert retry_after({"retry-after": date}, NOW) == seconds


@given(text=st.text(max_size=40))
def test_no_retry_after_crashes_the_reader(text: str) -> None:
    seconds = retry_after({"retry-after": text}, NOW)
    assert seconds is None or seconds >= 0


def test_a_date_without_zone_is_utc_and_a_past_one_is_now() -> None:
    assert retry_after({"retry-after": "Sun, 22 Nov 2026 10:00:30 -0000"}, NOW) == 30
    assert retry_after({"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT"}, NOW) == 0


def test_a_429_without_a_time_pauses_longer_each_time() -> None:
    policy = RetryPolicy(pause_when_limited=1, longest_retry_after=300)
    assert [pause_seconds(policy, _answer(429), n, NOW) for n in (1, 2, 3, 40)] == [1, 2, 4, 300]
    assert pause_seconds(policy, _answer(429, retry_after="17"), 3, NOW) == 17
