"""External mappings, and what may be mapped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import CallHandler, ReceivedCall, RefusedCall, ok, public
from reconciler.emulator.m3ter.http.paging import Predicate, listed_rows, page
from reconciler.emulator.m3ter.http.resources import CONFIGS, CREDENTIALS, MAPPINGS
from reconciler.emulator.m3ter.http.routing import listing, routes
from reconciler.emulator.m3ter.integrations.options import SYSTEMS, system
from reconciler.emulator.store import Store, StoredRow

JsonObject = dict[str, Any]
# Source: m3ter OpenAPI 2026-08-03, ExternalMappingRequest (no control characters, no outer spaces)
_CLEAN = re.compile(r"[^\x00-\x20\x7f]|[^\x00-\x20\x7f][^\x00-\x1f\x7f]*[^\x00-\x20\x7f]")
# Account is in the docs; the other names are guesses.
ENTITIES = (
    "Account",
    "Aggregation",
    "CompoundAggregation",
    "Plan",
    "Pricing",
    "PricingBand",
    "Product",
)
_KEY = ("m3terEntity", "m3terId", "externalSystem", "externalTable", "integrationConfigId")
_OBJECTS = {
    "Subscription": "chargebee/subscriptions",
    "Customer": "chargebee/customers",
    "ItemPrice": "chargebee/item_prices",
}


def create(
    store: Store, body: Mapping[str, Any], *, user: str = entities.SERVICE_USER
) -> JsonObject:
    """Check and store a new mapping; also how scenarios make theirs.

    Raises:
        Refusal: With 400 on a bad field or an unknown configuration.
    """
    _check(store, body, None)
    return entities.create(store, MAPPINGS, body, user=user)


def _create(call: ReceivedCall) -> HttpAnswer:
    return ok(public(create(call.store, call.body(), user=call.user)))


def _update(call: ReceivedCall) -> HttpAnswer:
    key, body = call.params["id"], call.body()
    old = entities.find(call.store, MAPPINGS.kind, key)
    entities.refuse_stale(call.store, old, body.get("version"))
    _check(call.store, body, key)
    return ok(public(entities.update(call, MAPPINGS, key, body)))


def _list(call: ReceivedCall) -> HttpAnswer:
    config = call.query.get("integrationConfigId")
    if config is None:
        return listing(call, MAPPINGS)
    tests = [(MAPPINGS.filters[name], call.values(name)) for name in MAPPINGS.filters]

    def keep(data: JsonObject) -> bool:
        return all(wanted is None or data.get(name) in wanted for name, wanted in tests)

    return _indexed(call, "integrationConfigId", config, keep)


def _by_external(call: ReceivedCall) -> HttpAnswer:
    wanted = {
        "externalSystem": call.params["system"],
        "externalTable": call.params["externalTable"],
    }
    return _indexed(call, "externalId", call.params["externalId"], _equal(wanted))


def _by_m3ter(call: ReceivedCall) -> HttpAnswer:
    return _indexed(
        call, "m3terId", call.params["m3terId"], _equal({"m3terEntity": call.params["entity"]})
    )


def _indexed(call: ReceivedCall, field: str, value: str, keep: Predicate) -> HttpAnswer:
    rows: list[StoredRow] = call.store.table(MAPPINGS.kind).where(field, value)
    return page(call, listed_rows(rows), maximum=MAPPINGS.page_max, keep=keep)


def _equal(wanted: Mapping[str, str]) -> Predicate:
    return lambda data: all(data.get(name) == value for name, value in wanted.items())


def _check(store: Store, body: Mapping[str, Any], key: str | None) -> None:
    entities.checked_fields(MAPPINGS, body)
    for name in MAPPINGS.required:
        if not isinstance(body[name], str) or not _CLEAN.fullmatch(body[name]):
            raise RefusedCall(400, f"{name} must not have control characters or outer spaces")
    linked = body.get("integrationConfigId")
    if not isinstance(linked, str | None):
        raise RefusedCall(400, "integrationConfigId must be a string")
    if linked is not None and store.get(CONFIGS.kind, linked) is None:
        raise RefusedCall(400, f"integrationConfigId {linked} does not exist")
    if store.switches.text("duplicate_mappings") == "reject":
        _refuse_duplicate(store, body, key)


def _refuse_duplicate(store: Store, body: Mapping[str, Any], key: str | None) -> None:
    for mapping in store.where(MAPPINGS.kind, "m3terId", body["m3terId"]):
        if mapping["id"] != key and all(mapping.get(name) == body.get(name) for name in _KEY):
            raise RefusedCall(400, f"the same external mapping exists already: {mapping['id']}")


def _configuration(_: ReceivedCall) -> HttpAnswer:
    # Source: m3ter OpenAPI 2026-08-03, ExternalMappingConfigurationResponse
    return ok(
        {
            "m3terEntities": list(ENTITIES),
            "externalSystems": [
                {
                    "name": candidate.name,
                    "tables": list(candidate.tables),
                    "allowCustomExternalTables": candidate.name != "Chargebee",
                }
                for candidate in SYSTEMS
                if candidate.tables
            ],
        }
    )


def _choices(call: ReceivedCall) -> HttpAnswer:
    """What exists in the external system; empty as long as no credential is there to ask with."""
    found = system(call.params["destination"])
    if found is None:
        raise RefusedCall(404, f"destination {call.params['destination']} not found")
    key = call.params.get("integrationCredentialsId")
    for credential in call.store.all(CREDENTIALS.kind):
        if credential["destination"] == found.api_name and key in (None, credential["id"]):
            table = call.query.get("externalTable", found.tables[0])
            return ok(_external_objects(call, table) if found.name == "Chargebee" else [])
    return ok([])


def _external_objects(call: ReceivedCall, table: str) -> list[JsonObject]:
    kind = _OBJECTS.get(table)
    found = call.store.all(kind) if kind else ()
    return [
        {"externalId": record["id"], "externalName": record.get("name", record["id"])}
        for record in found
    ]


_VALUES = "/externalmappingconfiguration/values/{destination}/{entityType}"
ROUTES: list[tuple[str, str, CallHandler]] = [
    ("GET", "/externalmappings", _list),
    ("POST", "/externalmappings", _create),
    ("PUT", "/externalmappings/{id}", _update),
    *routes(MAPPINGS, methods="RD"),
    ("GET", "/externalmappings/externalid/{system}/{externalTable}/{externalId}", _by_external),
    ("GET", "/externalmappings/external/{entity}/{m3terId}", _by_m3ter),
    ("GET", "/externalmappingconfiguration", _configuration),
    ("GET", _VALUES, _choices),
    ("GET", _VALUES + "/{integrationCredentialsId}", _choices),
]
