"""The settings that m3ter's integrations have, by panel, with keys in both conceivable spellings.

The labels, meanings and defaults are m3ter's; the keys are a guess made from the labels, because no
public source shows one. Switch ``config_keys`` chooses the spelling.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Source: m3ter OpenAPI 2026-08-03, LineItemType
LINE_ITEM_TYPES = (
    "STANDING_CHARGE",
    "USAGE",
    "USAGE_CREDIT",
    "MINIMUM_SPEND",
    "MINIMUM_SPEND_REFUND",
    "COMMITMENT_CONSUMED",
    "COMMITMENT_FEE",
    "OVERAGE_SURCHARGE",
    "OVERAGE_USAGE",
    "BALANCE_CONSUMED",
    "BALANCE_FEE",
    "AD_HOC",
    "CREDIT_MEMO",
    "DEBIT_MEMO",
    "CREDIT_DEDUCTION",
    "MANUAL_ADJUSTMENT",
    "COUNTER_RUNNING_TOTAL_CHARGE",
    "COUNTER_ADJUSTMENT_DEBIT",
    "COUNTER_ADJUSTMENT_CREDIT",
)


@dataclass(frozen=True, slots=True)
class SettingOption:
    """One setting.

    Attributes:
        label: As on the Console page; both spellings of the key follow from it.
        type: ``STRING, BOOLEAN, INTEGER, ENUM, LIST`` or ``MAP``; the words are a guess.
        default: What the server takes if the key is absent; ``None`` if there is no such value.
        choices: Values of an enumeration, or of the elements or keys of a list or map.
    """

    label: str
    type: str
    default: bool | str | None = None
    choices: tuple[str, ...] = ()

    def key(self, style: str) -> str:
        """The wire key: ``camel`` or ``screaming``."""
        words = self.label.lower().split()
        if style == "screaming":
            return "_".join(words).upper()
        return words[0] + "".join(word.capitalize() for word in words[1:])


# Source: m3ter docs, "Configuring Chargebee integrations" (labels and defaults)
GLOBAL = (
    SettingOption("Account ids", "LIST"),
    SettingOption("Restricted account ids", "LIST"),
    SettingOption("Integration disabled notification users", "LIST"),
)
BILL = (
    SettingOption("Only send bill on approval", "BOOLEAN", default=False),
    SettingOption("Use external mapping account code", "BOOLEAN", default=False),
    SettingOption("Excluded line item types", "LIST", choices=LINE_ITEM_TYPES),
    SettingOption("Account filter", "STRING"),
    SettingOption("Enforce external mappings for config", "BOOLEAN", default=False),
)
CHARGEBEE = (
    SettingOption("Chargebee minimum spend item price", "STRING"),
    SettingOption("Chargebee standing charge item price", "STRING"),
    SettingOption("Chargebee create invoice", "BOOLEAN", default=False),
    SettingOption("Chargebee use multidecimal", "BOOLEAN", default=False),
    SettingOption("Chargebee multi decimal price decimal places", "INTEGER"),
    SettingOption("Chargebee multi decimal units decimal places", "INTEGER"),
    SettingOption(
        "Split usage line items",
        "ENUM",
        default="ITEM_PER_USAGE_BAND",
        choices=("ITEM_PER_USAGE_BAND", "ITEM_PER_PRODUCT"),
    ),
    SettingOption("Chargebee default price id", "STRING"),
    SettingOption("Chargebee price id mapping", "MAP", choices=LINE_ITEM_TYPES),
    SettingOption(
        "Sort line items by", "ENUM", default="NONE", choices=("NONE", "SUBTOTAL", "AGGREGATION_ID")
    ),
)
# Source: m3ter docs, "Configuring AWS Marketplace integrations"
AWS = (
    SettingOption(
        "Split usage line items",
        "ENUM",
        default="ITEM_PER_BILL",
        choices=("ITEM_PER_BILL", "ITEM_PER_PRODUCT", "ITEM_PER_AGGREGATION"),
    ),
)


@dataclass(frozen=True, slots=True)
class System:
    """A destination.

    Attributes:
        name: As in a configuration's ``destination``.
        api_name: As in the enumeration DestinationType.
        label: For people.
        auth: Kind of credential.
        entities: Entity types it takes.
        options: Its own panel.
        tables: What external mappings may point at.
    """

    name: str
    api_name: str
    label: str
    auth: str
    entities: tuple[str, ...] = ("Bill",)
    options: tuple[SettingOption, ...] = ()
    tables: tuple[str, ...] = ("Customer",)


# Source: m3ter OpenAPI 2026-08-03, DestinationType and AuthType; table names are guesses but for
# Account -> Subscription (Chargebee) and Account -> Contact (Xero), which the docs show
SYSTEMS = (
    System(
        "Chargebee",
        "CHARGEBEE",
        "Chargebee",
        "CHARGEBEE",
        options=CHARGEBEE,
        tables=("Subscription", "Customer", "ItemPrice"),
    ),
    System("Stripe", "STRIPE", "Stripe", "OAUTH_CODE"),
    System("StripeTest", "STRIPE_TEST", "Stripe (Test mode)", "OAUTH_CODE"),
    System("Netsuite", "NETSUITE", "NetSuite", "NETSUITE"),
    System("Paddle", "PADDLE", "Paddle", "PADDLE"),
    System("QuickBooks", "QUICKBOOKS", "QuickBooks", "OAUTH_CODE"),
    System("Xero", "XERO", "Xero", "OAUTH_CODE", tables=("Contact",)),
    System(
        "Salesforce",
        "SALESFORCE",
        "Salesforce",
        "OAUTH_CODE",
        entities=("Bill", "Account", "Contract"),
        tables=("Account",),
    ),
    System("AWS", "AWS", "AWS Marketplace", "AWS_INTEGRATION", options=AWS),
    System(
        "Webhook",
        "WEBHOOK",
        "Webhook",
        "M3TER_SIGNED_REQUEST",
        entities=("Notification",),
        tables=(),
    ),
)


def system(name: str) -> System | None:
    """The destination of a name, in any case; ``None`` if it is not known."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    return next((candidate for candidate in SYSTEMS if candidate.name.lower() == plain), None)


def options_for(entity_type: str, destination: str) -> tuple[SettingOption, ...]:
    """All settings of a configuration."""
    if entity_type != "Bill":
        return ()
    found = system(destination)
    return (*GLOBAL, *BILL, *(found.options if found else ()))
