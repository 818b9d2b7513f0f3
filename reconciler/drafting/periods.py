"""Dates of a bill to instants, in the bill's time zone; dates of an invoice in the site's."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from reconciler.drafting.bill_parts import BillPart
from reconciler.drafting.draft import BlockCode, BlockReason, Period
from reconciler.drafting.route import Readings
from reconciler.m3ter.bill import Bill, BillLine, When

_MIDNIGHT = time(0)
_UNDER_WAY = timedelta(hours=1)
"""How long an invoice may take from its draft to the destination, clocks that differ included."""


def zone_of(name: str) -> tzinfo | None:
    """Find a time zone by its IANA name; ``None`` when there is no such zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or the name of a folder
        return None


def to_instant(when: When, zone: tzinfo, readings: Readings) -> datetime:
    """Turn a date or a time into an instant in UTC, whole seconds."""
    if not isinstance(when, datetime):
        when = datetime.combine(when, _MIDNIGHT)
    elif readings.midnight_utc == "date" and _is_utc_midnight(when):
        when = when.replace(tzinfo=None)
    if when.tzinfo is None:
        when = when.replace(tzinfo=zone)
    return _utc(when)


def bill_period(bill: Bill, zone: tzinfo, readings: Readings) -> Period:
    """Give the bill's period; m3ter's exact instants where it gives them."""
    last = bill.end_date
    if readings.bill_end_date == "inclusive":
        last += timedelta(days=1)
    start = _utc(bill.start_at) if bill.start_at else to_instant(bill.start_date, zone, readings)
    end = _utc(bill.end_at) if bill.end_at else to_instant(last, zone, readings)
    return period_as_told(start, end, readings)


def line_period(
    part: BillPart, of_bill: Period, zone: tzinfo, readings: Readings
) -> Period | BlockReason:
    """Give a line's service period, the bill's where it has none and needs none."""
    line = part.line
    if line.service_from is None or line.service_to is None:
        if not needs_dates(line, readings):
            return of_bill
        return BlockReason(
            BlockCode.PERIOD,
            f"{part.source} is a credit or debit line without a service period",
            "enter its service period start and end dates on the bill in m3ter",
            part.source,
        )
    start = to_instant(line.service_from, zone, readings)
    end = to_instant(line.service_to, zone, readings)
    if end < start:
        return BlockReason(
            BlockCode.PERIOD,
            f"the service period of {part.source} ends before it starts",
            "correct its dates on the bill in m3ter",
            part.source,
        )
    return period_as_told(start, end, readings)


def period_as_told(start: datetime, end: datetime, readings: Readings) -> Period:
    """Put a period as the destination is told it."""
    if readings.period_end == "last-second":
        end = max(start, end - timedelta(seconds=1))
    return Period(start, end)


def needs_dates(line: BillLine, readings: Readings) -> bool:
    """Whether a line is a credit or debit line, which must have a service period.

    Besides its type, m3ter's reason for a credit or debit marks one, and so does the line that it
    refers to.
    """
    return line.type in readings.dated_types or bool(line.reason_id or line.referenced_line_id)


def invoice_instant(
    wanted: date | None, now: datetime, site: tzinfo
) -> tuple[datetime | None, str]:
    """Choose the date of an invoice: the wanted one, or none (the destination takes today).

    Source: Chargebee OpenAPI 2026-09-24, invoice_date: at most one calendar month in the past.

    Returns:
        The start of that day in the site's zone, and what to report when it was moved.
    """
    today = now.astimezone(site).date()
    at = None if wanted is None else datetime.combine(wanted, _MIDNIGHT, site).astimezone(UTC)
    if wanted is None or at is None:
        return None, "m3ter gives no external invoice date; today is used"
    if wanted > today:
        return None, f"the external invoice date {wanted} is still to come; today is used"
    if date_too_old(at, now, site):
        return None, f"the external invoice date {wanted} is over a month old; today is used"
    return at, ""


def date_too_old(at: datetime, now: datetime, site: tzinfo) -> bool:
    """Whether an invoice's date is over a calendar month in the past, or will be in an hour.

    The destination compares instants, not days, and a request takes a while to get there.
    """
    local = now.astimezone(site) + _UNDER_WAY
    oldest = datetime.combine(month_before(local.date()), local.time(), site)
    return at < oldest


def month_before(day: date) -> date:
    """Give the same day of the month before, or that month's last day."""
    year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _utc(when: datetime) -> datetime:
    return when.astimezone(UTC).replace(microsecond=0)


def _is_utc_midnight(when: datetime) -> bool:
    return when.utcoffset() == timedelta(0) and when.time() == _MIDNIGHT
