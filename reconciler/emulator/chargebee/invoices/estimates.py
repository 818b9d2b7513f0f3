"""Estimates: what a create call would make, without making it and without idempotency."""

from __future__ import annotations

from reconciler.emulator.chargebee.invoices.invoices import estimated
from reconciler.emulator.chargebee.objects.owners import owner_of
from reconciler.emulator.chargebee.parameters.facts_billing import ESTIMATE_INVOICE
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.site import JsonObject, Site, public

_SHOWN = (
    "recurring",
    "price_type",
    "currency_code",
    "sub_total",
    "total",
    "credits_applied",
    "amount_paid",
    "amount_due",
    "line_items",
    "line_item_tiers",
    "line_item_discounts",
    "discounts",
    "round_off_amount",
    "customer_id",
)


def create_invoice_for_items(site: Site, form: Tree, _: str) -> JsonObject:
    """Estimate an invoice for charge items and charges."""
    values = site.reading().read(ESTIMATE_INVOICE, form)
    whom = values.get("invoice", {}) | {"currency_code": values.get("currency_code")}
    owner = owner_of(site, whom, prefix="invoice")
    invoice = estimated(site, owner, values)
    shown = {name: invoice[name] for name in _SHOWN} | {"object": "invoice_estimate"}
    estimate = {"created_at": site.now(), "object": "estimate", "invoice_estimate": shown}
    return {"estimate": public(estimate)}
