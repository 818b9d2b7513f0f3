"""What a bill comes to, computed slowly and obviously, with fractions and whole numbers only.

Nothing here imports the code under test: only the nouns that describe the input. Where the code is
clever about decimals, this uses fractions; where the code splits responsibilities, this is one loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from reconciler.m3ter.bill import Band, Bill, BillLine

ZERO_DECIMAL = ("JPY", "KRW", "XAF", "XOF")
LARGEST_QUANTITY = 2_147_483_647


@dataclass(frozen=True)
class Settings:
    """The settings that change money."""

    per_band: bool
    multidecimal: bool
    price_places: int
    unit_places: int
    exact: bool
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One row: where it comes from, what m3ter billed, what is sent, what Chargebee makes of it."""

    number: int
    band: int | None
    billed: int
    quantity: Fraction
    unit_price: Fraction
    expected: int


def rows(bill: Bill, settings: Settings) -> list[Row]:
    """Compute every row of a bill whose lines are all in order and none below zero."""
    places = 0 if bill.currency in ZERO_DECIMAL else 2
    result = []
    for number, line in enumerate(bill.lines, start=1):
        if line.type in settings.excluded:
            continue
        if settings.per_band and line.bands:
            for position, band in enumerate(line.bands, start=1):
                amount = _band_amount(band, line, bill)
                units = Fraction(band.units or 0)
                if amount == 0 and units == 0:
                    continue
                result.append(_row((number, position), amount, units, places, settings))
        else:
            amount = _line_amount(line, bill)
            result.append(_row((number, None), amount, Fraction(line.units or 0), places, settings))
    return result


def total(bill: Bill, settings: Settings) -> int:
    """What Chargebee will compute for all rows, in minor units."""
    return sum(row.expected for row in rows(bill, settings))


def half_up(number: Fraction, places: int) -> Fraction:
    """Round to so many places; a tie goes away from zero."""
    step = Fraction(1, 10**places)
    count, rest = divmod(abs(number), step)
    if 2 * rest >= step:
        count += 1
    return step * count * (-1 if number < 0 else 1)


def minor(number: Fraction, places: int) -> int:
    """Round to minor units."""
    rounded = half_up(number, places) * 10**places
    assert rounded.denominator == 1
    return int(rounded.numerator)


def _line_amount(line: BillLine, bill: Bill) -> Fraction:
    if line.converted_subtotal is not None:
        return Fraction(line.converted_subtotal)
    assert line.subtotal is not None
    if line.currency in ("", bill.currency):
        return Fraction(line.subtotal)
    assert line.conversion_rate is not None
    return Fraction(line.subtotal) * Fraction(line.conversion_rate)


def _band_amount(band: Band, line: BillLine, bill: Bill) -> Fraction:
    if band.converted_subtotal is not None:
        return Fraction(band.converted_subtotal)
    if band.subtotal is None:
        return Fraction(0)
    if line.currency in ("", bill.currency):
        return Fraction(band.subtotal)
    assert line.conversion_rate is not None
    return Fraction(band.subtotal) * Fraction(line.conversion_rate)


def _row(
    at: tuple[int, int | None], amount: Fraction, units: Fraction, places: int, settings: Settings
) -> Row:
    number, band = at
    billed = minor(amount, places)
    as_one = Row(number, band, billed, Fraction(1), Fraction(billed, 10**places), billed)
    if units <= 0:
        return as_one
    if settings.exact and amount != 0 and billed == 0:
        return as_one
    if settings.multidecimal:
        quantity = half_up(units, settings.unit_places)
        price = half_up(amount / units, settings.price_places)
    else:
        quantity, price = units, amount / units
        if quantity.denominator != 1 or (price * 10**places).denominator != 1:
            return as_one
    if quantity == 0 or quantity > LARGEST_QUANTITY:
        return as_one
    expected = minor(quantity * price, places)
    if settings.exact and expected != billed:
        return as_one
    return Row(number, band, billed, quantity, price, expected)
