"""Credit notes: adjustment, refundable and store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.chargebee.invoices.invoice_shape import custom_fields, totalled
from reconciler.emulator.chargebee.invoices.lines import Place
from reconciler.emulator.chargebee.invoices.settlement import status_of
from reconciler.emulator.chargebee.objects.balances import change
from reconciler.emulator.chargebee.objects.comments import remark
from reconciler.emulator.chargebee.objects.owners import currency_of
from reconciler.emulator.chargebee.parameters.facts_billing import COMMENT_ONLY
from reconciler.emulator.chargebee.parameters.facts_credits import CREATE_CREDIT_NOTE
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.parameters import IndexedRow
from reconciler.emulator.chargebee.parameters.refusals import invalid, wrong_state, wrong_value
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject, public

# Source: third-party digest of the Chargebee specification, credit_notes create.
_ADJUSTABLE = frozenset({"payment_due", "posted", "not_paid"})
_STORE = "promotional_credits"


def create(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Create a credit note."""
    values = site.reading().read(CREATE_CREDIT_NOTE, form)
    if ("total" in values) == bool(values.get("line_items")):
        raise invalid("Give either total or line_items.", "total")
    reference = values.get("reference_invoice_id")
    invoice = None
    if reference is not None:
        invoice = site.need("invoice", reference, "reference_invoice_id")
    note, changed = _made(site, values, invoice)
    remark(site, "credit_note", note["id"], values.get("comment"))
    shown = {"credit_note": public(note)}
    return shown if changed is None else shown | {"invoice": public(changed)}


def void(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Void a credit note that was not used."""
    values = site.reading().read(COMMENT_ONLY, form)
    note = site.need("credit_note", key)
    if note["status"] == "voided" or note["type"] == "store" or note["allocations"]:
        raise wrong_state(f"The credit note {key} is {note['status']} and cannot be voided.")
    if note["type"] == "adjustment":
        _undo_adjustment(site, note)
    else:
        amount = -note["amount_available"]
        change(site, note["customer_id"], "refundable_credits", note["currency_code"], amount)
    changes = {"status": "voided", "voided_at": site.now(), "amount_available": 0}
    stored = site.put("credit_note", note | changes)
    remark(site, "credit_note", key, values.get("comment"))
    site.raise_event("credit_note_updated", {"credit_note": stored})
    return {"credit_note": public(stored)}


def adjust(
    site: EmulatedSite, invoice: JsonObject, amount: int, values: Mapping[str, Any]
) -> tuple[JsonObject, JsonObject]:
    """Store an adjustment credit note and what it makes of the invoice."""
    note = _store(site, invoice, amount, {**values, "type": "adjustment"}, "adjusted")
    entries = [*invoice["adjustment_credit_notes"], _entry(note)]
    changed = totalled(invoice | {"adjustment_credit_notes": entries})
    return note, site.put("invoice", changed | {"status": status_of(changed)})


def _made(
    site: EmulatedSite, values: Mapping[str, Any], invoice: JsonObject | None
) -> tuple[JsonObject, JsonObject | None]:
    if invoice is None:
        return _standalone(site, values), None
    amount = _amount(site, values, invoice["currency_code"])
    if values["type"] == "adjustment":
        if invoice["status"] not in _ADJUSTABLE:
            raise wrong_state(f"The invoice {invoice['id']} is {invoice['status']}.")
        if amount > invoice["amount_due"]:
            raise wrong_value("total", f"exceeds the amount due, {invoice['amount_due']}")
        return adjust(site, invoice, amount, values)
    return _refund(site, values, invoice, amount)


def _refund(
    site: EmulatedSite, values: Mapping[str, Any], invoice: JsonObject, amount: int
) -> tuple[JsonObject, JsonObject]:
    issued = [
        issued_credit_note["cn_total"] for issued_credit_note in invoice["issued_credit_notes"]
    ]
    refundable = invoice["amount_paid"] + invoice["credits_applied"] - sum(issued)
    if amount > refundable:
        raise wrong_value("total", f"exceeds the refundable amount, {refundable}")
    store = values["type"] == "store"
    note = _store(site, invoice, amount, values, "refunded" if store else "refund_due")
    balance = _STORE if store else "refundable_credits"
    change(site, invoice["customer_id"], balance, invoice["currency_code"], amount)
    entries = [*invoice["issued_credit_notes"], _entry(note)]
    return note, site.put("invoice", invoice | {"issued_credit_notes": entries})


def _standalone(site: EmulatedSite, values: Mapping[str, Any]) -> JsonObject:
    """A refundable credit note of a customer without an invoice; it has no cap."""
    if values["type"] != "refundable":
        raise wrong_value("reference_invoice_id", "cannot be blank for this type")
    if "customer_id" not in values:
        raise wrong_value("customer_id", "cannot be blank without reference_invoice_id")
    customer = site.need("customer", values["customer_id"], "customer_id")
    currency = currency_of(site, values, None)
    amount = _amount(site, values, currency)
    parent = {"customer_id": customer["id"], "currency_code": currency}
    note = _store(site, parent, amount, values, "refund_due")
    change(site, customer["id"], "refundable_credits", currency, amount)
    return note


def _amount(site: EmulatedSite, values: Mapping[str, Any], currency: str) -> int:
    if "total" in values:
        return int(values["total"])
    return sum(_line_amount(site, row, currency) for row in values["line_items"])


def _line_amount(site: EmulatedSite, row: IndexedRow, currency: str) -> int:
    place, values = Place("line_items", row.index), row.values
    if "amount" in values:
        amount = int(values["amount"])
    elif "unit_amount" in values:
        amount = int(values["unit_amount"]) * int(values.get("quantity", 1))
    elif "unit_amount_in_decimal" in values:
        quantity = values.get("quantity_in_decimal", values.get("quantity", 1))
        amount = site.money.to_minor(values["unit_amount_in_decimal"] * quantity, currency)
    else:
        raise wrong_value(place.of("amount"), "cannot be blank")
    if amount < 0:
        raise wrong_value(place.of("amount"), "must not be negative")
    return amount


def _lines(site: EmulatedSite, values: Mapping[str, Any], currency: str) -> list[JsonObject]:
    return [
        {
            "id": site.new_id("li_"),
            "reference_line_item_id": row.values.get("reference_line_item_id"),
            "description": row.values.get("description"),
            "entity_type": row.values.get("entity_type", "adhoc"),
            "entity_id": row.values.get("entity_id"),
            "date_from": row.values.get("date_from", site.now()),
            "date_to": row.values.get("date_to", site.now()),
            "quantity": row.values.get("quantity", 1),
            "amount": _line_amount(site, row, currency),
            "object": "line_item",
        }
        for row in values.get("line_items", ())
    ]


def _store(
    site: EmulatedSite, parent: JsonObject, amount: int, values: Mapping[str, Any], status: str
) -> JsonObject:
    open_amount = amount if status == "refund_due" else 0
    note: JsonObject = {
        "id": f"CN-{site.next_number('credit_note')}",
        "customer_id": parent["customer_id"],
        "subscription_id": parent.get("subscription_id"),
        "reference_invoice_id": parent.get("id"),
        "type": values["type"],
        "reason_code": values.get("reason_code", "other"),
        "create_reason_code": values.get("create_reason_code"),
        "status": status,
        "date": values.get("date", site.now()),
        "price_type": "tax_exclusive",
        "currency_code": parent["currency_code"],
        "sub_total": amount,
        "total": amount,
        "amount_allocated": amount if values["type"] == "adjustment" else 0,
        "amount_refunded": 0,
        "amount_available": open_amount,
        "round_off_amount": 0,
        "generated_at": site.now(),
        "line_items": _lines(site, values, parent["currency_code"]),
        "allocations": [],
        "linked_refunds": [],
        "customer_notes": values.get("customer_notes"),
        "deleted": False,
        **custom_fields(values),
    }
    stored = site.put("credit_note", note)
    site.raise_event("credit_note_created", {"credit_note": stored})
    return stored


def _entry(note: JsonObject) -> JsonObject:
    """A credit note as an invoice shows it."""
    return {
        "cn_id": note["id"],
        "cn_reason_code": note["reason_code"],
        "cn_date": note["date"],
        "cn_total": note["total"],
        "cn_status": note["status"],
        "object": "credit_note_reference",
    }


def _undo_adjustment(site: EmulatedSite, note: JsonObject) -> None:
    invoice = site.need("invoice", note["reference_invoice_id"])
    kept = [
        adjustment_credit_note
        for adjustment_credit_note in invoice["adjustment_credit_notes"]
        if adjustment_credit_note["cn_id"] != note["id"]
    ]
    changed = totalled(invoice | {"adjustment_credit_notes": kept})
    if invoice["status"] != "voided":
        site.put("invoice", changed | {"status": status_of(changed)})
