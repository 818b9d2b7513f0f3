"""A vendor's time from its answers: read, carried on, and never ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fakes.clock import FakeClock

from reconciler.transport.vendor_time import VendorTime, http_date

SIX = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)


def test_a_date_header_is_read_in_utc() -> None:
    assert http_date("Tue, 01 Dec 2026 06:00:00 GMT") == SIX
    assert http_date("Tue, 01 Dec 2026 06:00:00 -0000") == SIX
    assert http_date("Tue, 01 Dec 2026 07:00:00 +0100") == SIX
    assert http_date("") is None


def test_the_time_goes_on_from_the_newest_answer_that_bore_one() -> None:
    clock = FakeClock()
    vendor = VendorTime(clock)
    assert vendor.now() is None
    vendor.hear({"date": "Tue, 01 Dec 2026 06:00:00 GMT"})
    clock.advance(5)
    vendor.hear({"content-type": "text/html"})
    vendor.hear({"date": "yesterday"})
    assert vendor.now() == SIX + timedelta(seconds=5)


def test_an_answer_from_before_a_look_is_no_answer_to_it() -> None:
    clock = FakeClock()
    vendor = VendorTime(clock)
    vendor.hear({"date": "Tue, 01 Dec 2026 06:00:00 GMT"})
    assert vendor.now(since=clock.monotonic()) == SIX
    clock.advance(1)
    assert vendor.now(since=clock.monotonic()) is None


def test_a_machine_whose_clock_is_set_changes_nothing_in_it() -> None:
    clock = FakeClock()
    vendor = VendorTime(clock)
    vendor.hear({"date": "Tue, 01 Dec 2026 06:00:00 GMT"})
    clock.time += timedelta(hours=1)
    assert vendor.now() == SIX
