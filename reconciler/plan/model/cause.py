"""Why a plan has a change: this proposal, what was merged and not applied, or drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.plan.model.change import ChangeId
from reconciler.plan.model.plan import ItemDigest

Cause = Literal["proposal", "waiting", "drift"]


@dataclass(frozen=True, slots=True)
class Causes:
    """The cause of every change and item; one that is not named is the proposal's."""

    changes: Mapping[ChangeId, Cause] = field(default_factory=dict)
    items: Mapping[ItemDigest, Cause] = field(default_factory=dict)

    def of_change(self, change: ChangeId) -> Cause:
        """Say why a change is planned."""
        return self.changes.get(change, "proposal")

    def of_item(self, item: ItemDigest) -> Cause:
        """Say why an item is there."""
        return self.items.get(item, "proposal")
