"""Billing terms: how a period is added to an instant."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

_MONTHS = {"month": 1, "year": 12}
_DAYS = {"day": 1, "week": 7}


def after(start: int, period: int, unit: str) -> int:
    """The instant one billing period later, in epoch seconds; month ends stay month ends."""
    at = datetime.fromtimestamp(start, UTC)
    if unit in _DAYS:
        return int((at + timedelta(days=period * _DAYS[unit])).timestamp())
    return int(shifted(at, period * _MONTHS[unit]).timestamp())


def month_before(now: int) -> int:
    """The same instant one calendar month earlier, or the last day of that month."""
    return int(shifted(datetime.fromtimestamp(now, UTC), -1).timestamp())


def shifted(at: datetime, months: int) -> datetime:
    """The same day some months on, or the last day of a shorter month."""
    count = at.year * 12 + at.month - 1 + months
    year, month = count // 12, count % 12 + 1
    day = min(at.day, calendar.monthrange(year, month)[1])
    return at.replace(year=year, month=month, day=day)
