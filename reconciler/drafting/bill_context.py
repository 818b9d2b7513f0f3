"""What every line of one bill is drafted with: currency, time zone, period, rules for figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from reconciler.drafting.draft import BlockCode, BlockReason, Period
from reconciler.drafting.periods import bill_period, zone_of
from reconciler.drafting.quantities import ShapeRules
from reconciler.drafting.route import DraftingRules
from reconciler.kernel.money import Currency, UnknownCurrencyError
from reconciler.m3ter.bill import Bill


@dataclass(frozen=True, slots=True)
class BillContext:
    """A bill, its route, and what follows from the two for every line."""

    bill: Bill
    route: DraftingRules
    currency: Currency
    zone: tzinfo
    period: Period
    rules: ShapeRules


def context_of(
    bill: Bill, route: DraftingRules
) -> tuple[BillContext | None, tuple[BlockReason, ...]]:
    """Build the frame of a bill; without currency or time zone there is none."""
    places, reasons = _places(route)
    zone = zone_of(bill.time_zone)
    if zone is None:
        text = f"the bill's time zone {bill.time_zone!r} is not known"
        reasons += (BlockReason(BlockCode.TIME_ZONE, text, "correct it in m3ter"),)
    try:
        currency = route.readings.currencies.currency(bill.currency)
    except UnknownCurrencyError as error:
        return None, (*reasons, BlockReason(BlockCode.CURRENCY, str(error), "correct it in m3ter"))
    if zone is None:
        return None, reasons
    rules = ShapeRules(currency, route.policy.rounding, places, route.readings.whole_units)
    period = bill_period(bill, zone, route.readings)
    return BillContext(bill, route, currency, zone, period, rules), reasons


def _places(route: DraftingRules) -> tuple[tuple[int, int] | None, tuple[BlockReason, ...]]:
    page = route.page
    price = page.multi_decimal_price_decimal_places
    units = page.multi_decimal_units_decimal_places
    if not page.use_multidecimal:
        return None, ()
    if price is not None and units is not None:
        return (price, units), ()
    reason = BlockReason(
        BlockCode.DECIMAL_PLACES,
        "useMultidecimal is on, but the decimal places of price or units are not set",
        "set multiDecimalPriceDecimalPlaces and multiDecimalUnitsDecimalPlaces",
        origin=route.defined.at("chargebee", "useMultidecimal"),
    )
    return None, (reason,)
