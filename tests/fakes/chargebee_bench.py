"""The Chargebee half of the emulator without a network: requests in, status and body out."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from reconciler.emulator import wire
from reconciler.emulator.chargebee.protocol import ChargebeeHalf
from reconciler.emulator.chargebee.site import EmulatedSite
from reconciler.emulator.chargebee.sites import API_KEY, SITE
from reconciler.emulator.exchange import HttpAnswer, HttpRequest
from reconciler.emulator.store import Store
from reconciler.emulator.switches.table import Switches

START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
NOW = int(START.timestamp())


def basic(key: str) -> str:
    """An Authorization header for an API key."""
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Nested values as form pairs: fields first, index last."""
    if isinstance(value, Mapping):
        return [
            pair
            for key, member in value.items()
            for pair in flat(member, f"{name}[{key}]" if name else key)
        ]
    if isinstance(value, list):
        return [
            (f"{key}[{index}]", text)
            for index, element in enumerate(value)
            for key, text in flat(element, name)
        ]
    return [(name, str(value).lower() if isinstance(value, bool) else str(value))]


class Bench:
    """A site with a catalogue, a customer ``c1`` on no terms and a subscription ``s1``."""

    def __init__(self, *, filled: bool = True, **switches: object) -> None:
        self.store = Store(start=START, switches=Switches({"clock": "still", **switches}))
        self.half = ChargebeeHalf(self.store)
        self.site = EmulatedSite(self.store, SITE)
        if filled:
            self._fill()

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        key: str = API_KEY,
    ) -> HttpAnswer:
        """Send one request."""
        self.store.run_due()
        given = {"authorization": basic(key), **(headers or {})}
        return self.half.handle(HttpRequest(method, f"/api/v2/{path}", tuple(query), given, body))

    def post(
        self, path: str, form: Mapping[str, Any] | None = None, *, idempotency: str = ""
    ) -> tuple[int, Any]:
        """POST a form."""
        headers = {"chargebee-idempotency-key": idempotency} if idempotency else {}
        body = urlencode(flat(form or {})).encode()
        answer = self.send("POST", path, body=body, headers=headers)
        return answer.status, wire.decode(answer.body)

    def ok(self, path: str, form: Mapping[str, Any] | None = None) -> Any:
        """POST a form that must be taken."""
        status, body = self.post(path, form)
        assert status == 200, body
        return body

    def refused(self, path: str, form: Mapping[str, Any] | None = None) -> tuple[int, str, str]:
        """POST a form that must be refused and change nothing: status, code and parameter."""
        before = self.store.writes
        status, body = self.post(path, form)
        assert status >= 400, body
        assert self.store.writes == before
        return status, body["api_error_code"], body.get("param", "")

    def get(self, path: str, **query: str) -> Any:
        """GET with plain query parameters; the answer must be 200."""
        return self.query(path, list(query.items()))

    def query(self, path: str, pairs: Sequence[tuple[str, str]]) -> Any:
        """GET with any query parameters; the answer must be 200."""
        answer = self.send("GET", path, query=pairs)
        body = wire.decode(answer.body)
        assert answer.status == 200, body
        return body

    def status(self, path: str) -> int:
        """Status of a GET."""
        return self.send("GET", path).status

    def invoice(self, *lines: Mapping[str, Any], **more: Any) -> Any:
        """Create an invoice for the subscription, finalised; by default of one line."""
        items = list(lines) or [{"item_price_id": "api-USD", "quantity": 3}]
        form = {"subscription_id": "s1", "currency_code": "USD", "item_prices": items, **more}
        return self.ok("invoices/create_for_charge_items_and_charges", form)["invoice"]

    def pending(self, *lines: Mapping[str, Any], **more: Any) -> Any:
        """Create a pending invoice for the subscription."""
        return self.invoice(*lines, create_pending_invoice=True, **more)

    def advance(self, seconds: float) -> None:
        """Let emulated time pass, and what is due happen."""
        self.store.clock.advance(seconds)
        self.store.run_due()

    def events(self) -> list[str]:
        """The types of all events, oldest first."""
        found = self.query("events", [("limit", "100"), ("sort_by[asc]", "occurred_at")])
        return [event["event"]["event_type"] for event in found["list"]]

    def _fill(self) -> None:
        self.ok("item_families", {"id": "f", "name": "Family"})
        for key, kind in (("api", "charge"), ("tiers", "charge"), ("plan", "plan")):
            item = {"id": key, "name": key.upper(), "type": kind, "item_family_id": "f"}
            self.ok("items", item)
        for currency in ("USD", "JPY", "EUR"):
            self.price(f"api-{currency}", "api", currency, price=10)
        term = {"period": 1, "period_unit": "month", "pricing_model": "flat_fee"}
        self.price("plan-USD", "plan", "USD", price=0, **term)
        self.ok("customers", {"id": "c1", "auto_collection": "off"})
        plan = [{"item_price_id": "plan-USD"}]
        form = {"id": "s1", "subscription_items": plan, "invoice_immediately": False}
        self.ok("customers/c1/subscription_for_items", form)

    def price(self, key: str, item: str, currency: str, **more: Any) -> Any:
        """Create an item price; per unit unless told otherwise."""
        form = {"id": key, "name": key, "item_id": item, "currency_code": currency}
        return self.ok("item_prices", {**form, "pricing_model": "per_unit", **more})["item_price"]
