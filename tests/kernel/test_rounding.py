"""The one crossing to minor units: half up, away from zero, at every place and any length."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from drafting import oracle
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.money import Currency
from reconciler.kernel.rounding import (
    MAX_MAJOR,
    AmountTooLargeError,
    computed,
    half_up,
    is_whole,
    plain,
    product,
    quotient,
    scale,
    shown,
    to_money,
    total,
)

GBP = Currency("GBP", 2)
finite = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12)
fractions = st.fractions(min_value=-(10**9), max_value=10**9)


@given(finite, st.integers(0, 20))
def test_decimals_are_rounded_half_up_at_every_place(number: Decimal, places: int) -> None:
    assert Fraction(half_up(number, places)) == oracle.half_up(Fraction(number), places)


@given(fractions, st.integers(0, 20))
def test_fractions_are_rounded_half_up_at_every_place(number: Fraction, places: int) -> None:
    assert Fraction(half_up(number, places)) == oracle.half_up(number, places)


@given(finite, finite)
def test_products_and_sums_lose_no_digit(one: Decimal, other: Decimal) -> None:
    assert Fraction(product(one, other)) == Fraction(one) * Fraction(other)
    assert Fraction(total([one, other, one])) == 2 * Fraction(one) + Fraction(other)


@given(finite, finite.filter(bool))
def test_quotients_are_exact_until_they_are_shown(one: Decimal, other: Decimal) -> None:
    exact = quotient(one, other)
    assert exact == Fraction(one) / Fraction(other)
    assert abs(Fraction(shown(exact)) - exact) <= abs(exact) * Fraction(1, 10**27)


def test_a_decimal_is_shown_as_it_is() -> None:
    assert shown(Decimal("1.50")) == Decimal("1.50")


def test_the_vendors_own_example() -> None:
    price, quantity = Decimal("4.4556"), Decimal("10.625")
    assert str(computed(price, quantity, Currency("USD", 2))) == "$47.34"
    assert str(computed(price, quantity, Currency("JPY", 0))) == "¥47"


def test_an_amount_of_a_hundred_digits_keeps_them() -> None:
    number = Decimal("0." + "1" * 100)
    assert Fraction(product(number, number)) == Fraction(number) ** 2
    assert len(plain(product(number, number))) == 202


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_amount_passes_and_the_next_does_not(sign: int) -> None:
    assert abs(to_money(sign * MAX_MAJOR, GBP).minor) == 9007199254740991
    with pytest.raises(AmountTooLargeError, match="beyond the largest amount"):
        to_money(sign * (MAX_MAJOR + Decimal("0.01")), GBP)


@given(finite, st.integers(-30, 30))
def test_scaling_moves_the_point_and_nothing_else(number: Decimal, places: int) -> None:
    assert Fraction(scale(number, places)) == Fraction(number) * Fraction(10) ** places


@given(finite)
def test_plain_digits_read_back_as_the_same_number(number: Decimal) -> None:
    text = plain(number)
    assert Decimal(text) == number
    assert "E" not in text
    assert text != "-0"
    assert "." not in text or text[-1] != "0"
    assert is_whole(number) == ("." not in text)
