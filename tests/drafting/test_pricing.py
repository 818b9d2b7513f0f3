"""Which price id a line gets: mappings first, then settings, and never another integration's."""

from __future__ import annotations

import pytest
from fakes.push_data import (
    FILE,
    OTHER,
    THIS,
    band,
    bill,
    blocked,
    drafted,
    line,
    mapping,
    route,
)

from reconciler.drafting.draft import BlockCode, PriceRule
from reconciler.drafting.route import MappingIndex, Readings, from_live, index
from reconciler.kernel.address import MappingId
from reconciler.kernel.line_item import LineItemType
from reconciler.kernel.problem import Origin
from reconciler.m3ter.live import LiveMapping

BANDED = line("USAGE", "5", bands=(band("2", "1", id="pb-1"), band("3", "1", id="pb-2")))


def test_a_linked_mapping_wins_and_the_unlinked_one_is_named_as_not_used() -> None:
    maps = [mapping("Product", "prod-api", "any"), mapping("Product", "prod-api", "ours", THIS)]
    choice = drafted(bill(line()), route(mappings=maps)).lines[0].trace.price
    assert choice is not None
    assert (choice.chosen.rule, choice.chosen.price_id) == (PriceRule.LINKED_MAPPING, "ours")
    assert choice.chosen.origin == Origin("prices.csv", 12)
    assert [source.price_id for source in choice.not_used] == ["any", "other-GBP"]


def test_a_mapping_linked_to_another_integration_is_never_used() -> None:
    maps = [mapping("Product", "prod-api", "theirs", OTHER)]
    assert drafted(bill(line()), route(mappings=maps)).lines[0].price_id == "other-GBP"


def test_enforced_mappings_leave_unlinked_ones_out() -> None:
    maps = [mapping("Product", "prod-api", "any")]
    assert drafted(bill(line()), route(mappings=maps)).lines[0].price_id == "any"
    by = route(mappings=maps, enforced=True)
    assert drafted(bill(line()), by).lines[0].price_id == "other-GBP"


@pytest.mark.parametrize("link", [THIS, None])
def test_two_different_mappings_of_one_level_block(link: object) -> None:
    maps = [mapping("Product", "prod-api", literal, link) for literal in ("b", "a")]  # type: ignore[arg-type]
    (reason,) = blocked(bill(line()), route(mappings=maps)).reasons
    assert reason.code is BlockCode.AMBIGUOUS_MAPPING
    assert "a (prices.csv:12) and b (prices.csv:12)" in reason.text


def test_two_unlinked_mappings_do_not_matter_below_a_linked_one() -> None:
    maps = [mapping("Product", "prod-api", literal) for literal in ("a", "b")]
    maps.append(mapping("Product", "prod-api", "ours", THIS))
    assert drafted(bill(line()), route(mappings=maps)).lines[0].price_id == "ours"


def test_the_same_mapping_twice_is_one() -> None:
    maps = [mapping("Product", "prod-api", "a"), mapping("Product", "prod-api", "a", table="X")]
    assert drafted(bill(line()), route(mappings=maps)).lines[0].price_id == "a"


def test_bands_take_the_mappings_of_bands_and_not_of_products() -> None:
    maps = [mapping("PricingBand", "pb-1", "band-1"), mapping("Product", "prod-api", "product")]
    rows = drafted(bill(BANDED), route(mappings=maps)).lines
    assert [row.price_id for row in rows] == ["band-1", "other-GBP"]
    assert rows[0].description == "Usage, band 1"


def test_a_reading_lets_bands_fall_to_their_product() -> None:
    maps = [mapping("PricingBand", "pb-1", "band-1"), mapping("Product", "prod-api", "product")]
    by = route(mappings=maps, readings=Readings(band_falls_to_product=True))
    assert [line.price_id for line in drafted(bill(BANDED), by).lines] == ["band-1", "product"]


def test_a_band_without_id_has_no_mapping() -> None:
    nameless = line("USAGE", "5", bands=(band("5", "1"),))
    assert drafted(bill(nameless), route()).lines[0].price_id == "other-GBP"


def test_per_product_the_whole_line_takes_the_products_mapping() -> None:
    maps = [mapping("PricingBand", "pb-1", "band-1"), mapping("Product", "prod-api", "product")]
    by = route(mappings=maps, page={"split_usage_line_items": "itemPerProduct"})
    rows = drafted(bill(BANDED), by).lines
    assert [(row.price_id, str(row.expected)) for row in rows] == [("product", "£5.00")]


@pytest.mark.parametrize("kind", ["USAGE", "OVERAGE_USAGE", "USAGE_CREDIT", "AD_HOC"])
def test_mappings_apply_to_usage_only(kind: str) -> None:
    by = route(mappings=[mapping("Product", "prod-api", "product")])
    wanted = "other-GBP" if kind == "AD_HOC" else "product"
    assert drafted(bill(line(kind)), by).lines[0].price_id == wanted


def test_a_line_without_a_product_has_no_mapping() -> None:
    by = route(mappings=[mapping("Product", "", "nobody")])
    assert drafted(bill(line(product_id="")), by).lines[0].price_id == "other-GBP"


@pytest.mark.parametrize(
    ("kind", "price", "what"),
    [
        ("MINIMUM_SPEND", "min", "minimumSpendItemPrice"),
        ("MINIMUM_SPEND_REFUND", "min", "minimumSpendItemPrice"),
        ("STANDING_CHARGE", "standing", "standingChargeItemPrice"),
        ("AD_HOC", "adhoc", "priceIdMapping.AD_HOC"),
        ("DEBIT_MEMO", "other-GBP", "defaultPriceId"),
    ],
)
def test_settings_decide_what_mappings_do_not(kind: str, price: str, what: str) -> None:
    page = {
        "minimum_spend_item_price": "min",
        "standing_charge_item_price": "standing",
        "price_id_mapping": {
            LineItemType.AD_HOC: "adhoc",
            LineItemType.MINIMUM_SPEND: "by-type",
        },
    }
    memo = line(kind, reason_id="")
    by = route(page=page, readings=Readings(dated_types=frozenset()))
    choice = drafted(bill(memo), by).lines[0].trace.price
    assert choice is not None
    assert (choice.chosen.price_id, choice.chosen.what) == (price, what)
    assert str(choice.chosen.origin).startswith(FILE)


def test_live_mappings_of_the_system_are_taken_with_their_place_in_git() -> None:
    def live(name: str, system: str) -> LiveMapping:
        return LiveMapping(MappingId(name), 1, "Product", "p", system, "ItemPrice", name, None)

    where = Origin("prices.csv", 3)
    found = from_live(
        [live("a", "CHARGEBEE"), live("b", "Stripe")], "Chargebee", {MappingId("a"): where}
    )
    assert [(mapping.external_id, mapping.origin) for mapping in found] == [("a", where)]
    assert index(found, None, enforced=False).of("product", "p").unlinked == found
    assert MappingIndex().of("Product", "p").linked == ()
