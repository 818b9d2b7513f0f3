"""The order that keeps money safe, and what each change must wait for.

====  =======================  ==================================================================
rank  change                   waits for
====  =======================  ==================================================================
0     Adopt                    nothing; it writes nothing
1     Disconnect               nothing: first, no bill flows through what is being taken apart
2     Create configuration     nothing; it is made disconnected
3     Create, Update mapping   the Create of its configuration
4     Update configuration     its Disconnect, and the mappings it may start to insist on
5     Delete mapping           its Disconnect, and its successor when its key changed
6     Delete configuration     its Disconnect, and the Deletes of its mappings
7     Enable                   its Create or Update, and its mappings
8     Connect                  everything of it, its mappings, and unlinked ones of its system
9     Keep, Ignore             nothing; they write nothing
====  =======================  ==================================================================

What a change waits for and is not done blocks it. Accounts that move from one configuration to
another add to this, see ``handover``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from reconciler.kernel.address import Address, LiveId
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.plan.core.comparable import live_hash
from reconciler.plan.model.change import (
    Adopt,
    Change,
    ChangeId,
    FieldChange,
    Ignore,
    Keep,
    LiveReference,
    Verdict,
)

Kind = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A change, and what its order depends on.

    Attributes:
        integration: The configuration it belongs or is linked to.
        system: The external system, folded; for mappings without a link.
        successor: For a mapping whose key changed: the address that takes its place.
    """

    change: Change
    integration: Address | None
    system: str
    successor: Address | None = None


"""Type of change and kind of object."""
_RANKS: Final[dict[Kind, int]] = {
    ("adopt", "integration"): 0,
    ("adopt", "mapping"): 0,
    ("disconnect", "integration"): 1,
    ("create", "integration"): 2,
    ("create", "mapping"): 3,
    ("update", "mapping"): 3,
    ("update", "integration"): 4,
    ("delete", "mapping"): 5,
    ("delete", "integration"): 6,
    ("enable", "integration"): 7,
    ("connect", "integration"): 8,
}
_REPORTED: Final = 9
_OF_ITSELF: Final[dict[Kind, tuple[str, ...]]] = {
    ("update", "integration"): ("disconnect",),
    ("delete", "integration"): ("disconnect",),
    ("enable", "integration"): ("disconnect", "update"),
    ("connect", "integration"): ("create", "update", "enable"),
}
_OF_ITS_INTEGRATION: Final[dict[Kind, tuple[str, ...]]] = {
    ("create", "mapping"): ("create",),
    ("delete", "mapping"): ("disconnect",),
}
_OF_ITS_MAPPINGS: Final[dict[Kind, tuple[str, ...]]] = {
    ("update", "integration"): ("create", "update"),
    ("delete", "integration"): ("delete",),
    ("enable", "integration"): ("create", "update"),
    ("connect", "integration"): ("create", "update", "delete"),
}


def in_safe_order(steps: Iterable[PlannedChange]) -> tuple[Change, ...]:
    """Put changes in order and name what each must wait for."""
    in_order = sorted(
        steps,
        key=lambda step: (_RANKS.get(_kind(step.change), _REPORTED), step.change.address),
    )
    known = _Known()
    for step in in_order:
        known.add(step)
    return tuple(_waiting(step, known) for step in in_order)


def _kind(change: Change) -> Kind:
    return (change.type, change.address.kind)


def _index() -> defaultdict[tuple[str, Address], list[ChangeId]]:
    return defaultdict(list)


@dataclass(frozen=True, slots=True)
class _Known:
    """Change ids by type and object, and those of mappings by what they are linked to."""

    own: defaultdict[tuple[str, Address], list[ChangeId]] = field(default_factory=_index)
    linked: defaultdict[tuple[str, Address], list[ChangeId]] = field(default_factory=_index)
    unlinked: defaultdict[str, list[ChangeId]] = field(default_factory=lambda: defaultdict(list))

    def add(self, step: PlannedChange) -> None:
        """Remember a change that writes."""
        change = step.change
        if isinstance(change, Adopt | Keep | Ignore):
            return
        self.own[change.type, change.address].append(change.id)
        if change.address.kind == "integration":
            return
        if step.integration is None:
            self.unlinked[step.system].append(change.id)
        else:
            self.linked[change.type, step.integration].append(change.id)


def _waiting(step: PlannedChange, known: _Known) -> Change:
    change = step.change
    if isinstance(change, Adopt | Keep | Ignore):
        return change
    kind, address = _kind(change), change.address
    after = _named(known.own, _OF_ITSELF.get(kind, ()), address)
    if step.integration is not None:
        after += _named(known.own, _OF_ITS_INTEGRATION.get(kind, ()), step.integration)
    if step.successor is not None:
        after += _named(known.own, ("create", "update"), step.successor)
    after += _named(known.linked, _OF_ITS_MAPPINGS.get(kind, ()), address)
    if change.type == "connect":
        after += known.unlinked.get(step.system, ())
    return replace(change, after=tuple(after))


def _named(
    known: defaultdict[tuple[str, Address], list[ChangeId]],
    types: Iterable[str],
    address: Address,
) -> list[ChangeId]:
    return [change_id for type_ in types for change_id in known.get((type_, address), ())]


MOVED: Final[frozenset[Verdict]] = frozenset({"ours", "theirs", "conflict"})
"""Verdicts after which something must be written."""


def change_id(kind: str, address: Address) -> ChangeId:
    """Name a change; no plan holds two of one kind for one address."""
    return ChangeId(f"{kind}:{address}")


def reference(live: LiveIntegration | LiveMapping) -> LiveReference:
    """Refer to a live object as it was read."""
    return LiveReference(LiveId(live.id), live.version, live_hash(live))


def moved(fields: Iterable[FieldChange]) -> tuple[FieldChange, ...]:
    """Give the fields that must be written."""
    return tuple(field for field in fields if field.verdict in MOVED)


def reason(fields: Iterable[FieldChange]) -> str:
    """Say why an object is written, from the verdicts of its fields."""
    verdicts = {field.verdict for field in fields}
    if "conflict" in verdicts:
        return "git and m3ter both changed it"
    if verdicts >= {"ours", "theirs"}:
        return "git changed it, and so did someone in m3ter"
    if "theirs" in verdicts:
        return "someone changed it in m3ter; git's values return"
    return "git changed it"
