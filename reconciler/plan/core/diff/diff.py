"""Pairs of git and m3ter -> changes, in order; the objects git no longer has included.

Those are kept or deleted, as the project's policy says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.kernel.address import Address, IntegrationId
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.plan.core.comparable import CONNECTION, WantedIntegration, WantedMapping
from reconciler.plan.core.diff import integration, mapping
from reconciler.plan.core.diff import integration as diff_integration
from reconciler.plan.core.diff.order import PlannedChange, change_id, in_safe_order, reference
from reconciler.plan.core.identity import Bound, Identified, LeftGit, Missing, Named
from reconciler.plan.core.merge import as_stored
from reconciler.plan.core.unplannable import UnplannableError
from reconciler.plan.model.applied import Binding
from reconciler.plan.model.change import Change, Delete, Disconnect, FieldChange, Keep

Adoption = Literal["by-name", "explicit"]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Everything to compare: what git wants, and what of m3ter each of it is."""

    integrations: Mapping[Address, WantedIntegration]
    mappings: Mapping[Address, WantedMapping]
    live_integrations: Identified[LiveIntegration]
    live_mappings: Identified[LiveMapping]


@dataclass(frozen=True, slots=True)
class Differences:
    """The ordered changes, and the objects of which nothing can be planned."""

    changes: tuple[Change, ...]
    errors: tuple[UnplannableError, ...]


Prune = Literal["never", "confirm", "allow"]


def differences(
    pairs: Pairs, *, prune: Prune, adoption: Adoption, begun: Collection[Address] = ()
) -> Differences:
    """Find and order all changes; equal inputs give equal changes in equal order.

    Args:
        pairs: What to compare.
        prune: What becomes of objects that left git.
        adoption: What becomes of objects that m3ter has and nobody manages.
        begun: Addresses that an apply was about to make when it was cut off; what bears their
            name is its work, and needs no explicit adoption.
    """
    errors = [*pairs.live_integrations.errors, *pairs.live_mappings.errors]
    steps: list[PlannedChange] = []
    for address, found in pairs.live_integrations.found.items():
        in_git = pairs.integrations[address]
        try:
            steps += [
                PlannedChange(change, address, in_git.destination.casefold())
                for change in _integration(in_git, found, _policy(address, adoption, begun))
            ]
        except UnplannableError as error:
            errors.append(error)
    for address, row in pairs.live_mappings.found.items():
        wanted = pairs.mappings[address]
        steps += [
            PlannedChange(change, wanted.integration, wanted.content.system.casefold())
            for change in _mapping(wanted, row, _policy(address, adoption, begun))
        ]
    steps += removals(pairs.live_integrations, pairs.live_mappings, prune)
    return Differences(in_safe_order(steps), tuple(errors))


def _policy(address: Address, adoption: Adoption, begun: Collection[Address]) -> Adoption:
    return "by-name" if address in begun else adoption


def _integration(
    wanted: WantedIntegration,
    found: Bound[LiveIntegration] | Named[LiveIntegration] | Missing,
    adoption: Adoption,
) -> Iterator[Change]:
    if isinstance(found, Missing):
        yield from integration.created(wanted, found)
    elif isinstance(found, Named) and found.was is None and adoption == "explicit":
        yield integration.ignored(wanted, found.live)
    else:
        yield from integration.changed(wanted, found)


def _mapping(
    wanted: WantedMapping,
    found: Bound[LiveMapping] | Named[LiveMapping] | Missing,
    adoption: Adoption,
) -> Iterator[Change]:
    if isinstance(found, Missing):
        yield mapping.created(wanted, found)
    elif isinstance(found, Named) and found.was is None and adoption == "explicit":
        yield mapping.ignored(wanted, found.live)
    else:
        yield from mapping.changed(wanted, found)


def removals(
    integrations: Identified[LiveIntegration],
    mappings: Identified[LiveMapping],
    prune: Prune,
) -> Iterator[PlannedChange]:
    """Plan what becomes of everything that left git."""
    strangers = Counter(
        mapping.integration_id for mapping in mappings.unmanaged if mapping.integration_id
    )
    for gone in integrations.left:
        yield from _integration_left(gone, prune, strangers)
    owners = _owners(integrations)
    for row in mappings.left:
        yield _mapping_left(row, prune, owners)


def _integration_left(
    left: LeftGit[LiveIntegration], prune: Prune, strangers: Mapping[IntegrationId, int]
) -> Iterator[PlannedChange]:
    address, live = left.binding.address, left.live
    if live is None:
        yield _released(left.binding, address)
        return
    system = live.destination.casefold()
    if why := _kept(left.binding, prune, strangers.get(live.id, 0)):
        keep = Keep(
            id=change_id("keep", address), address=address, live=reference(live), reason=why
        )
        yield PlannedChange(keep, address, system)
        return
    if live.credential_id is not None:
        yield PlannedChange(_disconnect(address, live), address, system)
    yield PlannedChange(
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


def _mapping_left(
    left: LeftGit[LiveMapping], prune: Prune, owners: Mapping[IntegrationId, Address]
) -> PlannedChange:
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
        return PlannedChange(gone, owner, system, left.binding.address)
    if why := _kept(left.binding, prune, 0):
        keep = Keep(
            id=change_id("keep", address), address=address, live=reference(live), reason=why
        )
        return PlannedChange(keep, owner, system)
    gone = Delete(
        id=change_id("delete", address),
        address=address,
        live=reference(live),
        fields=(),
        reason="git no longer has it",
    )
    return PlannedChange(gone, owner, system)


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


def _released(binding: Binding, integration: Address | None) -> PlannedChange:
    keep = Keep(
        id=change_id("keep", binding.address),
        address=binding.address,
        live=None,
        reason="gone from git and from m3ter; it is forgotten",
        released=True,
    )
    return PlannedChange(keep, integration, "")


def _disconnect(address: Address, live: LiveIntegration) -> Disconnect:
    credential = as_stored(live.credential_id)
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
    left = {gone.live.id: gone.binding.address for gone in integrations.left if gone.live}
    return found | left
