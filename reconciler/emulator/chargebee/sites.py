"""The site that every scenario has, and how scenarios put objects into it without forms."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from reconciler.emulator.chargebee.invoices.invoice_shape import Content, new_invoice
from reconciler.emulator.chargebee.invoices.lines import LineMaker, Priced
from reconciler.emulator.chargebee.money import fixed_point
from reconciler.emulator.chargebee.objects.owners import InvoiceOwner
from reconciler.emulator.chargebee.objects.terms import after
from reconciler.emulator.chargebee.site import SITES, EmulatedSite, JsonObject
from reconciler.emulator.store import Store

SITE: Final = "acme-test"
API_KEY: Final = "test_emulator_key"
STAMP: Final = "cf_m3ter_bill_id"
_STAMPED: Final = ("invoice", "credit_note")


def default_site(store: Store) -> EmulatedSite:
    """The site of the scenario; made with its custom field if it is not there yet."""
    if store.get(SITES, SITE) is None:
        record = {
            "id": SITE,
            "base_currency_code": "USD",
            "timezone": "Europe/London",
            "invoice_prefix": "",
            "_secret": {"api_key": API_KEY},
        }
        store.put(SITES, record)
        custom_field(EmulatedSite(store, SITE), STAMP, "m3ter bill id")
    return EmulatedSite(store, SITE)


def custom_field(site: EmulatedSite, name: str, display: str) -> None:
    """Define a text field on invoices and credit notes."""
    config = {
        "id": name,
        "api_name": name,
        "display_name": display,
        "entity_types": list(_STAMPED),
        "data_type": "single_line_text",
        "status": "active",
        "object": "custom_field_config",
    }
    site.keep("custom_field_config", config)


def family(site: EmulatedSite, key: str, name: str) -> JsonObject:
    """An item family."""
    data = {"id": key, "name": name, "status": "active", "deleted": False}
    return site.put("item_family", data)


def item(site: EmulatedSite, key: str, name: str, kind: str, family_id: str) -> JsonObject:
    """An item of type ``plan`` or ``charge``."""
    data = {
        "id": key,
        "name": name,
        "external_name": name,
        "type": kind,
        "status": "active",
        "item_family_id": family_id,
        "metered": False,
        "is_shippable": False,
        "is_giftable": False,
        "enabled_for_checkout": True,
        "enabled_in_portal": True,
        "item_applicability": "all",
        "deleted": False,
    }
    return site.put("item", data)


def price(
    site: EmulatedSite, of: JsonObject, currency: str, amount: str, **extra: object
) -> JsonObject:
    """The item price of an item in a currency, ``ITEM-CUR``; plans are billed monthly.

    Args:
        site: Where to put it.
        of: The item.
        currency: Its currency.
        amount: Price in major units.
        extra: Fields that replace or join the usual ones.
    """
    exact = Decimal(amount)
    data = {
        "id": f"{of['id']}-{currency}",
        "name": f"{of['name']} {currency}",
        "external_name": of["name"],
        "item_id": of["id"],
        "item_type": of["type"],
        "item_family_id": of["item_family_id"],
        "currency_code": currency,
        "pricing_model": "flat_fee" if of["type"] == "plan" else "per_unit",
        "price": site.money.to_minor(exact, currency),
        "price_in_decimal": fixed_point(exact),
        "status": "active",
        "is_taxable": True,
        "archivable": True,
        "created_at": site.now(),
        "deleted": False,
        "_price": fixed_point(exact),
    }
    if of["type"] == "plan":
        data |= {"period": 1, "period_unit": "month"}
    return site.put("item_price", data | extra)


def customer(
    site: EmulatedSite, key: str, company: str, currency: str, **extra: object
) -> JsonObject:
    """A customer who pays by bank transfer, on 30 days' terms."""
    data = {
        "id": key,
        "company": company,
        "email": f"billing@{key}.example",
        "auto_collection": "off",
        "net_term_days": 30,
        "taxability": "taxable",
        "preferred_currency_code": currency,
        "promotional_credits": 0,
        "refundable_credits": 0,
        "excess_payments": 0,
        "unbilled_charges": 0,
        "balances": [],
        "created_at": site.now(),
        "channel": "web",
        "deleted": False,
    }
    return site.put("customer", data | extra)


def subscription(
    site: EmulatedSite, key: str, of: JsonObject, plan: JsonObject, start: int, **extra: object
) -> JsonObject:
    """A monthly subscription of a customer to a plan, in a term that began at ``start``."""
    end = after(start, plan["period"], plan["period_unit"])
    data = {
        "id": key,
        "customer_id": of["id"],
        "currency_code": plan["currency_code"],
        "status": "active",
        "billing_period": plan["period"],
        "billing_period_unit": plan["period_unit"],
        "start_date": start,
        "started_at": start,
        "activated_at": start,
        "created_at": start,
        "current_term_start": start,
        "current_term_end": end,
        "next_billing_at": end,
        "create_pending_invoices": False,
        "has_scheduled_changes": False,
        "channel": "web",
        "deleted": False,
        "subscription_items": [
            {
                "item_price_id": plan["id"],
                "item_type": "plan",
                "quantity": 1,
                "unit_price": plan["price"],
                "amount": plan["price"],
                "free_quantity": 0,
                "object": "subscription_item",
            }
        ],
    }
    return site.put("subscription", data | extra)


def renewal(site: EmulatedSite, payer: JsonObject, of: JsonObject, plan: JsonObject) -> JsonObject:
    """The pending invoice of a subscription that has just renewed, with the new term's plan."""
    owner = InvoiceOwner(payer, of, of["currency_code"])
    maker = LineMaker(site, owner.currency, payer["id"], of["id"])
    term = maker.catalogue(plan, 1, of["current_term_start"], of["current_term_end"])
    invoice = new_invoice(site, owner, Content().with_lines([Priced(term)]), {})
    return site.put("invoice", invoice | {"recurring": True})
