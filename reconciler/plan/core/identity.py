"""Who is who: the binding first, then the natural key; two candidates are an error, never a guess.

======================================  ==========================================================
an address of git                       is
======================================  ==========================================================
bound, and its object is there          ``Bound``, unless git moved the key of a mapping
not so, one object of its natural key   ``Named``; ``was`` when another address that left held it
not so, several of them                 an error that names them
not so, none                            ``Missing``
natural key of two addresses            an error for both
bound, but no longer in git             ``LeftGit``, with its object if that is still there
======================================  ==========================================================
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from reconciler.kernel.address import Address, LiveId
from reconciler.kernel.problem import Origin
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.plan.core.comparable import KEY, NaturalKey, mapping_key
from reconciler.plan.core.unplannable import (
    SeveralMatchesError,
    SharedObjectError,
    UnplannableError,
)
from reconciler.plan.model.applied import Binding

Live = TypeVar("Live", LiveIntegration, LiveMapping)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An address of git and its natural key; ``None`` when it cannot exist yet."""

    address: Address
    key: NaturalKey | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Bound(Generic[Live]):
    """The object that the state binds to an address."""

    live: Live
    binding: Binding


@dataclass(frozen=True, slots=True)
class Named(Generic[Live]):
    """An object that bears the natural key; ``was`` is its binding under a name that left git."""

    live: Live
    was: Binding | None


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing in m3ter is this address; ``lost`` is the binding whose object is gone."""

    lost: Binding | None


@dataclass(frozen=True, slots=True)
class LeftGit(Generic[Live]):
    """An object that was bound and that git no longer has; ``live`` ``None`` is gone there too.

    Attributes:
        replaced: Git still has the address, or had it, but under another natural key.
    """

    binding: Binding
    live: Live | None
    replaced: bool = False

    @property
    def address(self) -> Address:
        """Where the object stands now; a replaced one steps aside for its successor."""
        return aside(self.binding) if self.replaced else self.binding.address


def aside(binding: Binding) -> Address:
    """Give the address of an object that is replaced: its own, ``@``, its live id."""
    address = binding.address
    return address if is_aside(binding) else replace(address, key=f"{address.key}@{binding.id}")


def is_aside(binding: Binding) -> bool:
    """Tell whether an object was replaced by an apply that could not delete it."""
    return binding.address.key.endswith(f"@{binding.id}")


@dataclass(frozen=True, slots=True)
class Identified(Generic[Live]):
    """Everything sorted out; addresses with an error are in none of the other fields."""

    found: Mapping[Address, Bound[Live] | Named[Live] | Missing]
    left: tuple[LeftGit[Live], ...]
    unmanaged: tuple[Live, ...]
    errors: tuple[UnplannableError, ...]


def always(_wanted: Wanted, _binding: Binding, _live: object) -> bool:
    """Trust every binding: whatever changed, it is still the same object."""
    return True


def same_key(wanted: Wanted, binding: Binding, live: LiveMapping) -> bool:
    """Trust a mapping's binding unless git gave it another key; then it becomes a new mapping."""
    base = next((field.sent for field in binding.fields if field.path == KEY), None)
    known = base.value if base else None
    return wanted.key is not None and (
        wanted.key == mapping_key(live)
        or (isinstance(known, list | tuple) and tuple(known) == wanted.key)
    )


def identify(
    wanted: Sequence[Wanted],
    live: Sequence[Live],
    key: Callable[[Live], NaturalKey],
    bindings: Mapping[Address, Binding],
    *,
    stands: Callable[[Wanted, Binding, Live], bool] = always,
    kept: Iterable[Address] = (),
) -> Identified[Live]:
    """Find the live object of every address.

    Args:
        wanted: What git has, in its order.
        live: What m3ter has.
        key: Natural key of a live object.
        bindings: Of the newest applied record, of this kind of object.
        stands: Whether a binding to a live object still holds.
        kept: Addresses that git has but that could not be read; they have not left.
    """
    by_id = {LiveId(candidate.id): candidate for candidate in live}
    by_key: defaultdict[NaturalKey, list[Live]] = defaultdict(list)
    for candidate in live:
        by_key[key(candidate)].append(candidate)
    errors = _shared(wanted)
    refused = {error.address for error in errors}
    bound = {
        name.address: Bound(by_id[binding.id], binding)
        for name in wanted
        if (binding := bindings.get(name.address)) is not None and name.address not in refused
        if binding.id in by_id and stands(name, binding, by_id[binding.id])
    }
    holders = {LiveId(pair.live.id): address for address, pair in bound.items()}
    former = {held.id: held for held in bindings.values() if held.id not in holders}
    found: dict[Address, Bound[Live] | Named[Live] | Missing] = dict(bound)
    for name in wanted:
        if name.address in bound or name.address in refused:
            continue
        try:
            match = _by_key(name, by_key, holders)
        except UnplannableError as error:
            errors.append(error)
            continue
        lost = _lost(bindings.get(name.address), by_id)
        found[name.address] = Named(match, former.get(LiveId(match.id))) if match else Missing(lost)
    stay = {name.address for name in wanted if name.address not in found} | set(kept)
    taken = {LiveId(pair.live.id) for pair in found.values() if not isinstance(pair, Missing)}
    rest = {address: held for address, held in bindings.items() if held.id not in taken}
    managed = taken | {held.id for held in rest.values()}
    unmanaged = tuple(candidate for candidate in live if candidate.id not in managed)
    return Identified(found, _left(rest, by_id, found, stay), unmanaged, tuple(errors))


def _left(
    rest: Mapping[Address, Binding],
    by_id: Mapping[LiveId, Live],
    addresses: Collection[Address],
    stay: Collection[Address],
) -> tuple[LeftGit[Live], ...]:
    """List what is bound and no longer wanted; an object gone with its key changed is no loss."""
    return tuple(
        LeftGit(held, by_id.get(held.id), replaced=address in addresses or is_aside(held))
        for address, held in sorted(rest.items())
        if address not in stay and (address not in addresses or held.id in by_id)
    )


def _shared(wanted: Iterable[Wanted]) -> list[UnplannableError]:
    by_key: defaultdict[NaturalKey, list[Wanted]] = defaultdict(list)
    for name in wanted:
        if name.key is not None:
            by_key[name.key].append(name)
    return [
        SharedObjectError(name.address, other.address, name.origin)
        for same in by_key.values()
        if len(same) > 1
        for name, other in zip(same, (same[-1], *same), strict=False)
    ]


def _lost(binding: Binding | None, by_id: Mapping[LiveId, Live]) -> Binding | None:
    return binding if binding is not None and binding.id not in by_id else None


def _by_key(
    wanted: Wanted,
    by_key: Mapping[NaturalKey, Sequence[Live]],
    holders: Mapping[LiveId, Address],
) -> Live | None:
    """Find the one object of a natural key that no other address of git holds."""
    matches = by_key.get(wanted.key, ()) if wanted.key is not None else ()
    if not matches:
        return None
    if len(matches) > 1:
        assert wanted.key is not None
        raise SeveralMatchesError(
            wanted.address, wanted.key, [same.id for same in matches], wanted.origin
        )
    holder = holders.get(LiveId(matches[0].id))
    if holder is not None:
        raise SharedObjectError(wanted.address, holder, wanted.origin)
    return matches[0]
