"""m3ter's API over the shared store: token, organisation and rate checks, then the routes."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from reconciler.emulator import wire
from reconciler.emulator.exchange import HttpAnswer, HttpRequest
from reconciler.emulator.m3ter import bills, catalogue, line_items, organisation, people
from reconciler.emulator.m3ter.http import entities, routing, tokens
from reconciler.emulator.m3ter.http.call import ReceivedCall, RefusedCall, ok
from reconciler.emulator.m3ter.http.resources import PLAIN
from reconciler.emulator.m3ter.http.routing import Router
from reconciler.emulator.m3ter.http.throttle import Throttle
from reconciler.emulator.m3ter.integrations import (
    available,
    configs,
    events,
    mappings,
    notices,
    runs,
)
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
_CONSOLE_USER = "somebody-else"
_FAULT_LAG_SECONDS = 60
_PREFIX = "/organizations/"

ROUTER = Router(
    [
        *(route for kind in PLAIN.values() for route in routing.routes(kind)),
        *configs.ROUTES,
        *available.ROUTES,
        *mappings.ROUTES,
        *people.ROUTES,
        *catalogue.ROUTES,
        *bills.ROUTES,
        *line_items.ROUTES,
        *runs.ROUTES,
        *events.ROUTES,
        *notices.ROUTES,
        *organisation.ROUTES,
    ]
)


class M3terHalf:
    """m3ter: answers requests over the store it was given."""

    def __init__(self, store: Store) -> None:
        switches = store.switches
        self._store = store
        self._throttle = Throttle(
            per_second=switches.number("requests_per_second"),
            per_window=switches.number("requests_per_five_minutes"),
        )
        self._read: dict[str, tokens.Bearer] = {}
        self._revoked: set[str] = set()
        self._empty_page = False
        self._lag_seconds = switches.number("list_lag_seconds")
        self._one_lag_seconds = 0

    def handle(self, request: HttpRequest) -> HttpAnswer:
        """Answer a request; every refusal has m3ter's error body."""
        try:
            return self._answer(request)
        except RefusedCall as refusal:
            return self.error(refusal.status, refusal.message)
        finally:
            self._empty_page = False
            self._one_lag_seconds = 0

    def fault(self, name: str, request: HttpRequest) -> HttpAnswer | None:
        """Bring about a fault of m3ter; those of Chargebee do nothing here."""
        match name:
            case "expired_token":
                self._revoked.add(request.headers.get("authorization", ""))
            case "empty_page":
                self._empty_page = True
            case "list_lag":
                self._one_lag_seconds = _FAULT_LAG_SECONDS
            case "version_conflict":
                self._edit_first(request)
            case _:
                pass
        return None

    def error(self, status: int, message: str) -> HttpAnswer:
        """An error in m3ter's form."""
        # Source: m3ter OpenAPI 2026-08-03, components.responses.Error
        answer = HttpAnswer(status, wire.encode({"message": message}))
        if status == HTTPStatus.TOO_MANY_REQUESTS and self._store.switches.on("m3ter_retry_after"):
            return replace(answer, headers=(*answer.headers, ("retry-after", "1")))
        return answer

    def user_edit(self, edited: JsonObject, user: str) -> JsonObject:
        """Stamp an object as saved by a person in the Console."""
        stamped = entities.raised(self._store, {"version": 0, **edited}, user)
        if "authorized" in stamped:
            stamped["authorized"] = configs.authorised(self._store, stamped)
        return stamped

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        if request.path == "/oauth/token" and request.method == "POST":
            return ok(tokens.issue(self._store, request))
        if not request.path.startswith(_PREFIX):
            raise RefusedCall(404, f"No such path: {request.path}")
        if not self._throttle.admits():
            raise RefusedCall(429, "Too many requests")
        organisation, slash, rest = request.path[len(_PREFIX) :].partition("/")
        self._check_access(request, organisation)
        found = ROUTER.find(request.method, slash + rest)
        if found is None:
            raise RefusedCall(404, f"No such path: {request.method} {request.path}")
        handler, params = found
        return handler(
            ReceivedCall(
                self._store,
                request,
                params,
                entities.SERVICE_USER,
                dict(request.query),
                empty_page=self._empty_page,
                lag_seconds=max(self._lag_seconds, self._one_lag_seconds),
            )
        )

    def _check_access(self, request: HttpRequest, organisation: str) -> None:
        """Refuse a request whose token is missing, expired or not for this organisation."""
        header = request.headers.get("authorization", "")
        bearer = self._bearer(header)
        status = self._store.switches.number("expired_token_status")
        if bearer is None:
            raise RefusedCall(status, "Unauthorized")
        if header in self._revoked or bearer.expires <= self._store.now().timestamp():
            raise RefusedCall(status, "The access token has expired")
        if bearer.organisation != organisation or organisation != tokens.ORGANISATION:
            raise RefusedCall(403, "Forbidden: the token is not for this organization")
        if not bearer.writes and request.method != "GET":
            raise RefusedCall(403, "Forbidden: the key may only read")

    def _bearer(self, header: str) -> tokens.Bearer | None:
        known = self._read.get(header)
        if known is None:
            known = tokens.read(header)
            if known is not None:
                self._read[header] = known
        return known

    def _edit_first(self, request: HttpRequest) -> None:
        """Let a Console user save the object that this request is about, just before it."""
        for part in request.path.strip("/").split("/"):
            for kind in self._store.kinds():
                entity = self._store.get(kind, part) if kind.startswith("m3ter/") else None
                if entity is not None:
                    self._store.put(kind, entities.raised(self._store, entity, _CONSOLE_USER))
                    return
