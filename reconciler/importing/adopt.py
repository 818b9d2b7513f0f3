"""adopt: bind live objects to addresses of git, without sending anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.definitions.core.as_data import rendered
from reconciler.importing.accept_live import UnknownAddressError
from reconciler.importing.core.adopting import (
    FirstRecord,
    NoCandidateError,
    binding_of,
    with_bindings,
)
from reconciler.importing.core.edits import integration_adoption, mapping_adoption
from reconciler.importing.core.move_base import SignedBy
from reconciler.kernel.address import Address, LiveId
from reconciler.m3ter.live import LiveMapping
from reconciler.plan.compare import EnvironmentComparison
from reconciler.plan.core.bindings import Live
from reconciler.plan.core.identity import Missing
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.change import Adopt
from reconciler.plan.model.plan import Fingerprint


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is taken over.

    Attributes:
        objects: Each with all of its fields; empty when all were bound before.
        record: To be appended; ``None`` when there is nothing to say.
    """

    objects: tuple[Adopt, ...]
    record: AppliedRecord | None


def adopt(
    compared: EnvironmentComparison,
    address: Address,
    identity: str,
    fingerprint: Fingerprint,
    signature: SignedBy,
) -> Adoption:
    """Bind an object, or every row of a mapping set, to what m3ter has.

    Args:
        compared: Of the environment, with adoption by name.
        address: An object; a mapping set without a key stands for all of its rows.
        identity: The live object's id; empty to find it by its natural key.
        fingerprint: Of the environment.
        signature: Who and when.

    Raises:
        UnknownAddressError: When git has no such object.
        NoCandidateError: When m3ter has none.
        TakenError: When the live object is managed under another address.
        UnplannableError: When the object cannot be this address.
    """
    found = list(_candidates(compared, address, identity))
    bindings = (
        {binding.address: binding for binding in compared.head.bindings} if compared.head else {}
    )
    new = [
        (other, live)
        for other, live in found
        if (held := bindings.get(other)) is None or held.id != LiveId(live.id)
    ]
    objects = [(_adoption(compared, new_address, live), live) for new_address, live in new]
    if not objects:
        return Adoption((), None)
    setting = FirstRecord(
        environment=compared.effective.environment.name,
        fingerprint=fingerprint,
        commit="",
        definitions=rendered(compared.effective),
        references=compared.references,
    )
    adopted = [
        binding_of(adoption, live, protect=_protected(compared, adoption.address))
        for adoption, live in objects
    ]
    record = with_bindings(compared.head, adopted, setting, signature)
    return Adoption(tuple(adoption for adoption, _ in objects), record)


def _candidates(
    compared: EnvironmentComparison, address: Address, identity: str
) -> Iterator[tuple[Address, Live]]:
    pairs = compared.paired.pairs
    if address in pairs.integrations or address in pairs.mappings:
        yield address, _candidate(compared, address, identity)
        return
    rows = [mapping for mapping in pairs.mappings if mapping.name == address.name]
    if address.kind != "mapping" or address.key or identity or not rows:
        _refuse_failed(compared, address)
        raise UnknownAddressError(address)
    for row in rows:
        found = pairs.live_mappings.found.get(row)
        if found is not None and not isinstance(found, Missing):
            yield row, found.live


def _refuse_failed(compared: EnvironmentComparison, address: Address) -> None:
    for error in compared.errors:
        if error.address == address:
            raise error


def _candidate(compared: EnvironmentComparison, address: Address, identity: str) -> Live:
    pairs = compared.paired.pairs
    if identity:
        everything: tuple[Live, ...] = (*compared.integrations, *compared.mappings)
        live = next((position for position in everything if position.id == identity), None)
        if live is None or isinstance(live, LiveMapping) != (address.kind == "mapping"):
            raise NoCandidateError(address, identity)
        return live
    _refuse_failed(compared, address)
    found = pairs.live_integrations.found.get(address) or pairs.live_mappings.found.get(address)
    if found is None or isinstance(found, Missing):
        raise NoCandidateError(address, "")
    return found.live


def _adoption(compared: EnvironmentComparison, address: Address, live: Live) -> Adopt:
    pairs = compared.paired.pairs
    if isinstance(live, LiveMapping):
        return mapping_adoption(pairs.mappings[address], live, None)
    return integration_adoption(pairs.integrations[address], live, None)


def _protected(compared: EnvironmentComparison, address: Address) -> bool:
    wanted = compared.paired.pairs.integrations.get(address)
    return wanted is not None and wanted.defined.spec.protect
