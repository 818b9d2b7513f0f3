"""Which price id a part of a bill gets, which rule chose it, and what was not used.

Order: external mapping (linked to this integration, then unlinked), the dedicated setting of the
type, ``priceIdMapping`` by type, ``defaultPriceId``. The order between the first and the others is
inferred; m3ter documents only that the default comes last.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.drafting.bill_parts import BillPart
from reconciler.drafting.draft import (
    BlockCode,
    BlockReason,
    LineSource,
    PriceChoice,
    PriceRule,
    PriceSource,
)
from reconciler.drafting.route import DraftingRules, KnownMapping
from reconciler.kernel.line_item import LineItemType

_MINIMUM = frozenset({LineItemType.MINIMUM_SPEND, LineItemType.MINIMUM_SPEND_REFUND})


def choose_price(part: BillPart, route: DraftingRules) -> PriceChoice | BlockReason:
    """Choose the price id of a part, or say why there is none."""
    offers: list[PriceSource] = []
    for level in _levels(part, route):
        if len({source.price_id for source in level}) > 1 and not offers:
            return _ambiguous(part.source, level)
        offers.extend(level)
    offers.extend(_settings(part.line.type, route))
    if not offers:
        return _nothing(part.source)
    choice = PriceChoice(offers[0], tuple(offers[1:]))
    if choice.fallback and route.fallback == "forbid":
        return _forbidden(part.source, choice)
    return choice


def _levels(part: BillPart, route: DraftingRules) -> Iterator[list[PriceSource]]:
    if part.line.type not in route.readings.mapped_types:
        return
    for entity, identity, what in _objects(part, route):
        candidates = route.mappings.of(entity, identity)
        yield _level(candidates.linked, PriceRule.LINKED_MAPPING, what)
        yield _level(candidates.unlinked, PriceRule.UNLINKED_MAPPING, what)


def _objects(part: BillPart, route: DraftingRules) -> Iterator[tuple[str, str, str]]:
    """Name the m3ter objects whose mappings count: entity, id and words for people."""
    readings, line = route.readings, part.line
    if part.band is not None:
        if part.band.id:
            yield readings.band_entity, part.band.id, f"mapping of pricing band {part.band.id}"
        if not readings.band_falls_to_product:
            return
    if line.product_id:
        name = line.product_code or line.product_id
        yield readings.product_entity, line.product_id, f"mapping of product {name}"


def _level(mappings: tuple[KnownMapping, ...], rule: PriceRule, what: str) -> list[PriceSource]:
    by_id = {mapping.external_id: mapping for mapping in reversed(mappings)}
    return [PriceSource(rule, key, what, by_id[key].origin) for key in sorted(by_id)]


def _settings(kind: str, route: DraftingRules) -> Iterator[PriceSource]:
    page, defined = route.page, route.defined
    if kind in _MINIMUM and page.minimum_spend_item_price:
        origin = defined.at("chargebee", "minimumSpendItemPrice")
        rule = PriceRule.MINIMUM_SPEND
        yield PriceSource(rule, page.minimum_spend_item_price, str(rule), origin)
    if kind == LineItemType.STANDING_CHARGE and page.standing_charge_item_price:
        origin = defined.at("chargebee", "standingChargeItemPrice")
        rule = PriceRule.STANDING_CHARGE
        yield PriceSource(rule, page.standing_charge_item_price, str(rule), origin)
    if price := page.price_id_mapping.get(LineItemType(kind)):
        origin = defined.at("chargebee", "priceIdMapping", kind)
        rule = PriceRule.TYPE_MAPPING
        yield PriceSource(rule, price, f"{rule}.{kind}", origin)
    if page.default_price_id:
        origin = defined.at("chargebee", "defaultPriceId")
        rule = PriceRule.DEFAULT
        yield PriceSource(rule, page.default_price_id, str(rule), origin)


def _ambiguous(source: LineSource, level: list[PriceSource]) -> BlockReason:
    ids = " and ".join(
        f"{candidate.price_id} ({candidate.origin or 'only in m3ter'})" for candidate in level
    )
    text = f"{source} has several mappings of one level ({level[0].what}): {ids}"
    return BlockReason(
        BlockCode.AMBIGUOUS_MAPPING, text, "keep one of them", source, level[0].origin
    )


def _nothing(source: LineSource) -> BlockReason:
    return BlockReason(
        BlockCode.PRICE,
        f"{source} finds no price: no mapping, no setting for its type, no default price",
        f"map it, add {source.type} to priceIdMapping, or set defaultPriceId",
        source,
    )


def _forbidden(source: LineSource, choice: PriceChoice) -> BlockReason:
    price = choice.chosen
    return BlockReason(
        BlockCode.FALLBACK,
        f"{source} falls to the default price {price.price_id}, and this environment forbids it",
        f"map it, or add {source.type} to priceIdMapping",
        source,
        price.origin,
    )
