"""What every difference needs: identities of changes, references to live objects, reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.kernel.address import Address, LiveId
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.plan.core.comparable import live_hash
from reconciler.plan.model.change import Change, ChangeId, FieldChange, LiveReference, Verdict

MOVED: Final[frozenset[Verdict]] = frozenset({"ours", "theirs", "conflict"})
"""Verdicts after which something must be written."""


@dataclass(frozen=True, slots=True)
class Step:
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


def change_id(kind: str, address: Address) -> ChangeId:
    """Name a change; no plan holds two of one kind for one address."""
    return ChangeId(f"{kind}:{address}")


def reference(live: LiveIntegration | LiveMapping) -> LiveReference:
    """Refer to a live object as it was read."""
    return LiveReference(LiveId(live.id), live.version, live_hash(live))


def moved(fields: Iterable[FieldChange]) -> tuple[FieldChange, ...]:
    """Give the fields that must be written."""
    return tuple(one for one in fields if one.verdict in MOVED)


def reason(fields: Iterable[FieldChange]) -> str:
    """Say why an object is written, from the verdicts of its fields."""
    verdicts = {one.verdict for one in fields}
    if "conflict" in verdicts:
        return "git and m3ter both changed it"
    if verdicts >= {"ours", "theirs"}:
        return "git changed it, and so did someone in m3ter"
    if "theirs" in verdicts:
        return "someone changed it in m3ter; git's values return"
    return "git changed it"
