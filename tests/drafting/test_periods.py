"""Dates to instants: in the bill's time zone, in the site's, and at the edges of both."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from fakes.push_data import bill, drafted, line, route
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drafting.draft import Period
from reconciler.drafting.periods import invoice_instant, month_before, to_instant, zone_of
from reconciler.drafting.route import Readings

PARIS = zone_of("Europe/Paris")
START = date(2026, 11, 1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def period(readings: Readings | None = None, **more: Any) -> Period:
    draft = drafted(bill(line(**more), time_zone="Europe/Paris"), route(readings=readings))
    return draft.lines[0].period


def test_a_line_without_dates_takes_the_bills_period_in_its_time_zone() -> None:
    assert period() == Period(utc(2026, 10, 31, 23), utc(2026, 11, 30, 23))
    assert period(service_from=START) == period()


def test_dates_are_midnights_in_the_bills_time_zone() -> None:
    found = period(service_from=date(2026, 7, 1), service_to=date(2026, 11, 1))
    assert found == Period(utc(2026, 6, 30, 22), utc(2026, 10, 31, 23))


def test_times_with_a_zone_are_themselves_and_those_without_are_the_bills() -> None:
    found = period(
        service_from=datetime(2026, 11, 1, 12, tzinfo=timezone(timedelta(hours=5))),
        service_to=datetime(2026, 11, 2, 12, 30, 15, 999),  # noqa: DTZ001
    )
    assert found == Period(utc(2026, 11, 1, 7), utc(2026, 11, 2, 11, 30, 15))


def test_a_reading_takes_midnight_utc_for_a_date() -> None:
    readings = Readings(midnight_utc="date")
    assert PARIS is not None
    assert to_instant(utc(2026, 11, 1), PARIS, readings) == utc(2026, 10, 31, 23)
    assert to_instant(utc(2026, 11, 1, 1), PARIS, readings) == utc(2026, 11, 1, 1)
    assert to_instant(utc(2026, 11, 1), PARIS, Readings()) == utc(2026, 11, 1)


def test_exact_instants_of_the_bill_win_over_its_dates() -> None:
    exact = bill(line(), start_at=utc(2026, 11, 1, 6), end_at=utc(2026, 12, 1, 6))
    assert drafted(exact, route()).period == Period(utc(2026, 11, 1, 6), utc(2026, 12, 1, 6))


def test_the_end_of_a_period_can_be_told_as_its_last_second() -> None:
    readings = Readings(period_end="last-second")
    assert period(readings).end == utc(2026, 11, 30, 22, 59, 59)
    empty = period(readings, service_from=START, service_to=START)
    assert empty == Period(utc(2026, 10, 31, 23), utc(2026, 10, 31, 23))


def test_an_inclusive_end_date_of_a_bill_is_a_reading() -> None:
    readings = Readings(bill_end_date="inclusive")
    last = bill(line(), end_date=date(2026, 11, 30))
    assert drafted(last, route(readings=readings)).period.end == utc(2026, 12, 1)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "Europe", "../etc/passwd", "/etc/passwd"])
def test_what_is_no_time_zone_is_none(name: str) -> None:
    assert zone_of(name) is None


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 3, 31), date(2026, 2, 28)),
        (date(2026, 1, 15), date(2025, 12, 15)),
        (date(2028, 3, 30), date(2028, 2, 29)),
    ],
)
def test_a_month_before_is_the_same_day_or_the_last(day: date, before: date) -> None:
    assert month_before(day) == before


def test_an_invoice_may_be_dated_one_calendar_month_back_and_no_further() -> None:
    kept, note = invoice_instant(date(2026, 11, 2), utc(2026, 12, 1, 9), UTC)
    assert (kept, note) == (utc(2026, 11, 2), "")
    moved, note = invoice_instant(date(2026, 11, 1), utc(2026, 12, 1, 9), UTC)
    assert moved is None, "its midnight is over a month ago, although its day is not"
    assert "over a month old" in note


@given(
    minutes=st.integers(0, 6 * 366 * 24 * 60),
    days=st.integers(0, 40),
    zone=st.sampled_from(("UTC", "Europe/Paris", "America/Los_Angeles", "Pacific/Auckland")),
)
def test_a_date_that_is_sent_is_no_instant_over_a_month_ago_when_it_arrives(
    minutes: int, days: int, zone: str
) -> None:
    site, now = zone_of(zone), utc(2024, 1, 1) + timedelta(minutes=minutes)
    assert site is not None
    at, _ = invoice_instant(now.astimezone(site).date() - timedelta(days), now, site)
    if at is not None:
        arrives = now + timedelta(minutes=59)
        local = arrives.astimezone(site)
        assert at >= datetime.combine(month_before(local.date()), local.time(), site)
