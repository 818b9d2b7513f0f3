"""Plans and pricings, which carry more than they are given, and account searches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.exchange import Answer
from reconciler.emulator.m3ter import entities
from reconciler.emulator.m3ter.call import Call, CallHandler, Refusal, ok, public
from reconciler.emulator.m3ter.paging import listed_rows, page
from reconciler.emulator.m3ter.plain import listing, routes
from reconciler.emulator.m3ter.resources import ACCOUNTS, PLAN_TEMPLATES, PLANS, PRICINGS
from reconciler.emulator.m3ter.search import search
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
# Source: m3ter OpenAPI 2026-08-03, SearchAccounts
_SEARCHABLE = (
    "name",
    "code",
    "currency",
    "purchaseOrderNumber",
    "parentAccountId",
    "id",
    "createdBy",
    "dtCreated",
    "lastModifiedBy",
)


def _search_accounts(call: Call) -> Answer:
    return search(call, ACCOUNTS.kind, _SEARCHABLE)


def _children(call: Call) -> Answer:
    entities.find(call.store, ACCOUNTS.kind, call.params["id"])
    rows = call.store.table(ACCOUNTS.kind).where("parentAccountId", call.params["id"])
    return page(call, listed_rows(rows), maximum=200)


def finish_plan(store: Store, plan: JsonObject) -> JsonObject:
    """Give a plan the product of its template.

    Raises:
        Refusal: With 400 if there is no such template.
    """
    template = store.get(PLAN_TEMPLATES.kind, plan["planTemplateId"])
    if template is None:
        raise Refusal(400, f"planTemplateId {plan['planTemplateId']} does not exist")
    finished = plan | {"productId": template["productId"]}
    store.put(PLANS.kind, finished)
    return finished


def finish_pricing(
    store: Store, pricing: JsonObject, old: Mapping[str, Any] | None = None
) -> JsonObject:
    """Give a pricing's bands ids; a band that names an id of the old pricing keeps it."""
    known = {
        band["id"]
        for name in ("pricingBands", "overagePricingBands")
        for band in (old or {}).get(name, ())
    }
    finished = dict(pricing)
    for name in ("pricingBands", "overagePricingBands"):
        if name in pricing:
            finished[name] = [
                band if band.get("id") in known else {**band, "id": store.new_id()}
                for band in pricing[name]
            ]
    compound = "compoundAggregationId" in pricing
    finished["aggregationType"] = "COMPOUND" if compound else "SIMPLE"
    store.put(PRICINGS.kind, finished)
    return finished


def check_pricing(body: Mapping[str, Any]) -> None:
    """Refuse a pricing without bands, or bands without their three numbers.

    Raises:
        Refusal: With 400.
    """
    bands = body.get("pricingBands")
    if not isinstance(bands, list) or not bands:
        raise Refusal(400, "pricingBands must not be null or empty")
    for band in bands:
        for name in ("lowerLimit", "fixedPrice", "unitPrice"):
            if not isinstance(band, dict) or band.get(name) is None:
                raise Refusal(400, f"pricingBands.{name} must not be null or empty")


def _create_plan(call: Call) -> Answer:
    made = entities.create(call.store, PLANS, call.body(), user=call.user)
    return ok(public(finish_plan(call.store, made)))


def _update_plan(call: Call) -> Answer:
    made = entities.update(call, PLANS, call.params["id"], call.body())
    return ok(public(finish_plan(call.store, made)))


def _list_pricings(call: Call) -> Answer:
    date = call.query.get("date")
    if date is None:
        return listing(call, PRICINGS)
    return listing(call, PRICINGS, lambda one: one["startDate"] <= date < one.get("endDate", "~"))


def _create_pricing(call: Call) -> Answer:
    body = call.body()
    check_pricing(body)
    made = entities.create(call.store, PRICINGS, body, user=call.user)
    return ok(public(finish_pricing(call.store, made)))


def _update_pricing(call: Call) -> Answer:
    body, key = call.body(), call.params["id"]
    old = entities.find(call.store, PRICINGS.kind, key)
    check_pricing(body)
    made = entities.update(call, PRICINGS, key, body)
    return ok(public(finish_pricing(call.store, made, old)))


ROUTES: list[tuple[str, str, CallHandler]] = [
    ("GET", "/accounts/search", _search_accounts),
    ("GET", "/accounts/{id}/children", _children),
    *routes(PLANS, methods="LRD"),
    ("POST", "/plans", _create_plan),
    ("PUT", "/plans/{id}", _update_plan),
    ("GET", "/pricings", _list_pricings),
    *routes(PRICINGS, methods="RD"),
    ("POST", "/pricings", _create_pricing),
    ("PUT", "/pricings/{id}", _update_pricing),
]
