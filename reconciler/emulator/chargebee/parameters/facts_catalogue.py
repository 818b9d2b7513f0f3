"""What Chargebee takes when customers, items, prices and subscriptions are written.

Source: Chargebee request schemas, npm package chargebee 3.33.0.
"""

from __future__ import annotations

from typing import Final

from reconciler.emulator.chargebee.parameters.parameters import (
    Anything,
    ChoiceParameter,
    Digits,
    Flag,
    GroupParameter,
    Leaf,
    MetadataParameter,
    OperationFacts,
    Parameter,
    Ratio,
    Rows,
    Several,
    TextParameter,
    Whole,
)

ID: Final = TextParameter(50)
NAME: Final = TextParameter(100)
PRICE: Final = Digits(39)
QUANTITY: Final = Digits(33)
ON_OFF: Final = ChoiceParameter(("on", "off"))
PERIODS: Final = ChoiceParameter(("day", "week", "month", "year"))
ITEM_TYPES: Final = ChoiceParameter(("plan", "addon", "charge"))
PRICING_MODELS: Final = ChoiceParameter(("flat_fee", "per_unit", "tiered", "volume", "stairstep"))

ADDRESS: Final = GroupParameter(
    {
        "first_name": TextParameter(150),
        "last_name": TextParameter(150),
        "email": TextParameter(70),
        "company": TextParameter(250),
        "phone": ID,
        "line1": TextParameter(150),
        "line2": TextParameter(150),
        "line3": TextParameter(150),
        "city": ID,
        "state_code": ID,
        "state": ID,
        "zip": TextParameter(20),
        "country": ID,
        "validation_status": ChoiceParameter(
            ("not_validated", "valid", "partially_valid", "invalid")
        ),
    }
)

TIER_FIELDS: Final[dict[str, Leaf | Anything]] = {
    "starting_unit": Whole(1),
    "ending_unit": Whole(),
    "price": Whole(0),
    "starting_unit_in_decimal": QUANTITY,
    "ending_unit_in_decimal": QUANTITY,
    "price_in_decimal": PRICE,
    "pricing_type": ChoiceParameter(("per_unit", "flat_fee", "package")),
    "package_size": Whole(1),
}

_CUSTOMER: Final[dict[str, Parameter]] = {
    "first_name": TextParameter(150),
    "last_name": TextParameter(150),
    "email": TextParameter(70),
    "preferred_currency_code": TextParameter(3),
    "phone": ID,
    "company": TextParameter(250),
    "auto_collection": ON_OFF,
    "net_term_days": Whole(),
    "taxability": ChoiceParameter(("taxable", "exempt")),
    "auto_close_invoices": Flag(),
    "consolidated_invoicing": Flag(),
    "business_entity_id": ID,
    "invoice_notes": TextParameter(2000),
    "vat_number": TextParameter(20),
    "locale": ID,
    "meta_data": MetadataParameter(),
    "billing_address": ADDRESS,
    "card": Anything(),
    "bank_account": Anything(),
    "payment_method": Anything(),
    "payment_intent": Anything(),
    "token_id": TextParameter(40),
}
CREATE_CUSTOMER: Final = OperationFacts({"id": ID, **_CUSTOMER}, custom_fields=True)
UPDATE_CUSTOMER: Final = OperationFacts(_CUSTOMER, custom_fields=True)

CREATE_ITEM_FAMILY: Final = OperationFacts(
    {"id": ID, "name": ID, "description": TextParameter(500), "business_entity_id": ID},
    ("id", "name"),
)

CREATE_ITEM: Final = OperationFacts(
    {
        "id": NAME,
        "name": NAME,
        "type": ITEM_TYPES,
        "description": TextParameter(2000),
        "item_family_id": NAME,
        "is_giftable": Flag(),
        "is_shippable": Flag(),
        "external_name": NAME,
        "enabled_in_portal": Flag(),
        "enabled_for_checkout": Flag(),
        "item_applicability": ChoiceParameter(("all", "restricted")),
        "unit": TextParameter(30),
        "included_in_mrr": Flag(),
        "metered": Flag(),
        "usage_calculation": ChoiceParameter(("sum_of_usages", "last_usage", "max_usage")),
        "is_percentage_pricing": Flag(),
        "metadata": MetadataParameter(),
        "business_entity_id": ID,
    },
    ("id", "name", "type", "item_family_id"),
    custom_fields=True,
)

_ITEM_PRICE: Final[dict[str, Parameter]] = {
    "name": NAME,
    "description": TextParameter(2000),
    "invoice_notes": TextParameter(2000),
    "proration_type": ChoiceParameter(("site_default", "partial_term", "full_term")),
    "external_name": NAME,
    "currency_code": TextParameter(3),
    "price_variant_id": NAME,
    "is_taxable": Flag(),
    "free_quantity": Whole(0),
    "free_quantity_in_decimal": QUANTITY,
    "metadata": MetadataParameter(),
    "show_description_in_invoices": Flag(),
    "show_description_in_quotes": Flag(),
    "pricing_model": PRICING_MODELS,
    "price": Whole(0),
    "price_in_decimal": PRICE,
    "period_unit": PERIODS,
    "period": Whole(1),
    "billing_cycles": Whole(1),
    "tax_detail": Anything(),
    "accounting_detail": Anything(),
    "tiers": Rows(TIER_FIELDS),
}
CREATE_ITEM_PRICE: Final = OperationFacts(
    {"id": NAME, "item_id": NAME, "business_entity_id": ID, **_ITEM_PRICE},
    ("id", "name", "item_id"),
    custom_fields=True,
)
UPDATE_ITEM_PRICE: Final = OperationFacts(
    {"status": ChoiceParameter(("active", "archived")), **_ITEM_PRICE}, custom_fields=True
)

CREATE_SUBSCRIPTION: Final = OperationFacts(
    {
        "id": ID,
        "business_entity_id": ID,
        "trial_end": Whole(),
        "billing_cycles": Whole(0),
        "net_term_days": Whole(),
        "start_date": Whole(),
        "auto_collection": ON_OFF,
        "terms_to_charge": Whole(1),
        "po_number": NAME,
        "coupon_ids": Several(NAME),
        "invoice_notes": TextParameter(2000),
        "invoice_date": Whole(),
        "meta_data": MetadataParameter(),
        "invoice_immediately": Flag(),
        "create_pending_invoices": Flag(),
        "auto_close_invoices": Flag(),
        "first_invoice_pending": Flag(),
        "shipping_address": ADDRESS,
        "subscription_items": Rows(
            {
                "item_price_id": NAME,
                "quantity": Whole(1),
                "quantity_in_decimal": QUANTITY,
                "unit_price": Whole(0),
                "unit_price_in_decimal": PRICE,
                "billing_cycles": Whole(0),
                "service_period_days": Whole(1, 730),
                "item_type": ITEM_TYPES,
            },
            ("item_price_id",),
        ),
        "item_tiers": Rows({"item_price_id": NAME, **TIER_FIELDS}),
        "discounts": Rows({"percentage": Ratio(), "amount": Whole(0)}),
    },
    ("subscription_items",),
    custom_fields=True,
)
CANCEL_SUBSCRIPTION: Final = OperationFacts(
    {
        "cancel_option": ChoiceParameter(
            ("immediately", "end_of_term", "specific_date", "end_of_billing_term")
        ),
        "end_of_term": Flag(),
        "cancel_at": Whole(),
        "unbilled_charges_option": ChoiceParameter(("invoice", "delete")),
        "cancel_reason_code": NAME,
    }
)
