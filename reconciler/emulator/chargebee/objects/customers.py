"""Customers."""

from __future__ import annotations

from reconciler.emulator.chargebee.parameters.facts_catalogue import (
    CREATE_CUSTOMER,
    UPDATE_CUSTOMER,
)
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.refusals import duplicate, not_found, wrong_value
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject, public

# How a client says that a customer can be charged.
_SOURCES = ("card", "bank_account", "payment_method", "payment_intent", "token_id")


def create(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Create a customer; any payment parameter gives it a payment source."""
    values = site.reading().read(CREATE_CUSTOMER, form)
    if site.get("customer", values.get("id", "")) is not None:
        raise duplicate("id", values["id"])
    source = site.new_id("pm_") if any(name in values for name in _SOURCES) else None
    customer = site.put(
        "customer",
        {
            "id": site.new_id(),
            "auto_collection": "on",
            "net_term_days": 0,
            "taxability": "taxable",
            "preferred_currency_code": site.base_currency,
            "primary_payment_source_id": source,
            "card_status": "valid" if source else "no_card",
            "promotional_credits": 0,
            "refundable_credits": 0,
            "excess_payments": 0,
            "unbilled_charges": 0,
            "balances": [],
            "allow_direct_debit": False,
            "created_at": site.now(),
            "channel": "web",
            "pii_cleared": "active",
            "deleted": False,
            **{name: value for name, value in values.items() if name not in _SOURCES},
        },
    )
    site.raise_event("customer_created", {"customer": customer})
    return {"customer": public(customer)}


def update(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Change a customer."""
    values = site.reading().read(UPDATE_CUSTOMER, form)
    customer = existing(site, key)
    given = {name: value for name, value in values.items() if name not in _SOURCES}
    stored = site.put("customer", customer | given)
    site.raise_event("customer_changed", {"customer": stored})
    return {"customer": public(stored)}


def delete(site: EmulatedSite, _: Tree, key: str) -> JsonObject:
    """Delete a customer who has no subscriptions."""
    customer = existing(site, key)
    for subscription in site.where("subscription", "customer_id", key):
        if subscription["status"] != "cancelled":
            raise wrong_value(
                "id",
                f"has the subscription {subscription['id']}, which is {subscription['status']}",
            )
    stored = site.put("customer", customer | {"deleted": True})
    site.raise_event("customer_deleted", {"customer": stored})
    return {"customer": public(stored)}


def existing(site: EmulatedSite, key: str) -> JsonObject:
    """A customer that is not deleted.

    Raises:
        RefusalError: 404 without one.
    """
    customer = site.need("customer", key)
    if customer["deleted"]:
        raise not_found("customer", key)
    return customer
