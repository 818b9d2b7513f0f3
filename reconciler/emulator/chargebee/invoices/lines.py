"""Invoice lines from parameters: charge items at their prices, and ad-hoc charges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.emulator.chargebee.money import EXACT, cut, decimals, fixed_point, nearest
from reconciler.emulator.chargebee.objects.pricing import ONE, ZERO, Tier, cost, reached, used
from reconciler.emulator.chargebee.parameters.parameters import IndexedRow
from reconciler.emulator.chargebee.parameters.refusals import (
    invalid,
    not_configured,
    not_found,
    wrong_value,
)
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject

# Source: Chargebee invoices API: unit_price applies to flat_fee and per_unit prices only.
_UNIT_PRICED = frozenset({"flat_fee", "per_unit"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line's parameters stand on the wire.

    Attributes:
        name: Name of the object or array; empty at the top level.
        index: Index in an array.
    """

    name: str = ""
    index: int | None = None

    def of(self, field: str) -> str:
        """The wire name of a field, e.g. ``item_prices[quantity][1]``."""
        if not self.name:
            return field
        inner = f"{self.name}[{field}]"
        return inner if self.index is None else f"{inner}[{self.index}]"


@dataclass(frozen=True, slots=True)
class Priced:
    """A line and how it came about.

    Attributes:
        line: The line item.
        tiers: Its ``line_item_tiers``.
    """

    line: JsonObject
    tiers: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True)
class LineMaker:
    """Makes the lines of one invoice.

    Attributes:
        site: Where the prices are.
        currency: The invoice's currency.
        customer_id: Whose lines they are.
        subscription_id: The subscription they belong to, if any.
    """

    site: EmulatedSite
    currency: str
    customer_id: str
    subscription_id: str | None

    def item(
        self, values: Mapping[str, Any], place: Place, tier_rows: Sequence[IndexedRow] = ()
    ) -> Priced:
        """The line of one charge item.

        Raises:
            RefusalError: The price is unknown, no charge, archived, of another currency, or the
                parameters do not fit its pricing model or the site.
        """
        price = self._price(values, place)
        quantity = self._quantity(values, place, price)
        unit_price = self._unit_price(values, place, price)
        tiers = self._tiers(price, tier_rows)
        billable = max(ZERO, EXACT.subtract(quantity, _free(price)))
        exact = cost(price["pricing_model"], billable, unit_price, tiers)
        unit = _unit(price["pricing_model"], billable, unit_price, tiers, exact)
        line = self._line(exact, unit, quantity, values, place)
        line |= {
            "pricing_model": price["pricing_model"],
            "description": values.get("description") or price.get("external_name") or price["name"],
            "entity_type": f"{price['item_type']}_item_price",
            "entity_id": price["id"],
        }
        return Priced(line, self._line_tiers(line, price, billable, tiers))

    def adhoc(self, values: Mapping[str, Any], place: Place) -> Priced:
        """The line of one ad-hoc charge.

        Raises:
            RefusalError: It has no amount, or one that the site does not take.
        """
        amount = self._either(values, place, "amount", "amount_in_decimal", "price_decimals")
        if amount is None:
            raise wrong_value(place.of("amount"), "cannot be blank")
        line = self._line(amount, amount, ONE, values, place)
        line |= {
            "pricing_model": "flat_fee",
            "description": values.get("description"),
            "entity_type": "adhoc",
            "entity_id": None,
        }
        return Priced(line)

    def catalogue(self, price: JsonObject, quantity: int, start: int, end: int) -> JsonObject:
        """The line of a subscription item for one term."""
        amount = Decimal(price["_price"]) * quantity
        dates = {"date_from": start, "date_to": end}
        line = self._line(amount, Decimal(price["_price"]), Decimal(quantity), dates, Place())
        return line | {
            "pricing_model": price["pricing_model"],
            "description": price.get("external_name") or price["name"],
            "entity_type": f"{price['item_type']}_item_price",
            "entity_id": price["id"],
        }

    def _price(self, values: Mapping[str, Any], place: Place) -> JsonObject:
        param = place.of("item_price_id")
        price = self.site.need("item_price", values["item_price_id"], param)
        if price["item_type"] != "charge":
            raise invalid(f"The item price {price['id']} is not of type charge.", param)
        if price["status"] == "deleted":
            raise not_found("item_price", price["id"], param)
        archived = price["status"] == "archived"
        if archived and self.site.switches.text("archived_price") == "refuse":
            raise invalid(f"The item price {price['id']} is archived.", param)
        if price["currency_code"] != self.currency:
            reason = f"{self.currency} is not the currency of the item price {price['id']}"
            raise wrong_value("currency_code", reason)
        return price

    def _quantity(self, values: Mapping[str, Any], place: Place, price: JsonObject) -> Decimal:
        found = self._either(
            values, place, "quantity", "quantity_in_decimal", "quantity_decimals", money=False
        )
        if found is None:
            return ONE
        if price["pricing_model"] == "flat_fee":
            if self.site.switches.text("flat_fee_quantity") == "refuse":
                raise wrong_value(place.of("quantity"), "is not applicable to a flat fee")
            return ONE
        if not found and self.site.switches.text("zero_quantity") == "refuse":
            raise wrong_value(place.of("quantity_in_decimal"), "must be greater than 0")
        return found

    def _unit_price(self, values: Mapping[str, Any], place: Place, price: JsonObject) -> Decimal:
        given = self._either(values, place, "unit_price", "unit_price_in_decimal", "price_decimals")
        if given is None:
            return Decimal(price.get("_price", "0"))
        if price["pricing_model"] not in _UNIT_PRICED:
            name = "unit_price" if "unit_price" in values else "unit_price_in_decimal"
            reason = f"is not applicable to the pricing model {price['pricing_model']}"
            raise wrong_value(place.of(name), reason)
        return given

    def _either(
        self,
        values: Mapping[str, Any],
        place: Place,
        whole: str,
        decimal: str,
        limit: str,
        *,
        money: bool = True,
    ) -> Decimal | None:
        """The value of a parameter that has an integer and a decimal form."""
        if decimal not in values:
            number = values.get(whole)
            if number is None:
                return None
            return self.site.money.to_major(number, self.currency) if money else Decimal(number)
        if not self.site.switches.on("multidecimal"):
            raise not_configured("Multi-decimal is not enabled for this site.", place.of(decimal))
        if whole in values and self.site.switches.text("both_forms") == "refuse":
            raise wrong_value(place.of(decimal), f"cannot be given together with {whole}")
        places = self.site.switches.number(limit)
        found: Decimal = values[decimal]
        if decimals(found) > places and self.site.switches.text("excess_decimals") == "refuse":
            raise wrong_value(place.of(decimal), f"must have at most {places} decimal places")
        return cut(found, places)

    def _tiers(self, price: JsonObject, rows: Sequence[IndexedRow]) -> list[Tier]:
        own = [row for row in rows if row.values.get("item_price_id", price["id"]) == price["id"]]
        given = [row.values for row in own] or price.get("tiers", [])
        return [tier_of(self.site, tier, self.currency) for tier in given]

    def _line(
        self,
        exact: Decimal,
        unit: Decimal,
        quantity: Decimal,
        values: Mapping[str, Any],
        place: Place,
    ) -> JsonObject:
        now = self.site.now()
        start = values.get("date_from", values.get("date_to", now))
        end = values.get("date_to", start)
        if end < start:
            raise wrong_value(place.of("date_to"), "must not be before date_from")
        under = values.get("entity_description")
        longest = self.site.switches.number("entity_description_length")
        if under is not None and len(under) > longest:
            raise wrong_value(
                place.of("entity_description"), f"must be at most {longest} characters"
            )
        amount = self.site.money.to_minor(exact, self.currency)
        line: JsonObject = {
            "id": self.site.new_id("li_"),
            "date_from": start,
            "date_to": end,
            "unit_amount": self.site.money.to_minor(unit, self.currency),
            "quantity": nearest(quantity),
            "amount": amount,
            "is_taxed": False,
            "tax_amount": 0,
            "tax_exempt_reason": "tax_not_configured",
            "discount_amount": 0,
            "item_level_discount_amount": 0,
            "metered": False,
            "object": "line_item",
            "subscription_id": self.subscription_id,
            "customer_id": self.customer_id,
            "entity_description": under,
        }
        if self.site.switches.on("multidecimal"):
            rounded = self.site.money.to_major(amount, self.currency)
            shown = exact if self.site.switches.text("amount_in_decimal") == "exact" else rounded
            line["unit_amount_in_decimal"] = fixed_point(unit)
            line["quantity_in_decimal"] = fixed_point(quantity)
            line["amount_in_decimal"] = fixed_point(shown)
        return line

    def _line_tiers(
        self, line: JsonObject, price: JsonObject, quantity: Decimal, tiers: Sequence[Tier]
    ) -> tuple[JsonObject, ...]:
        if price["pricing_model"] in _UNIT_PRICED:
            return ()
        tier = reached(quantity, tiers)
        whole = [(tier, quantity)] if tier else []
        steps = used(quantity, tiers) if price["pricing_model"] == "tiered" else whole
        return tuple(
            {
                "line_item_id": line["id"],
                "starting_unit": int(step.start),
                "ending_unit": None if step.end is None else int(step.end),
                "quantity_used": nearest(units),
                "unit_amount": self.site.money.to_minor(step.price, self.currency),
                "object": "line_item_tier",
            }
            for step, units in steps
        )


def tier_of(site: EmulatedSite, values: Mapping[str, Any], currency: str) -> Tier:
    """A tier from a catalogue price or from parameters."""
    end = values.get("ending_unit_in_decimal", values.get("ending_unit"))
    whole = site.money.to_major(values.get("price", 0), currency)
    price: str | Decimal = values.get("price_in_decimal", whole)
    return Tier(
        Decimal(values.get("starting_unit_in_decimal", values.get("starting_unit", 1))),
        None if end is None else Decimal(end),
        Decimal(price),
        values.get("pricing_type", "per_unit"),
        values.get("package_size", 1),
    )


def _free(price: JsonObject) -> Decimal:
    free: str | int = price.get("free_quantity_in_decimal") or price.get("free_quantity", 0)
    return Decimal(free)


def _unit(
    model: str, quantity: Decimal, unit_price: Decimal, tiers: Sequence[Tier], exact: Decimal
) -> Decimal:
    """The price per unit that a line shows; an average where the tiers differ."""
    if model in _UNIT_PRICED:
        return unit_price
    tier = reached(quantity, tiers)
    if model != "tiered" and tier is not None:
        return tier.price
    return cut(exact / quantity, 6) if quantity else ZERO
