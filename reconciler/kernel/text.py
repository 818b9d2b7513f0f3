"""What people read: money, times, ids and counts, and text that may be shown anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from textwrap import wrap

from reconciler.kernel.money import Money

WIDTH = 100
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_LONG_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE
)


def amount(money: Money) -> str:
    """Write an amount without its currency, with thousands."""
    return f"{money.major:,f}"


def signed(money: Money) -> str:
    """Write a difference: with its sign, unless it is zero."""
    return f"{money.major:+,f}" if money.minor else amount(money)


def sums(amounts: Iterable[Money]) -> str:
    """Write sums of several currencies in one line."""
    return ", ".join(str(amount) for amount in amounts)


def day(when: date) -> str:
    """Write a date: ``1 Dec 2026``."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def span_of_days(first: date, last: date) -> str:
    """Write days from one to another, as short as can be: ``1 - 30 Nov 2026``."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} - {day(last)}"
    return f"{day(first)} - {day(last)}"


def clock(when: datetime) -> str:
    """Write an instant in UTC: ``1 Dec 2026, 06:14:09``."""
    moment = when.astimezone(UTC)
    return f"{day(moment)}, {moment:%H:%M:%S}"


def span(length: timedelta) -> str:
    """Write a duration in its two largest units: ``2 d 4 h``."""
    minutes = max(0, int(length.total_seconds())) // 60
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    words = [f"{count:,} {unit}" for count, unit in parts if count][:2]
    return " ".join(words) or "under a minute"


def short_id(identity: str) -> str:
    """Shorten a UUID to what people compare: ``2f6b…c191``; other ids stay whole."""
    return f"{identity[:4]}…{identity[-4:]}" if _LONG_ID.fullmatch(identity) else identity


def with_short_ids(text: str) -> str:
    """Shorten every UUID inside a text."""
    return _LONG_ID.sub(lambda found: short_id(found[0]), text)


def wrapped(text: str, indent: str = "", hang: str | None = None) -> list[str]:
    """Break a text at 100 columns; words and ids stay whole."""
    following = indent if hang is None else hang
    lines = wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [indent.rstrip()]


# Control characters move a terminal's cursor or colour; surrogates cannot be encoded; the
# last two are not allowed in XML.
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff￾￿]")


def printable(text: str) -> str:
    """Write control characters as escapes; tabs and line ends stay."""
    return _UNSHOWABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def counted(count: int, singular: str, many: str) -> str:
    """Write a number with its noun."""
    return f"{count:,} {singular if count == 1 else many}"


def shown_time(text: str) -> str:
    """Write an ISO 8601 time as ``1 Dec 2026, 09:00``, in UTC; other texts stay as they are."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    if time.tzinfo is not None:
        time = time.astimezone(UTC)
    return f"{time.day} {time:%b %Y, %H:%M}"
