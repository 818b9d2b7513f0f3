"""Integration configurations: ``/integrationconfigs``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import CallHandler, ReceivedCall, RefusedCall, ok, public
from reconciler.emulator.m3ter.http.paging import page, table_rows
from reconciler.emulator.m3ter.http.resources import CONFIGS, CREDENTIALS, MAPPINGS
from reconciler.emulator.m3ter.http.routing import listing
from reconciler.emulator.m3ter.integrations.options import SettingOption, options_for
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


def _create(call: ReceivedCall) -> HttpAnswer:
    return ok(public(create(call.store, call.body(), user=call.user)))


def _list(call: ReceivedCall) -> HttpAnswer:
    return listing(call, CONFIGS)


def _get(call: ReceivedCall) -> HttpAnswer:
    config = entities.find(call.store, CONFIGS.kind, call.params["id"])
    if call.store.switches.text("get_config_shape") == "run":
        return ok(_as_run(config))
    return ok(public(config))


def _update(call: ReceivedCall) -> HttpAnswer:
    key, body = call.params["id"], call.body()
    old = entities.find(call.store, CONFIGS.kind, key)
    entities.refuse_stale(call.store, old, body.get("version"))
    if call.store.switches.text("change_destination") == "refuse":
        for name in ("destination", "entityType"):
            if body.get(name) not in (None, old[name]):
                raise RefusedCall(400, f"{name} cannot be changed")
    ready = _checked(call.store, body, key)
    extra = {"authorized": authorised(call.store, ready), "enabled": old["enabled"]}
    return ok(public(entities.update(call, CONFIGS, key, ready, extra=extra)))


def _delete(call: ReceivedCall) -> HttpAnswer:
    key, way = call.params["id"], call.store.switches.text("delete_linked_config")
    linked = call.store.where(MAPPINGS.kind, "integrationConfigId", key)
    if linked and way == "refuse":
        raise RefusedCall(400, f"{len(linked)} external mappings are linked to this configuration")
    gone = entities.delete(call, CONFIGS, key)
    if way == "delete-mappings":
        for mapping in linked:
            call.store.delete(MAPPINGS.kind, mapping["id"])
    return ok(public(gone))


def _enable(call: ReceivedCall) -> HttpAnswer:
    old = entities.find(call.store, CONFIGS.kind, call.params["id"])
    config = {**old, "enabled": True, "_errors": 0}
    if call.store.switches.on("enable_raises_version"):
        config = entities.raised(call.store, config, call.user)
    call.store.put(CONFIGS.kind, config)
    return ok(public(config))


def _by_entity(call: ReceivedCall) -> HttpAnswer:
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
            raise RefusedCall(400, f"{name} must match ^[a-zA-Z0-9_-]*$")
    for name in ("entityId", "destinationId", "integrationCredentialsId"):
        if not isinstance(body.get(name, ""), str | None):
            raise RefusedCall(400, f"{name} must be a string")
    data = {} if body.get("configData") is None else body["configData"]
    if not isinstance(data, dict):
        raise RefusedCall(400, "configData must be an object")
    _refuse_same_name(store, body, key)
    _refuse_unknown_credential(store, body)
    stored = stored_data(store, body["entityType"], body["destination"], data)
    return {**body, "configData": stored}


def _refuse_same_name(store: Store, body: Mapping[str, Any], key: str | None) -> None:
    if store.switches.text("duplicate_config_names") == "allow" or not body.get("name"):
        return
    same = store.where(CONFIGS.kind, "name", body["name"])
    if any(config["id"] != key for config in same):
        raise RefusedCall(400, f"name {body['name']} is already in use")


def _refuse_unknown_credential(store: Store, body: Mapping[str, Any]) -> None:
    key = body.get("integrationCredentialsId")
    known = key is None or store.get(CREDENTIALS.kind, key) is not None
    if not known and store.switches.text("unknown_credential") == "reject":
        raise RefusedCall(400, f"integrationCredentialsId {key} does not exist")


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


def stored_data(
    store: Store, entity_type: str, destination: str, data: Mapping[str, Any]
) -> JsonObject:
    """The data as it will be read back.

    Raises:
        Refusal: With 400 on a key that is not available, if switch ``unknown_keys`` rejects.
    """
    options = options_for(entity_type, destination)
    style = store.switches.text("config_keys")
    known = {option.key(style): option for option in options}
    kept = _known_keys(data, known, store.switches.text("unknown_keys"))
    match store.switches.text("normalise"):
        case "strings":
            return {key: _strings(value) for key, value in kept.items()}
        case "defaults-echoed":
            return _defaults(known) | kept
        case _:
            return kept


def value(store: Store, config: Mapping[str, Any], label: str) -> Any:
    """A setting of a stored configuration by its label; ``None`` if it is not set."""
    words = label.lower().split()
    camel = words[0] + "".join(word.capitalize() for word in words[1:])
    style = store.switches.text("config_keys")
    return config["configData"].get(camel if style == "camel" else "_".join(words).upper())


def _known_keys(
    data: Mapping[str, Any], known: Mapping[str, SettingOption], way: str
) -> JsonObject:
    unknown = [key for key in data if key not in known]
    if unknown and way == "reject":
        raise RefusedCall(400, f"configData contains unknown keys: {', '.join(unknown)}")
    if way == "drop":
        return {key: value for key, value in data.items() if key in known}
    return dict(data)


def _defaults(known: Mapping[str, SettingOption]) -> JsonObject:
    return {key: option.default for key, option in known.items() if option.default is not None}


def _strings(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _strings(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_strings(value) for value in node]
    if isinstance(node, bool):
        return "true" if node else "false"
    return node if node is None or isinstance(node, str) else str(node)


ROUTES: list[tuple[str, str, CallHandler]] = [
    ("GET", "/integrationconfigs", _list),
    ("POST", "/integrationconfigs", _create),
    ("GET", "/integrationconfigs/{id}", _get),
    ("PUT", "/integrationconfigs/{id}", _update),
    ("DELETE", "/integrationconfigs/{id}", _delete),
    ("POST", "/integrationconfigs/{id}/enable", _enable),
    ("GET", "/integrationconfigs/entity/{entityType}", _by_entity),
]


def is_on(store: Store, config: Mapping[str, Any], label: str) -> bool:
    """A boolean setting, also if it was turned into text."""
    return value(store, config, label) in (True, "true")
