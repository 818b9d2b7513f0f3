"""Integration configurations: ``/integrationconfigs``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.emulator.exchange import Answer
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import Call, CallHandler, Refusal, ok, public
from reconciler.emulator.m3ter.http.paging import page, table_rows
from reconciler.emulator.m3ter.http.plain import listing
from reconciler.emulator.m3ter.http.resources import CONFIGS, CREDENTIALS, MAPPINGS
from reconciler.emulator.m3ter.integrations import config_data
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
# Source: m3ter OpenAPI 2026-08-03, IntegrationConfigRequest
_NAME = re.compile(r"[a-zA-Z0-9_-]+")


def create(
    store: Store, body: Mapping[str, Any], *, user: str = entities.SERVICE_USER
) -> JsonObject:
    """Check and store a new configuration; also how scenarios make theirs.

    Raises:
        Refusal: With 400 on a bad field, and by switches on a name in use or an unknown key.
    """
    ready = _checked(store, body, None)
    extra = {"authorized": authorised(store, ready), "enabled": True}
    return entities.create(store, CONFIGS, ready, user=user, extra=extra)


def _create(call: Call) -> Answer:
    return ok(public(create(call.store, call.body(), user=call.user)))


def _list(call: Call) -> Answer:
    return listing(call, CONFIGS)


def _get(call: Call) -> Answer:
    config = entities.find(call.store, CONFIGS.kind, call.params["id"])
    if call.store.switches.text("get_config_shape") == "run":
        return ok(_as_run(config))
    return ok(public(config))


def _update(call: Call) -> Answer:
    key, body = call.params["id"], call.body()
    old = entities.find(call.store, CONFIGS.kind, key)
    entities.refuse_stale(call.store, old, body.get("version"))
    if call.store.switches.text("change_destination") == "refuse":
        for name in ("destination", "entityType"):
            if body.get(name) not in (None, old[name]):
                raise Refusal(400, f"{name} cannot be changed")
    ready = _checked(call.store, body, key)
    extra = {"authorized": authorised(call.store, ready), "enabled": old["enabled"]}
    return ok(public(entities.update(call, CONFIGS, key, ready, extra=extra)))


def _delete(call: Call) -> Answer:
    key, way = call.params["id"], call.store.switches.text("delete_linked_config")
    linked = call.store.where(MAPPINGS.kind, "integrationConfigId", key)
    if linked and way == "refuse":
        raise Refusal(400, f"{len(linked)} external mappings are linked to this configuration")
    gone = entities.delete(call, CONFIGS, key)
    if way == "delete-mappings":
        for mapping in linked:
            call.store.delete(MAPPINGS.kind, mapping["id"])
    return ok(public(gone))


def _enable(call: Call) -> Answer:
    old = entities.find(call.store, CONFIGS.kind, call.params["id"])
    config = {**old, "enabled": True, "_errors": 0}
    if call.store.switches.on("enable_raises_version"):
        config = entities.raised(call.store, config, call.user)
    call.store.put(CONFIGS.kind, config)
    return ok(public(config))


def _by_entity(call: Call) -> Answer:
    wanted = {"entityType": call.params["entityType"]}
    for name in ("entityId", "destination", "destinationId"):
        if name in call.query:
            wanted[name] = call.query[name]
    shape = call.store.switches.text("get_config_shape")
    return page(
        call,
        table_rows(call, CONFIGS.kind),
        maximum=CONFIGS.page_max,
        keep=lambda data: all(data.get(name) == value for name, value in wanted.items()),
        view=shape,
        show=_as_run if shape == "run" else public,
    )


def refresh_authorised(store: Store) -> None:
    """Set ``authorized`` anew on every configuration, after credentials have changed."""
    for config in list(store.all(CONFIGS.kind)):
        now = authorised(store, config)
        if config["authorized"] != now:
            store.put(CONFIGS.kind, {**config, "authorized": now})


def _checked(store: Store, body: Mapping[str, Any], key: str | None) -> JsonObject:
    """The body with its configData as the server will store it."""
    entities.checked_fields(CONFIGS, body)
    for name in CONFIGS.required:
        if not isinstance(body[name], str) or not _NAME.fullmatch(body[name]):
            raise Refusal(400, f"{name} must match ^[a-zA-Z0-9_-]*$")
    for name in ("entityId", "destinationId", "integrationCredentialsId"):
        if not isinstance(body.get(name, ""), str | None):
            raise Refusal(400, f"{name} must be a string")
    data = {} if body.get("configData") is None else body["configData"]
    if not isinstance(data, dict):
        raise Refusal(400, "configData must be an object")
    _refuse_same_name(store, body, key)
    _refuse_unknown_credential(store, body)
    stored = config_data.stored(store, body["entityType"], body["destination"], data)
    return {**body, "configData": stored}


def _refuse_same_name(store: Store, body: Mapping[str, Any], key: str | None) -> None:
    if store.switches.text("duplicate_config_names") == "allow" or not body.get("name"):
        return
    same = store.where(CONFIGS.kind, "name", body["name"])
    if any(one["id"] != key for one in same):
        raise Refusal(400, f"name {body['name']} is already in use")


def _refuse_unknown_credential(store: Store, body: Mapping[str, Any]) -> None:
    key = body.get("integrationCredentialsId")
    known = key is None or store.get(CREDENTIALS.kind, key) is not None
    if not known and store.switches.text("unknown_credential") == "reject":
        raise Refusal(400, f"integrationCredentialsId {key} does not exist")


def authorised(store: Store, config: Mapping[str, Any]) -> bool:
    """Whether a credential that exists is connected."""
    key = config.get("integrationCredentialsId")
    return key is not None and store.get(CREDENTIALS.kind, key) is not None


def _as_run(config: JsonObject) -> JsonObject:
    """What the published specification says this GET returns: an integration run."""
    # Source: m3ter OpenAPI 2026-08-03, GetIntegrationConfig (documented as IntegrationRunResponse)
    names = (*entities.AUDIT, "entityType", "destination", "destinationId")
    run = {name: config[name] for name in names if name in config}
    return {**run, "entityId": config.get("entityId", config["id"]), "status": "WAITING"}


ROUTES: list[tuple[str, str, CallHandler]] = [
    ("GET", "/integrationconfigs", _list),
    ("POST", "/integrationconfigs", _create),
    ("GET", "/integrationconfigs/{id}", _get),
    ("PUT", "/integrationconfigs/{id}", _update),
    ("DELETE", "/integrationconfigs/{id}", _delete),
    ("POST", "/integrationconfigs/{id}/enable", _enable),
    ("GET", "/integrationconfigs/entity/{entityType}", _by_entity),
]
