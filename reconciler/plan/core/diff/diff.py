"""Pairs of git and m3ter -> changes, in order; the objects git no longer has included."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.kernel.address import Address
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.plan.core.comparable import WantedIntegration
from reconciler.plan.core.comparable_mappings import WantedMapping
from reconciler.plan.core.diff import integration, mapping, removed
from reconciler.plan.core.diff.facts import Step
from reconciler.plan.core.diff.order import ordered
from reconciler.plan.core.diff.removed import Prune
from reconciler.plan.core.identity import Bound, Identified, Missing, Named
from reconciler.plan.core.unplannable import UnplannableError
from reconciler.plan.model.change import Change

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
    steps: list[Step] = []
    for address, found in pairs.live_integrations.found.items():
        one = pairs.integrations[address]
        try:
            steps += [
                Step(change, address, one.destination.casefold())
                for change in _integration(one, found, _policy(address, adoption, begun))
            ]
        except UnplannableError as error:
            errors.append(error)
    for address, row in pairs.live_mappings.found.items():
        wanted = pairs.mappings[address]
        steps += [
            Step(change, wanted.integration, wanted.content.system.casefold())
            for change in _mapping(wanted, row, _policy(address, adoption, begun))
        ]
    steps += removed.steps(pairs.live_integrations, pairs.live_mappings, prune)
    return Differences(ordered(steps), tuple(errors))


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
