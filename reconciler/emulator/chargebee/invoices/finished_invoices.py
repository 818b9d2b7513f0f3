"""Invoices after closing: voiding, deleting, writing off, details and credits."""

from __future__ import annotations

from reconciler.emulator.chargebee.invoices.credit_notes import adjust
from reconciler.emulator.chargebee.invoices.invoice_shape import custom_fields, totalled
from reconciler.emulator.chargebee.invoices.pending_invoices import invoice_in
from reconciler.emulator.chargebee.invoices.settlement import allocate, applied, status_of
from reconciler.emulator.chargebee.objects.balances import change
from reconciler.emulator.chargebee.objects.comments import remark
from reconciler.emulator.chargebee.parameters.facts_billing import (
    APPLY_CREDITS,
    COMMENT_ONLY,
    UPDATE_DETAILS,
    VOID,
)
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.refusals import wrong_state, wrong_value
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject, public

_DUE = frozenset({"payment_due", "posted", "not_paid"})


def void(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Void an invoice: its number stays, what it used is given back."""
    values = site.reading().read(VOID, form)
    invoice = invoice_in(site, key)
    if invoice["status"] == "voided" or invoice["deleted"]:
        raise wrong_state(f"The invoice {invoice['id']} is already voided.")
    if invoice["status"] == "pending" and site.switches.text("void_pending") == "refuse":
        raise wrong_state(f"The invoice {invoice['id']} is pending.")
    _refuse_payments(invoice)
    if "void_reason_code" not in values and site.switches.on("void_reason_required"):
        raise wrong_value("void_reason_code", "cannot be blank")
    _give_back(site, invoice)
    changes: JsonObject = {
        "status": "voided",
        "voided_at": site.now(),
        "void_reason_code": values.get("void_reason_code"),
        "applied_credits": [],
        "amount_due": 0,
        "amount_to_collect": 0,
    }
    stored = site.put("invoice", invoice | changes)
    remark(site, "invoice", stored["id"], values.get("comment"))
    site.raise_event("invoice_updated", {"invoice": stored})
    return {"invoice": public(stored)}


def delete(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Delete an invoice; lists show it only when asked."""
    values = site.reading().read(COMMENT_ONLY, form)
    invoice = invoice_in(site, key)
    if invoice["deleted"]:
        raise wrong_state(f"The invoice {invoice['id']} is already deleted.")
    _refuse_payments(invoice)
    if invoice["status"] != "voided":
        _give_back(site, invoice)
    stored = site.put("invoice", invoice | {"deleted": True})
    remark(site, "invoice", stored["id"], values.get("comment"))
    site.raise_event("invoice_deleted", {"invoice": stored})
    return {"invoice": public(stored)}


def write_off(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Give up what is still due, by a credit note."""
    values = site.reading().read(COMMENT_ONLY, form)
    invoice = invoice_in(site, key)
    due = invoice["amount_due"]
    if invoice["status"] not in _DUE or not due:
        raise wrong_state(f"Nothing can be written off: the invoice is {invoice['status']}.")
    note, stored = adjust(site, invoice, due, {"reason_code": "write_off"})
    stored = site.put("invoice", stored | {"write_off_amount": due})
    remark(site, "invoice", stored["id"], values.get("comment"))
    return {"invoice": public(stored), "credit_note": public(note)}


def update_details(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Change what does not change the amounts."""
    values = site.reading().read(UPDATE_DETAILS, form)
    invoice = invoice_in(site, key)
    if invoice["status"] == "voided":
        raise wrong_state(f"The invoice {invoice['id']} is voided.")
    plain = {name: value for name, value in values.items() if name != "comment"}
    stored = site.put("invoice", invoice | plain | custom_fields(values))
    remark(site, "invoice", stored["id"], values.get("comment"))
    site.raise_event("invoice_updated", {"invoice": stored})
    return {"invoice": public(stored)}


def apply_credits(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Use refundable credit notes, the named ones or the oldest, for what is due."""
    values = site.reading().read(APPLY_CREDITS, form)
    invoice = invoice_in(site, key)
    if invoice["status"] not in _DUE:
        raise wrong_state(f"Credits cannot be applied: the invoice is {invoice['status']}.")
    rows = values.get("credit_notes", ())
    named = [(f"credit_notes[id][{row.index}]", row.values["id"]) for row in rows]
    notes = [site.need("credit_note", note_id, param) for param, note_id in named]
    if not notes:
        notes = site.where("credit_note", "customer_id", invoice["customer_id"])[::-1]
    for note in notes:
        usable = (
            note["status"] == "refund_due" and note["currency_code"] == invoice["currency_code"]
        )
        amount = min(invoice["amount_due"], note["amount_available"]) if usable else 0
        if amount > 0:
            entries = [*invoice["applied_credits"], applied(site, note, amount)]
            invoice = totalled(invoice | {"applied_credits": entries})
            allocate(site, note, invoice["id"], amount)
    stored = site.put("invoice", invoice | {"status": status_of(invoice)})
    remark(site, "invoice", stored["id"], values.get("comment"))
    return {"invoice": public(stored)}


def _refuse_payments(invoice: JsonObject) -> None:
    if invoice["linked_payments"]:
        raise wrong_state(f"Remove the payments of the invoice {invoice['id']} first.")


def _give_back(site: EmulatedSite, invoice: JsonObject) -> None:
    """Return promotional credits, excess payments and applied credit notes to the customer."""
    customer, currency = invoice["customer_id"], invoice["currency_code"]
    parts = invoice["line_item_discounts"]
    used = [part for part in parts if part["discount_type"] == "promotional_credits"]
    promotional = sum(discount["discount_amount"] for discount in used)
    change(site, customer, "promotional_credits", currency, promotional)
    change(site, customer, "excess_payments", currency, invoice["amount_paid"])
    for entry in invoice["applied_credits"]:
        note = site.need("credit_note", entry["cn_id"])
        amount = entry["applied_amount"]
        kept = [
            allocation
            for allocation in note["allocations"]
            if allocation["invoice_id"] != invoice["id"]
        ]
        changes = {
            "amount_available": note["amount_available"] + amount,
            "amount_allocated": note["amount_allocated"] - amount,
            "allocations": kept,
            "status": "refund_due",
        }
        site.put("credit_note", note | changes)
        change(site, customer, "refundable_credits", currency, amount)
