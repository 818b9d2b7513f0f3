"""The Chargebee page of an Integration: m3ter's settings in its order and its words."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from reconciler.definitions.kinds.envelope import Part
from reconciler.kernel.line_item import LineItemType

# Source: Chargebee OpenAPI 2026-09-24, item_prices.item_price_id: at most 100 characters
PriceId = Annotated[str, StringConstraints(min_length=1, max_length=100)]
# Source: Chargebee docs "Multi-decimal support": up to 20 places each
Places = Annotated[int, Field(ge=0, le=20)]


# Source: m3ter guide "Configuring Chargebee integrations"
class ChargebeePage(Part):
    """The settings of m3ter's Chargebee page."""

    minimum_spend_item_price: PriceId | None = None
    """Charge item price for minimum spend lines."""
    standing_charge_item_price: PriceId | None = None
    """Charge item price for standing charge lines."""
    create_invoice: bool = False
    """True creates an invoice; false waits for the subscription's pending invoice."""
    use_multidecimal: bool = False
    """Send price and units as decimals; the site must have multi-decimal support."""
    multi_decimal_price_decimal_places: Places | None = None
    """Digits of the price, rounded half up; only with `useMultidecimal`."""
    multi_decimal_units_decimal_places: Places | None = None
    """Digits of the units, rounded half up; only with `useMultidecimal`."""
    split_usage_line_items: Literal["itemPerUsageBand", "itemPerProduct"] | None = None
    """One row per usage band, or one per product."""
    default_price_id: PriceId | None = None
    """Price of lines for which nothing else is found."""
    price_id_mapping: dict[LineItemType, PriceId] = {}
    """Line item type -> price id."""
    sort_line_items_by: Literal["none", "subtotal", "aggregationId"] = "none"
    """Order of the lines; none keeps the bill's."""
