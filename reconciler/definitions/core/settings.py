"""The settings of m3ter's pages that definitions model: path, label, shape and default of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from reconciler.kernel.address import FieldPath
from reconciler.kernel.value import JsonValue

Shape = Literal["text", "flag", "number", "choice", "names", "map"]
"""``names`` is a set of texts; ``map`` holds one text per key."""
Panel = Literal["global", "entity", "chargebee"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One modelled setting.

    Attributes:
        panel: The Console's panel, and the key below ``spec``.
        name: The key inside the panel.
        label: The Console's words.
        default: What m3ter does when the key is absent; ``None`` where nobody knows.
        choices: Our words for the values of a choice.
    """

    panel: Panel
    name: str
    label: str
    shape: Shape
    default: JsonValue = field(default=None, hash=False)
    choices: tuple[str, ...] = ()

    @property
    def path(self) -> FieldPath:
        """The field's path below ``spec``."""
        return FieldPath(f"{self.panel}.{self.name}")


ACCOUNT_IDS: Final = Setting("global", "accountIds", "Account ids", "names", default="all")
RESTRICTED: Final = Setting(
    "global", "restrictedAccountIds", "Restricted account ids", "names", default=()
)
NOTIFIED: Final = Setting(
    "global",
    "integrationDisabledNotificationUsers",
    "Integration disabled notification users",
    "names",
    default=(),
)
ACCOUNT_FILTER: Final = Setting("entity", "accountFilter", "Account filter", "text")
PRICE_ID_MAPPING: Final = Setting(
    "chargebee", "priceIdMapping", "Chargebee price id mapping", "map", default={}
)


def _flag(panel: Panel, name: str, label: str) -> Setting:
    return Setting(panel, name, label, "flag", default=False)


# Source: m3ter guides "Creating and configuring integrations" and "Configuring Chargebee
# integrations": labels, order and defaults. An empty list of account ids means all accounts.
SETTINGS: Final[tuple[Setting, ...]] = (
    ACCOUNT_IDS,
    RESTRICTED,
    NOTIFIED,
    _flag("entity", "onlySendBillOnApproval", "Only send bill on approval"),
    _flag("entity", "useExternalMappingAccountCode", "Use external mapping account code"),
    Setting("entity", "excludedLineItemTypes", "Excluded line item types", "names", default=()),
    ACCOUNT_FILTER,
    _flag("entity", "enforceExternalMappingsForConfig", "Enforce external mappings for config"),
    Setting("chargebee", "minimumSpendItemPrice", "Chargebee minimum spend item price", "text"),
    Setting("chargebee", "standingChargeItemPrice", "Chargebee standing charge item price", "text"),
    _flag("chargebee", "createInvoice", "Chargebee create invoice"),
    _flag("chargebee", "useMultidecimal", "Chargebee use multidecimal"),
    Setting(
        "chargebee",
        "multiDecimalPriceDecimalPlaces",
        "Chargebee multi decimal price decimal places",
        "number",
    ),
    Setting(
        "chargebee",
        "multiDecimalUnitsDecimalPlaces",
        "Chargebee multi decimal units decimal places",
        "number",
    ),
    Setting(
        "chargebee",
        "splitUsageLineItems",
        "Split usage line items",
        "choice",
        choices=("itemPerUsageBand", "itemPerProduct"),
    ),
    Setting("chargebee", "defaultPriceId", "Chargebee default price id", "text"),
    PRICE_ID_MAPPING,
    Setting(
        "chargebee",
        "sortLineItemsBy",
        "Sort line items by",
        "choice",
        default="none",
        choices=("none", "subtotal", "aggregationId"),
    ),
)

BY_PATH: Final[dict[FieldPath, Setting]] = {setting.path: setting for setting in SETTINGS}


def settings_of(destination: str) -> tuple[Setting, ...]:
    """Give the settings of a destination; only Chargebee's own page is modelled."""
    if destination == "Chargebee":
        return SETTINGS
    return tuple(setting for setting in SETTINGS if setting.panel != "chargebee")
