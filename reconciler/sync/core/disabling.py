"""When a push disables itself: after ten systemic failures in a row.

Source: m3ter guide "Configuring Chargebee integrations": disabled after 10 successive error events.
Ours counts only failures that no bill is to blame for; ``as-m3ter`` counts every error event.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from reconciler.sync.model.push import Mark

DISABLE_AFTER = 10
AutoDisable = Literal["systemic", "as-m3ter"]

_COUNTED: dict[AutoDisable, frozenset[Mark]] = {
    "systemic": frozenset({"systemic"}),
    "as-m3ter": frozenset({"systemic", "bill", "credentials"}),
}


def in_a_row(marks: Iterable[Mark], policy: AutoDisable = "systemic") -> int:
    """Count the failures that count since the last success.

    Args:
        marks: In ledger order, oldest first, of all workers.
        policy: Which failures count; others neither count nor end the row.
    """
    count = 0
    for mark in marks:
        if mark == "success":
            count = 0
        elif mark in _COUNTED[policy]:
            count += 1
    return count


def must_disable(marks: Iterable[Mark], policy: AutoDisable = "systemic") -> bool:
    """Whether a push must be disabled now."""
    return in_a_row(marks, policy) >= DISABLE_AFTER
