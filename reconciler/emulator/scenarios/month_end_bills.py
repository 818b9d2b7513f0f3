"""Who is billed in scenario `month-end`, and what is special about each: by number alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from reconciler.emulator.scenarios.m3ter_bills import BilledPeriod, line, usage_line
from reconciler.emulator.scenarios.m3ter_objects import Metered, metered
from reconciler.emulator.store import Store


@dataclass(frozen=True, slots=True)
class Case:
    """One account of the scenario.

    Attributes:
        number: From 0; everything else follows from it.
    """

    number: int

    @property
    def code(self) -> str:
        """The account's code in m3ter."""
        return f"acct-{self.number:05}"

    @property
    def currency(self) -> str:
        """What it is billed in."""
        return _PATTERN[self.number % len(_PATTERN)]

    @property
    def country(self) -> str:
        """Where it is."""
        return _COUNTRIES[self.currency]

    @property
    def routes(self) -> tuple[str, ...]:
        """The integrations that take it: ``create``, ``pending``, both or none."""
        if self.number % _EVERY == 7:  # noqa: PLR2004 - one in fifty
            return ()
        if self.number % _EVERY == 32:  # noqa: PLR2004 - one in fifty
            return ("create", "pending")
        return ("pending",) if self.waits else ("create",)

    @property
    def waits(self) -> str:
        """When its pending invoice comes: ``on-time``, ``late``, ``never``; empty if it needs none.

        Three in five are on time.
        """
        if self.number % 10 != 4:  # noqa: PLR2004 - one in ten
            return ""
        return ("on-time", "on-time", "late", "on-time", "never")[self.number // 10 % 5]

    @property
    def mapped(self) -> bool:
        """Whether m3ter knows its subscription or customer."""
        return self.number % 60 != 41  # noqa: PLR2004 - one in sixty

    @property
    def subscription(self) -> str:
        """Id of its subscription in Chargebee."""
        return f"sub-{self.code}"

    @property
    def customer(self) -> str:
        """Id of its customer in Chargebee."""
        return f"cust-{self.code}"

    @property
    def trouble(self) -> str:
        """What is wrong in Chargebee: ``cancelled``, ``currency``, ``unbilled``, ``credits``."""
        found = {28: "cancelled", 56: "currency", 88: "unbilled", 118: "credits"}
        return found.get(self.number % 120, "")

    @property
    def approved(self) -> bool:
        """Whether its bill is approved."""
        return self.number % 20 != 11  # noqa: PLR2004 - one in twenty

    @property
    def recalculated(self) -> str:
        """Whether its bill was recalculated: ``approved`` again, left ``pending``, or empty."""
        if self.number % 33 != 5:  # noqa: PLR2004 - one in thirty-three
            return ""
        return "pending" if self.number // 33 % 3 == 1 else "approved"


JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Products:
    """What is sold: ``api`` in three bands, ``storage`` in one, ``compute`` with fixed prices.

    Attributes:
        known: Usage lines made so far. Bills share them, so that many bills need little memory.
    """

    api: Metered
    storage: Metered
    compute: Metered
    known: dict[tuple[object, ...], JsonObject] = field(default_factory=dict)

    def usage(
        self,
        product: str,
        period: BilledPeriod,
        currency: str,
        *units: str,
        rate: str = "1",
        kind: str = "USAGE",
    ) -> JsonObject:
        """A usage line; not to be changed."""
        key = (product, period, currency, units, rate, kind)
        if key not in self.known:
            of = {"api": self.api, "storage": self.storage, "compute": self.compute}[product]
            item = usage_line(of, period, currency, units, Decimal(rate), kind)
            self.known[key] = item
        return self.known[key]


CURRENCIES: Final = ("GBP", "USD", "EUR", "JPY", "KWD")
# Forty per cent pounds, thirty dollars, fifteen euros, ten yen, five dinars.
_PATTERN: Final = (
    *("GBP", "USD", "GBP", "EUR", "USD", "GBP", "JPY", "USD", "GBP", "EUR"),
    *("GBP", "USD", "GBP", "KWD", "GBP", "EUR", "USD", "JPY", "GBP", "USD"),
)
_COUNTRIES: Final = {"GBP": "UK", "USD": "US", "EUR": "DE", "JPY": "JP", "KWD": "KW"}
_EVERY: Final = 50
MOST_ACCOUNTS: Final = 5_000


def cases(bills: int) -> list[Case]:
    """The accounts for so many bills; beyond the most accounts each has several bills."""
    return [Case(number) for number in range(min(bills, MOST_ACCOUNTS))]


# How many of a currency's units a pound is, roughly: prices are made from it.
_SCALE: Final = {"GBP": "1", "USD": "1.3", "EUR": "1.2", "JPY": "190", "KWD": "0.4"}
_FOREIGN: Final = {"GBP": ("USD", "0.785437"), "USD": ("GBP", "1.273176")}
CHARGES: Final = (
    "STANDING_CHARGE",
    "MINIMUM_SPEND",
    "COMMITMENT_FEE",
    "OVERAGE_SURCHARGE",
    "OVERAGE_USAGE",
    "BALANCE_FEE",
    "AD_HOC",
    "DEBIT_MEMO",
    "MANUAL_ADJUSTMENT",
    "COUNTER_RUNNING_TOTAL_CHARGE",
    "COUNTER_ADJUSTMENT_DEBIT",
)
CREDITS: Final = (
    "USAGE_CREDIT",
    "MINIMUM_SPEND_REFUND",
    "COMMITMENT_CONSUMED",
    "BALANCE_CONSUMED",
    "CREDIT_MEMO",
    "CREDIT_DEDUCTION",
    "COUNTER_ADJUSTMENT_CREDIT",
    "AD_HOC",
    "MANUAL_ADJUSTMENT",
)
# Whole numbers, halves of the smallest unit, thirds, more places than anyone rounds to, nothing.
_AMOUNTS: Final = ("49.00", "12.345", "0.005", "33.333333333", "1000.125", "0.00", "0.0004", "7.1")
_UNITS: Final = (
    ("7421", "0", "0"),
    ("10000", "2500.5", "0"),
    ("10000", "90000", "123456.789"),
    ("0", "0", "0"),
    ("1", "0", "0"),
    ("333.333333", "0", "0"),
)


def products(store: Store) -> Products:
    """Make the products with their pricings in every currency."""
    api = (("0", "0", "0.004"), ("10000", "0", "0.0033"), ("100000", "25", "0.0021"))
    storage = (("0", "0", "0.133333333"),)
    compute = (("0", "10", "0.0175"), ("500", "0", "0.01125"))
    return Products(
        metered(store, "api-calls", "API calls", "call", _bands(api)),
        metered(store, "storage", "Storage", "GB", _bands(storage)),
        metered(store, "compute", "Compute", "hour", _bands(compute)),
    )


def bill_lines(of: Products, number: int, currency: str, period: BilledPeriod) -> list[JsonObject]:
    """The lines of one bill, in the order m3ter would give them."""
    lines = [
        of.usage("api", period, currency, *_UNITS[number % len(_UNITS)]),
        of.usage("storage", period, currency, f"{number % 97}.{number % 97:03}"),
        _charge(of, number, currency, period),
    ]
    if number % 3 == 0:
        lines.append(_charge(of, number // 3 + 5, currency, period))
    if number % 4 == 1:
        lines.append(of.usage("compute", period, currency, f"{number % 89}", "0.25"))
    if number % 5 == 2:  # noqa: PLR2004 - one in five
        lines.append(_segmented(of, number, currency, period))
    if number % 8 == 3:  # noqa: PLR2004 - one in eight
        lines.append(_credit(number // 8, currency, period))
    if number % 11 == 6 and currency in _FOREIGN:  # noqa: PLR2004 - one in eleven
        other, rate = _FOREIGN[currency]
        lines.append(of.usage("storage", period, other, "41.7", rate=rate))
    return lines


def _bands(
    rows: tuple[tuple[str, str, str], ...],
) -> Mapping[str, list[tuple[str, str, str]]]:
    return {
        currency: [
            (low, str(Decimal(fixed) * Decimal(scale)), str(Decimal(price) * Decimal(scale)))
            for low, fixed, price in rows
        ]
        for currency, scale in _SCALE.items()
    }


def _amount(number: int, currency: str) -> Decimal:
    return Decimal(_AMOUNTS[number % len(_AMOUNTS)]) * Decimal(_SCALE[currency])


def _charge(of: Products, number: int, currency: str, period: BilledPeriod) -> JsonObject:
    kind = CHARGES[number % len(CHARGES)]
    if kind == "OVERAGE_USAGE":
        return of.usage("api", period, currency, "10000", f"{number % 83}", kind=kind)
    # One debit memo in three has no service period, as people forget it.
    undated = kind == "DEBIT_MEMO" and number // len(CHARGES) % 3 == 1
    dates = None if undated else period
    return line(kind, _words(kind), _amount(number, currency), currency, dates)


def _credit(number: int, currency: str, period: BilledPeriod) -> JsonObject:
    kind = CREDITS[number % len(CREDITS)]
    undated = kind == "CREDIT_MEMO" and number // len(CREDITS) % 3 == 1
    amount = -abs(_amount(number, currency) or Decimal("2.5"))
    return line(kind, _words(kind), amount, currency, None if undated else period)


def _segmented(of: Products, number: int, currency: str, period: BilledPeriod) -> JsonObject:
    """Usage of one region, by a child account."""
    item = of.usage("storage", period, currency, f"{number % 13}.{number % 7}5")
    return item | {
        "description": f"{item['description']} (eu-west)",
        "segment": {"region": "eu-west"},
        "childAccountCode": f"child-{number:05}",
    }


def _words(kind: str) -> str:
    return kind.replace("_", " ").capitalize()
