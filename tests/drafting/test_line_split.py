"""Lines to parts, with exact amounts in the bill's currency."""

from __future__ import annotations

import pytest
from fakes.push_data import band, bill, blocked, dec, drafted, line, nothing, route

from reconciler.drafting.draft import BlockCode, UnsentReason
from reconciler.drafting.route import Readings
from reconciler.m3ter.bill import Band, BillLine


def amounts(one: BillLine, currency: str = "GBP") -> list[tuple[str, str]]:
    draft = drafted(bill(one, currency=currency), route())
    sources = [line.trace.source for line in draft.lines]
    return [(str(source.amount), source.amount_from) for source in sources]


def test_the_converted_amount_is_what_counts() -> None:
    euros = line("USAGE", "10", currency="EUR", conversion_rate="0.9", converted_subtotal="8.87")
    assert amounts(euros) == [("8.87", "convertedSubtotal")]


def test_without_a_converted_amount_the_subtotal_is_converted_exactly() -> None:
    euros = line("USAGE", "10.333", currency="EUR", conversion_rate="0.123456789")
    assert amounts(euros) == [("1.275679000737", "subtotal x conversionRate 0.123456789")]


def test_in_the_bills_own_currency_the_rate_does_not_matter() -> None:
    same = line("USAGE", "10", currency="GBP", conversion_rate="0")
    assert amounts(same) == [("10", "subtotal")]


@pytest.mark.parametrize("rate", [None, "0", "-1"])
def test_without_a_usable_rate_the_bill_is_blocked(rate: str | None) -> None:
    euros = line("USAGE", "10", currency="EUR", conversion_rate=rate)
    (reason,) = blocked(bill(euros), route()).reasons
    assert reason.code is BlockCode.AMOUNT
    assert reason.text.startswith("line 1 (USAGE) is in EUR, the bill in GBP")


def test_two_amounts_in_one_currency_that_contradict_each_other_block() -> None:
    odd = line("USAGE", "10", currency="GBP", converted_subtotal="0")
    (reason,) = blocked(bill(odd), route()).reasons
    assert "line 1 (USAGE) says GBP 10 and, converted to the same currency, GBP 0" in reason.text


def test_an_amount_rounded_by_m3ter_contradicts_nothing() -> None:
    rounded = line("USAGE", "33.3333", converted_subtotal="33.33")
    assert amounts(rounded) == [("33.33", "convertedSubtotal")]


def test_bands_are_rows_of_their_own_with_their_converted_amounts() -> None:
    some = (
        band("1", "1", converted_subtotal="0.9"),
        band("2", "1"),
        Band(units=dec("4"), fixed_price=dec("1"), unit_subtotal=dec("2")),
        Band(unit_subtotal=dec("1"), units=dec("1")),
        Band(fixed_price=dec("5")),
    )
    euros = line("USAGE", None, currency="EUR", conversion_rate="0.9", bands=some)
    assert amounts(euros) == [
        ("0.9", "convertedBandSubtotal"),
        ("1.8", "bandSubtotal x conversionRate 0.9"),
        ("2.7", "bandSubtotal x conversionRate 0.9"),
        ("0.9", "bandSubtotal x conversionRate 0.9"),
        ("4.5", "bandSubtotal x conversionRate 0.9"),
    ]
    notes = drafted(bill(euros), route()).lines[2].trace.notes
    assert notes[0] == "m3ter gives no band subtotal; fixed price and unit subtotal were added"


def test_a_fixed_price_counts_in_the_unit_price() -> None:
    page = {
        "use_multidecimal": True,
        "multi_decimal_price_decimal_places": 2,
        "multi_decimal_units_decimal_places": 0,
    }
    banded = line("USAGE", "30", bands=(band("30", "10", fixed_price="20", unit_price="1"),))
    (row,) = drafted(bill(banded), route(page=page)).lines
    assert str(row.pricing) == "DecimalPricing(quantity=Decimal('10'), unit_price=Decimal('3.00'))"


def test_bands_with_neither_units_nor_money_are_listed() -> None:
    banded = line("USAGE", "5", bands=(band("0", "0"), band("5", "2"), Band()))
    draft = drafted(bill(banded), route())
    assert [drafted.trace.source.band for drafted in draft.lines] == [2]
    assert [(part.source.band, part.reason) for part in draft.unsent] == [
        (1, UnsentReason.EMPTY_BAND),
        (3, UnsentReason.EMPTY_BAND),
    ]


def test_a_line_of_empty_bands_has_nothing_to_send() -> None:
    outcome = nothing(bill(line("USAGE", "0", bands=(band("0", "0"),))), route())
    assert [part.reason for part in outcome.unsent] == [UnsentReason.EMPTY_BAND]


def test_bands_that_do_not_add_up_to_their_line_block() -> None:
    banded = line("USAGE", "5", bands=(band("2", "1"), band("2.99", "1")))
    outcome = blocked(bill(banded), route())
    (reason,) = outcome.reasons
    assert reason.code is BlockCode.BANDS
    assert "differ from it by GBP -0.01" in reason.text
    assert [(part.source.number, part.source.band) for part in outcome.unsent] == [(1, None)]
    page = {"split_usage_line_items": "itemPerProduct"}
    assert str(drafted(bill(banded), route(page=page)).expected) == "£5.00"


def test_bands_may_miss_their_line_by_less_than_the_tolerance() -> None:
    banded = line("USAGE", "5", bands=(band("2", "1"), band("2.9901", "1")))
    assert len(drafted(bill(banded), route()).lines) == 2
    wide = route(readings=Readings(band_tolerance=10))
    off = line("USAGE", "5", bands=(band("2", "1"), band("2.95", "1")))
    assert len(drafted(bill(off), wide).lines) == 2


def test_a_band_with_units_and_no_computable_amount_blocks() -> None:
    for odd in (Band(units=dec("2")), Band(units=dec("2"), fixed_price=dec("1"))):
        (reason,) = blocked(bill(line("USAGE", "5", bands=(odd,))), route()).reasons
        assert reason.text == "line 1 (USAGE, band 1) has units but no amount that can be computed"
