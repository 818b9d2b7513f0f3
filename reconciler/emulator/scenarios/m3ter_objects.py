"""How scenarios make m3ter's objects: short forms of what its API would be sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.emulator.m3ter import catalogue
from reconciler.emulator.m3ter.http import entities, resources
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]


def account(
    store: Store, code: str, name: str, country: str, currency: str, **custom: str
) -> JsonObject:
    """An account with ``address.country`` and ``customFields.country``."""
    body = {
        "name": name,
        "code": code,
        "emailAddress": f"billing@{code}.example",
        "address": {"addressLine1": "1 High Street", "country": country},
        "currency": currency,
        "daysBeforeBillDue": 30,
        "customFields": {"country": country, **custom},
    }
    return entities.create(store, resources.ACCOUNTS, body, quiet=True)


def user(store: Store, email: str, first: str, last: str, organisation: str) -> JsonObject:
    """A person who may use the Console."""
    body = {
        "email": email,
        "firstName": first,
        "lastName": last,
        "organizations": [organisation],
        "supportUser": False,
    }
    return entities.create(store, resources.USERS, body, quiet=True)


def credential(store: Store, name: str, kind: str, destination: str) -> JsonObject:
    """An integration credential; its secret does not exist here at all."""
    body = {"name": name, "type": kind, "destination": destination}
    return entities.create(store, resources.CREDENTIALS, body, quiet=True)


@dataclass(frozen=True, slots=True)
class Metered:
    """A product that is billed by usage, with everything between meter and price.

    Attributes:
        product: The product.
        aggregation: What is counted.
        plan: One plan per currency.
        pricing: One pricing per currency; its bands have ids.
    """

    product: JsonObject
    meter: JsonObject
    aggregation: JsonObject
    plan: Mapping[str, JsonObject]
    pricing: Mapping[str, JsonObject]


def metered(
    store: Store,
    code: str,
    name: str,
    unit: str,
    bands: Mapping[str, Iterable[tuple[str, str, str]]],
) -> Metered:
    """A metered product.

    Args:
        store: Where to put it.
        code: Of the product; the other codes begin with it.
        name: Of the product.
        unit: What is counted.
        bands: Currency -> bands of (lower limit, fixed price, unit price).
    """
    product = entities.create(store, resources.PRODUCTS, {"name": name, "code": code}, quiet=True)
    meter = entities.create(store, resources.METERS, _meter(code, name, unit, product), quiet=True)
    aggregation = entities.create(
        store, resources.AGGREGATIONS, _aggregation(code, name, unit, meter), quiet=True
    )
    plans: dict[str, JsonObject] = {}
    pricings: dict[str, JsonObject] = {}
    for currency, rows in bands.items():
        plans[currency] = _plan(store, f"{code}-{currency.lower()}", name, currency, product)
        pricings[currency] = _pricing(store, plans[currency], aggregation, rows)
    return Metered(product, meter, aggregation, plans, pricings)


def _meter(code: str, name: str, unit: str, product: JsonObject) -> JsonObject:
    fields = [{"category": "MEASURE", "code": "amount", "name": "Amount", "unit": unit}]
    return {
        "name": name,
        "code": f"{code}-meter".replace("-", "_"),
        "productId": product["id"],
        "dataFields": fields,
        "derivedFields": [],
    }


def _aggregation(code: str, name: str, unit: str, meter: JsonObject) -> JsonObject:
    return {
        "name": name,
        "code": f"{code}-sum".replace("-", "_"),
        "rounding": "NONE",
        "quantityPerUnit": 1,
        "unit": unit,
        "meterId": meter["id"],
        "targetField": "amount",
        "aggregation": "SUM",
    }


def _plan(store: Store, code: str, name: str, currency: str, product: JsonObject) -> JsonObject:
    template = entities.create(
        store,
        resources.PLAN_TEMPLATES,
        {
            "productId": product["id"],
            "name": f"{name} {currency}",
            "code": f"{code}-template",
            "currency": currency,
            "standingCharge": 0,
            "billFrequency": "MONTHLY",
        },
        quiet=True,
    )
    body = {"planTemplateId": template["id"], "name": f"{name} {currency}", "code": code}
    extra = catalogue.plan_extra(store, body)
    return entities.create(store, resources.PLANS, body, quiet=True, extra=extra)


def _pricing(
    store: Store,
    plan: JsonObject,
    aggregation: JsonObject,
    rows: Iterable[tuple[str, str, str]],
) -> JsonObject:
    bands = [
        {"lowerLimit": Decimal(low), "fixedPrice": Decimal(fixed), "unitPrice": Decimal(price)}
        for low, fixed, price in rows
    ]
    body = {
        "planId": plan["id"],
        "aggregationId": aggregation["id"],
        "startDate": "2026-01-01T00:00:00Z",
        "pricingBands": bands,
    }
    extra = catalogue.pricing_extra(store, body)
    return entities.create(store, resources.PRICINGS, body, quiet=True, extra=extra)
