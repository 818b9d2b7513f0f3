"""What Chargebee takes when invoices are written.

Source: Chargebee request schemas, npm package chargebee 3.33.0; a switch says how long the
texts under a line may be, where the official specification of 2026-09-24 says 2000.
"""

from __future__ import annotations

from typing import Final

from reconciler.emulator.chargebee.parameters.facts_catalogue import (
    ADDRESS,
    ID,
    NAME,
    ON_OFF,
    PRICE,
    TIER_FIELDS,
)
from reconciler.emulator.chargebee.parameters.facts_lines import (
    ADHOC,
    COMMENT,
    OWNERS,
    PRICED,
    SALE_TYPES,
    TAX_CODES,
    TIERS,
)
from reconciler.emulator.chargebee.parameters.parameters import (
    Anything,
    Choice,
    Facts,
    Flag,
    Group,
    Leaf,
    Parameter,
    Ratio,
    Rows,
    Several,
    Text,
    Whole,
)

_INITIATOR: Final = Choice(("customer", "merchant"))
_LINE_TEXT: Final[dict[str, Leaf | Anything]] = {
    "description": Text(250),
    "entity_description": Text(2000),
}
_NOTE_OWNERS: Final = (
    "customer",
    "subscription",
    "coupon",
    "plan_item_price",
    "addon_item_price",
    "charge_item_price",
)
_NOTES_TO_REMOVE: Final = Rows({"entity_type": Choice(_NOTE_OWNERS), "entity_id": NAME})
_MANY_LINES: Final[dict[str, Parameter]] = {
    "currency_code": Text(3),
    "invoice_note": Text(2000),
    "remove_general_note": Flag(),
    "coupon": NAME,
    "coupon_ids": Several(NAME),
    "auto_collection": ON_OFF,
    "invoice_date": Whole(),
    "authorization_transaction_id": Text(40),
    "payment_source_id": Text(40),
    "shipping_address": ADDRESS,
    "item_prices": Rows({**PRICED, **_LINE_TEXT}, ("item_price_id",)),
    "item_tiers": TIERS,
    "charges": Rows({**ADHOC, **_LINE_TEXT}),
    "notes_to_remove": _NOTES_TO_REMOVE,
    "tax_providers_fields": Anything(),
    "discounts": Rows(
        {
            "percentage": Ratio(),
            "amount": Whole(0),
            "quantity": Whole(1),
            "apply_on": Choice(("invoice_amount", "specific_item_price")),
            "item_price_id": NAME,
        },
        ("apply_on",),
    ),
}
PAYMENT_PARAMETERS: Final = (
    "authorization_transaction_id",
    "payment_source_id",
    "token_id",
    "card",
    "bank_account",
    "payment_method",
    "payment_intent",
)
CREATE_INVOICE: Final = Facts(
    {
        **OWNERS,
        **_MANY_LINES,
        "po_number": NAME,
        "net_term_days": Whole(),
        "create_pending_invoice": Flag(),
        "token_id": Text(40),
        "replace_primary_payment_source": Flag(),
        "retain_payment_source": Flag(),
        "payment_initiator": _INITIATOR,
        "statement_descriptor": Group({"descriptor": Text()}),
        "card": Anything(),
        "bank_account": Anything(),
        "payment_method": Anything(),
        "payment_intent": Anything(),
    },
    custom_fields=True,
)
ESTIMATE_INVOICE: Final = Facts(
    {
        **_MANY_LINES,
        "invoice": Group({"customer_id": ID, "subscription_id": ID, "po_number": NAME}),
        "billing_address": ADDRESS,
    }
)
CHARGE: Final = Facts(
    {
        **OWNERS,
        "amount": Whole(1),
        "amount_in_decimal": PRICE,
        "description": Text(250),
        "date_from": Whole(),
        "date_to": Whole(),
        "avalara_sale_type": SALE_TYPES,
        "avalara_transaction_type": Whole(),
        "avalara_service_type": Whole(),
        "currency_code": Text(3),
        "coupon_ids": Several(NAME),
        "coupon": NAME,
        "po_number": NAME,
        "invoice_date": Whole(),
        "payment_source_id": Text(40),
        "payment_initiator": _INITIATOR,
        "tax_providers_fields": Anything(),
    },
    ("description",),
)
CREATE_FOR_CHARGE_ITEM: Final = Facts(
    {
        **OWNERS,
        "po_number": NAME,
        "coupon": NAME,
        "payment_source_id": Text(40),
        "payment_initiator": _INITIATOR,
        "invoice_date": Whole(),
        "item_price": Group(PRICED, ("item_price_id",)),
        "item_tiers": Rows(TIER_FIELDS),
    },
    ("item_price",),
)
ADD_CHARGE_ITEM: Final = Facts(
    {
        "comment": COMMENT,
        "subscription_id": ID,
        "item_price": Group(PRICED, ("item_price_id",)),
        "item_tiers": Rows(TIER_FIELDS),
    },
    ("item_price",),
)
ADD_CHARGE: Final = Facts(
    {
        "amount": Whole(1),
        "description": Text(250),
        **TAX_CODES,
        "comment": COMMENT,
        "subscription_id": ID,
        "line_item": Group({"date_from": Whole(), "date_to": Whole()}),
    },
    ("amount", "description"),
)
DELETE_LINE_ITEMS: Final = Facts({"line_items": Rows({"id": Text(40)}, ("id",))}, ("line_items",))
CLOSE: Final = Facts(
    {
        "comment": COMMENT,
        "invoice_note": Text(2000),
        "remove_general_note": Flag(),
        "invoice_date": Whole(),
        "notes_to_remove": Rows(
            {"entity_type": Choice((*_NOTE_OWNERS, "plan", "addon")), "entity_id": NAME}
        ),
    },
    custom_fields=True,
)
VOID: Final = Facts({"comment": COMMENT, "void_reason_code": NAME})
COMMENT_ONLY: Final = Facts({"comment": COMMENT})
UPDATE_DETAILS: Final = Facts(
    {
        "vat_number": Text(20),
        "vat_number_prefix": Text(10),
        "po_number": NAME,
        "comment": COMMENT,
        "billing_address": ADDRESS,
        "shipping_address": ADDRESS,
        "statement_descriptor": Group({"descriptor": Text()}),
    },
    custom_fields=True,
)
APPLY_CREDITS: Final = Facts({"comment": COMMENT, "credit_notes": Rows({"id": ID})})
NOTHING: Final = Facts({})
