"""Settings of the Chargebee page that contradict each other or leave money without a price."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.definitions.core.paths import listed
from reconciler.definitions.core.rule import Rule
from reconciler.definitions.kinds.integration import ChargebeePage, IntegrationSpec
from reconciler.definitions.model import Defined, DefinedSet, Effective
from reconciler.kernel.line_item import Destination, LineItemType
from reconciler.kernel.problem import Problem

PLACES_UNUSED = Rule(
    "R071",
    "decimal places go with useMultidecimal",
    "error",
    "Without it the places have no effect, and amounts are sent in whole minor units.",
    "Set `useMultidecimal: true`, or remove the decimal places.",
)
PLACES_MISSING = Rule(
    "R072",
    "useMultidecimal goes with decimal places",
    "error",
    "How price and units are rounded decides about money; there is no safe default.",
    "Set both decimal places to what the Chargebee site allows.",
)
EXCLUDED_AND_MAPPED = Rule(
    "R073",
    "no line item type is both excluded and mapped",
    "error",
    "Excluded types win, so the price is never used and the reader is misled.",
    "Remove the type from `excludedLineItemTypes` or from `priceIdMapping`.",
)
NO_SUBSCRIPTIONS = Rule(
    "R075",
    "createInvoice: false goes with mappings of accounts to subscriptions",
    "error",
    "Lines are added to a subscription's pending invoice; without the subscription none is found.",
    "Add a MappingSet from Account to Subscription, or set `createInvoice: true`.",
)
NO_PRICE = Rule(
    "R076",
    "every line item type that is sent has a price",
    "error",
    "A bill with a line without a price is not sent at all.",
    "Add `defaultPriceId`, map the types in `priceIdMapping`, or exclude them.",
)
PAGE = Rule(
    "R077",
    "the chargebee page goes with destination Chargebee",
    "error",
    "The page decides how bills arrive in Chargebee and means nothing elsewhere.",
    "Add `chargebee:` for Chargebee, and remove it for any other destination.",
)

RULES = (PLACES_UNUSED, PLACES_MISSING, EXCLUDED_AND_MAPPED, NO_SUBSCRIPTIONS, NO_PRICE, PAGE)
Integration = Defined[IntegrationSpec]

# Source: m3ter guide "Configuring Chargebee integrations": charge items can be mapped to a usage
# pricing band or to a product; minimum spend and standing charge have settings of their own.
_USAGE = {LineItemType.USAGE, LineItemType.OVERAGE_USAGE, LineItemType.USAGE_CREDIT}
_MINIMUM_SPEND = {LineItemType.MINIMUM_SPEND, LineItemType.MINIMUM_SPEND_REFUND}


def chargebee_pages(view: Effective) -> Iterator[Problem]:
    """Check the Chargebee page of every integration."""
    for integration in view.integrations:
        yield from wrong_page(integration)
        if (
            integration.spec.destination is Destination.CHARGEBEE
            and integration.spec.chargebee is not None
        ):
            sets = tuple(usable_sets(integration, view))
            yield from decimal_places(integration, integration.spec.chargebee)
            yield from excluded_and_mapped(integration, integration.spec.chargebee)
            yield from without_subscriptions(integration, integration.spec.chargebee, sets)
            yield from without_price(integration, integration.spec.chargebee, sets)


def wrong_page(integration: Integration) -> Iterator[Problem]:
    """Find a missing or misplaced Chargebee page."""
    is_chargebee = integration.spec.destination is Destination.CHARGEBEE
    if is_chargebee and integration.spec.chargebee is None:
        message = "destination is Chargebee and the `chargebee` settings are missing"
        hint = "Add `chargebee:` with at least `createInvoice` and `defaultPriceId`."
        yield PAGE.broken(integration.at("destination"), message, hint, "spec.chargebee")
    if not is_chargebee and integration.spec.chargebee is not None:
        message = (
            f"`chargebee` settings have no meaning for destination {integration.spec.destination}"
        )
        hint = "Remove them; settings of other destinations go into `configData`."
        yield PAGE.broken(integration.at("chargebee"), message, hint, "spec.chargebee")


def decimal_places(integration: Integration, page: ChargebeePage) -> Iterator[Problem]:
    """Find decimal places without the switch, and the switch without them."""
    places = {
        "multiDecimalPriceDecimalPlaces": page.multi_decimal_price_decimal_places,
        "multiDecimalUnitsDecimalPlaces": page.multi_decimal_units_decimal_places,
    }
    for field, value in places.items():
        if value is not None and not page.use_multidecimal:
            yield PLACES_UNUSED.broken(
                integration.at("chargebee", field),
                f"`{field}` has no effect without `useMultidecimal: true`",
                path=f"spec.chargebee.{field}",
            )
        if value is None and page.use_multidecimal:
            yield PLACES_MISSING.broken(
                integration.at("chargebee", "useMultidecimal"),
                f"`useMultidecimal` is on and `{field}` is missing",
                f"Add `{field}`, as many places as the Chargebee site allows.",
                f"spec.chargebee.{field}",
            )


def excluded_and_mapped(integration: Integration, page: ChargebeePage) -> Iterator[Problem]:
    """Find types that are never sent and still have a price."""
    for kind in integration.spec.entity.excluded_line_item_types:
        if kind in page.price_id_mapping:
            yield EXCLUDED_AND_MAPPED.broken(
                integration.at("chargebee", "priceIdMapping", kind.value),
                f"{kind} is in `excludedLineItemTypes`, so its price is never used",
                path=f"spec.chargebee.priceIdMapping.{kind}",
            )


def without_subscriptions(
    integration: Integration, page: ChargebeePage, sets: tuple[DefinedSet, ...]
) -> Iterator[Problem]:
    """Find integrations that wait for a subscription's invoice without knowing any."""
    if page.create_invoice:
        return
    found = any(
        two.rows
        and two.defined.spec.m3ter_entity.casefold() == "account"
        and two.defined.spec.external_table.casefold() == "subscription"
        for two in sets
    )
    if not found:
        yield NO_SUBSCRIPTIONS.broken(
            integration.at("chargebee", "createInvoice"),
            "without `createInvoice: true` bills wait for a subscription's pending invoice, and no"
            " mapping set maps accounts to subscriptions",
            path="spec.chargebee.createInvoice",
        )
    if integration.spec.push is not None and integration.spec.push.account_is == "customer":
        yield NO_SUBSCRIPTIONS.broken(
            integration.at("push", "accountIs"),
            "pending invoices belong to subscriptions, and `accountIs` is `customer`",
            "Set `accountIs: subscription`, or `createInvoice: true`.",
            "spec.push.accountIs",
        )


def without_price(
    integration: Integration, page: ChargebeePage, sets: tuple[DefinedSet, ...]
) -> Iterator[Problem]:
    """Find types that are sent and have no price."""
    if page.default_price_id is not None:
        return
    covered = {*integration.spec.entity.excluded_line_item_types, *page.price_id_mapping}
    if page.minimum_spend_item_price is not None:
        covered |= _MINIMUM_SPEND
    if page.standing_charge_item_price is not None:
        covered |= {LineItemType.STANDING_CHARGE}
    if any(two.defined.spec.m3ter_entity.casefold() != "account" for two in sets):
        covered |= _USAGE
    missing = [kind.value for kind in LineItemType if kind not in covered]
    if missing:
        yield NO_PRICE.broken(
            integration.at("chargebee", "priceIdMapping"),
            f"no price for lines of type {listed(missing)}, and no `defaultPriceId`",
            path="spec.chargebee.priceIdMapping",
        )


def usable_sets(integration: Integration, view: Effective) -> Iterator[DefinedSet]:
    """Give the mapping sets that an integration may use: linked ones, and unlinked if allowed."""
    for mapping_set in view.mapping_sets:
        link = mapping_set.defined.spec.integration
        if link == integration.name or (
            link is None and not integration.spec.entity.enforce_external_mappings_for_config
        ):
            yield mapping_set
