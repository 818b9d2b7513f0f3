"""One rule of pace: no minute sees more than what was configured, from the first one on."""

from __future__ import annotations

from bisect import bisect_left

from fakes.clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.kinds.environment import ChargebeeConnection
from reconciler.ledger.rate_limit import FULL_PACE, Bucket
from reconciler.wiring.chargebee import own_bucket, site_pace

MINUTE = 60.0


def site(per_minute: int) -> ChargebeeConnection:
    return ChargebeeConnection.model_validate(
        {
            "site": "acme-test",
            "baseUrl": "https://acme-test.chargebee.com",
            "apiKey": {"env": "CHARGEBEE_API_KEY"},
            "timezone": "Europe/London",
            "requestsPerMinute": per_minute,
        }
    )


def most_in_a_minute(times: list[float]) -> int:
    return max(
        bisect_left(times, begin + MINUTE - 1e-6) - number for number, begin in enumerate(times)
    )


@given(st.integers(1, 400), st.lists(st.floats(0, 90), min_size=1, max_size=4))
def test_no_minute_sees_more_than_configured_also_after_quiet_moments(
    per_minute: int, pauses: list[float]
) -> None:
    clock = FakeClock()
    bucket = own_bucket(site(per_minute), clock)
    times: list[float] = []
    for pause in pauses:
        clock.advance(pause)
        for _ in range(per_minute // 2 + 1):
            bucket.acquire()
            times.append(clock.seconds)
    assert most_in_a_minute(times) <= per_minute


@given(st.integers(1, 2000))
def test_the_row_that_all_workers_share_keeps_the_same_rule(per_minute: int) -> None:
    pace = site_pace(site(per_minute))
    bucket = Bucket(0, 0, 0, FULL_PACE, 0)
    _, slots = bucket.reserved(10_000_000, 2 * per_minute + 2, pace.per_second, pace.burst)
    assert most_in_a_minute([slot / 1_000_000 for slot in slots]) <= per_minute


@given(st.integers(300, 10_000))
def test_the_steady_rate_is_at_least_95_percent_of_what_was_configured(per_minute: int) -> None:
    assert site_pace(site(per_minute)).per_second * 60 >= 0.95 * per_minute
