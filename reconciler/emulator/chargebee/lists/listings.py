"""Which attributes filter and sort the list of each resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.emulator.chargebee.lists.filters import Attribute

_TEXT: Final = Attribute()
_NUMBER: Final = Attribute("number")
_TIME: Final = Attribute("time")
_FLAG: Final = Attribute("flag")


@dataclass(frozen=True, slots=True)
class Listing:
    """How one resource is listed.

    Attributes:
        kind: Table and name of the object in the answer.
        attributes: What it can be filtered by.
        sorts: What it can be sorted by.
        deletable: Whether deleted objects are hidden unless asked for.
        beside: Another resource in each entry, named by the field ``<resource>_id``.
    """

    kind: str
    attributes: Mapping[str, Attribute]
    sorts: tuple[str, ...] = ()
    deletable: bool = False
    beside: str | None = None


_STATUSES: Final = ("paid", "posted", "payment_due", "not_paid", "voided", "pending")
_ITEM_STATUSES: Final = ("active", "archived", "deleted")
_SUBSCRIPTION_STATUSES: Final = (
    "future",
    "in_trial",
    "active",
    "non_renewing",
    "paused",
    "cancelled",
    "transferred",
)
_MODELS: Final = ("flat_fee", "per_unit", "tiered", "volume", "stairstep")
_ON_OFF: Final = ("on", "off")

# Source: Chargebee request schemas, npm package chargebee 3.33.0, list operations. Invoices cannot
# be filtered by purchase order, currency or custom fields.
LISTINGS: Final[Mapping[str, Listing]] = {
    "invoices": Listing(
        "invoice",
        {
            "id": _TEXT,
            "subscription_id": _TEXT,
            "customer_id": _TEXT,
            "recurring": _FLAG,
            "status": Attribute("enum", _STATUSES),
            "price_type": Attribute("enum", ("tax_exclusive", "tax_inclusive")),
            "date": _TIME,
            "paid_at": _TIME,
            "total": _NUMBER,
            "amount_paid": _NUMBER,
            "amount_adjusted": _NUMBER,
            "credits_applied": _NUMBER,
            "amount_due": _NUMBER,
            "dunning_status": _TEXT,
            "updated_at": _TIME,
            "channel": _TEXT,
            "voided_at": _TIME,
            "void_reason_code": _TEXT,
        },
        ("date", "updated_at"),
        deletable=True,
    ),
    "credit_notes": Listing(
        "credit_note",
        {
            "id": _TEXT,
            "customer_id": _TEXT,
            "subscription_id": _TEXT,
            "reference_invoice_id": _TEXT,
            "type": Attribute("enum", ("adjustment", "refundable", "store")),
            "create_reason_code": _TEXT,
            "status": Attribute("enum", ("adjusted", "refunded", "refund_due", "voided")),
            "date": _TIME,
            "total": _NUMBER,
            "amount_available": _NUMBER,
            "voided_at": _TIME,
            "updated_at": _TIME,
        },
        ("date",),
        deletable=True,
    ),
    "promotional_credits": Listing(
        "promotional_credit",
        {
            "id": _TEXT,
            "created_at": _TIME,
            "type": Attribute("enum", ("increment", "decrement")),
            "customer_id": _TEXT,
        },
    ),
    "unbilled_charges": Listing(
        "unbilled_charge", {"subscription_id": _TEXT, "customer_id": _TEXT}, deletable=True
    ),
    "comments": Listing(
        "comment", {"entity_type": _TEXT, "entity_id": _TEXT, "created_at": _TIME}, ("created_at",)
    ),
    "events": Listing(
        "event",
        {
            "id": _TEXT,
            "webhook_status": _TEXT,
            "event_type": _TEXT,
            "source": _TEXT,
            "occurred_at": _TIME,
        },
        ("occurred_at",),
    ),
    "customers": Listing(
        "customer",
        {
            "id": _TEXT,
            "first_name": _TEXT,
            "last_name": _TEXT,
            "email": _TEXT,
            "company": _TEXT,
            "phone": _TEXT,
            "auto_collection": Attribute("enum", _ON_OFF),
            "taxability": Attribute("enum", ("taxable", "exempt")),
            "created_at": _TIME,
            "updated_at": _TIME,
            "auto_close_invoices": _FLAG,
            "channel": _TEXT,
        },
        ("created_at", "updated_at"),
        deletable=True,
    ),
    "subscriptions": Listing(
        "subscription",
        {
            "id": _TEXT,
            "customer_id": _TEXT,
            "status": Attribute("enum", _SUBSCRIPTION_STATUSES),
            "created_at": _TIME,
            "activated_at": _TIME,
            "next_billing_at": _TIME,
            "cancelled_at": _TIME,
            "updated_at": _TIME,
            "auto_close_invoices": _FLAG,
            "channel": _TEXT,
        },
        ("created_at", "updated_at"),
        deletable=True,
        beside="customer",
    ),
    "item_families": Listing("item_family", {"id": _TEXT, "name": _TEXT, "updated_at": _TIME}),
    "items": Listing(
        "item",
        {
            "id": _TEXT,
            "item_family_id": _TEXT,
            "type": Attribute("enum", ("plan", "addon", "charge")),
            "name": _TEXT,
            "status": Attribute("enum", _ITEM_STATUSES),
            "metered": _FLAG,
            "updated_at": _TIME,
        },
        ("name", "id", "updated_at"),
    ),
    "item_prices": Listing(
        "item_price",
        {
            "id": _TEXT,
            "name": _TEXT,
            "pricing_model": Attribute("enum", _MODELS),
            "item_id": _TEXT,
            "item_family_id": _TEXT,
            "item_type": Attribute("enum", ("plan", "addon", "charge")),
            "currency_code": _TEXT,
            "price_variant_id": _TEXT,
            "status": Attribute("enum", _ITEM_STATUSES),
            "updated_at": _TIME,
            "period_unit": Attribute("enum", ("day", "week", "month", "year")),
            "period": _NUMBER,
        },
        ("name", "id", "updated_at"),
    ),
    "transactions": Listing("transaction", {"id": _TEXT, "customer_id": _TEXT}),
    "webhook_endpoints": Listing("webhook_endpoint", {}),
    "custom_field_configs": Listing("custom_field_config", {"id": _TEXT}),
}
