from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from fakes.chargebee_bench import Bench
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.chargebee.money import UnitCrossing, cut, decimals, fixed_point, split
from reconciler.emulator.chargebee.objects.pricing import Tier, cost, reached, used

PRICES = st.decimals(0, 10**9, places=6)
BENCH = Bench()


def half_up(value: Fraction) -> int:
    """Round a non-negative fraction, halves up."""
    return int(value + Fraction(1, 2))


@given(PRICES, st.decimals("0.000001", 10**6, places=6), st.sampled_from(["USD", "JPY", "EUR"]))
def test_a_line_is_price_times_quantity_rounded_once(
    price: Decimal, quantity: Decimal, currency: str
) -> None:
    item = {
        "item_price_id": f"api-{currency}",
        "quantity_in_decimal": format(quantity, "f"),
        "unit_price_in_decimal": format(price, "f"),
    }
    owner = {"customer_id": "c1", "currency_code": currency}
    form = {"invoice": owner, "currency_code": currency, "item_prices": [item]}
    line = BENCH.ok("estimates/create_invoice_for_items", form)["estimate"]["invoice_estimate"]
    scale = 1 if currency == "JPY" else 100
    exact = Fraction(price) * Fraction(quantity)
    assert line["line_items"][0]["amount"] == half_up(exact * scale)
    assert Fraction(line["line_items"][0]["amount_in_decimal"]) == exact
    assert line["total"] == half_up(exact * scale)


@given(st.integers(0, 10**15), st.sampled_from(["USD", "JPY", "KWD"]))
def test_minor_units_go_to_major_ones_and_back(amount: int, currency: str) -> None:
    money = UnitCrossing()
    assert money.to_minor(money.to_major(amount, currency), currency) == amount


def test_dinars_have_two_places_and_yen_none() -> None:
    assert UnitCrossing().to_minor(Decimal("1.235"), "KWD") == 124
    assert UnitCrossing().to_minor(Decimal("4.5"), "JPY") == 5
    assert UnitCrossing(tie="even").to_minor(Decimal("4.5"), "JPY") == 4


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**4), min_size=1, max_size=8))
def test_shares_add_up(total: int, weights: list[int]) -> None:
    shares = split(total, weights)
    assert sum(shares) == (total if any(weights) else 0)
    if total <= sum(weights):
        assert all(share <= weight for share, weight in zip(shares, weights, strict=True))


@given(st.decimals(0, 10**6, places=9), st.integers(0, 9))
def test_cutting_leaves_at_most_the_places_asked_for(number: Decimal, places: int) -> None:
    assert decimals(cut(number, places)) <= places
    assert abs(cut(number, places) - number) <= Decimal(1).scaleb(-places) / 2


def test_numbers_are_written_without_exponent() -> None:
    assert fixed_point(Decimal("1E+3")) == "1000"
    assert fixed_point(Decimal("1E-8")) == "0.00000001"
    assert fixed_point(Decimal("2.500")) == "2.5"


TIERS = (
    Tier(Decimal(1), Decimal(10), Decimal("1.5")),
    Tier(Decimal(11), Decimal(20), Decimal(5), "package", 4),
    Tier(Decimal(21), None, Decimal(7), "flat_fee"),
)


@pytest.mark.parametrize(
    ("model", "quantity", "amount"),
    [
        ("flat_fee", "7", "2"),
        ("per_unit", "7", "14"),
        ("tiered", "10", "15.0"),
        ("tiered", "15", "25.0"),
        ("tiered", "25", "37.0"),
        ("tiered", "0", "0"),
        ("volume", "10", "15.0"),
        ("volume", "11", "15"),
        ("volume", "30", "7"),
        ("volume", "0", "0"),
        ("stairstep", "12", "5"),
        ("stairstep", "0", "0"),
    ],
)
def test_pricing_models(model: str, quantity: str, amount: str) -> None:
    assert cost(model, Decimal(quantity), Decimal(2), TIERS) == Decimal(amount)


def test_beyond_the_last_tier_nothing_more_is_charged() -> None:
    closed = TIERS[:1]
    assert used(Decimal(12), closed) == [(closed[0], Decimal(10))]
    assert reached(Decimal(12), closed) == closed[0]
    assert reached(Decimal(12), ()) is None
