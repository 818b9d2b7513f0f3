"""Which path is which operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.emulator.chargebee import catalogue, subscriptions, webhooks
from reconciler.emulator.chargebee.invoices import (
    credit_notes,
    finished_invoices,
    invoices,
    pending_invoices,
    unbilled_charges,
)
from reconciler.emulator.chargebee.objects import balances, comments, customers
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.refusals import no_such_page, wrong_method
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject, public

Write = Callable[[EmulatedSite, Tree, str], JsonObject]
Read = Callable[[EmulatedSite, str], JsonObject]
PREFIX: Final = "/api/v2/"


@dataclass(frozen=True, slots=True)
class Route:
    """What a request asks for.

    Attributes:
        key: The id in the path, or empty.
        write: The operation of a POST.
        read: How a single object is retrieved.
        listing: Name of a list.
        fixed: Field that the path decides for a list.
    """

    key: str = ""
    write: Write | None = None
    read: Read | None = None
    listing: str | None = None
    fixed: str | None = None


# "*" stands for an id. Source: Chargebee API v2, paths as the official Python client calls them.
WRITES: Final[Mapping[str, Write]] = {
    "invoices/create_for_charge_items_and_charges": invoices.create,
    "invoices/create_for_charge_item": invoices.create_for_charge_item,
    "invoices/charge": invoices.charge,
    "invoices/*/add_charge_item": pending_invoices.add_charge_item,
    "invoices/*/add_charge": pending_invoices.add_charge,
    "invoices/*/delete_line_items": pending_invoices.delete_line_items,
    "invoices/*/close": pending_invoices.close,
    "invoices/*/void": finished_invoices.void,
    "invoices/*/delete": finished_invoices.delete,
    "invoices/*/write_off": finished_invoices.write_off,
    "invoices/*/update_details": finished_invoices.update_details,
    "invoices/*/apply_credits": finished_invoices.apply_credits,
    "credit_notes": credit_notes.create,
    "credit_notes/*/void": credit_notes.void,
    "promotional_credits/add": balances.add,
    "promotional_credits/deduct": balances.deduct,
    "estimates/create_invoice_for_items": invoices.create_invoice_for_items,
    "unbilled_charges": unbilled_charges.create,
    "unbilled_charges/invoice_unbilled_charges": unbilled_charges.invoice,
    "unbilled_charges/invoice_now_estimate": unbilled_charges.estimate,
    "unbilled_charges/*/delete": unbilled_charges.delete,
    "webhook_endpoints": webhooks.create,
    "webhook_endpoints/*/delete": webhooks.delete,
    "comments": comments.create,
    "comments/*/delete": comments.delete,
    "customers": customers.create,
    "customers/*": customers.update,
    "customers/*/delete": customers.delete,
    "customers/*/subscription_for_items": subscriptions.create,
    "subscriptions/*/cancel_for_items": subscriptions.cancel,
    "item_families": catalogue.create_family,
    "items": catalogue.create_item,
    "item_prices": catalogue.create_price,
    "item_prices/*": catalogue.update_price,
    "item_prices/*/delete": catalogue.delete_price,
}
# Source: Chargebee API docs, idempotency: estimates do not support it.
NOT_IDEMPOTENT: Final = frozenset({invoices.create_invoice_for_items, unbilled_charges.estimate})
_LISTS: Final[Mapping[str, tuple[str, str | None]]] = {
    **{
        name: (name, None)
        for name in (
            "invoices",
            "credit_notes",
            "promotional_credits",
            "unbilled_charges",
            "comments",
            "events",
            "customers",
            "subscriptions",
            "item_families",
            "items",
            "item_prices",
            "transactions",
            "custom_field_configs",
            "webhook_endpoints",
        )
    },
    "customers/*/invoices": ("invoices", "customer_id"),
    "subscriptions/*/invoices": ("invoices", "subscription_id"),
    "customers/*/subscriptions": ("subscriptions", "customer_id"),
    "customers/*/credit_notes": ("credit_notes", "customer_id"),
}


def _plainly(kind: str) -> Read:
    return lambda site, key: {kind: public(site.need(kind, key))}


_READS: Final[Mapping[str, Read]] = {
    "invoices/*": lambda site, key: {"invoice": public(pending_invoices.invoice_in(site, key))},
    "subscriptions/*": subscriptions.show,
    "credit_notes/*": _plainly("credit_note"),
    "promotional_credits/*": _plainly("promotional_credit"),
    "comments/*": _plainly("comment"),
    "events/*": _plainly("event"),
    "customers/*": _plainly("customer"),
    "item_families/*": _plainly("item_family"),
    "items/*": _plainly("item"),
    "item_prices/*": _plainly("item_price"),
    "transactions/*": _plainly("transaction"),
    "webhook_endpoints/*": _plainly("webhook_endpoint"),
}


def route(method: str, path: str) -> Route:
    """The operation of a request.

    Raises:
        RefusalError: 404 for a path that is none, 405 for a method that it has not.
    """
    parts = path.removeprefix(PREFIX).strip("/").split("/")
    found = [
        spelling
        for spelling in _spellings(parts)
        if spelling in WRITES or spelling in _LISTS or spelling in _READS
    ]
    if not found:
        raise no_such_page()
    for name in found:
        key = parts[1] if "*" in name else ""
        if method == "POST" and name in WRITES:
            return Route(key, write=WRITES[name])
        if method == "GET" and name in _READS:
            return Route(key, read=_READS[name])
        if method == "GET" and name in _LISTS:
            listing, fixed = _LISTS[name]
            return Route(key, listing=listing, fixed=fixed)
    raise wrong_method()


def _spellings(parts: list[str]) -> list[str]:
    """The path as it is and with its second part as an id."""
    plain = "/".join(parts)
    if len(parts) == 1:
        return [plain]
    return [plain, "/".join([parts[0], "*", *parts[2:]])]
