"""Notification rules and webhook destinations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import CallHandler, ReceivedCall, RefusedCall, ok, public
from reconciler.emulator.m3ter.http.paging import page, table_rows
from reconciler.emulator.m3ter.http.resources import NOTIFICATIONS, WEBHOOKS
from reconciler.emulator.m3ter.http.routing import listing, routes
from reconciler.emulator.m3ter.integrations.events import EVENT_NAMES
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
_CONFIGURATIONS = "/notifications/configurations"
_WEBHOOKS = "/integrationdestinations/webhooks"


def _list_rules(call: ReceivedCall) -> HttpAnswer:
    active = call.flag("active")
    return listing(call, NOTIFICATIONS, lambda rule: active in (None, rule["active"]))


def _evaluate(call: ReceivedCall) -> HttpAnswer:
    """Check a calculation as far as possible here: its event exists, brackets and quotes pair."""
    body = call.body()
    calculation = body.get("calculation")
    if not isinstance(calculation, str) or not calculation.strip():
        raise RefusedCall(400, "calculation must not be null or empty")
    name = body.get("eventName")
    if name is not None and name not in EVENT_NAMES:
        raise RefusedCall(400, f"unknown eventName {name}")
    if _paired(calculation):
        return ok({"success": True})
    return ok({"success": False, "errorMessage": "unbalanced brackets or quotes"})


def _paired(text: str) -> bool:
    depth, quoted = 0, False
    for letter in text:
        if letter == '"':
            quoted = not quoted
        elif not quoted:
            depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth < 0:
            return False
    return depth == 0 and not quoted


def webhook_extra(store: Store, body: Mapping[str, Any]) -> JsonObject:
    """What the server keeps of a webhook's credentials: the secret part aside.

    Raises:
        Refusal: With 400 if the url is none, or the credentials lack an apiKey or a secret.
    """
    fields = entities.checked_fields(WEBHOOKS, body)
    if not str(fields["url"]).startswith(("https://", "http://")):
        raise RefusedCall(400, "url must be a valid URL")
    credentials = fields["credentials"]
    if not isinstance(credentials, dict) or not credentials.keys() >= {"type", "apiKey", "secret"}:
        raise RefusedCall(400, "credentials must have type, apiKey and secret")
    # Source: m3ter OpenAPI 2026-08-03, IntegrationM3terSignedCredentialsResponse
    shown = {
        "id": store.new_id(),
        "version": 1,
        "type": credentials["type"],
        "destination": "WEBHOOK",
        "name": credentials.get("name") or fields["name"],
    }
    secret = {name: credentials[name] for name in ("apiKey", "secret")}
    return {"credentials": shown, "_secret": secret}


def _show(call: ReceivedCall, webhook: JsonObject) -> JsonObject:
    """A webhook with or without its secret, by switch."""
    shown = public(webhook)
    if call.store.switches.text("webhook_secrets") == "shown":
        shown["credentials"] = shown["credentials"] | webhook["_secret"]
    return shown


def _list_webhooks(call: ReceivedCall) -> HttpAnswer:
    ids = call.values("ids")
    return page(
        call,
        table_rows(call, WEBHOOKS.kind),
        maximum=WEBHOOKS.page_max,
        keep=lambda webhook: ids is None or webhook["id"] in ids,
        show=lambda webhook: _show(call, webhook),
    )


def _create_webhook(call: ReceivedCall) -> HttpAnswer:
    body = call.body()
    extra = webhook_extra(call.store, body)
    webhook = entities.create(call.store, WEBHOOKS, body, user=call.user, extra=extra)
    return ok(_show(call, webhook))


def _get_webhook(call: ReceivedCall) -> HttpAnswer:
    return ok(_show(call, entities.find(call.store, WEBHOOKS.kind, call.params["id"])))


def _update_webhook(call: ReceivedCall) -> HttpAnswer:
    body = call.body()
    key, extra = call.params["id"], webhook_extra(call.store, body)
    return ok(_show(call, entities.update(call, WEBHOOKS, key, body, extra=extra)))


def _delete_webhook(call: ReceivedCall) -> HttpAnswer:
    return ok(_show(call, entities.delete(call, WEBHOOKS, call.params["id"])))


def _activate_webhook(call: ReceivedCall) -> HttpAnswer:
    old = entities.find(call.store, WEBHOOKS.kind, call.params["id"])
    active = bool(call.flag("active"))
    webhook = entities.raised(call.store, old | {"active": active}, call.user)
    call.store.put(WEBHOOKS.kind, webhook)
    return ok(_show(call, webhook))


ROUTES: list[tuple[str, str, CallHandler]] = [
    ("GET", _CONFIGURATIONS, _list_rules),
    *routes(NOTIFICATIONS, _CONFIGURATIONS, methods="CRUD"),
    ("POST", "/notifications/evaluate", _evaluate),
    ("GET", _WEBHOOKS, _list_webhooks),
    ("POST", _WEBHOOKS, _create_webhook),
    ("GET", _WEBHOOKS + "/{id}", _get_webhook),
    ("PUT", _WEBHOOKS + "/{id}", _update_webhook),
    ("DELETE", _WEBHOOKS + "/{id}", _delete_webhook),
    ("PUT", _WEBHOOKS + "/{id}/active", _activate_webhook),
]
