"""Definitions, applied record and live objects -> pairs to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.definitions.core.as_data import dialect_for
from reconciler.definitions.kinds.environment import CredentialById
from reconciler.definitions.kinds.integration import CredentialConnection, IntegrationSpec
from reconciler.definitions.model import Defined, DefinedSet, Effective
from reconciler.kernel.address import Address, CredentialId, IntegrationId
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.plan.core.comparable import (
    WantedIntegration,
    WantedMapping,
    integration_key,
    mapping_key,
    row_address,
    wanted_integration,
    wanted_mappings,
)
from reconciler.plan.core.diff.diff import Adoption, Pairs
from reconciler.plan.core.diff.order import change_id
from reconciler.plan.core.identity import Identified, Missing, Named, Wanted, identify, same_key
from reconciler.plan.core.names import Known, Name, references
from reconciler.plan.core.unplannable import (
    CredentialsHiddenError,
    SeveralCredentialsError,
    UnplannableError,
    UnresolvedReferenceError,
)
from reconciler.plan.model.applied import Binding
from reconciler.plan.model.change import Ignore, LinkByAddress, LinkById
from reconciler.plan.model.plan import References


@dataclass(frozen=True, slots=True)
class Sources:
    """What is compared.

    Attributes:
        bindings: Of the newest applied record.
        names: What names of git stand for.
        shared_credentials: Names that several credentials bear, with their ids.
        lists_credentials: Whether the organisation lists its credentials.
        begun: Addresses that an apply was about to make when it was cut off.
    """

    effective: Effective
    integrations: Sequence[LiveIntegration]
    mappings: Sequence[LiveMapping]
    bindings: Mapping[Address, Binding]
    names: Known
    used: Mapping[Address, tuple[Name, ...]]
    shared_credentials: Mapping[str, tuple[str, ...]]
    lists_credentials: bool
    adoption: Adoption
    begun: frozenset[Address] = frozenset()


@dataclass(frozen=True, slots=True)
class Paired:
    """Pairs to compare, what cannot be compared, and sets that wait for an adoption."""

    pairs: Pairs
    errors: tuple[UnplannableError, ...]
    waiting: tuple[Ignore, ...]


def pair(sources: Sources) -> Paired:
    """Bring both sides into comparable form and find out who is who."""
    names = [name for used in sources.used.values() for name in used]
    known = references(sources.names, names)
    integrations, errors = _integrations(sources, known)
    wanted = [
        Wanted(address, integration.key, integration.defined.origin)
        for address, integration in integrations.items()
    ]
    identified = identify(
        wanted,
        sources.integrations,
        integration_key,
        _of_kind(sources.bindings, "integration"),
        kept=[error.address for error in errors],
    )
    rows = _mappings(sources, known, identified, errors)
    rows_found = identify(
        [Wanted(address, row.key, row.origin) for address, row in rows.wanted.items()],
        sources.mappings,
        mapping_key,
        _of_kind(sources.bindings, "mapping"),
        stands=same_key,
        kept=rows.kept,
    )
    return Paired(
        Pairs(integrations, rows.wanted, identified, rows_found),
        (*errors, *rows.errors),
        tuple(rows.waiting),
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    wanted: dict[Address, WantedMapping]
    errors: list[UnplannableError]
    kept: list[Address]
    waiting: list[Ignore]


def _integrations(
    sources: Sources, known: References
) -> tuple[dict[Address, WantedIntegration], list[UnplannableError]]:
    wanted: dict[Address, WantedIntegration] = {}
    errors: list[UnplannableError] = []
    dialects = [defined.spec for defined in sources.effective.dialects]
    for integration in sources.effective.integrations:
        dialect = dialect_for(dialects, integration.spec.destination, integration.spec.entity_type)
        try:
            credential = _credential(integration, sources, known)
            new = wanted_integration(integration, dialect, known, credential)
            wanted[new.address] = new
        except UnplannableError as error:
            errors.append(error)
    return wanted, errors


def _credential(
    integration: Defined[IntegrationSpec], sources: Sources, known: References
) -> CredentialId | None:
    connection = integration.spec.connection
    if not isinstance(connection, CredentialConnection):
        return None
    address, origin = (
        Address("integration", integration.name),
        integration.at("connection", "credential"),
    )
    credential = sources.effective.environment.spec.credentials.get(connection.credential)
    if isinstance(credential, CredentialById):
        return CredentialId(credential.id)
    if credential is None:
        raise UnresolvedReferenceError(
            address, "credential named in the environment", [connection.credential], origin
        )
    if shared := sources.shared_credentials.get(credential.name):
        raise SeveralCredentialsError(address, credential.name, shared, origin)
    if (identity := known.credentials.get(credential.name)) is not None:
        return CredentialId(identity)
    if not sources.lists_credentials:
        raise CredentialsHiddenError(address, credential.name, origin)
    raise UnresolvedReferenceError(
        address, "integration credential named", [credential.name], origin
    )


def _mappings(
    sources: Sources,
    known: References,
    identified: Identified[LiveIntegration],
    integration_errors: Sequence[UnplannableError],
) -> _Rows:
    rows = _Rows({}, [], [], [])
    failed = {error.address for error in (*integration_errors, *identified.errors)}
    for mapping_set in sources.effective.mapping_sets:
        owner = mapping_set.defined.spec.integration
        address = Address("integration", owner) if owner else None
        if address in failed:
            rows.kept.extend(row_address(mapping_set, row) for row in mapping_set.rows)
            continue
        if address is not None and _waits(identified, address, sources):
            rows.kept.extend(row_address(mapping_set, row) for row in mapping_set.rows)
            rows.waiting.append(_ignored(mapping_set, address))
            continue
        for mapping in wanted_mappings(mapping_set, known, _link(identified, address)):
            if isinstance(mapping, UnplannableError):
                rows.errors.append(mapping)
                rows.kept.append(mapping.address)
            else:
                rows.wanted[mapping.address] = mapping
    return rows


def _waits(identified: Identified[LiveIntegration], address: Address, sources: Sources) -> bool:
    if sources.adoption != "explicit" or address in sources.begun:
        return False
    match = identified.found.get(address)
    return isinstance(match, Named) and match.was is None


def _ignored(mapping_set: DefinedSet, owner: Address) -> Ignore:
    address = Address("mapping", mapping_set.defined.name)
    return Ignore(
        id=change_id("ignore", address),
        address=address,
        live=None,
        fields=(),
        reason=f"its {len(mapping_set.rows)} mappings wait until {owner} is adopted",
        origin=mapping_set.defined.origin,
    )


def _link(
    identified: Identified[LiveIntegration], address: Address | None
) -> LinkById | LinkByAddress | None:
    if address is None:
        return None
    match = identified.found.get(address)
    if match is None or isinstance(match, Missing):
        return LinkByAddress(address)
    return LinkById(IntegrationId(match.live.id))


def _of_kind(bindings: Mapping[Address, Binding], kind: str) -> dict[Address, Binding]:
    return {address: binding for address, binding in bindings.items() if address.kind == kind}
