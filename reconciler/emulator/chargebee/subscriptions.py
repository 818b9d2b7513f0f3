"""Subscriptions: creating, cancelling, and what a term's end brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.emulator.chargebee.invoices.invoice_shape import Content, new_invoice
from reconciler.emulator.chargebee.invoices.lines import LineMaker, Priced
from reconciler.emulator.chargebee.invoices.settlement import finalised
from reconciler.emulator.chargebee.invoices.unbilled_charges import forget, sweep
from reconciler.emulator.chargebee.objects.customers import existing
from reconciler.emulator.chargebee.objects.owners import InvoiceOwner
from reconciler.emulator.chargebee.objects.terms import after
from reconciler.emulator.chargebee.parameters.facts_catalogue import (
    CANCEL_SUBSCRIPTION,
    CREATE_SUBSCRIPTION,
)
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.parameters import IndexedRow
from reconciler.emulator.chargebee.parameters.refusals import (
    duplicate,
    not_configured,
    wrong_state,
    wrong_value,
)
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject, public

_PENDING = "create_pending_invoices"


def create(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Create a subscription with items; its first term is invoiced at once."""
    values = site.reading().read(CREATE_SUBSCRIPTION, form)
    customer = existing(site, key)
    name = values.get("id") or site.new_id()
    if site.get("subscription", name) is not None:
        raise duplicate("id", name)
    if values.get(_PENDING) and not site.switches.on("metered_billing"):
        raise not_configured("Metered billing is not enabled for this site.", _PENDING)
    prices = _prices(site, values["subscription_items"])
    subscription = _new(site, customer, values, prices) | {"id": name}
    owner = InvoiceOwner(customer, subscription, subscription["currency_code"])
    bill = None
    if subscription["status"] == "active" and values.get("invoice_immediately", True):
        bill = _bill_term(site, owner, pending=values.get("first_invoice_pending", False))
    stored = site.put("subscription", subscription)
    content = {"subscription": stored, "customer": site.need("customer", key), "invoice": bill}
    site.raise_event("subscription_created", content)
    return {name: public(value) for name, value in content.items() if value is not None}


def cancel(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Cancel a subscription now or at the end of its term."""
    values = site.reading().read(CANCEL_SUBSCRIPTION, form)
    subscription = site.need("subscription", key)
    if subscription["status"] == "cancelled":
        raise wrong_state(f"The subscription {key} is already cancelled.")
    later = values.get("end_of_term") or values.get("cancel_option", "immediately") != "immediately"
    end = subscription["current_term_end"] if later else site.now()
    changes = {"status": "non_renewing" if later else "cancelled", "cancelled_at": end}
    stored = site.put("subscription", subscription | changes | {"next_billing_at": None})
    customer = site.need("customer", stored["customer_id"])
    site.raise_event("subscription_cancelled", {"subscription": stored, "customer": customer})
    return {"subscription": public(stored), "customer": public(customer)}


def show(site: EmulatedSite, key: str) -> JsonObject:
    """A subscription with its customer."""
    subscription = site.need("subscription", key)
    customer = site.need("customer", subscription["customer_id"])
    return {"subscription": public(subscription), "customer": public(customer)}


def renew(site: EmulatedSite, subscription: JsonObject) -> JsonObject:
    """Begin the next term; its invoice is pending if the subscription says so."""
    start = subscription["current_term_end"]
    end = after(start, subscription["billing_period"], subscription["billing_period_unit"])
    changes = {"current_term_start": start, "current_term_end": end, "next_billing_at": end}
    stored = site.put("subscription", subscription | changes)
    customer = site.need("customer", stored["customer_id"])
    owner = InvoiceOwner(customer, stored, stored["currency_code"])
    bill = _bill_term(site, owner, pending=bool(stored.get(_PENDING)), waiting=False)
    content = {"subscription": stored, "customer": customer, "invoice": bill}
    site.raise_event("subscription_renewed", content)
    return stored


def _prices(site: EmulatedSite, rows: Sequence[IndexedRow]) -> list[tuple[IndexedRow, JsonObject]]:
    """The prices of a subscription: one plan, one currency, no charges."""
    found: list[tuple[IndexedRow, JsonObject]] = []
    for row in rows:
        param = f"subscription_items[item_price_id][{row.index}]"
        price = site.need("item_price", row.values["item_price_id"], param)
        if price["status"] != "active":
            raise wrong_value(param, f"is {price['status']}")
        found.append((row, price))
    plans = [price for _, price in found if price["item_type"] == "plan"]
    if len(plans) != 1:
        raise wrong_value("subscription_items", "must hold exactly one plan")
    if any(price["currency_code"] != plans[0]["currency_code"] for _, price in found):
        raise wrong_value("subscription_items", "must have one currency")
    return found


def _new(
    site: EmulatedSite,
    customer: JsonObject,
    values: Mapping[str, Any],
    prices: Sequence[tuple[IndexedRow, JsonObject]],
) -> JsonObject:
    plan = next(price for _, price in prices if price["item_type"] == "plan")
    metered = any((site.get("item", p["item_id"]) or {}).get("metered") for _, p in prices)
    now = site.now()
    start = values.get("start_date", now)
    end = after(start, plan["period"], plan["period_unit"])
    given = {
        name: value
        for name, value in values.items()
        if name not in {"subscription_items", "first_invoice_pending", "invoice_immediately"}
    }
    return {
        "customer_id": customer["id"],
        "currency_code": plan["currency_code"],
        "status": "future" if start > now else "active",
        "billing_period": plan["period"],
        "billing_period_unit": plan["period_unit"],
        "start_date": start,
        "started_at": start,
        "activated_at": start,
        "created_at": now,
        "current_term_start": start,
        "current_term_end": end,
        "next_billing_at": start if start > now else end,
        _PENDING: metered,
        "subscription_items": [_item(site, row, price) for row, price in prices],
        "has_scheduled_changes": False,
        "channel": "web",
        "deleted": False,
        **given,
    }


def _item(site: EmulatedSite, row: IndexedRow, price: JsonObject) -> JsonObject:
    quantity = row.values.get("quantity", 1)
    unit = row.values.get("unit_price", price.get("price", 0))
    metered = bool((site.get("item", price["item_id"]) or {}).get("metered"))
    return {
        "item_price_id": price["id"],
        "item_type": price["item_type"],
        "quantity": None if metered else quantity,
        "unit_price": unit,
        "amount": None if metered else unit * quantity,
        "free_quantity": price.get("free_quantity", 0),
        "metered_quantity": "0" if metered else None,
        "object": "subscription_item",
    }


def _bill_term(
    site: EmulatedSite, owner: InvoiceOwner, *, pending: bool, waiting: bool = True
) -> JsonObject | None:
    """Invoice the current term; a term without lines is only invoiced while pending."""
    subscription = owner.subscription or {}
    lines = _term_lines(site, owner, subscription)
    if not lines and not pending:
        return None
    content = sweep(site, owner, Content().with_lines([Priced(line) for line in lines]))
    draft = new_invoice(site, owner, content, {}) | {"recurring": True}
    if pending:
        stored = site.put("invoice", draft)
    else:
        automatic = owner.setting("auto_collection", "on") == "on"
        collect = automatic if waiting else None
        stored = finalised(site, owner, draft, collect=collect)
    forget(site, stored["line_items"])
    site.raise_event(
        "pending_invoice_created" if pending else "invoice_generated", {"invoice": stored}
    )
    return stored


def _term_lines(
    site: EmulatedSite, owner: InvoiceOwner, subscription: JsonObject
) -> list[JsonObject]:
    """The lines of the term's items; metered ones have none, because no usage is known here."""
    maker = LineMaker(site, owner.currency, owner.customer["id"], owner.subscription_id)
    start, end = subscription["current_term_start"], subscription["current_term_end"]
    lines: list[JsonObject] = []
    for item in subscription["subscription_items"]:
        price = site.get("item_price", item["item_price_id"])
        if price is not None and item["quantity"] is not None and "_price" in price:
            exact = str(site.money.to_major(item["unit_price"], owner.currency))
            own = price | {"_price": exact}
            lines.append(maker.catalogue(own, item["quantity"], start, end))
    return lines
