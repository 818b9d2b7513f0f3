"""What Chargebee takes when credit notes, credits, unbilled charges and comments are written.

Source: Chargebee request schemas, npm package chargebee 3.33.0.
"""

from __future__ import annotations

from typing import Final

from reconciler.emulator.chargebee.parameters.facts_catalogue import ID, NAME, PRICE, QUANTITY
from reconciler.emulator.chargebee.parameters.facts_lines import (
    ADHOC,
    COMMENT,
    OWNERS,
    PRICED,
    TIERS,
)
from reconciler.emulator.chargebee.parameters.parameters import (
    Anything,
    Choice,
    Facts,
    Rows,
    Text,
    Whole,
)

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
        "comment": COMMENT,
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
        "item_prices": Rows(PRICED, ("item_price_id",)),
        "item_tiers": TIERS,
        "charges": Rows(ADHOC),
        "tax_providers_fields": Anything(),
    },
    ("subscription_id",),
)
INVOICE_UNBILLED_CHARGES: Final = Facts(OWNERS)
CREATE_COMMENT: Final = Facts(
    {
        "entity_type": Choice(
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
        "notes": Text(1000),
        "added_by": NAME,
    },
    ("entity_type", "entity_id", "notes"),
)
