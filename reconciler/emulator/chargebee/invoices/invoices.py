"""Creating invoices: for charge items and charges, for one of either, finalised or pending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.emulator.chargebee.invoices.invoice_shape import Content, content_of, new_invoice
from reconciler.emulator.chargebee.invoices.lines import LineMaker, Place
from reconciler.emulator.chargebee.invoices.settlement import finalised
from reconciler.emulator.chargebee.invoices.unbilled_charges import forget, sweep
from reconciler.emulator.chargebee.objects.owners import InvoiceOwner, owner_of
from reconciler.emulator.chargebee.objects.terms import month_before
from reconciler.emulator.chargebee.parameters.facts_billing import (
    CHARGE,
    CREATE_FOR_CHARGE_ITEM,
    CREATE_INVOICE,
    ESTIMATE_INVOICE,
    PAYMENT_PARAMETERS,
)
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.refusals import (
    invalid,
    not_configured,
    wrong_state,
    wrong_value,
)
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject, public


def create(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Create an invoice for any number of charge items and ad-hoc charges."""
    values = site.reading().read(CREATE_INVOICE, form)
    owner = owner_of(site, values)
    pending = values.get("create_pending_invoice", False)
    if pending:
        _check_pending(site, owner, values)
    content = content_of(site, owner, values)
    if not content.lines:
        raise invalid("Give at least one item price or charge.")
    _check_date(site, values)
    return _store(site, owner, sweep(site, owner, content), values, pending=pending)


def create_for_charge_item(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Create an invoice for one charge item, in the currency of its price."""
    values = site.reading().read(CREATE_FOR_CHARGE_ITEM, form)
    item = values["item_price"]
    price = site.need("item_price", item["item_price_id"], "item_price[item_price_id]")
    owner = owner_of(site, values, currency=price["currency_code"])
    maker = LineMaker(site, owner.currency, owner.customer["id"], owner.subscription_id)
    priced = maker.item(item, Place("item_price"), values.get("item_tiers", ()))
    _check_date(site, values)
    content = sweep(site, owner, Content().with_lines([priced]))
    return _store(site, owner, content, values, pending=False)


def charge(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Create an invoice for one ad-hoc charge."""
    values = site.reading().read(CHARGE, form)
    owner = owner_of(site, values)
    maker = LineMaker(site, owner.currency, owner.customer["id"], owner.subscription_id)
    priced = maker.adhoc(values, Place())
    _check_date(site, values)
    content = sweep(site, owner, Content().with_lines([priced]))
    return _store(site, owner, content, values, pending=False)


def estimated(site: EmulatedSite, owner: InvoiceOwner, values: Mapping[str, Any]) -> JsonObject:
    """The invoice that a create call would make; nothing is stored."""
    content = content_of(site, owner, values)
    if not content.lines:
        raise invalid("Give at least one item price or charge.")
    _check_date(site, values)
    return new_invoice(site, owner, sweep(site, owner, content), values)


def _store(
    site: EmulatedSite,
    owner: InvoiceOwner,
    content: Content,
    values: Mapping[str, Any],
    *,
    pending: bool,
) -> JsonObject:
    draft = new_invoice(site, owner, content, values)
    if pending:
        stored = site.put("invoice", draft)
    else:
        auto = values.get("auto_collection", owner.setting("auto_collection", "on"))
        paying = owner if not _paying(values) else _with_source(owner)
        stored = finalised(site, paying, draft, collect=auto == "on")
    forget(site, stored["line_items"])
    event = "pending_invoice_created" if pending else "invoice_generated"
    site.raise_event(event, {"invoice": stored})
    return {"invoice": public(stored)}


def _paying(values: Mapping[str, Any]) -> bool:
    return any(name in values for name in PAYMENT_PARAMETERS)


def _with_source(owner: InvoiceOwner) -> InvoiceOwner:
    return replace(owner, customer=owner.customer | {"primary_payment_source_id": "given"})


def _check_pending(site: EmulatedSite, owner: InvoiceOwner, values: Mapping[str, Any]) -> None:
    """Refuse what does not go together with a pending invoice.

    Source: chargebee changelog 3.29.0 and Chargebee API specification of 2026-09-24.
    """
    if not site.switches.on("metered_billing"):
        message = "Usage-based billing is not enabled for this site."
        raise not_configured(message, "create_pending_invoice")
    if "subscription_id" not in values:
        raise wrong_value("subscription_id", "cannot be blank for a pending invoice")
    for name in ("auto_collection", *PAYMENT_PARAMETERS):
        if name in values:
            raise wrong_value(name, "cannot be given with create_pending_invoice")
    if site.switches.text("second_pending_invoice") == "refuse":
        for invoice in site.where("invoice", "subscription_id", owner.subscription_id):
            if invoice["status"] == "pending" and not invoice["deleted"]:
                raise wrong_state(
                    f"The subscription already has the pending invoice {invoice['id']}."
                )


def _check_date(site: EmulatedSite, values: Mapping[str, Any]) -> None:
    """Refuse an invoice date after now or more than one calendar month before.

    Source: Chargebee API docs, invoice_date.
    """
    date = values.get("invoice_date")
    if date is None:
        return
    if date > site.now() and site.switches.text("future_invoice_date") == "refuse":
        raise wrong_value("invoice_date", "must not be in the future")
    if date < month_before(site.now()):
        raise wrong_value("invoice_date", "must not be more than one calendar month in the past")
    if date < site.record.get("books_closed_before", 0):
        # what Chargebee says then is not documented; a person closes books in the site's record
        raise wrong_value("invoice_date", "lies in an accounting period that is closed")


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


def create_invoice_for_items(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Estimate an invoice for charge items and charges."""
    values = site.reading().read(ESTIMATE_INVOICE, form)
    whom = values.get("invoice", {}) | {"currency_code": values.get("currency_code")}
    owner = owner_of(site, whom, prefix="invoice")
    invoice = estimated(site, owner, values)
    shown = {name: invoice[name] for name in _SHOWN} | {"object": "invoice_estimate"}
    estimate = {"created_at": site.now(), "object": "estimate", "invoice_estimate": shown}
    return {"estimate": public(estimate)}
