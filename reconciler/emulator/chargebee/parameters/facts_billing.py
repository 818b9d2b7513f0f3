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
    QUANTITY,
    TIER_FIELDS,
)
from reconciler.emulator.chargebee.parameters.parameters import (
    Anything,
    ChoiceParameter,
    Flag,
    GroupParameter,
    Leaf,
    OperationFacts,
    Parameter,
    Ratio,
    Rows,
    Several,
    TextParameter,
    Whole,
)

_INITIATOR: Final = ChoiceParameter(("customer", "merchant"))
_LINE_TEXT: Final[dict[str, Leaf | Anything]] = {
    "description": TextParameter(250),
    "entity_description": TextParameter(2000),
}
_NOTE_OWNERS: Final = (
    "customer",
    "subscription",
    "coupon",
    "plan_item_price",
    "addon_item_price",
    "charge_item_price",
)
_NOTES_TO_REMOVE: Final = Rows({"entity_type": ChoiceParameter(_NOTE_OWNERS), "entity_id": NAME})
PRICED: Final[dict[str, Leaf | Anything]] = {
    "item_price_id": NAME,
    "quantity": Whole(1),
    "quantity_in_decimal": QUANTITY,
    "unit_price": Whole(0),
    "unit_price_in_decimal": PRICE,
    "date_from": Whole(),
    "date_to": Whole(),
}
SALE_TYPES: Final = ChoiceParameter(("wholesale", "retail", "consumed", "vendor_use"))
TAX_CODES: Final[dict[str, Leaf | Anything]] = {
    "avalara_sale_type": SALE_TYPES,
    "avalara_transaction_type": Whole(),
    "avalara_service_type": Whole(),
    "avalara_tax_code": ID,
    "hsn_code": ID,
    "taxjar_product_code": ID,
}
ADHOC: Final[dict[str, Leaf | Anything]] = {
    "amount": Whole(1),
    "amount_in_decimal": PRICE,
    "description": TextParameter(250),
    "taxable": Flag(),
    "tax_profile_id": ID,
    "date_from": Whole(),
    "date_to": Whole(),
    **TAX_CODES,
}
TIERS: Final = Rows({"item_price_id": NAME, **TIER_FIELDS}, ("item_price_id",))
_MANY_LINES: Final[dict[str, Parameter]] = {
    "currency_code": TextParameter(3),
    "invoice_note": TextParameter(2000),
    "remove_general_note": Flag(),
    "coupon": NAME,
    "coupon_ids": Several(NAME),
    "auto_collection": ON_OFF,
    "invoice_date": Whole(),
    "authorization_transaction_id": TextParameter(40),
    "payment_source_id": TextParameter(40),
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
            "apply_on": ChoiceParameter(("invoice_amount", "specific_item_price")),
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
OWNERS: Final[dict[str, Parameter]] = {
    "customer_id": ID,
    "subscription_id": ID,
}
CREATE_INVOICE: Final = OperationFacts(
    {
        **OWNERS,
        **_MANY_LINES,
        "po_number": NAME,
        "net_term_days": Whole(),
        "create_pending_invoice": Flag(),
        "token_id": TextParameter(40),
        "replace_primary_payment_source": Flag(),
        "retain_payment_source": Flag(),
        "payment_initiator": _INITIATOR,
        "statement_descriptor": GroupParameter({"descriptor": TextParameter()}),
        "card": Anything(),
        "bank_account": Anything(),
        "payment_method": Anything(),
        "payment_intent": Anything(),
    },
    custom_fields=True,
)
ESTIMATE_INVOICE: Final = OperationFacts(
    {
        **_MANY_LINES,
        "invoice": GroupParameter({"customer_id": ID, "subscription_id": ID, "po_number": NAME}),
        "billing_address": ADDRESS,
    }
)
CHARGE: Final = OperationFacts(
    {
        **OWNERS,
        "amount": Whole(1),
        "amount_in_decimal": PRICE,
        "description": TextParameter(250),
        "date_from": Whole(),
        "date_to": Whole(),
        "avalara_sale_type": SALE_TYPES,
        "avalara_transaction_type": Whole(),
        "avalara_service_type": Whole(),
        "currency_code": TextParameter(3),
        "coupon_ids": Several(NAME),
        "coupon": NAME,
        "po_number": NAME,
        "invoice_date": Whole(),
        "payment_source_id": TextParameter(40),
        "payment_initiator": _INITIATOR,
        "tax_providers_fields": Anything(),
    },
    ("description",),
)
CREATE_FOR_CHARGE_ITEM: Final = OperationFacts(
    {
        **OWNERS,
        "po_number": NAME,
        "coupon": NAME,
        "payment_source_id": TextParameter(40),
        "payment_initiator": _INITIATOR,
        "invoice_date": Whole(),
        "item_price": GroupParameter(PRICED, ("item_price_id",)),
        "item_tiers": Rows(TIER_FIELDS),
    },
    ("item_price",),
)
COMMENT: Final = TextParameter(300)
ADD_CHARGE_ITEM: Final = OperationFacts(
    {
        "comment": COMMENT,
        "subscription_id": ID,
        "item_price": GroupParameter(PRICED, ("item_price_id",)),
        "item_tiers": Rows(TIER_FIELDS),
    },
    ("item_price",),
)
ADD_CHARGE: Final = OperationFacts(
    {
        "amount": Whole(1),
        "description": TextParameter(250),
        **TAX_CODES,
        "comment": COMMENT,
        "subscription_id": ID,
        "line_item": GroupParameter({"date_from": Whole(), "date_to": Whole()}),
    },
    ("amount", "description"),
)
DELETE_LINE_ITEMS: Final = OperationFacts(
    {"line_items": Rows({"id": TextParameter(40)}, ("id",))}, ("line_items",)
)
CLOSE: Final = OperationFacts(
    {
        "comment": COMMENT,
        "invoice_note": TextParameter(2000),
        "remove_general_note": Flag(),
        "invoice_date": Whole(),
        "notes_to_remove": Rows(
            {"entity_type": ChoiceParameter((*_NOTE_OWNERS, "plan", "addon")), "entity_id": NAME}
        ),
    },
    custom_fields=True,
)
VOID: Final = OperationFacts({"comment": COMMENT, "void_reason_code": NAME})
COMMENT_ONLY: Final = OperationFacts({"comment": COMMENT})
UPDATE_DETAILS: Final = OperationFacts(
    {
        "vat_number": TextParameter(20),
        "vat_number_prefix": TextParameter(10),
        "po_number": NAME,
        "comment": COMMENT,
        "billing_address": ADDRESS,
        "shipping_address": ADDRESS,
        "statement_descriptor": GroupParameter({"descriptor": TextParameter()}),
    },
    custom_fields=True,
)
APPLY_CREDITS: Final = OperationFacts({"comment": COMMENT, "credit_notes": Rows({"id": ID})})
NOTHING: Final = OperationFacts({})
