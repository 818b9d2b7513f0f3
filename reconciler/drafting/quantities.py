"""Quantity and unit price of a row, and what the destination will make of them.

The unit price is the billed amount divided by the units, so that fixed prices count. Under
``exact`` a row that would come out other than m3ter's amount is sent as quantity 1 at that amount;
under ``as-m3ter`` the difference is sent and reported as rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from reconciler.drafting.draft import DecimalPricing, Pricing, RoundingStep, WholePricing
from reconciler.kernel.money import Currency, Money
from reconciler.kernel.rounding import (
    computed,
    half_up,
    is_whole,
    plain,
    quotient,
    scale,
    shown,
    to_money,
)

# Source: Chargebee OpenAPI 2026-09-24, item_prices.quantity is int32
MAX_QUANTITY = 2**31 - 1
# Source: Chargebee OpenAPI 2026-09-24, quantity_in_decimal and unit_price_in_decimal
MAX_QUANTITY_TEXT = 33
MAX_PRICE_TEXT = 39


@dataclass(frozen=True, slots=True)
class ShapeRules:
    """How rows are shaped.

    Attributes:
        currency: The bill's.
        rounding: ``exact`` or ``as-m3ter``.
        places: Decimal places of price and units; ``None`` without multi-decimals.
        whole_units: Without multi-decimals, under ``as-m3ter``: ``quantity-one`` unless both are
            whole, or both ``rounded``.
    """

    currency: Currency
    rounding: Literal["exact", "as-m3ter"]
    places: tuple[int, int] | None
    whole_units: Literal["quantity-one", "rounded"] = "quantity-one"

    @property
    def price_places(self) -> int:
        """Places of the unit price."""
        return self.places[0] if self.places else self.currency.places

    @property
    def unit_places(self) -> int:
        """Places of the units."""
        return self.places[1] if self.places else 0


@dataclass(frozen=True, slots=True)
class Shape:
    """A row's figures.

    Attributes:
        pricing: What is sent.
        billed: m3ter's amount in minor units.
        expected: What the destination will compute.
        steps: Every rounding, in order.
        why_one: Why the row is sent as quantity 1; empty when it shows its units.
    """

    pricing: Pricing
    billed: Money
    expected: Money
    steps: tuple[RoundingStep, ...]
    why_one: str = ""


@dataclass(frozen=True, slots=True)
class _Rounded:
    units: Decimal
    price: Decimal
    steps: tuple[RoundingStep, ...]


def shape(
    amount: Decimal, units: Decimal | None, rules: ShapeRules, *, flat: bool = False
) -> Shape:
    """Shape a row whose amount is not below zero in minor units.

    Args:
        amount: m3ter's, exact, in the bill's currency.
        units: Rated units, when there are any.
        rules: How.
        flat: Whether the price is a flat fee, for which a quantity has no meaning.
    """
    billed = to_money(amount, rules.currency)
    step = RoundingStep("amount", amount, rules.currency.places, billed.major)
    if flat:
        return _one(billed, (step,), "the price is a flat fee, which knows no quantity")
    if why := _not_shown(amount, billed, units, rules):
        return _one(billed, (step,), why)
    rounded = _round(amount, units or Decimal(0), rules)
    steps = (*rounded.steps, step)
    if why := _not_sendable(rounded, rules):
        return _one(billed, steps, why)
    expected = computed(rounded.price, rounded.units, rules.currency)
    if rules.rounding == "exact" and expected != billed:
        return _one(billed, steps, _differs(rounded, expected, rules))
    return Shape(_pricing(rounded, rules), billed, expected, steps)


def figures(amount: Decimal, units: Decimal | None, unit: str, currency: Currency) -> str:
    """Say in words what m3ter billed: units times price, and the amount in full."""
    if not units:
        return f"{currency} {plain(amount)}"
    price = quotient(amount, units)
    about = "" if Fraction(shown(price)) == price else "about "
    short = shown(price) if not about else half_up(price, 12)
    name = f" {unit}" if unit else ""
    return f"{plain(units)}{name} x {about}{currency} {plain(short)} = {currency} {plain(amount)}"


def _not_shown(amount: Decimal, billed: Money, units: Decimal | None, rules: ShapeRules) -> str:
    """Say why units cannot be shown, from m3ter's figures alone."""
    if not units:
        return "m3ter gives no units"
    if units < 0 or amount < 0:
        return "units or amount are below zero"
    if rules.rounding == "exact" and amount and not billed.minor:
        return f"the amount is below half of {Money(1, rules.currency)}"
    if rules.places or (rules.rounding == "as-m3ter" and rules.whole_units == "rounded"):
        return ""
    if not is_whole(units):
        return "the units are not whole, and decimals are off"
    price = quotient(amount, units) * 10**rules.currency.places
    return "" if price.denominator == 1 else "the unit price is not whole in minor units"


def _round(amount: Decimal, units: Decimal, rules: ShapeRules) -> _Rounded:
    price = quotient(amount, units)
    sent_units = half_up(units, rules.unit_places)
    sent_price = half_up(price, rules.price_places)
    steps = (
        RoundingStep("units", units, rules.unit_places, sent_units),
        RoundingStep("unit price", shown(price), rules.price_places, sent_price),
    )
    return _Rounded(sent_units, sent_price, steps)


def _not_sendable(rounded: _Rounded, rules: ShapeRules) -> str:
    if not rounded.units:
        return f"the units round to 0 at {rules.unit_places} places"
    if rounded.units > MAX_QUANTITY:
        return f"the quantity is above {MAX_QUANTITY}"
    if len(plain(rounded.units)) > MAX_QUANTITY_TEXT or len(plain(rounded.price)) > MAX_PRICE_TEXT:
        return "quantity or price have more digits than the destination takes"
    return ""


def _differs(rounded: _Rounded, expected: Money, rules: ShapeRules) -> str:
    return (
        f"{rules.price_places} places would send {rounded.price:f} x {plain(rounded.units)}"
        f" = {expected}"
    )


def _pricing(rounded: _Rounded, rules: ShapeRules) -> Pricing:
    if rules.places:
        return DecimalPricing(rounded.units, rounded.price)
    minor = int(scale(rounded.price, rules.currency.places))
    return WholePricing(int(rounded.units), Money(minor, rules.currency))


def _one(billed: Money, steps: tuple[RoundingStep, ...], why: str) -> Shape:
    return Shape(WholePricing(1, billed), billed, billed, steps, why)
