"""What Chargebee takes when credit notes, credits, unbilled charges and comments are written.

Source: Chargebee request schemas, npm package chargebee 3.33.0.
"""

from __future__ import annotations

from typing import Final

from reconciler.emulator.chargebee.parameters.facts_billing import (
    ADHOC,
    COMMENT,
    OWNERS,
    PRICED,
    TIERS,
)
from reconciler.emulator.chargebee.parameters.facts_catalogue import ID, NAME, PRICE, QUANTITY
from reconciler.emulator.chargebee.parameters.parameters import (
    Anything,
    ChoiceParameter,
    OperationFacts,
    Rows,
    TextParameter,
    Whole,
)

CREATE_CREDIT_NOTE: Final = OperationFacts(
    {
        "reference_invoice_id": ID,
        "customer_id": ID,
        "total": Whole(0),
        "type": ChoiceParameter(("adjustment", "refundable", "store")),
        "reason_code": ChoiceParameter(
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
        "customer_notes": TextParameter(2000),
        "currency_code": TextParameter(3),
        "comment": COMMENT,
        "line_items": Rows(
            {
                "reference_line_item_id": TextParameter(40),
                "unit_amount": Whole(),
                "unit_amount_in_decimal": PRICE,
                "quantity": Whole(),
                "quantity_in_decimal": QUANTITY,
                "amount": Whole(),
                "date_from": Whole(),
                "date_to": Whole(),
                "description": TextParameter(250),
                "entity_type": ChoiceParameter(
                    (
                        "adhoc",
                        "plan_item_price",
                        "addon_item_price",
                        "charge_item_price",
                        "plan",
                        "addon",
                    )
                ),
                "entity_id": NAME,
            }
        ),
    },
    ("type",),
    custom_fields=True,
)
ADD_PROMOTIONAL_CREDIT: Final = OperationFacts(
    {
        "customer_id": ID,
        "amount": Whole(0),
        "amount_in_decimal": QUANTITY,
        "currency_code": TextParameter(3),
        "description": TextParameter(250),
        "credit_type": ChoiceParameter(("loyalty_credits", "referral_rewards", "general")),
        "reference": TextParameter(500),
    },
    ("customer_id", "description"),
)
CREATE_UNBILLED_CHARGES: Final = OperationFacts(
    {
        "subscription_id": ID,
        "currency_code": TextParameter(3),
        "item_prices": Rows(PRICED, ("item_price_id",)),
        "item_tiers": TIERS,
        "charges": Rows(ADHOC),
        "tax_providers_fields": Anything(),
    },
    ("subscription_id",),
)
INVOICE_UNBILLED_CHARGES: Final = OperationFacts(OWNERS)
CREATE_COMMENT: Final = OperationFacts(
    {
        "entity_type": ChoiceParameter(
            (
                "customer",
                "subscription",
                "invoice",
                "quote",
                "credit_note",
                "transaction",
                "plan",
                "addon",
                "coupon",
                "order",
                "business_entity",
                "item_family",
                "item",
                "item_price",
                "price_variant",
            )
        ),
        "entity_id": NAME,
        "notes": TextParameter(1000),
        "added_by": NAME,
    },
    ("entity_type", "entity_id", "notes"),
)
