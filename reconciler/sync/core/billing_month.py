"""A month of bills: which bills belong to it, and what it is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from reconciler.drafting.route import Readings
from reconciler.errors import InvalidError

_FORM = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class NotAMonthError(InvalidError):
    """A period is not of the form ``YYYY-MM``."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is not a month. Nothing was read. Write it as YYYY-MM, for example 2026-11."
        )


@dataclass(frozen=True, slots=True, order=True)
class BillingMonth:
    """One calendar month."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> BillingMonth:
        """Read ``YYYY-MM``.

        Raises:
            NotAMonthError: When it is written otherwise.
        """
        found = _FORM.fullmatch(text)
        if found is None or found[1] == "0000":
            raise NotAMonthError(text)
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def before(cls, day: date) -> BillingMonth:
        """Give the last month that was over on a day."""
        last = day.replace(day=1) - timedelta(days=1)
        return cls(last.year, last.month)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def after(self) -> date:
        """The first day after it."""
        over, month = divmod(self.month, 12)
        return date(self.year + over, month + 1, 1)

    @property
    def next(self) -> BillingMonth:
        """The month after."""
        return BillingMonth(self.after.year, self.after.month)

    @property
    def key(self) -> str:
        """As it is written in commands and names of files."""
        return f"{self.year:04d}-{self.month:02d}"

    def __str__(self) -> str:
        return f"{_NAMES[self.month - 1]} {self.year}"

    def holds(self, end: date, readings: Readings) -> bool:
        """Tell whether a bill belongs to the month: its last day lies in it.

        Args:
            end: ``endDate`` of the bill.
            readings: Whether that is the last day, or the day after it.
        """
        last = end if readings.bill_end_date == "inclusive" else end - timedelta(days=1)
        return self.first <= last < self.after
