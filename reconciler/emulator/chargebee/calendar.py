"""What happens by itself as the emulated time passes: auto-closing and renewing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from reconciler.emulator.chargebee.invoices.pending_invoices import closed, owner_in
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject
from reconciler.emulator.chargebee.subscriptions import renew

_HOUR_SECONDS = 3600
_RENEWING = frozenset({"active", "future", "non_renewing"})


class Calendar:
    """Keeps the appointments of one site."""

    def __init__(self, site: EmulatedSite, after: Callable[[], None]) -> None:
        """Look at what is there; ``after`` is called whenever time has done something."""
        self._site = site
        self._after = after
        self._seen = {"invoice": -1, "subscription": -1}
        self.note()

    def note(self) -> None:
        """Make appointments for whatever was created since the last call."""
        for row in self._site.table("invoice").oldest(self._seen["invoice"]):
            self._seen["invoice"] = row.position
            self._plan_close(row.data)
        for row in self._site.table("subscription").oldest(self._seen["subscription"]):
            self._seen["subscription"] = row.position
            self._plan_renewal(row.data)

    def _plan_close(self, invoice: JsonObject) -> None:
        hours = self._site.switches.number("auto_close_hours")
        if invoice["status"] == "pending" and hours:
            due = invoice["_created_at"] + hours * _HOUR_SECONDS
            action = partial(self._close, invoice["id"])
            self._site.store.later(due - self._site.now(), action)

    def _close(self, key: str) -> None:
        """Close an invoice that is still pending, unless its customer wants no such thing.

        Source: Chargebee knowledge base: subscription comes before customer before site.
        """
        invoice = self._site.get("invoice", key)
        if invoice is None or invoice["status"] != "pending" or invoice["deleted"]:
            return
        wanted = owner_in(self._site, invoice).setting("auto_close_invoices", default=True)
        if wanted:
            self.close(invoice)

    def close(self, invoice: JsonObject) -> None:
        """Close a pending invoice as the site does it by itself; one without lines stays."""
        if invoice["line_items"]:
            with self._working():
                closed(self._site, invoice, {}, collect=None)

    def _plan_renewal(self, subscription: JsonObject) -> None:
        due = subscription.get("next_billing_at") or subscription.get("cancelled_at")
        if due and subscription["status"] in _RENEWING:
            action = partial(self._renew, subscription["id"], due)
            self._site.store.later(due - self._site.now(), action)

    def _renew(self, key: str, due: int) -> None:
        subscription = self._site.get("subscription", key)
        if subscription is None or subscription["status"] not in _RENEWING:
            return
        with self._working():
            if subscription["status"] == "non_renewing":
                if subscription["cancelled_at"] == due:
                    self._site.put("subscription", subscription | {"status": "cancelled"})
                return
            if subscription["next_billing_at"] == due:
                self._plan_renewal(self._next_term(subscription))

    def _next_term(self, subscription: JsonObject) -> JsonObject:
        if subscription["status"] == "future":
            started = {"status": "active", "next_billing_at": subscription["current_term_end"]}
            return self._site.put("subscription", subscription | started)
        return renew(self._site, subscription)

    @contextmanager
    def _working(self) -> Iterator[None]:
        self._site.source = "scheduled_job"
        try:
            yield
        finally:
            self._site.source = "api"
            self.note()
            self._after()
