"""m3ter's own connector, as far as its users can see it: runs, errors, auto-disable.

A bill meets every enabled Bill configuration that selects its account. Nothing is sent anywhere:
switch ``native_runs`` says how the runs end.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from reconciler.emulator import wire
from reconciler.emulator.clock import iso
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import public
from reconciler.emulator.m3ter.integrations import configs
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]


class FilterError(ValueError):
    """The emulator cannot evaluate this filter."""

    def __init__(self, text: str) -> None:
        super().__init__(f"the emulator cannot evaluate accountFilter {text!r}")


RUNS = "m3ter/integrationruns"
CONFIGS = "m3ter/integrationconfigs"
RUNNER = "INTEGRATIONS"


def send(store: Store, bill: JsonObject) -> None:
    """Let every configuration that takes this bill run."""
    for config in list(store.all(CONFIGS)):
        if config["entityType"] == "Bill" and config["enabled"]:
            _meet(store, config, bill)


def record(
    store: Store, config: Mapping[str, Any], bill: Mapping[str, Any], status: str, **more: Any
) -> JsonObject:
    """Store a run of a configuration for a bill."""
    now = iso(store.now())
    run: JsonObject = {
        "id": store.new_id(),
        "version": 1,
        "entityType": "Bill",
        "entityId": bill["id"],
        "status": status,
        "destination": config["destination"],
        "dtStarted": now,
        "dtCreated": now,
        "dtLastModified": now,
        "createdBy": RUNNER,
        "lastModifiedBy": RUNNER,
        "_payload": b64encode(wire.encode(public(dict(bill)))).decode("ascii"),
        **more,
    }
    if "destinationId" in config:
        run["destinationId"] = config["destinationId"]
    if status != "WAITING":
        run["dtCompleted"] = now
    store.put(RUNS, run)
    return run


def integration_event(
    store: Store, name: str, config: Mapping[str, Any], bill: Mapping[str, Any], message: str
) -> None:
    """Store an integration event. The keys of its payload are a guess: none are published."""
    about: JsonObject = {"message": message, "entityType": "Bill", "entityId": bill["id"]}
    about["accountId"] = bill["accountId"]
    if store.switches.text("integration_events") == "detailed":
        about |= {"integrationConfigId": config["id"], "destination": config["destination"]}
    about["id"] = bill["id"]
    entities.raise_event(store, f"integration.{name}.error", new=about)


def _meet(store: Store, config: JsonObject, bill: JsonObject) -> None:
    approved = bill["status"] == "APPROVED"
    if configs.is_on(store, config, "Only send bill on approval") and not approved:
        return
    if not config["authorized"]:
        if store.switches.text("disconnected_config") == "errors":
            _fail(store, config, bill, "authentication", "no credential is connected")
        return
    try:
        taken = _takes(store, config, bill)
    except FilterError as error:
        _fail(store, config, bill, "validation", str(error))
        return
    if taken:
        _run(store, config, bill)


def _takes(store: Store, config: JsonObject, bill: JsonObject) -> bool:
    """Whether the configuration selects the bill's account."""
    account = store.get("m3ter/accounts", bill["accountId"]) or {}
    only = configs.value(store, config, "Account ids") or []
    never = configs.value(store, config, "Restricted account ids") or []
    text = configs.value(store, config, "Account filter")
    chosen = not only or bill["accountId"] in only
    return chosen and bill["accountId"] not in never and (not text or selects(text, account))


def _run(store: Store, config: JsonObject, bill: JsonObject) -> None:
    way = store.switches.text("native_runs")
    if way == "missing_mapping" or _mapping_is_missing(store, config, bill):
        message = f"no external mapping for account {bill['accountId']}"
        _fail(store, config, bill, "missingaccountmapping", message)
    elif way == "error":
        _fail(store, config, bill, "perform", "the destination refused the bill")
    elif way == "auth_failed":
        _fail(store, config, bill, "authentication", "the credential was refused")
    elif way == "waiting":
        record(store, config, bill, "WAITING")
    else:
        external = f"native-{bill['id'][:8]}"
        record(store, config, bill, "COMPLETE", externalId=external)
        if config.get("_errors"):
            store.put(CONFIGS, {**config, "_errors": 0})


def _mapping_is_missing(store: Store, config: JsonObject, bill: JsonObject) -> bool:
    """With mapped account codes: linked mappings count, unlinked ones unless they are excluded."""
    if not configs.is_on(store, config, "Use external mapping account code"):
        return False
    only_linked = configs.is_on(store, config, "Enforce external mappings for config")
    links = (config["id"],) if only_linked else (config["id"], None)
    return not any(
        mapping["m3terEntity"] == "Account"
        and mapping["externalSystem"] == config["destination"]
        and mapping.get("integrationConfigId") in links
        for mapping in store.where("m3ter/externalmappings", "m3terId", bill["accountId"])
    )


def _fail(store: Store, config: JsonObject, bill: JsonObject, event: str, message: str) -> None:
    """Record a failed run; the tenth in a row disables the configuration."""
    status = "AUTH_FAILED" if event == "authentication" else "ERROR"
    record(store, config, bill, status, error=message)
    integration_event(store, event, config, bill, message)
    errors = config.get("_errors", 0) + 1
    # Source: m3ter docs, "Configuring Chargebee integrations": "10 successive previous error Event
    # responses"
    disabled = errors >= store.switches.number("auto_disable_after")
    changed = {**config, "_errors": errors, "enabled": config["enabled"] and not disabled}
    if disabled:
        changed = entities.raised(store, changed, RUNNER)
    store.put(CONFIGS, changed)
    if disabled:
        integration_event(store, "disabled", changed, bill, f"disabled after {errors} errors")


_COMPARISON = re.compile(r'\s*([A-Za-z][\w.]*)\s*(=\s*=|!=)\s*("[^"]*"|[\w.-]+)\s*')
# Source: m3ter docs, "Managing multiple third party destinations": fields of an account filter
_NAMES = {"accountName": "name", "accountCode": "code"}


def selects(text: str, account: Mapping[str, Any]) -> bool:
    """Whether the filter is true for an account.

    Raises:
        FilterError: If it is more than comparisons joined by AND and OR.
    """
    results = [
        [_compares(text, part, account) for part in re.split(r"\bAND\b", either)]
        for either in re.split(r"\bOR\b", text)
    ]
    return any(all(parts) for parts in results)


def _compares(text: str, part: str, account: Mapping[str, Any]) -> bool:
    found = _COMPARISON.fullmatch(part)
    if found is None:
        raise FilterError(text)
    left = _field(account, found[1])
    wanted = None if found[3] == "null" else found[3].strip('"')
    same = left is None if wanted is None else left is not None and str(left) == wanted
    return same if found[2] != "!=" else not same


def _field(account: Mapping[str, Any], path: str) -> Any:
    value: Any = account
    for part in _NAMES.get(path, path).split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
