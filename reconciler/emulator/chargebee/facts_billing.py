"""What Chargebee takes when invoices, credit notes, credits and charges are written.

Source: Chargebee request schemas, npm package chargebee 3.33.0; texts under a line by the official
specification of 2026-09-24 (2000 characters, where the schemas say 500).
"""

from __future__ import annotations

from typing import Final

from reconciler.emulator.chargebee.facts_catalogue import (
    ADDRESS,
    ID,
    NAME,
    ON_OFF,
    PRICE,
    QUANTITY,
    TIER_FIELDS,
)
from reconciler.emulator.chargebee.parameters import (
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

_COMMENT: Final = Text(300)
_INITIATOR: Final = Choice(("customer", "merchant"))
_PRICED: Final[dict[str, Leaf | Anything]] = {
    "item_price_id": NAME,
    "quantity": Whole(1),
    "quantity_in_decimal": QUANTITY,
    "unit_price": Whole(0),
    "unit_price_in_decimal": PRICE,
    "date_from": Whole(),
    "date_to": Whole(),
}
_TAX_CODES: Final[dict[str, Leaf | Anything]] = {
    "avalara_sale_type": Choice(("wholesale", "retail", "consumed", "vendor_use")),
    "avalara_transaction_type": Whole(),
    "avalara_service_type": Whole(),
    "avalara_tax_code": ID,
    "hsn_code": ID,
    "taxjar_product_code": ID,
}
_ADHOC: Final[dict[str, Leaf | Anything]] = {
    "amount": Whole(1),
    "amount_in_decimal": PRICE,
    "description": Text(250),
    "taxable": Flag(),
    "tax_profile_id": ID,
    "date_from": Whole(),
    "date_to": Whole(),
    **_TAX_CODES,
}
_LINE_TEXT: Final[dict[str, Leaf | Anything]] = {
    "description": Text(250),
    "entity_description": Text(2000),
}
_NOTES_TO_REMOVE: Final = Rows(
    {
        "entity_type": Choice(
            (
                "customer",
                "subscription",
                "coupon",
                "plan_item_price",
                "addon_item_price",
                "charge_item_price",
                "plan",
                "addon",
            )
        ),
        "entity_id": NAME,
    }
)
_TIERS: Final = Rows({"item_price_id": NAME, **TIER_FIELDS}, ("item_price_id",))
_OWNERS: Final[dict[str, Parameter]] = {
    "customer_id": ID,
    "subscription_id": ID,
}
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
    "item_prices": Rows({**_PRICED, **_LINE_TEXT}, ("item_price_id",)),
    "item_tiers": _TIERS,
    "charges": Rows({**_ADHOC, **_LINE_TEXT}),
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
        **_OWNERS,
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
        **_OWNERS,
        **_ADHOC,
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
        **_OWNERS,
        "po_number": NAME,
        "coupon": NAME,
        "payment_source_id": Text(40),
        "payment_initiator": _INITIATOR,
        "invoice_date": Whole(),
        "item_price": Group(_PRICED, ("item_price_id",)),
        "item_tiers": Rows(TIER_FIELDS),
    },
    ("item_price",),
)
ADD_CHARGE_ITEM: Final = Facts(
    {
        "comment": _COMMENT,
        "subscription_id": ID,
        "item_price": Group(_PRICED, ("item_price_id",)),
        "item_tiers": Rows(TIER_FIELDS),
    },
    ("item_price",),
)
ADD_CHARGE: Final = Facts(
    {
        "amount": Whole(1),
        "description": Text(250),
        **_TAX_CODES,
        "comment": _COMMENT,
        "subscription_id": ID,
        "line_item": Group({"date_from": Whole(), "date_to": Whole()}),
    },
    ("amount", "description"),
)
DELETE_LINE_ITEMS: Final = Facts({"line_items": Rows({"id": Text(40)}, ("id",))}, ("line_items",))
CLOSE: Final = Facts(
    {
        "comment": _COMMENT,
        "invoice_note": Text(2000),
        "remove_general_note": Flag(),
        "invoice_date": Whole(),
        "notes_to_remove": _NOTES_TO_REMOVE,
    },
    custom_fields=True,
)
VOID: Final = Facts({"comment": _COMMENT, "void_reason_code": NAME})
COMMENT_ONLY: Final = Facts({"comment": _COMMENT})
UPDATE_DETAILS: Final = Facts(
    {
        "vat_number": Text(20),
        "vat_number_prefix": Text(10),
        "po_number": NAME,
        "comment": _COMMENT,
        "billing_address": ADDRESS,
        "shipping_address": ADDRESS,
        "statement_descriptor": Group({"descriptor": Text()}),
    },
    custom_fields=True,
)
APPLY_CREDITS: Final = Facts({"comment": _COMMENT, "credit_notes": Rows({"id": ID})})
NOTHING: Final = Facts({})

CREATE_CREDIT_NOTE: Final = Facts(
    {
        "reference_invoice_id": ID,
        "customer_id": ID,
        "total": Whole(0),
        "type": Choice(("adjustment", "refundable", "store")),
        "reason_code": Choice(
            (
                "product_unsatisfactory",
                "service_unsatisfactory",
                "order_change",
                "order_cancellation",
                "waiver",
                "other",
            )
        ),
        "create_reason_code": NAME,
        "date": Whole(),
        "customer_notes": Text(2000),
        "currency_code": Text(3),
        "comment": _COMMENT,
        "line_items": Rows(
            {
                "reference_line_item_id": Text(40),
                "unit_amount": Whole(),
                "unit_amount_in_decimal": PRICE,
                "quantity": Whole(),
                "quantity_in_decimal": QUANTITY,
                "amount": Whole(),
                "date_from": Whole(),
                "date_to": Whole(),
                "description": Text(250),
                "entity_type": Choice(
                    ("adhoc", "plan_item_price", "addon_item_price", "charge_item_price")
                ),
                "entity_id": NAME,
            }
        ),
    },
    ("type",),
    custom_fields=True,
)
ADD_PROMOTIONAL_CREDIT: Final = Facts(
    {
        "customer_id": ID,
        "amount": Whole(0),
        "amount_in_decimal": QUANTITY,
        "currency_code": Text(3),
        "description": Text(250),
        "credit_type": Choice(("loyalty_credits", "referral_rewards", "general")),
        "reference": Text(500),
    },
    ("customer_id", "description"),
)
CREATE_UNBILLED_CHARGES: Final = Facts(
    {
        "subscription_id": ID,
        "currency_code": Text(3),
        "item_prices": Rows(_PRICED, ("item_price_id",)),
        "item_tiers": _TIERS,
        "charges": Rows(_ADHOC),
        "tax_providers_fields": Anything(),
    },
    ("subscription_id",),
)
INVOICE_UNBILLED_CHARGES: Final = Facts(_OWNERS)
CREATE_COMMENT: Final = Facts(
    {
        "entity_type": Choice(
            (
                "customer",
                "subscription",
                "invoice",
                "credit_note",
                "item_family",
                "item",
                "item_price",
            )
        ),
        "entity_id": NAME,
        "notes": Text(1000),
        "added_by": NAME,
    },
    ("entity_type", "entity_id", "notes"),
)
