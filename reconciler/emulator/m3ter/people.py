"""Users, the caller, and integration credentials (endpoints of 2026)."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import CallHandler, ReceivedCall, RefusedCall, ok, public
from reconciler.emulator.m3ter.http.resources import CREDENTIALS, USERS
from reconciler.emulator.m3ter.http.routing import listing, routes
from reconciler.emulator.m3ter.http.tokens import ORGANISATION
from reconciler.emulator.m3ter.integrations import configs

JsonObject = dict[str, Any]
_POLICY = [{"effect": "ALLOW", "action": ["ALL"], "resource": ["*"]}]
# Source: m3ter OpenAPI 2026-08-03, IntegrationCredentialsResponse: everything else is secret
_SHOWN = ("version", *CREDENTIALS.required, *CREDENTIALS.optional)


def _me(_: ReceivedCall) -> HttpAnswer:
    # Source: m3ter OpenAPI 2026-08-03, MeResponse, ServiceUserResponse, OrganizationResponse
    return ok(
        {
            "serviceUser": {
                "id": entities.SERVICE_USER,
                "version": 1,
                "name": "reconciler",
            },
            "organization": {
                "id": ORGANISATION,
                "version": 1,
                "organizationName": "acme",
                "shortName": "acme",
                "status": "ACTIVE",
                "type": "SANDBOX",
            },
        }
    )


def _permissions(call: ReceivedCall) -> HttpAnswer:
    user = entities.find(call.store, USERS.kind, call.params["id"])
    return ok(
        {
            "id": user["id"],
            "version": 1,
            "name": "Administrator",
            "permissionPolicy": _POLICY,
            "managedPolicy": True,
        }
    )


def _update_user(call: ReceivedCall) -> HttpAnswer:
    old = entities.find(call.store, USERS.kind, call.params["id"])
    body = call.body()
    entities.refuse_stale(call.store, old, body.get("version"))
    changed = {name: body[name] for name in ("permissionPolicy", "dtEndAccess") if name in body}
    user = entities.raised(call.store, old | changed, call.user)
    call.store.put(USERS.kind, user)
    return ok(public(user))


def _when_2026(handler: CallHandler) -> CallHandler:
    def guarded(call: ReceivedCall) -> HttpAnswer:
        if not call.store.switches.on("endpoints_2026"):
            raise RefusedCall(404, f"No such path: {call.request.path}")
        return handler(call)

    return guarded


def _list_credentials(call: ReceivedCall) -> HttpAnswer:
    return listing(call, CREDENTIALS)


def _create_credential(call: ReceivedCall) -> HttpAnswer:
    body = call.body()
    extra = {"_secret": _secret(body)}
    return ok(public(entities.create(call.store, CREDENTIALS, body, user=call.user, extra=extra)))


def _update_credential(call: ReceivedCall) -> HttpAnswer:
    body = call.body()
    extra = {"_secret": _secret(body)}
    return ok(public(entities.update(call, CREDENTIALS, call.params["id"], body, extra=extra)))


def _delete_credential(call: ReceivedCall) -> HttpAnswer:
    gone = entities.delete(call, CREDENTIALS, call.params["id"])
    configs.refresh_authorised(call.store)
    return ok(public(gone))


def _read_credential(call: ReceivedCall) -> HttpAnswer:
    return ok(public(entities.find(call.store, CREDENTIALS.kind, call.params["id"])))


def _secret(body: JsonObject) -> JsonObject:
    return {key: value for key, value in body.items() if key not in _SHOWN}


_AT = "/integrationcredentials"
ROUTES: list[tuple[str, str, CallHandler]] = [
    *routes(USERS, methods="LR"),
    ("PUT", "/users/{id}", _update_user),
    ("GET", "/users/me", _me),
    ("GET", "/users/{id}/permissions", _permissions),
    ("GET", _AT, _when_2026(_list_credentials)),
    ("POST", _AT, _when_2026(_create_credential)),
    ("GET", _AT + "/{id}", _when_2026(_read_credential)),
    ("PUT", _AT + "/{id}", _when_2026(_update_credential)),
    ("DELETE", _AT + "/{id}", _when_2026(_delete_credential)),
]
