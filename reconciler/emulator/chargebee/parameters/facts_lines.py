"""Parameters that several billing operations have in common.

Source: Chargebee request schemas, npm package chargebee 3.33.0.
"""

from __future__ import annotations

from typing import Final

from reconciler.emulator.chargebee.parameters.facts_catalogue import (
    ID,
    NAME,
    PRICE,
    QUANTITY,
    TIER_FIELDS,
)
from reconciler.emulator.chargebee.parameters.parameters import (
    Anything,
    Choice,
    Flag,
    Leaf,
    Parameter,
    Rows,
    Text,
    Whole,
)

SALE_TYPES: Final = Choice(("wholesale", "retail", "consumed", "vendor_use"))
COMMENT: Final = Text(300)
PRICED: Final[dict[str, Leaf | Anything]] = {
    "item_price_id": NAME,
    "quantity": Whole(1),
    "quantity_in_decimal": QUANTITY,
    "unit_price": Whole(0),
    "unit_price_in_decimal": PRICE,
    "date_from": Whole(),
    "date_to": Whole(),
}
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
    "description": Text(250),
    "taxable": Flag(),
    "tax_profile_id": ID,
    "date_from": Whole(),
    "date_to": Whole(),
    **TAX_CODES,
}
TIERS: Final = Rows({"item_price_id": NAME, **TIER_FIELDS}, ("item_price_id",))
OWNERS: Final[dict[str, Parameter]] = {
    "customer_id": ID,
    "subscription_id": ID,
}
