"""Objects that git no longer has: kept or deleted, as the project's policy says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

from reconciler.kernel.address import Address, IntegrationId
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.plan.core.comparable import CONNECTION
from reconciler.plan.core.diff import integration as diff_integration
from reconciler.plan.core.diff.facts import Step, change_id, reference
from reconciler.plan.core.identity import Identified, Left, Missing
from reconciler.plan.core.merge import held
from reconciler.plan.model.applied import Binding
from reconciler.plan.model.change import Delete, Disconnect, FieldChange, Keep

Prune = Literal["never", "confirm", "allow"]


def steps(
    integrations: Identified[LiveIntegration],
    mappings: Identified[LiveMapping],
    prune: Prune,
) -> Iterator[Step]:
    """Plan what becomes of everything that left git."""
    strangers = Counter(one.integration_id for one in mappings.unmanaged if one.integration_id)
    for one in integrations.left:
        yield from _integration(one, prune, strangers)
    owners = _owners(integrations)
    for row in mappings.left:
        yield _mapping(row, prune, owners)


def _integration(
    left: Left[LiveIntegration], prune: Prune, strangers: Mapping[IntegrationId, int]
) -> Iterator[Step]:
    address, live = left.binding.address, left.live
    if live is None:
        yield _released(left.binding, address)
        return
    system = live.destination.casefold()
    if why := _kept(left.binding, prune, strangers.get(live.id, 0)):
        keep = Keep(
            id=change_id("keep", address), address=address, live=reference(live), reason=why
        )
        yield Step(keep, address, system)
        return
    if live.credential_id is not None:
        yield Step(_disconnect(address, live), address, system)
    yield Step(
        Delete(
            id=change_id("delete", address),
            address=address,
            live=reference(live),
            fields=(),
            reason="git no longer has it",
        ),
        address,
        system,
    )


def _mapping(
    left: Left[LiveMapping], prune: Prune, owners: Mapping[IntegrationId, Address]
) -> Step:
    address, live = left.address, left.live
    if live is None:
        return _released(left.binding, None)
    owner = owners.get(live.integration_id) if live.integration_id else None
    system = live.system.casefold()
    if left.replaced:
        gone = Delete(
            id=change_id("delete", address),
            address=address,
            live=reference(live),
            fields=(),
            reason="its key changed in git",
        )
        return Step(gone, owner, system, left.binding.address)
    if why := _kept(left.binding, prune, 0):
        keep = Keep(
            id=change_id("keep", address), address=address, live=reference(live), reason=why
        )
        return Step(keep, owner, system)
    gone = Delete(
        id=change_id("delete", address),
        address=address,
        live=reference(live),
        fields=(),
        reason="git no longer has it",
    )
    return Step(gone, owner, system)


def _kept(binding: Binding, prune: Prune, strangers: int) -> str:
    """Say why an object is kept; empty when it is deleted."""
    if binding.protect:
        return "git no longer has it, but it is protected (`protect: true`)"
    if prune == "never":
        return "git no longer has it, but the project never deletes (`prune: never`)"
    if strangers:
        return (
            f"git no longer has it, but {strangers} external mappings that this repository does "
            "not manage are linked to it"
        )
    return ""


def _released(binding: Binding, integration: Address | None) -> Step:
    keep = Keep(
        id=change_id("keep", binding.address),
        address=binding.address,
        live=None,
        reason="gone from git and from m3ter; it is forgotten",
        released=True,
    )
    return Step(keep, integration, "")


def _disconnect(address: Address, live: LiveIntegration) -> Disconnect:
    credential = held(live.credential_id)
    return Disconnect(
        id=change_id("disconnect", address),
        address=address,
        live=reference(live),
        content=diff_integration.disconnected(live),
        fields=(FieldChange(CONNECTION, "ours", credential, credential, None),),
        reason="git no longer has it",
    )


def _owners(integrations: Identified[LiveIntegration]) -> dict[IntegrationId, Address]:
    found = {
        pair.live.id: address
        for address, pair in integrations.found.items()
        if not isinstance(pair, Missing)
    }
    left = {one.live.id: one.binding.address for one in integrations.left if one.live}
    return found | left
