"""Plans and pricings, which carry more than they are given, and account searches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import CallHandler, ReceivedCall, RefusedCall, ok, public
from reconciler.emulator.m3ter.http.paging import listed_rows, page
from reconciler.emulator.m3ter.http.resources import ACCOUNTS, PLAN_TEMPLATES, PLANS, PRICINGS
from reconciler.emulator.m3ter.http.routing import listing, routes
from reconciler.emulator.m3ter.http.search import search
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


def _search_accounts(call: ReceivedCall) -> HttpAnswer:
    return search(call, ACCOUNTS.kind, _SEARCHABLE)


def _children(call: ReceivedCall) -> HttpAnswer:
    entities.find(call.store, ACCOUNTS.kind, call.params["id"])
    rows = call.store.table(ACCOUNTS.kind).where("parentAccountId", call.params["id"])
    return page(call, listed_rows(rows), maximum=200)


def plan_extra(store: Store, body: Mapping[str, Any]) -> JsonObject:
    """The product of a plan: that of its template.

    Raises:
        Refusal: With 400 if there is no such template.
    """
    template = store.get(PLAN_TEMPLATES.kind, str(body.get("planTemplateId")))
    if template is None:
        raise RefusedCall(400, f"planTemplateId {body.get('planTemplateId')} does not exist")
    return {"productId": template["productId"]}


def pricing_extra(
    store: Store, body: Mapping[str, Any], old: Mapping[str, Any] | None = None
) -> JsonObject:
    """Bands with ids (a band that names an id of the old pricing keeps it) and the kind.

    Raises:
        Refusal: With 400 if there are no bands, or bands without their three numbers.
    """
    _check_bands(body)
    names = [name for name in ("pricingBands", "overagePricingBands") if body.get(name)]
    known = {band["id"] for name in names for band in (old or {}).get(name, ())}
    extra: JsonObject = {
        name: [
            band if band.get("id") in known else {**band, "id": store.new_id()}
            for band in body[name]
        ]
        for name in names
    }
    compound = body.get("compoundAggregationId") is not None
    return extra | {"aggregationType": "COMPOUND" if compound else "SIMPLE"}


def _check_bands(body: Mapping[str, Any]) -> None:
    if not body.get("pricingBands"):
        raise RefusedCall(400, "pricingBands must not be null or empty")
    for name in ("pricingBands", "overagePricingBands"):
        bands = body.get(name) or []
        if not isinstance(bands, list) or not all(isinstance(band, dict) for band in bands):
            raise RefusedCall(400, f"{name} must be a list of bands")
        for band in bands:
            for part in ("lowerLimit", "fixedPrice", "unitPrice"):
                if band.get(part) is None:
                    raise RefusedCall(400, f"{name}.{part} must not be null or empty")


def _create_plan(call: ReceivedCall) -> HttpAnswer:
    body = call.body()
    extra = plan_extra(call.store, entities.checked_fields(PLANS, body))
    return ok(public(entities.create(call.store, PLANS, body, user=call.user, extra=extra)))


def _update_plan(call: ReceivedCall) -> HttpAnswer:
    body = call.body()
    extra = plan_extra(call.store, entities.checked_fields(PLANS, body))
    return ok(public(entities.update(call, PLANS, call.params["id"], body, extra=extra)))


def _list_pricings(call: ReceivedCall) -> HttpAnswer:
    date = call.query.get("date")
    if date is None:
        return listing(call, PRICINGS)
    return listing(
        call, PRICINGS, lambda pricing: pricing["startDate"] <= date < pricing.get("endDate", "~")
    )


def _create_pricing(call: ReceivedCall) -> HttpAnswer:
    body = call.body()
    extra = pricing_extra(call.store, body)
    return ok(public(entities.create(call.store, PRICINGS, body, user=call.user, extra=extra)))


def _update_pricing(call: ReceivedCall) -> HttpAnswer:
    body, key = call.body(), call.params["id"]
    old = entities.find(call.store, PRICINGS.kind, key)
    extra = pricing_extra(call.store, body, old)
    return ok(public(entities.update(call, PRICINGS, key, body, extra=extra)))


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
