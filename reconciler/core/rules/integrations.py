"""Settings of an integration that contradict each other or leave money without a price."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.modelled import settings_of
from reconciler.core.rules.reach import listed
from reconciler.core.rules.rule import Rule
from reconciler.domain.definitions import Defined, DefinedSet, Effective
from reconciler.domain.kinds.chargebee import ChargebeePage
from reconciler.domain.kinds.integration import (
    AccountReference,
    CodeReference,
    EmailReference,
    IntegrationSpec,
    UserReference,
)
from reconciler.domain.line_item import Destination, LineItemType
from reconciler.domain.problem import Problem

OVERLAP = Rule(
    "R070",
    "no account is both included and restricted",
    "error",
    "m3ter does not say which list wins; we read it as never sent, which is rarely what is meant.",
    "Remove the account from one of the lists.",
)
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
ENFORCED_UNLINKED = Rule(
    "R074",
    "enforceExternalMappingsForConfig goes with a linked mapping set",
    "error",
    "With it on only linked mappings count; without any, no account and no price is found.",
    "Link a MappingSet by `integration`, or switch the setting off.",
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
MODELLED_KEY = Rule(
    "R078",
    "configData holds only keys that are not modelled",
    "error",
    "One wire key set in two places: the order of writing would decide.",
    "Use the modelled setting and remove the key from `configData`.",
)
SAME_NATURAL_KEY = Rule(
    "R079",
    "destination, entity type and display name tell integrations apart",
    "error",
    "Without a stored id an integration is found by these three; two alike cannot be told apart.",
    "Give one of them another `displayName`.",
)
LISTED_TWICE = Rule(
    "R080",
    "sets hold each element once",
    "warning",
    "The second has no effect, and removing one of them later will surprise.",
    "Remove one of them.",
)

RULES = (
    OVERLAP,
    PLACES_UNUSED,
    PLACES_MISSING,
    EXCLUDED_AND_MAPPED,
    ENFORCED_UNLINKED,
    NO_SUBSCRIPTIONS,
    NO_PRICE,
    PAGE,
    MODELLED_KEY,
    SAME_NATURAL_KEY,
    LISTED_TWICE,
)
Integration = Defined[IntegrationSpec]

# Source: m3ter guide "Configuring Chargebee integrations": charge items can be mapped to a usage
# pricing band or to a product; minimum spend and standing charge have settings of their own.
_USAGE = {LineItemType.USAGE, LineItemType.OVERAGE_USAGE, LineItemType.USAGE_CREDIT}
_MINIMUM_SPEND = {LineItemType.MINIMUM_SPEND, LineItemType.MINIMUM_SPEND_REFUND}


def contradictions(view: Effective) -> Iterator[Problem]:
    """Find settings that contradict each other, in every integration."""
    for one in view.integrations:
        sets = tuple(usable_sets(one, view))
        yield from overlaps(one)
        yield from repeated(one)
        yield from unlinked(one, view)
        yield from modelled_keys(one, view)
        yield from wrong_page(one)
        if one.spec.destination is Destination.CHARGEBEE and one.spec.chargebee is not None:
            yield from decimal_places(one, one.spec.chargebee)
            yield from excluded_and_mapped(one, one.spec.chargebee)
            yield from without_subscriptions(one, one.spec.chargebee, sets)
            yield from without_price(one, one.spec.chargebee, sets)
    yield from same_natural_keys(view)


def usable_sets(one: Integration, view: Effective) -> Iterator[DefinedSet]:
    """Give the mapping sets that an integration may use: linked ones, and unlinked if allowed."""
    for mapping_set in view.mapping_sets:
        link = mapping_set.defined.spec.integration
        if link == one.name or (
            link is None and not one.spec.entity.enforce_external_mappings_for_config
        ):
            yield mapping_set


def overlaps(one: Integration) -> Iterator[Problem]:
    """Find accounts that are included and restricted."""
    panel = one.spec.global_
    included = set() if panel.account_ids == "all" else {_key(two) for two in panel.account_ids}
    for number, account in enumerate(panel.restricted_account_ids):
        if _key(account) in included:
            yield OVERLAP.broken(
                one.at("global", "restrictedAccountIds", number),
                f"account `{_key(account)}` is in `accountIds` and in `restrictedAccountIds`",
                path=f"spec.global.restrictedAccountIds[{number}]",
            )


def repeated(one: Integration) -> Iterator[Problem]:
    """Find elements that stand twice in a set."""
    panel, entity = one.spec.global_, one.spec.entity
    listed_accounts = () if panel.account_ids == "all" else panel.account_ids
    sets: dict[tuple[str, str], list[str]] = {
        ("global", "accountIds"): [_key(two) for two in listed_accounts],
        ("global", "restrictedAccountIds"): [_key(two) for two in panel.restricted_account_ids],
        ("global", "integrationDisabledNotificationUsers"): [
            _key(two) for two in panel.integration_disabled_notification_users
        ],
        ("entity", "excludedLineItemTypes"): [str(two) for two in entity.excluded_line_item_types],
    }
    for (part, field), keys in sets.items():
        for number, key in enumerate(keys):
            if key in keys[:number]:
                yield LISTED_TWICE.broken(
                    one.at(part, field, number),
                    f"`{key}` stands twice in `{field}`",
                    path=f"spec.{part}.{field}[{number}]",
                )


def unlinked(one: Integration, view: Effective) -> Iterator[Problem]:
    """Find enforced mappings where no set is linked."""
    linked = any(two.defined.spec.integration == one.name for two in view.mapping_sets)
    if one.spec.entity.enforce_external_mappings_for_config and not linked:
        yield ENFORCED_UNLINKED.broken(
            one.at("entity", "enforceExternalMappingsForConfig"),
            f"only mappings linked to `{one.name}` count, and no MappingSet is linked to it",
            f"Set `integration: {one.name}` in a MappingSet, or switch the setting off.",
            "spec.entity.enforceExternalMappingsForConfig",
        )


def modelled_keys(one: Integration, view: Effective) -> Iterator[Problem]:
    """Find keys of ``configData`` that a modelled setting already writes."""
    settings = settings_of(one.spec.destination)
    by_plain = {_plain(setting.name): str(setting.path) for setting in settings}
    by_wire = {
        wire: field
        for two in view.dialects
        if (two.spec.environment, two.spec.destination, two.spec.entity_type)
        == (view.environment.name, one.spec.destination, one.spec.entity_type)
        for field, wire in two.spec.keys.items()
    }
    for key in one.spec.config_data:
        field = by_wire.get(key) or by_plain.get(_plain(key))
        if field is not None:
            yield MODELLED_KEY.broken(
                one.at("configData", key),
                f"`configData.{key}` is the setting `{field}`",
                f"Write it as `{field}` and remove it from `configData`.",
                f"spec.configData.{key}",
            )


def wrong_page(one: Integration) -> Iterator[Problem]:
    """Find a missing or misplaced Chargebee page."""
    is_chargebee = one.spec.destination is Destination.CHARGEBEE
    if is_chargebee and one.spec.chargebee is None:
        message = "destination is Chargebee and the `chargebee` settings are missing"
        hint = "Add `chargebee:` with at least `createInvoice` and `defaultPriceId`."
        yield PAGE.broken(one.at("destination"), message, hint, "spec.chargebee")
    if not is_chargebee and one.spec.chargebee is not None:
        message = f"`chargebee` settings have no meaning for destination {one.spec.destination}"
        hint = "Remove them; settings of other destinations go into `configData`."
        yield PAGE.broken(one.at("chargebee"), message, hint, "spec.chargebee")


def decimal_places(one: Integration, page: ChargebeePage) -> Iterator[Problem]:
    """Find decimal places without the switch, and the switch without them."""
    places = {
        "multiDecimalPriceDecimalPlaces": page.multi_decimal_price_decimal_places,
        "multiDecimalUnitsDecimalPlaces": page.multi_decimal_units_decimal_places,
    }
    for field, value in places.items():
        if value is not None and not page.use_multidecimal:
            yield PLACES_UNUSED.broken(
                one.at("chargebee", field),
                f"`{field}` has no effect without `useMultidecimal: true`",
                path=f"spec.chargebee.{field}",
            )
        if value is None and page.use_multidecimal:
            yield PLACES_MISSING.broken(
                one.at("chargebee", "useMultidecimal"),
                f"`useMultidecimal` is on and `{field}` is missing",
                f"Add `{field}`, as many places as the Chargebee site allows.",
                f"spec.chargebee.{field}",
            )


def excluded_and_mapped(one: Integration, page: ChargebeePage) -> Iterator[Problem]:
    """Find types that are never sent and still have a price."""
    for kind in one.spec.entity.excluded_line_item_types:
        if kind in page.price_id_mapping:
            yield EXCLUDED_AND_MAPPED.broken(
                one.at("chargebee", "priceIdMapping", kind.value),
                f"{kind} is in `excludedLineItemTypes`, so its price is never used",
                path=f"spec.chargebee.priceIdMapping.{kind}",
            )


def without_subscriptions(
    one: Integration, page: ChargebeePage, sets: tuple[DefinedSet, ...]
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
            one.at("chargebee", "createInvoice"),
            "without `createInvoice: true` bills wait for a subscription's pending invoice, and no"
            " mapping set maps accounts to subscriptions",
            path="spec.chargebee.createInvoice",
        )
    if one.spec.push is not None and one.spec.push.account_is == "customer":
        yield NO_SUBSCRIPTIONS.broken(
            one.at("push", "accountIs"),
            "pending invoices belong to subscriptions, and `accountIs` is `customer`",
            "Set `accountIs: subscription`, or `createInvoice: true`.",
            "spec.push.accountIs",
        )


def without_price(
    one: Integration, page: ChargebeePage, sets: tuple[DefinedSet, ...]
) -> Iterator[Problem]:
    """Find types that are sent and have no price."""
    if page.default_price_id is not None:
        return
    covered = {*one.spec.entity.excluded_line_item_types, *page.price_id_mapping}
    if page.minimum_spend_item_price is not None:
        covered |= _MINIMUM_SPEND
    if page.standing_charge_item_price is not None:
        covered |= {LineItemType.STANDING_CHARGE}
    if any(two.defined.spec.m3ter_entity.casefold() != "account" for two in sets):
        covered |= _USAGE
    missing = [kind.value for kind in LineItemType if kind not in covered]
    if missing:
        yield NO_PRICE.broken(
            one.at("chargebee", "priceIdMapping"),
            f"no price for lines of type {listed(missing)}, and no `defaultPriceId`",
            path="spec.chargebee.priceIdMapping",
        )


def same_natural_keys(view: Effective) -> Iterator[Problem]:
    """Find integrations that could not be told apart in m3ter."""
    seen: dict[tuple[str, str, str], Integration] = {}
    for one in view.integrations:
        key = (one.spec.destination, one.spec.entity_type, one.spec.display_name)
        first = seen.setdefault(key, one)
        if first is not one:
            yield SAME_NATURAL_KEY.broken(
                one.at("displayName"),
                f'"{one.spec.display_name}" is also the display name of `{first.name}`'
                f" ({first.at('displayName')}), for the same destination and entity type",
                path="spec.displayName",
            )


def _key(one: AccountReference | UserReference) -> str:
    match one:
        case CodeReference(code=code):
            return code
        case EmailReference(email=email):
            return email
        case _:
            return one


def _plain(key: str) -> str:
    """Reduce a wire key: case, underscores, hyphens and a vendor's prefix do not count."""
    return key.casefold().replace("_", "").replace("-", "").removeprefix("chargebee")
