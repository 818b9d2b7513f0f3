"""Unbilled charges: held for a subscription until an invoice takes them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.emulator.chargebee.invoices.invoice_shape import Content, content_of, new_invoice
from reconciler.emulator.chargebee.invoices.lines import Priced
from reconciler.emulator.chargebee.invoices.settlement import finalised
from reconciler.emulator.chargebee.objects.balances import change
from reconciler.emulator.chargebee.objects.owners import InvoiceOwner, owner_of
from reconciler.emulator.chargebee.parameters.facts_credits import (
    CREATE_UNBILLED_CHARGES,
    INVOICE_UNBILLED_CHARGES,
)
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.refusals import invalid
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject, public

_LINE_FIELDS = (
    "date_from",
    "date_to",
    "unit_amount",
    "quantity",
    "amount",
    "pricing_model",
    "unit_amount_in_decimal",
    "quantity_in_decimal",
    "amount_in_decimal",
    "discount_amount",
    "description",
    "entity_type",
    "entity_id",
)


def create(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Hold charges for a subscription."""
    values = site.reading().read(CREATE_UNBILLED_CHARGES, form)
    owner = owner_of(site, values)
    content = content_of(site, owner, values)
    if not content.lines:
        raise invalid("Give at least one item price or charge.")
    charges = [site.put("unbilled_charge", _charge(site, owner, line)) for line in content.lines]
    _owe(site, charges, 1)
    shown = [public(charge) for charge in charges]
    site.raise_event("unbilled_charges_created", {"unbilled_charges": shown})
    return {"unbilled_charges": shown}


def delete(site: EmulatedSite, _: Tree, key: str) -> JsonObject:
    """Drop a charge before it is invoiced."""
    charge = site.need("unbilled_charge", key)
    site.remove("unbilled_charge", key)
    _owe(site, [charge], -1)
    gone = charge | {"deleted": True}
    site.raise_event("unbilled_charges_deleted", {"unbilled_charges": [public(gone)]})
    return {"unbilled_charge": public(gone)}


def invoice(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Invoice what is held for a subscription, or for each subscription of a customer."""
    values = site.reading().read(INVOICE_UNBILLED_CHARGES, form)
    if ("subscription_id" in values) == ("customer_id" in values):
        raise invalid("Give either subscription_id or customer_id.")
    charges = pending(site, values.get("customer_id"), values.get("subscription_id"), None)
    if not charges:
        raise invalid("There are no unbilled charges.")
    subscriptions = dict.fromkeys(str(charge["subscription_id"]) for charge in charges)
    done = [_invoice(site, name) for name in subscriptions]
    return {"invoices": [public(charge) for charge in done]}


def estimate(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Show the invoices that ``invoice`` would make."""
    values = site.reading().read(INVOICE_UNBILLED_CHARGES, form)
    charges = pending(site, values.get("customer_id"), values.get("subscription_id"), None)
    total = sum(charge["amount"] for charge in charges)
    lines = [as_line(charge) for charge in charges]
    shown = {"sub_total": total, "total": total, "amount_due": total, "line_items": lines}
    return {"estimate": {"created_at": site.now(), "invoice_estimates": [shown]}}


def pending(
    site: EmulatedSite, customer: str | None, subscription: str | None, currency: str | None
) -> list[JsonObject]:
    """Charges that wait, oldest first: of the subscription, else of the customer."""
    field, value = ("subscription_id", subscription) if subscription else ("customer_id", customer)
    found = site.where("unbilled_charge", field, value)[::-1]
    return [charge for charge in found if currency is None or charge["currency_code"] == currency]


def sweep(site: EmulatedSite, owner: InvoiceOwner, content: Content) -> Content:
    """The contents of a new invoice with the charges that wait behind them.

    Source: Chargebee API docs, unbilled charges: an invoice takes up those of its subscription, or
    of all subscriptions of its customer.
    """
    if not site.switches.on("sweep_unbilled_charges"):
        return content
    charges = pending(site, owner.customer["id"], owner.subscription_id, owner.currency)
    return content.with_lines([Priced(as_line(charge)) for charge in charges])


def forget(site: EmulatedSite, lines: Sequence[JsonObject]) -> None:
    """Take the charges away that became lines of a stored invoice."""
    swept = [site.get("unbilled_charge", str(line.get("_charge"))) for line in lines]
    charges = [charge for charge in swept if charge is not None]
    for charge in charges:
        site.remove("unbilled_charge", charge["id"])
    if charges:
        _owe(site, charges, -1)
        shown = [public(charge) for charge in charges]
        site.raise_event("unbilled_charges_invoiced", {"unbilled_charges": shown})


def as_line(charge: JsonObject) -> JsonObject:
    """The invoice line that a charge becomes."""
    fields = {name: charge[name] for name in _LINE_FIELDS if name in charge}
    return {
        **charge["_line"],
        **fields,
        "subscription_id": charge["subscription_id"],
        "_charge": charge["id"],
    }


def _charge(site: EmulatedSite, owner: InvoiceOwner, line: JsonObject) -> JsonObject:
    fields = {name: line[name] for name in _LINE_FIELDS if name in line}
    return {
        "id": site.new_id("li_"),
        "customer_id": owner.customer["id"],
        "subscription_id": owner.subscription_id,
        "currency_code": owner.currency,
        **fields,
        "is_voided": False,
        "deleted": False,
        "created_at": site.now(),
        "_line": line,
    }


def _owe(site: EmulatedSite, charges: Sequence[Mapping[str, Any]], sign: int) -> None:
    for charge in charges:
        amount = sign * charge["amount"]
        change(site, charge["customer_id"], "unbilled_charges", charge["currency_code"], amount)


def _invoice(site: EmulatedSite, subscription: str) -> JsonObject:
    currency = site.need("subscription", subscription)["currency_code"]
    owner = owner_of(site, {"subscription_id": subscription}, currency=currency)
    charges = pending(site, None, subscription, currency)
    content = Content().with_lines([Priced(as_line(charge)) for charge in charges])
    draft = new_invoice(site, owner, content, {})
    stored = finalised(site, owner, draft, collect=owner.setting("auto_collection", "on") == "on")
    forget(site, stored["line_items"])
    site.raise_event("invoice_generated", {"invoice": stored})
    return stored
