"""The names that definitions use for things of m3ter, and which of them each object uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.definitions.kinds.environment import CredentialByName, EnvironmentSpec
from reconciler.definitions.kinds.integration import (
    CodeReference,
    CredentialConnection,
    EmailReference,
    IntegrationSpec,
)
from reconciler.definitions.model import Defined, Effective
from reconciler.kernel.address import Address
from reconciler.plan.core.comparable import ACCOUNT, row_address
from reconciler.plan.model.plan import References

NameKind = Literal["account", "user", "credential", "entity"]


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """One name of git that stands for an id of m3ter.

    Attributes:
        entity: The m3ter entity, for kind ``entity`` only.
    """

    kind: NameKind
    value: str
    entity: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What names stand for; a name that was looked up and not found is not among them."""

    ids: Mapping[Name, str] = field(default_factory=dict)

    def with_(self, found: Mapping[Name, str], names: Iterable[Name]) -> Known:
        """Replace what was asked again; what is not found any more is forgotten."""
        gone = set(names)
        kept = {name: value for name, value in self.ids.items() if name not in gone}
        return Known({**kept, **found})


def names_of(effective: Effective) -> dict[Address, tuple[Name, ...]]:
    """List the names that each object uses."""
    environment = effective.environment.spec
    used = {
        Address("integration", integration.name): tuple(_of_integration(integration, environment))
        for integration in effective.integrations
    }
    for mapping_set in effective.mapping_sets:
        entity = mapping_set.defined.spec.m3ter_entity
        for row in mapping_set.rows:
            name = Name("account", row.key.value) if entity == ACCOUNT else None
            name = name or Name("entity", row.key.value, entity)
            used[row_address(mapping_set, row)] = (name,) if row.key.by == "code" else ()
    return used


def references(known: Known, used: Iterable[Name]) -> References:
    """Give the ids of the names that are used, sorted, so that equal plans are equal."""
    by_kind: dict[NameKind, dict[str, str]] = {"account": {}, "user": {}, "credential": {}}
    entities: dict[str, dict[str, str]] = {}
    for name in sorted(set(used)):
        if (identity := known.ids.get(name)) is None:
            continue
        if name.kind == "entity":
            entities.setdefault(name.entity, {})[name.value] = identity
        else:
            by_kind[name.kind][name.value] = identity
    return References(by_kind["account"], by_kind["user"], by_kind["credential"], entities)


def remembered(references: References) -> Known:
    """Read names back from an applied record."""
    flat: dict[Name, str] = {
        Name("account", code): account for code, account in references.accounts.items()
    }
    flat |= {Name("user", mail): user for mail, user in references.users.items()}
    flat |= {
        Name("credential", name): credential for name, credential in references.credentials.items()
    }
    for entity, ids in references.entities.items():
        flat |= {Name("entity", code, entity): value for code, value in ids.items()}
    return Known(flat)


def _of_integration(
    integration: Defined[IntegrationSpec], environment: EnvironmentSpec
) -> Iterator[Name]:
    panel = integration.spec.global_
    accounts = () if panel.account_ids == "all" else panel.account_ids
    for account in (*accounts, *panel.restricted_account_ids):
        if isinstance(account, CodeReference):
            yield Name("account", account.code)
    for user in panel.integration_disabled_notification_users:
        if isinstance(user, EmailReference):
            yield Name("user", user.email)
    connection = integration.spec.connection
    if isinstance(connection, CredentialConnection):
        credential = environment.credentials.get(connection.credential)
        if isinstance(credential, CredentialByName):
            yield Name("credential", credential.name)
