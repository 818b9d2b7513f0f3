"""Who is billed in scenario `month-end`, and what is special about each: by number alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CURRENCIES: Final = ("GBP", "USD", "EUR", "JPY", "KWD")
# Forty per cent pounds, thirty dollars, fifteen euros, ten yen, five dinars.
_PATTERN: Final = (
    *("GBP", "USD", "GBP", "EUR", "USD", "GBP", "JPY", "USD", "GBP", "EUR"),
    *("GBP", "USD", "GBP", "KWD", "GBP", "EUR", "USD", "JPY", "GBP", "USD"),
)
_COUNTRIES: Final = {"GBP": "UK", "USD": "US", "EUR": "DE", "JPY": "JP", "KWD": "KW"}
_EVERY: Final = 50
MOST_ACCOUNTS: Final = 5_000


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


def cases(bills: int) -> list[Case]:
    """The accounts for so many bills; beyond the most accounts each has several bills."""
    return [Case(number) for number in range(min(bills, MOST_ACCOUNTS))]
