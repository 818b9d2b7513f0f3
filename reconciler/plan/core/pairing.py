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
    names = [one for used in sources.used.values() for one in used]
    known = references(sources.names, names)
    integrations, errors = _integrations(sources, known)
    wanted = [Wanted(address, one.key, one.defined.origin) for address, one in integrations.items()]
    found = identify(
        wanted,
        sources.integrations,
        integration_key,
        _of_kind(sources.bindings, "integration"),
        kept=[one.address for one in errors],
    )
    rows = _mappings(sources, known, found, errors)
    rows_found = identify(
        [Wanted(address, row.key, row.origin) for address, row in rows.wanted.items()],
        sources.mappings,
        mapping_key,
        _of_kind(sources.bindings, "mapping"),
        stands=same_key,
        kept=rows.kept,
    )
    return Paired(
        Pairs(integrations, rows.wanted, found, rows_found),
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
    dialects = [one.spec for one in sources.effective.dialects]
    for one in sources.effective.integrations:
        dialect = dialect_for(dialects, one.spec.destination, one.spec.entity_type)
        try:
            credential = _credential(one, sources, known)
            made = wanted_integration(one, dialect, known, credential)
            wanted[made.address] = made
        except UnplannableError as error:
            errors.append(error)
    return wanted, errors


def _credential(
    one: Defined[IntegrationSpec], sources: Sources, known: References
) -> CredentialId | None:
    connection = one.spec.connection
    if not isinstance(connection, CredentialConnection):
        return None
    address, origin = Address("integration", one.name), one.at("connection", "credential")
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
    found: Identified[LiveIntegration],
    integration_errors: Sequence[UnplannableError],
) -> _Rows:
    rows = _Rows({}, [], [], [])
    failed = {one.address for one in (*integration_errors, *found.errors)}
    for one in sources.effective.mapping_sets:
        owner = one.defined.spec.integration
        address = Address("integration", owner) if owner else None
        if address in failed:
            rows.kept.extend(row_address(one, row) for row in one.rows)
            continue
        if address is not None and _waits(found, address, sources):
            rows.kept.extend(row_address(one, row) for row in one.rows)
            rows.waiting.append(_ignored(one, address))
            continue
        for made in wanted_mappings(one, known, _link(found, address)):
            if isinstance(made, UnplannableError):
                rows.errors.append(made)
                rows.kept.append(made.address)
            else:
                rows.wanted[made.address] = made
    return rows


def _waits(found: Identified[LiveIntegration], address: Address, sources: Sources) -> bool:
    if sources.adoption != "explicit" or address in sources.begun:
        return False
    there = found.found.get(address)
    return isinstance(there, Named) and there.was is None


def _ignored(one: DefinedSet, owner: Address) -> Ignore:
    address = Address("mapping", one.defined.name)
    return Ignore(
        id=change_id("ignore", address),
        address=address,
        live=None,
        fields=(),
        reason=f"its {len(one.rows)} mappings wait until {owner} is adopted",
        origin=one.defined.origin,
    )


def _link(
    found: Identified[LiveIntegration], address: Address | None
) -> LinkById | LinkByAddress | None:
    if address is None:
        return None
    there = found.found.get(address)
    if there is None or isinstance(there, Missing):
        return LinkByAddress(address)
    return LinkById(IntegrationId(there.live.id))


def _of_kind(bindings: Mapping[Address, Binding], kind: str) -> dict[Address, Binding]:
    return {address: one for address, one in bindings.items() if address.kind == kind}
