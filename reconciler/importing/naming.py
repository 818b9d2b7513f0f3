"""What people call the ids of an organisation: codes, addresses, names of credentials."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from reconciler.definitions.kinds.environment import CredentialById
from reconciler.definitions.model import Effective
from reconciler.importing.core.definition_form import KnownNames, document_path
from reconciler.kernel.address import Address, FieldPath
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.live import Credential, LiveIntegration
from reconciler.m3ter.ports import Organisation
from reconciler.plan.compare import EnvironmentComparison

# Source: m3ter OpenAPI 2026-08-03, AccountResponse.id: a UUID
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def known_names(
    effective: Effective, organisation: Organisation, accounts: Collection[str]
) -> KnownNames:
    """Look up what git calls the ids.

    Args:
        effective: Names the credentials.
        organisation: Knows codes and addresses.
        accounts: The ids of accounts that are in question.
    """
    return KnownNames(
        environment=effective.environment.name,
        accounts=organisation.codes.entity_codes("Account", accounts) if accounts else {},
        users={user.id: user.email for user in organisation.people.users() if user.email},
        credentials=credential_names(effective, organisation.people.credentials() or ()),
    )


def credential_names(effective: Effective, listed: Iterable[Credential]) -> Mapping[str, str]:
    """Give the environment's names of credentials, by id."""
    ids = {credential.name: str(credential.id) for credential in listed}
    found: dict[str, str] = {}
    for name, credential in effective.environment.spec.credentials.items():
        identity = (
            credential.id if isinstance(credential, CredentialById) else ids.get(credential.name)
        )
        if identity is not None:
            found[identity] = name
    return found


def shown_names(compared: EnvironmentComparison, organisation: Organisation) -> Mapping[str, str]:
    """Give the names of everything that a difference may show: people, accounts, credentials."""
    codes = account_codes(organisation, compared.integrations)
    people = {str(user.id): user.name or user.email for user in organisation.people.users()}
    credentials = {
        str(credential.id): credential.name
        for credential in organisation.people.credentials() or ()
    }
    return {**credentials, **people, **compared.names, **codes}


def account_codes(
    organisation: Organisation, integrations: Iterable[LiveIntegration]
) -> Mapping[str, str]:
    """Give the codes of accounts that configurations name, by id."""
    ids = {text for live in integrations for text in _texts(live.config_data.values())}
    return organisation.codes.entity_codes("Account", ids) if ids else {}


def origin_of(effective: Effective, address: Address, path: FieldPath) -> Origin | None:
    """Give the place in git that sets a field."""
    if address.kind == "integration":
        defined = next(
            (
                integration
                for integration in effective.integrations
                if integration.name == address.name
            ),
            None,
        )
        return defined.at(*document_path(path)) if defined else None
    rows = (
        mapping_set
        for mapping_set in effective.mapping_sets
        if mapping_set.defined.name == address.name
    )
    return next(
        (
            row.origin
            for mapping_set in rows
            for row in mapping_set.rows
            if row.key.value == address.key
        ),
        None,
    )


def _texts(values: Iterable[JsonValue]) -> Iterator[str]:
    """Give the items of all lists: among them the ids of accounts."""
    for value in values:
        if isinstance(value, Sequence) and not isinstance(value, str):
            yield from (
                element
                for element in value
                if isinstance(element, str) and _UUID.fullmatch(element)
            )
