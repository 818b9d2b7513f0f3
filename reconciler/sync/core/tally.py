"""Sums of money by currency that grow bill by bill; memory does not depend on their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.kernel.money import Currency, Money
from reconciler.sync.core.readback.case import CaseResult
from reconciler.sync.model.reconciliation import Totals


@dataclass(slots=True)
class Purse:
    """A count of bills and their money, by currency."""

    bills: int = 0
    minor: dict[Currency, int] = field(default_factory=dict)

    def add(self, money: Money | None) -> None:
        """Count one bill."""
        self.bills += 1
        if money is not None:
            self.minor[money.currency] = self.minor.get(money.currency, 0) + money.minor

    def move(self, other: Purse, sign: int = 1) -> None:
        """Add the bills and money of another; with ``-1`` take them away."""
        self.bills += sign * other.bills
        for currency, minor in other.minor.items():
            self.minor[currency] = self.minor.get(currency, 0) + sign * minor

    @property
    def money(self) -> tuple[Money, ...]:
        """The sums, by currency code."""
        return tuple(Money(self.minor[one], one) for one in sorted(self.minor))


@dataclass(slots=True)
class _Row:
    bills: int = 0
    billed: int = 0
    sent: int = 0
    not_sent: int = 0
    invoiced: int = 0
    rounding: int = 0
    catalogue: int = 0


@dataclass(slots=True)
class Tally:
    """Running totals of a reconciliation."""

    rows: dict[Currency, _Row] = field(default_factory=dict)

    def add(self, one: CaseResult) -> None:
        """Count one bill."""
        row = self.rows.setdefault(one.currency, _Row())
        row.bills += 1
        row.billed += one.billed.minor
        row.sent += one.sent.minor
        row.not_sent += one.not_sent.minor
        row.invoiced += one.invoiced.minor
        row.rounding += one.rounding.minor
        row.catalogue += one.catalogue.minor

    def totals(self) -> Iterator[Totals]:
        """Give one row per currency, by code."""
        for currency in sorted(self.rows):
            row = self.rows[currency]
            yield Totals(
                currency.code,
                row.bills,
                Money(row.billed, currency),
                Money(row.sent, currency),
                Money(row.not_sent, currency),
                Money(row.invoiced, currency),
                Money(row.rounding, currency),
                Money(row.invoiced - row.billed + row.not_sent - row.rounding, currency),
                Money(row.catalogue, currency),
            )
