"""Chargebee's events: who changed an invoice, and how it looked afterwards.

Events are told, not relied upon: nothing is sent or left unsent because of one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from reconciler.chargebee.errors import TooManyEventsError, UnreadableChargebeeAnswerError
from reconciler.chargebee.invoice_json import AnswerReading, an_object, instant, read_invoice, text
from reconciler.chargebee.session import SiteSession
from reconciler.chargebee.wire import seconds
from reconciler.kernel.exact_json import encode
from reconciler.kernel.money import UnknownCurrencyError
from reconciler.kernel.value import JsonObject
from reconciler.sync.model.invoice import Invoice, InvoiceChange
from reconciler.sync.model.push import InvoiceId

EVENTS_MAX = 50_000
# Source: Chargebee event types of the Python package chargebee 3.29.0, with their contents
_OF_INVOICES = (
    "pending_invoice_created",
    "pending_invoice_updated",
    "invoice_generated",
    "invoice_generated_with_backdating",
    "invoice_updated",
    "invoice_deleted",
)
_OF_CREDITS = ("credit_note_created", "credit_note_updated")
# Clocks may differ, and whole seconds are compared.
_SKEW = timedelta(minutes=5)


class Events:
    """Implements ``sync.ports.invoice_history.InvoiceHistory`` over ``GET /events``."""

    def __init__(
        self, session: SiteSession, reading: AnswerReading, most: int = EVENTS_MAX
    ) -> None:
        self._session = session
        self._reading = reading
        self._most = most

    def changes(self, invoices: Collection[InvoiceId], since: datetime) -> Iterator[InvoiceChange]:
        """Stream the changes of some invoices, oldest first; see the port."""
        if not invoices or self._session.switches.events == "never":
            return
        wanted = frozenset(invoices)
        for count, event in enumerate(self._listed(since), start=1):
            if count > self._most:
                raise TooManyEventsError(self._most)
            if (change := self._change(event, wanted)) is not None:
                yield change

    def _listed(self, since: datetime) -> Iterator[JsonObject]:
        # Events cannot be filtered by invoice.
        query = [
            ("event_type[in]", encode([*_OF_INVOICES, *_OF_CREDITS])),
            ("occurred_at[after]", seconds(since - _SKEW)),
            ("sort_by[asc]", "occurred_at"),
        ]
        return self._session.pages("/events", "event", query)

    def _change(self, event: JsonObject, wanted: frozenset[InvoiceId]) -> InvoiceChange | None:
        """Read an event of a wanted invoice; one that cannot be read is passed over."""
        try:
            content = an_object(event.get("content"), "event")
            if event.get("event_type") in _OF_CREDITS:
                note = an_object(content.get("credit_note"), "credit note")
                key, invoice = InvoiceId(text(note, "reference_invoice_id", "")), None
            else:
                data = an_object(content.get("invoice"), "invoice")
                key = InvoiceId(text(data, "id"))
                invoice = self._invoice(event, data) if key in wanted else None
            at = instant(event, "occurred_at")
            if key not in wanted or at is None:
                return None
            user, source = text(event, "user", ""), text(event, "source", "")
        except (UnreadableChargebeeAnswerError, UnknownCurrencyError):
            return None
        return InvoiceChange(key, at, user, source, invoice)

    def _invoice(self, event: JsonObject, data: JsonObject) -> Invoice:
        gone = event.get("event_type") == "invoice_deleted"
        return read_invoice({**data, "deleted": True} if gone else data, self._reading)
