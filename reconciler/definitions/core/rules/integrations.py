"""Settings of an integration that contradict each other, and integrations that are alike."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.definitions.core.rule import Rule
from reconciler.definitions.core.settings import settings_of
from reconciler.definitions.kinds.integration import (
    AccountReference,
    CodeReference,
    EmailReference,
    IntegrationSpec,
    UserReference,
)
from reconciler.definitions.model import Defined, Effective
from reconciler.kernel.problem import Problem

OVERLAP = Rule(
    "R070",
    "no account is both included and restricted",
    "error",
    "m3ter does not say which list wins; we read it as never sent, which is rarely what is meant.",
    "Remove the account from one of the lists.",
)
ENFORCED_UNLINKED = Rule(
    "R074",
    "enforceExternalMappingsForConfig goes with a linked mapping set",
    "error",
    "With it on only linked mappings count; without any, no account and no price is found.",
    "Link a MappingSet by `integration`, or switch the setting off.",
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
    ENFORCED_UNLINKED,
    MODELLED_KEY,
    SAME_NATURAL_KEY,
    LISTED_TWICE,
)
Integration = Defined[IntegrationSpec]


def contradictions(view: Effective) -> Iterator[Problem]:
    """Find settings that contradict each other, in every integration."""
    for integration in view.integrations:
        yield from overlaps(integration)
        yield from repeated(integration)
        yield from unlinked(integration, view)
        yield from modelled_keys(integration, view)
    yield from same_natural_keys(view)


def overlaps(integration: Integration) -> Iterator[Problem]:
    """Find accounts that are included and restricted."""
    panel = integration.spec.global_
    included = set() if panel.account_ids == "all" else {_key(two) for two in panel.account_ids}
    for number, account in enumerate(panel.restricted_account_ids):
        if _key(account) in included:
            yield OVERLAP.broken(
                integration.at("global", "restrictedAccountIds", number),
                f"account `{_key(account)}` is in `accountIds` and in `restrictedAccountIds`",
                path=f"spec.global.restrictedAccountIds[{number}]",
            )


def repeated(integration: Integration) -> Iterator[Problem]:
    """Find elements that stand twice in a set."""
    panel, entity = integration.spec.global_, integration.spec.entity
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
                    integration.at(part, field, number),
                    f"`{key}` stands twice in `{field}`",
                    path=f"spec.{part}.{field}[{number}]",
                )


def unlinked(integration: Integration, view: Effective) -> Iterator[Problem]:
    """Find enforced mappings where no set is linked."""
    linked = any(two.defined.spec.integration == integration.name for two in view.mapping_sets)
    if integration.spec.entity.enforce_external_mappings_for_config and not linked:
        yield ENFORCED_UNLINKED.broken(
            integration.at("entity", "enforceExternalMappingsForConfig"),
            f"only mappings linked to `{integration.name}` count, and no MappingSet is linked to "
            "it",
            f"Set `integration: {integration.name}` in a MappingSet, or switch the setting off.",
            "spec.entity.enforceExternalMappingsForConfig",
        )


def modelled_keys(integration: Integration, view: Effective) -> Iterator[Problem]:
    """Find keys of ``configData`` that a modelled setting already writes."""
    settings = settings_of(integration.spec.destination)
    by_plain = {_plain(setting.name): str(setting.path) for setting in settings}
    by_wire = {
        wire: field
        for two in view.dialects
        if (two.spec.environment, two.spec.destination, two.spec.entity_type)
        == (view.environment.name, integration.spec.destination, integration.spec.entity_type)
        for field, wire in two.spec.keys.items()
    }
    for key in integration.spec.config_data:
        field = by_wire.get(key) or by_plain.get(_plain(key))
        if field is not None:
            yield MODELLED_KEY.broken(
                integration.at("configData", key),
                f"`configData.{key}` is the setting `{field}`",
                f"Write it as `{field}` and remove it from `configData`.",
                f"spec.configData.{key}",
            )


def same_natural_keys(view: Effective) -> Iterator[Problem]:
    """Find integrations that could not be told apart in m3ter."""
    seen: dict[tuple[str, str, str], Integration] = {}
    for integration in view.integrations:
        key = (
            integration.spec.destination,
            integration.spec.entity_type,
            integration.spec.display_name,
        )
        first = seen.setdefault(key, integration)
        if first is not integration:
            yield SAME_NATURAL_KEY.broken(
                integration.at("displayName"),
                f'"{integration.spec.display_name}" is also the display name of `{first.name}`'
                f" ({first.at('displayName')}), for the same destination and entity type",
                path="spec.displayName",
            )


def _key(reference: AccountReference | UserReference) -> str:
    match reference:
        case CodeReference(code=code):
            return code
        case EmailReference(email=email):
            return email
        case _:
            return reference


def _plain(key: str) -> str:
    """Reduce a wire key: case, underscores, hyphens and a vendor's prefix do not count."""
    return key.casefold().replace("_", "").replace("-", "").removeprefix("chargebee")
