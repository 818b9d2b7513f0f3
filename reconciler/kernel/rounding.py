"""The one crossing from exact decimals to minor units, half up at every place.

"Half up" is half away from zero: 0.005 becomes 0.01 and -0.005 becomes -0.01.

Source: Chargebee KB "What is the rounding logic for line item amounts": price times quantity in
full, then each line is rounded to the currency's places. Which way a tie goes is not published;
m3ter's page on Chargebee settings says half up for its own places.
"""

from __future__ import annotations

from decimal import (
    ROUND_HALF_UP,
    Clamped,
    Context,
    Decimal,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
)
from fractions import Fraction

from reconciler.errors import InvalidError
from reconciler.kernel.money import Currency, Money

# Sums and products of vendor numbers are computed here, where a lost digit is an error. 2,000
# digits hold the product of any two numbers that the JSON codec lets in, and sums of them.
EXACT = Context(
    prec=2_000, traps=[Inexact, InvalidOperation, FloatOperation, Overflow, Clamped], Emax=10_000
)
_ROUND = Context(prec=2_000, rounding=ROUND_HALF_UP, traps=[InvalidOperation, FloatOperation])
# Digits kept of a quotient that is only shown; every decision about one uses fractions.
SHOWN_DIGITS = 28
_SHOW = Context(prec=SHOWN_DIGITS, rounding=ROUND_HALF_UP, traps=[InvalidOperation])

# Source: Chargebee docs "Support for High Value Currency"
MAX_MAJOR = Decimal("90071992547409.91")


class AmountTooLargeError(InvalidError):
    """An amount is beyond what the destination can hold."""

    def __init__(self, amount: Decimal, currency: Currency) -> None:
        super().__init__(
            f"{currency} {amount:,f} is beyond the largest amount of {MAX_MAJOR:,f};"
            " it cannot be sent"
        )


def half_up(number: Decimal | Fraction, places: int) -> Decimal:
    """Round to so many decimal places, ties away from zero; exact however long the number is."""
    if isinstance(number, Fraction):
        scaled = abs(number) * 10**places + Fraction(1, 2)
        whole = scaled.numerator // scaled.denominator
        return scale(Decimal(-whole if number < 0 else whole), -places)
    return number.quantize(scale(Decimal(1), -places), context=_ROUND)


def to_money(amount: Decimal | Fraction, currency: Currency) -> Money:
    """Round an amount in major units to minor units, half up.

    Raises:
        AmountTooLargeError: Beyond what the destination can hold.
    """
    rounded = half_up(amount, currency.places)
    if abs(rounded) > MAX_MAJOR:
        raise AmountTooLargeError(rounded, currency)
    return Money(int(scale(rounded, currency.places)), currency)


def computed(unit_price: Decimal, quantity: Decimal, currency: Currency) -> Money:
    """Predict what the destination makes of a price and a quantity, both in full."""
    return to_money(product(unit_price, quantity), currency)


def product(decimal: Decimal, other: Decimal) -> Decimal:
    """Multiply without losing a digit."""
    return EXACT.multiply(decimal, other)


def total(amounts: list[Decimal]) -> Decimal:
    """Add without losing a digit."""
    result = Decimal(0)
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def quotient(dividend: Decimal, divisor: Decimal) -> Fraction:
    """Divide exactly; the divisor is not zero."""
    return Fraction(dividend) / Fraction(divisor)


def shown(number: Decimal | Fraction) -> Decimal:
    """Give a number for people: exact where it has an end, else 28 digits."""
    if isinstance(number, Fraction):
        return _SHOW.divide(Decimal(number.numerator), Decimal(number.denominator))
    return number


def scale(number: Decimal, places: int) -> Decimal:
    """Move the decimal point to the right (to the left below zero); no digit changes."""
    sign, digits, exponent = number.as_tuple()
    return Decimal((sign, digits, int(exponent) + places))


def is_whole(number: Decimal) -> bool:
    """Whether a number has no fraction."""
    return number == number.to_integral_value()


def plain(number: Decimal) -> str:
    """Write a number in plain digits, without exponent and without trailing zeros."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
