"""Integration: one configuration of m3ter, and how its bills travel."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from reconciler.definitions.kinds.envelope import (
    DefinitionPart,
    Duration,
    Envelope,
    Name,
    Text,
    Uuid,
)
from reconciler.kernel.line_item import Destination, LineItemType

# Source: m3ter OpenAPI 2026-08-03, IntegrationConfigRequest.entityType pattern
EntityType = Annotated[
    str,
    StringConstraints(pattern=r"^[a-zA-Z0-9_-]+$", max_length=100),
    Field(
        json_schema_extra={"$comment": "Letters, digits, `_` and `-`."},
        examples=["Bill"],
    ),
]
IsoDate = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    Field(json_schema_extra={"$comment": "A date, year first."}, examples=["2026-12-01"]),
]


class CodeReference(DefinitionPart):
    """An object named by its code; resolved per environment."""

    code: Text
    """The code in m3ter."""


class EmailReference(DefinitionPart):
    """A user named by e-mail address; resolved per environment."""

    email: Text
    """The address of the user in m3ter."""


AccountReference = CodeReference | Uuid
UserReference = EmailReference | Text


class CredentialConnection(DefinitionPart):
    """The connection goes through a credential."""

    credential: Name
    """A name from the environment's `credentials`."""


class GlobalPanel(DefinitionPart):
    """The Console's Global panel."""

    account_ids: Literal["all"] | Annotated[tuple[AccountReference, ...], Field(min_length=1)]
    """Required: `all`, or a non-empty set of codes or UUIDs. Never null or empty."""
    restricted_account_ids: tuple[AccountReference, ...] = ()
    """Accounts that are never sent; they win over `accountIds`."""
    integration_disabled_notification_users: tuple[UserReference, ...] = ()
    """Who m3ter tells when it disables the integration."""


class EntityPanel(DefinitionPart):
    """The Console's Entity panel."""

    only_send_bill_on_approval: bool = False
    """Send a bill only once it is approved."""
    use_external_mapping_account_code: bool = False
    """Look the account up in the external mappings; false uses m3ter's account id."""
    excluded_line_item_types: tuple[LineItemType, ...] = ()
    """Line item types that are not sent."""
    account_filter: Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None = None
    """Expression over the account; in addition to the account lists."""
    enforce_external_mappings_for_config: bool = False
    """Use only mappings that are linked to this integration."""


class PendingPolicy(DefinitionPart):
    """How to wait for the subscription's pending invoice."""

    wait_up_to: Duration = "5d"
    """Wait at most this long."""
    closes_after: Duration = "48h"
    """The site closes pending invoices after this time."""
    match_days: Annotated[int, Field(ge=0, le=31)] = 3
    """How far the invoice's date may be from the end of the bill."""
    then: Literal["error", "create"] = "error"
    """What to do when the wait is over."""


class PushPolicy(DefinitionPart):
    """How `reconciler sync` sends the bills itself."""

    since: IsoDate
    """Required: bills whose period ends on or after this date."""
    account_is: Literal["subscription", "customer"]
    """Required: what the account's external id means in Chargebee."""
    collection: Literal["off", "customer-default"]
    """Required: whether Chargebee may charge a card inside the call."""
    stamp: Annotated[
        str,
        StringConstraints(pattern=r"^cf_[a-z0-9_]+$"),
        Field(json_schema_extra={"$comment": "Begins with `cf_`."}),
    ] = "cf_m3ter_bill_id"
    """Custom field on invoices that carries the bill id."""
    open: bool = False
    """With `createInvoice`: create the invoice as pending, to be closed later."""
    invoice_date: Literal["externalInvoiceDate", "today"] = "externalInvoiceDate"
    """The invoice's date; older than a calendar month becomes today, and is reported."""
    negative_lines: Literal[
        "refuse", "discount", "credit-note", "credit-note-standalone", "promotional-credit"
    ] = "refuse"
    """What to do with lines below zero, which Chargebee does not take."""
    recalculated: Literal["refuse", "replace", "credit-and-rebill", "void-and-recreate"] = "refuse"
    """What to do when a sent bill was recalculated."""
    rounding: Literal["exact", "as-m3ter"] = "exact"
    """`exact` sends every line to the minor unit; `as-m3ter` as the native connector would."""
    tolerance: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?$"),
        Field(json_schema_extra={"$comment": "A decimal in quotes, not negative."}),
    ] = "0"
    """Difference per currency, in major units, that `sync reconcile` lets pass."""
    auto_disable: Literal["systemic", "as-m3ter"] = "systemic"
    """Ten failures in a row disable the push: `systemic` counts those that no bill is to blame
    for, `as-m3ter` every error event, as the native connector does."""
    pending: PendingPolicy | None = None
    """Only with `createInvoice: false`."""


class IntegrationSpec(DefinitionPart):
    """Every setting of one integration configuration."""

    display_name: Text
    """Name in the Console."""
    entity_type: EntityType = "Bill"
    """What is sent."""
    destination: Destination
    """Where it is sent."""
    delivery: Literal["native", "push"] = "native"
    """`native`: m3ter sends the bills. `push`: `reconciler sync` does."""
    connection: CredentialConnection | Literal["disconnected"]
    """Required: the credential, or `disconnected`."""
    enabled: Literal[True] | None = None
    """True enables again what m3ter disabled; absent only reports it."""
    protect: bool = False
    """Never deleted by this tool."""
    global_: Annotated[GlobalPanel, Field(alias="global")]
    """The Console's Global panel."""
    entity: EntityPanel = EntityPanel()
    """The Console's Entity panel."""
    chargebee: ChargebeePage | None = None
    """The Chargebee page; required for Chargebee, forbidden elsewhere."""
    config_data: dict[str, Any] = {}
    """Wire keys that are not modelled here, sent as they stand."""
    push: PushPolicy | None = None
    """Required with `delivery: push`, else forbidden."""


class Integration(Envelope):
    """One integration configuration of m3ter."""

    kind: Literal["Integration"]
    """Always `Integration`."""
    spec: IntegrationSpec
    """The settings."""


# Source: Chargebee OpenAPI 2026-09-24, item_prices.item_price_id: at most 100 characters
PriceId = Annotated[str, StringConstraints(min_length=1, max_length=100)]
# Source: Chargebee docs "Multi-decimal support": up to 20 places each
Places = Annotated[int, Field(ge=0, le=20)]


# Source: m3ter guide "Configuring Chargebee integrations"
class ChargebeePage(DefinitionPart):
    """The settings of m3ter's Chargebee page."""

    minimum_spend_item_price: PriceId | None = None
    """Charge item price for minimum spend lines."""
    standing_charge_item_price: PriceId | None = None
    """Charge item price for standing charge lines."""
    create_invoice: bool = False
    """True creates an invoice; false waits for the subscription's pending invoice."""
    use_multidecimal: bool = False
    """Send price and units as decimals; the site must have multi-decimal support."""
    multi_decimal_price_decimal_places: Places | None = None
    """Digits of the price, rounded half up; only with `useMultidecimal`."""
    multi_decimal_units_decimal_places: Places | None = None
    """Digits of the units, rounded half up; only with `useMultidecimal`."""
    split_usage_line_items: Literal["itemPerUsageBand", "itemPerProduct"] | None = None
    """One row per usage band, or one per product."""
    default_price_id: PriceId | None = None
    """Price of lines for which nothing else is found."""
    price_id_mapping: dict[LineItemType, PriceId] = {}
    """Line item type -> price id."""
    sort_line_items_by: Literal["none", "subtotal", "aggregationId"] = "none"
    """Order of the lines; none keeps the bill's."""
