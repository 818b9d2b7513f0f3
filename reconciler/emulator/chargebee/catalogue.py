"""Item families, items and item prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.emulator.chargebee.invoices.lines import Place
from reconciler.emulator.chargebee.money import fixed_point
from reconciler.emulator.chargebee.parameters.facts_catalogue import (
    CREATE_ITEM,
    CREATE_ITEM_FAMILY,
    CREATE_ITEM_PRICE,
    UPDATE_ITEM_PRICE,
)
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.parameters import IndexedRow
from reconciler.emulator.chargebee.parameters.refusals import (
    duplicate,
    not_configured,
    wrong_state,
    wrong_value,
)
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject, public

_FLAT = frozenset({"flat_fee", "per_unit"})


def create_family(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Create an item family."""
    values = site.reading().read(CREATE_ITEM_FAMILY, form)
    _refuse_taken(site, "item_family", values["id"])
    family = site.put("item_family", {**values, "status": "active", "deleted": False})
    return {"item_family": public(family)}


def create_item(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Create an item."""
    values = site.reading().read(CREATE_ITEM, form)
    _refuse_taken(site, "item", values["id"])
    site.need("item_family", values["item_family_id"], "item_family_id")
    if values.get("metered") and values["type"] == "charge":
        raise wrong_value("metered", "is not applicable to charges")
    item = site.put(
        "item",
        {
            "status": "active",
            "metered": False,
            "is_shippable": False,
            "is_giftable": False,
            "enabled_for_checkout": True,
            "enabled_in_portal": True,
            "item_applicability": "all",
            "deleted": False,
            **values,
        },
    )
    site.raise_event("item_created", {"item": item})
    return {"item": public(item)}


def create_price(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Create an item price: one per item and currency is the usual thing."""
    values = site.reading().read(CREATE_ITEM_PRICE, form)
    _refuse_taken(site, "item_price", values["id"])
    item = site.need("item", values["item_id"], "item_id")
    price = {
        "status": "active",
        "pricing_model": "flat_fee",
        "is_taxable": True,
        "currency_code": site.base_currency,
        "item_type": item["type"],
        "item_family_id": item["item_family_id"],
        "created_at": site.now(),
        "archivable": True,
        "deleted": False,
    }
    stored = site.put("item_price", _checked_price(site, price | values, values))
    site.raise_event("item_price_created", {"item_price": stored})
    return {"item_price": public(stored)}


def update_price(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Change an item price; its currency is fixed once lines use it."""
    values = site.reading().read(UPDATE_ITEM_PRICE, form)
    price = site.need("item_price", key)
    if price["status"] == "deleted":
        raise wrong_state(f"The item price {key} is deleted.")
    changed = price | values
    if values.get("status") == "archived":
        changed["archived_at"] = site.now()
    stored = site.put("item_price", _checked_price(site, changed, values))
    site.raise_event("item_price_updated", {"item_price": stored})
    return {"item_price": public(stored)}


def delete_price(site: EmulatedSite, _: Tree, key: str) -> JsonObject:
    """Delete an item price; lines that used it keep their reference."""
    price = site.need("item_price", key)
    stored = site.put("item_price", price | {"status": "deleted", "deleted": True})
    site.raise_event("item_price_deleted", {"item_price": stored})
    return {"item_price": public(stored)}


def _checked_price(site: EmulatedSite, price: JsonObject, given: Mapping[str, Any]) -> JsonObject:
    """The price with its amount in one exact form, and nothing that its model does not know."""
    for name in ("price_in_decimal", "free_quantity_in_decimal"):
        if name in given and not site.switches.on("multidecimal"):
            raise not_configured("Multi-decimal is not enabled for this site.", name)
    if price["item_type"] != "charge" and not (price.get("period") and price.get("period_unit")):
        raise wrong_value("period", "cannot be blank for plans and addons")
    if price["pricing_model"] in _FLAT:
        return price | _amount(site, price, given)
    if "price" in given or "price_in_decimal" in given:
        raise wrong_value("price", f"is not applicable to {price['pricing_model']}")
    tiers = _tiers(given.get("tiers", ())) if "tiers" in given else price.get("tiers", [])
    if not tiers:
        raise wrong_value("tiers", "cannot be blank for this pricing model")
    return price | {"tiers": tiers}


def _amount(site: EmulatedSite, price: JsonObject, given: Mapping[str, Any]) -> JsonObject:
    currency = price["currency_code"]
    if "price_in_decimal" in given:
        exact = given["price_in_decimal"]
    elif "price" in given:
        exact = site.money.to_major(given["price"], currency)
    elif "_price" in price:
        return {}
    else:
        raise wrong_value("price", "cannot be blank")
    text = fixed_point(exact)
    shown = {"price": site.money.to_minor(exact, currency), "_price": text}
    return shown | ({"price_in_decimal": text} if site.switches.on("multidecimal") else {})


def _tiers(rows: Sequence[IndexedRow]) -> list[JsonObject]:
    tiers: list[JsonObject] = []
    for row in rows:
        place = Place("tiers", row.index)
        if "starting_unit" not in row.values and "starting_unit_in_decimal" not in row.values:
            raise wrong_value(place.of("starting_unit"), "cannot be blank")
        tiers.append({name: _plain(value) for name, value in row.values.items()})
    return tiers


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str) else fixed_point(value)


def _refuse_taken(site: EmulatedSite, kind: str, key: str) -> None:
    if site.get(kind, key) is not None:
        raise duplicate("id", key)
