"""What happens when an invoice is finalised: number, credits, due date, collection, status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.emulator.chargebee.invoices.discounts import parts_of, reduced
from reconciler.emulator.chargebee.invoices.invoice_shape import totalled
from reconciler.emulator.chargebee.money import split
from reconciler.emulator.chargebee.objects.balances import balance, change
from reconciler.emulator.chargebee.objects.owners import InvoiceOwner
from reconciler.emulator.chargebee.parameters.refusals import payment
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject

DAY_SECONDS = 86_400
_PROMOTIONAL = "promotional_credits"


@dataclass(frozen=True, slots=True)
class Credit:
    """Credits that an invoice will use.

    Attributes:
        promotional: Minor units of promotional credits.
        notes: Credit notes and the minor units taken of each.
        excess: Minor units of excess payments.
    """

    promotional: int = 0
    notes: tuple[tuple[JsonObject, int], ...] = ()
    excess: int = 0


def finalised(
    site: EmulatedSite, owner: InvoiceOwner, invoice: JsonObject, *, collect: bool | None
) -> JsonObject:
    """Finalise and store an invoice, with everything that follows from it.

    Args:
        site: The site.
        owner: Whom it is for.
        invoice: The pending invoice; it is not stored under its old id here.
        collect: Whether to charge the customer now; ``None`` where nobody waits for the answer, so
            that a charge that fails leaves the invoice due.

    Raises:
        RefusalError: 400 if a charge is due now and cannot be made; then nothing was changed,
            unless the site leaves the invoice behind.
    """
    credit = credit_for(site, owner, invoice)
    shown = _with_credit(site, invoice, credit)
    automatic = owner.setting("auto_collection", "on") == "on"
    wanted = automatic if collect is None else collect
    terms = shown["net_term_days"] or 0
    charged = wanted and shown["amount_due"] > 0 and terms <= 0
    problem = _problem(site, owner) if charged else None
    refused = problem if collect is not None else None
    if refused is not None and _leaves_nothing(site, refused):
        raise payment(*refused)
    shown = numbered(site, shown)
    if charged and problem is None:
        shown = _paid(site, shown)
    _take(site, owner, shown, credit)
    stored = site.put("invoice", _settled(site, shown, terms))
    if stored["linked_payments"]:
        site.raise_event("payment_succeeded", {"invoice": stored, "customer": owner.customer})
    if refused is not None:
        raise payment(*refused)
    return stored


def numbered(site: EmulatedSite, invoice: JsonObject) -> JsonObject:
    """The invoice under its final number, and with new line ids where the site does that."""
    if invoice["id"].startswith("draft_inv_") and site.switches.on("id_changes_at_close"):
        number = f"{site.record.get('invoice_prefix', '')}{site.next_number('invoice')}"
        invoice = invoice | {"id": number, "_draft_id": invoice["id"]}
    return invoice | {"generated_at": site.now()}


def renamed_lines(site: EmulatedSite, invoice: JsonObject) -> JsonObject:
    """The invoice with new line ids, unless they are stable."""
    if site.switches.on("line_ids_stable"):
        return invoice
    names = {line["id"]: site.new_id("li_") for line in invoice["line_items"]}
    lines = [line | {"id": names[line["id"]]} for line in invoice["line_items"]]
    below = {
        kind: [part | {"line_item_id": names[part["line_item_id"]]} for part in invoice[kind]]
        for kind in ("line_item_tiers", "line_item_discounts")
    }
    return invoice | {"line_items": lines, **below}


def credit_for(site: EmulatedSite, owner: InvoiceOwner, invoice: JsonObject) -> Credit:
    """What the customer's credits can pay of an invoice."""
    left = invoice["amount_due"]
    if left <= 0 or not site.switches.on("apply_credits"):
        return Credit()
    currency = invoice["currency_code"]
    promotional = min(left, balance(owner.customer, _PROMOTIONAL, currency))
    left -= promotional
    notes: list[tuple[JsonObject, int]] = []
    for note in reversed(site.where("credit_note", "customer_id", owner.customer["id"])):
        usable = note["status"] == "refund_due" and note["currency_code"] == currency
        if usable and left > 0:
            notes.append((note, min(left, note["amount_available"])))
            left -= notes[-1][1]
    excess = min(left, balance(owner.customer, "excess_payments", currency))
    return Credit(promotional, tuple(notes), excess)


def allocate(site: EmulatedSite, note: JsonObject, invoice_id: str, amount: int) -> None:
    """Store that so much of a credit note went into an invoice."""
    available = note["amount_available"] - amount
    entry = {"allocated_amount": amount, "allocated_at": site.now(), "invoice_id": invoice_id}
    site.put(
        "credit_note",
        note
        | {
            "amount_available": available,
            "amount_allocated": note["amount_allocated"] + amount,
            "allocations": [*note["allocations"], entry],
            "status": "refund_due" if available else "adjusted",
        },
    )
    change(site, note["customer_id"], "refundable_credits", note["currency_code"], -amount)


def applied(site: EmulatedSite, note: JsonObject, amount: int) -> JsonObject:
    """One entry of an invoice's ``applied_credits``."""
    return {
        "cn_id": note["id"],
        "applied_amount": amount,
        "applied_at": site.now(),
        "cn_reason_code": note.get("reason_code"),
        "cn_date": note["date"],
        "cn_status": note["status"],
        "object": "applied_credit",
    }


def status_of(invoice: JsonObject) -> str:
    """Status of a finalised invoice by what is due and when."""
    if invoice["amount_due"] <= 0:
        return "paid"
    return "posted" if (invoice["net_term_days"] or 0) > 0 else "payment_due"


def _with_credit(site: EmulatedSite, invoice: JsonObject, credit: Credit) -> JsonObject:
    lines = invoice["line_items"]
    weights = [line["amount"] - line["discount_amount"] for line in lines]
    shares = split(credit.promotional, weights)
    taken = {line["id"]: share for line, share in zip(lines, shares, strict=True) if share}
    changes: dict[str, Any] = {
        "line_items": [reduced(line, taken.get(line["id"], 0), _PROMOTIONAL) for line in lines],
        "line_item_discounts": [
            *invoice["line_item_discounts"],
            *parts_of(taken, _PROMOTIONAL, None),
        ],
        "applied_credits": [applied(site, note, amount) for note, amount in credit.notes],
        "amount_paid": credit.excess,
    }
    if credit.promotional:
        entry = {"amount": credit.promotional, "entity_type": _PROMOTIONAL, "object": "discount"}
        changes["discounts"] = [*invoice["discounts"], entry]
    return totalled(invoice | changes)


def _take(site: EmulatedSite, owner: InvoiceOwner, invoice: JsonObject, credit: Credit) -> None:
    customer, currency = owner.customer["id"], invoice["currency_code"]
    change(site, customer, _PROMOTIONAL, currency, -credit.promotional)
    change(site, customer, "excess_payments", currency, -credit.excess)
    for note, amount in credit.notes:
        allocate(site, note, invoice["id"], amount)


def _problem(site: EmulatedSite, owner: InvoiceOwner) -> tuple[str, str] | None:
    """Why a charge cannot be made now, as code and message.

    Source: Chargebee API v1 specification: payment_method_not_present arises when a charge is due
    now and auto-collection is on.
    """
    if not owner.customer.get("primary_payment_source_id"):
        return "payment_method_not_present", "Payment method is not present for this customer."
    if site.switches.text("collection") == "fails":
        return "payment_processing_failed", "Payment processing failed: the card was declined."
    return None


def _leaves_nothing(site: EmulatedSite, problem: tuple[str, str]) -> bool:
    missing = problem[0] == "payment_method_not_present"
    return missing or site.switches.text("failed_collection") == "nothing"


def _paid(site: EmulatedSite, invoice: JsonObject) -> JsonObject:
    amount = invoice["amount_due"]
    transaction = site.put(
        "transaction",
        {
            "id": site.new_id("txn_"),
            "customer_id": invoice["customer_id"],
            "type": "payment",
            "status": "success",
            "amount": amount,
            "currency_code": invoice["currency_code"],
            "date": site.now(),
        },
    )
    link = {
        "txn_id": transaction["id"],
        "applied_amount": amount,
        "applied_at": site.now(),
        "txn_status": "success",
        "txn_date": site.now(),
        "txn_amount": amount,
        "object": "linked_payment",
    }
    paid = invoice["amount_paid"] + amount
    return totalled(invoice | {"amount_paid": paid, "linked_payments": [link]})


def _settled(site: EmulatedSite, invoice: JsonObject, terms: int) -> JsonObject:
    status = status_of(invoice)
    changes: JsonObject = {"status": status, "due_date": invoice["date"] + terms * DAY_SECONDS}
    if status == "paid":
        changes["paid_at"] = site.now()
    return invoice | {"new_sales_amount": invoice["total"], **changes}
