"""Intervals as cron writes them."""

from __future__ import annotations

HOUR = 60
DAY = 24


def cron(minutes: int) -> str:
    """Write an interval as cron does.

    Raises:
        ValueError: When the interval divides neither an hour nor a day in hours.
    """
    hours, rest = divmod(minutes, HOUR)
    if not hours and HOUR % minutes == 0:
        return f"*/{minutes} * * * *"
    if rest or not hours or DAY % hours:
        raise ValueError(f"{minutes} minutes divide neither an hour nor a day")
    return f"0 */{hours} * * *" if hours < DAY else "0 0 * * *"
