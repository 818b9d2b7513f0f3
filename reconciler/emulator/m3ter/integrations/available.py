"""What can be configured: ``/integrationconfigs/available`` and its siblings."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http.call import CallHandler, ReceivedCall, RefusedCall, ok
from reconciler.emulator.m3ter.http.resources import ACCOUNTS, USERS
from reconciler.emulator.m3ter.integrations.options import (
    BILL,
    GLOBAL,
    SYSTEMS,
    SettingOption,
    System,
    options_for,
    system,
)

JsonObject = dict[str, Any]
_AUTH = (
    SettingOption("Name", "STRING"),
    SettingOption("Site", "STRING"),
    SettingOption("Api key", "STRING"),
)


def _available(call: ReceivedCall) -> HttpAnswer:
    wanted, entity_type = call.query.get("systemName"), call.query.get("entityType")
    systems = [candidate for candidate in SYSTEMS if wanted is None or candidate is system(wanted)]
    if not systems:
        raise RefusedCall(404, f"system {wanted} not found")
    types = sorted({name for system in systems for name in system.entities})
    # Source: m3ter OpenAPI 2026-08-03, AvailableConfigurationResponse
    return ok(
        {
            "supportedEntities": {
                name: _entity(call, name, systems)
                for name in types
                if entity_type is None or name == entity_type
            },
            "selectedConfigurations": {},
            "globalConfigurationOptions": _settings(call, GLOBAL),
        }
    )


def _entity(call: ReceivedCall, name: str, systems: list[System]) -> JsonObject:
    return {
        "readableName": name,
        "released": True,
        "entityConfigurationOptions": _settings(call, BILL if name == "Bill" else ()),
        "destinations": [
            _destination(call, system) for system in systems if name in system.entities
        ],
    }


def _destination(call: ReceivedCall, destination: System) -> JsonObject:
    return {
        "apiName": destination.api_name,
        "destination": destination.name,
        "displayName": destination.label,
        "destinationConfigOptions": _settings(call, destination.options),
        "authConfigOptions": _settings(call, _AUTH),
        "authType": destination.auth,
        "categories": ["BILLING"] if "Bill" in destination.entities else ["MESSAGING"],
        "released": True,
    }


def _settings(call: ReceivedCall, options: tuple[SettingOption, ...]) -> list[JsonObject]:
    """Options as ConfigSettings. The published type lost its fields: these are a stand-in."""
    switches = call.store.switches
    style, shape = switches.text("config_keys"), switches.text("config_setting_shape")
    return [_setting(option, style, shape) for option in options]


def _setting(option: SettingOption, style: str, shape: str) -> JsonObject:
    choices = [{"id": choice, "label": _words(choice)} for choice in option.choices]
    if shape == "name":
        shown = {"name": option.key(style), "displayName": option.label, "type": option.type}
        extra: JsonObject = {"required": False, "values": choices}
    else:
        shown = {"key": option.key(style), "label": option.label, "type": option.type}
        extra = {"required": False, "options": choices}
    if option.default is not None:
        extra["defaultValue"] = option.default
    return shown | {key: value for key, value in extra.items() if value != []}


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _systems(call: ReceivedCall) -> HttpAnswer:
    wanted = call.query.get("entityType")
    systems = [candidate for candidate in SYSTEMS if wanted is None or wanted in candidate.entities]
    # Source: m3ter OpenAPI 2026-08-03, SystemResponse
    return ok(
        [
            {
                "identifier": system.name,
                "displayName": system.label,
                "validationSupported": False,
                "supportedAuthTypes": [system.auth],
            }
            for system in systems
        ]
    )


def _system(call: ReceivedCall) -> System:
    name = call.params["systemName"]
    found = system(name)
    if found is None:
        raise RefusedCall(404, f"system {name} not found")
    return found


def _entities(call: ReceivedCall) -> HttpAnswer:
    return ok([{"id": name, "label": name} for name in _system(call).entities])


def _auth(call: ReceivedCall) -> HttpAnswer:
    _system(call)
    return ok(_settings(call, _AUTH))


def _values(call: ReceivedCall) -> HttpAnswer:
    """The choices of one option: its enumeration, accounts, users, or Chargebee's item prices."""
    found, key = _system(call), call.params["configOption"]
    style = call.store.switches.text("config_keys")
    options = options_for("Bill", found.name)
    option = next((candidate for candidate in options if candidate.key(style) == key), None)
    if option is None:
        raise RefusedCall(404, f"option {key} not found")
    if option.choices:
        return ok([{"id": choice, "label": _words(choice)} for choice in option.choices])
    return ok(_objects(call, option))


def _objects(call: ReceivedCall, option: SettingOption) -> list[JsonObject]:
    label = option.label.lower()
    if "account ids" in label:
        return [
            {"id": account["id"], "label": account["name"]}
            for account in call.store.all(ACCOUNTS.kind)
        ]
    if "users" in label:
        return [{"id": user["id"], "label": user["email"]} for user in call.store.all(USERS.kind)]
    if "price" in label and option.type == "STRING":
        prices = call.store.all("chargebee/item_prices")
        return [{"id": price["id"], "label": price.get("name", price["id"])} for price in prices]
    return []


ROUTES: list[tuple[str, str, CallHandler]] = [
    ("GET", "/integrationconfigs/available", _available),
    ("GET", "/integrationconfigs/available/systems", _systems),
    ("GET", "/integrationconfigs/available/{systemName}/entities", _entities),
    ("GET", "/integrationconfigs/available/{systemName}/auth/{entityType}", _auth),
    ("GET", "/integrationconfigs/values/{systemName}/{configOption}", _values),
]
