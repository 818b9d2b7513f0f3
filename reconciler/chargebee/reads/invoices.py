"""Invoices and credit notes as they are: one by id, or all of an owner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from reconciler.chargebee.errors import UnreadableChargebeeAnswerError
from reconciler.chargebee.form import Pairs, segment
from reconciler.chargebee.invoice_json import (
    AnswerReading,
    an_object,
    number,
    objects,
    read_invoice,
    stamp_of,
)
from reconciler.chargebee.session import SiteSession
from reconciler.chargebee.wire import seconds
from reconciler.drafting.draft import BilledParty
from reconciler.kernel.value import JsonObject
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import InvoiceId

# Clocks may differ, and whole seconds are compared.
_SKEW = timedelta(minutes=5)
# Source: Chargebee request schemas, retrieve an invoice: line_items_limit 1 to 300
_LINES_A_PAGE = 300
_LINE_PAGES_MAX = 100

CreditKind = Literal["credit_note", "promotional_credit"]


class Invoices:
    """Reads invoices of one site."""

    def __init__(self, session: SiteSession, reading: AnswerReading) -> None:
        self._session = session
        self._reading = reading

    def read(self, key: InvoiceId) -> Invoice | None:
        """Read an invoice with all of its lines, a deleted one too; ``None`` when it is gone."""
        if not key:
            return None
        found = self._session.read(f"/invoices/{segment(key)}")
        if found is not None:
            subject = f"invoice {key}"
            return self._whole(an_object(found.get("invoice"), subject))
        # Source: Chargebee API docs, include_deleted: a deleted invoice is in lists only
        query = [("id[is]", key), ("include_deleted", "true"), ("sort_by[asc]", "date")]
        listed = self._session.pages("/invoices", "invoice", query)
        return next((self._whole(candidate) for candidate in listed), None)

    def stamped(self, since: datetime) -> Iterator[Invoice]:
        """Stream every stamped invoice that was changed since a time, deleted and voided too."""
        for invoice in self._changed((), since):
            if stamp_of(invoice, self._reading.stamps):
                yield read_invoice(invoice, self._reading)

    def of(self, owners: Pairs, since: datetime) -> Iterator[JsonObject]:
        """Stream an owner's invoices that were changed since a time, deleted and voided too.

        Args:
            owners: Filter by ``owner_filter``.
            since: No invoice that is looked for can be older.
        """
        yield from self._changed(owners, since)

    def near(self, customer_id: str, subscription_id: str, since: datetime) -> tuple[Invoice, ...]:
        """List the invoices that hold, or may hold, charges of a subscription, by their date.

        Closed ones are among them: one may hold lines that were added while it was pending. Their
        credits are as the invoice lists them.

        Source: Chargebee API docs, list invoices: ``subscription_id`` is not to be used with
        consolidated invoicing, so the customer's are listed; ``date`` takes ``after``.
        """
        query = [
            ("customer_id[is]", customer_id),
            ("date[after]", seconds(since)),
            ("sort_by[asc]", "date"),
        ]
        found = self._session.pages("/invoices", "invoice", query)
        return tuple(
            read_invoice(self._with_all_lines(invoice), self._reading)
            for invoice in found
            if _belongs(invoice, subscription_id)
        )

    def whole(self, data: JsonObject) -> Invoice:
        """Read a listed invoice, with the lines that the list left out."""
        return self._whole(data)

    def credit_notes(self, query: Pairs) -> tuple[JsonObject, ...]:
        """List credit notes, deleted ones too."""
        more = [("include_deleted", "true"), ("sort_by[asc]", "date")]
        return tuple(self._session.pages("/credit_notes", "credit_note", [*query, *more]))

    def credit(self, kind: CreditKind, key: str) -> JsonObject | None:
        """Read one credit note or promotional credit; ``None`` when it is gone."""
        found = self._session.read(f"/{kind}s/{segment(key)}")
        return None if found is None else an_object(found.get(kind), f"{kind} {key}")

    def promotional_credits(self, customer_id: str) -> Iterator[JsonObject]:
        """Stream the promotional credits that a customer was given; they sort by nothing."""
        query = [("customer_id[is]", customer_id), ("type[is]", "increment")]
        yield from self._session.pages("/promotional_credits", "promotional_credit", query)

    def _changed(self, owners: Pairs, since: datetime) -> Iterator[JsonObject]:
        query = [
            *owners,
            ("updated_at[after]", seconds(since - _SKEW)),
            ("include_deleted", "true"),
            ("sort_by[asc]", "updated_at"),
        ]
        yield from self._session.pages("/invoices", "invoice", query)

    def _whole(self, data: JsonObject) -> Invoice:
        data = self._with_all_lines(data)
        return read_invoice(data, self._reading, self._credited(data))

    def _credited(self, data: JsonObject) -> int | None:
        """Add up credit notes before tax, which the invoice itself does not show."""
        names = ("adjustment_credit_notes", "issued_credit_notes")
        if not any(True for name in names for _ in objects(data, name)):
            return None
        notes = self.credit_notes([("reference_invoice_id[is]", str(data.get("id")))])
        standing = (note for note in notes if not gone(note))
        return sum(number(note, "sub_total") for note in standing)

    def _with_all_lines(self, data: JsonObject) -> JsonObject:
        """Follow the pages of a very long invoice.

        Source: Chargebee API docs, retrieve an invoice: ``line_items_next_offset`` with
        Enterprise-scale Invoicing.
        """
        path = f"/invoices/{segment(str(data.get('id')))}"
        lines = list(objects(data, "line_items"))
        last = data
        for _ in range(_LINE_PAGES_MAX):
            offset = last.get("line_items_next_offset")
            if not offset:
                return {**data, "line_items": lines}
            query = [
                ("line_items_limit", str(_LINES_A_PAGE)),
                ("line_items_offset", str(offset)),
            ]
            page = self._session.read(path, query) or {}
            last = an_object(page.get("invoice"), f"GET {path}")
            lines += objects(last, "line_items")
        raise UnreadableChargebeeAnswerError(f"GET {path}", "its lines never end")


def owner_filter(target: BilledParty, customer_id: str) -> Pairs:
    """Write the filter for everything of whoever is billed: the customer's, where it is known."""
    if customer_id or target.kind == "customer":
        return [("customer_id[is]", customer_id or target.external_id)]
    return [("subscription_id[is]", target.external_id)]


def gone(data: JsonObject) -> bool:
    """Whether an invoice or credit note was voided or deleted."""
    return data.get("deleted") is True or data.get("status") == "voided"


def _belongs(data: JsonObject, subscription_id: str) -> bool:
    whose = data.get("subscription_id")
    if whose:
        return whose == subscription_id
    return any(
        line.get("subscription_id") == subscription_id for line in objects(data, "line_items")
    )
