"""Money is whole minor units of one currency, and nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ExitCode
from reconciler.kernel.money import (
    CHARGEBEE_ZERO_DECIMAL,
    Currency,
    CurrencyMismatchError,
    InexactMoneyError,
    Money,
    UnknownCurrencyError,
    chargebee_currencies,
)

GBP, JPY = Currency("GBP", 2), Currency("JPY", 0)


@given(st.integers(), st.integers())
def test_money_adds_like_whole_numbers(one: int, other: int) -> None:
    first, second = Money(one, GBP), Money(other, GBP)
    assert first + second == Money(one + other, GBP)
    assert first - second == Money(one - other, GBP)
    assert -first == Money(-one, GBP)


@given(st.integers())
def test_major_units_are_exact_at_any_length(minor: int) -> None:
    assert Money(minor, JPY).major == minor
    assert int(str(Money(minor, GBP).major).replace(".", "").replace("-", "") or 0) == abs(minor)


def test_money_is_shown_with_its_currency_and_places() -> None:
    assert str(Money(-123456, GBP)) == "-£1,234.56"
    assert str(Money(5, GBP)) == "£0.05"
    assert str(Money(1234, JPY)) == "¥1,234"
    assert str(Money(-1234567, Currency("KWD", 2))) == "-KWD 12,345.67"
    assert str(GBP) == "GBP"
    assert Money(-5, GBP).major == Decimal("-0.05")


@pytest.mark.parametrize("amount", [1.0, True, Decimal(1), "1"])
def test_only_an_int_counts_minor_units(amount: Any) -> None:
    with pytest.raises(InexactMoneyError, match="not a whole number of minor units"):
        Money(amount, GBP)


def test_two_currencies_are_never_added() -> None:
    with pytest.raises(CurrencyMismatchError, match=r"£0\.01 and ¥1 cannot be added"):
        Money(1, GBP) + Money(1, JPY)


def test_chargebees_table_is_its_list_and_two_places_for_all_others() -> None:
    table = chargebee_currencies()
    assert {code for code, places in table.places.items() if places == 0} == CHARGEBEE_ZERO_DECIMAL
    assert {places for code, places in table.places.items()} == {0, 2}
    assert table.currency("KWD") == Currency("KWD", 2)
    assert table.currency("JPY") == JPY
    assert len(table.places) > 150


def test_the_table_names_where_it_differs_from_iso() -> None:
    disputed = chargebee_currencies().disputed
    assert (disputed["KWD"], disputed["CLP"]) == (3, 0)
    assert not {"GBP", "USD", "JPY"} & disputed.keys()
    assert "CLP" not in chargebee_currencies(frozenset({"CLP"})).disputed


@pytest.mark.parametrize("code", ["XXX", "gbp", "", "XAU"])
def test_an_unlisted_currency_is_refused(code: str) -> None:
    with pytest.raises(UnknownCurrencyError, match="not in the table") as caught:
        chargebee_currencies().currency(code)
    assert caught.value.exit_code is ExitCode.INVALID
    assert caught.value.code == code
