"""How much of a plan is the proposal's, waits on the base branch, or is drift."""

from __future__ import annotations

from collections import Counter

from reconciler.kernel.text import counted
from reconciler.plan.against import CausedPlan


def causes_text(caused: CausedPlan) -> str:
    """Count the changes of a plan by their cause, in one line."""
    counts = Counter(
        caused.causes.of_change(change.id)
        for change in caused.plan.body.changes
        if change.type not in {"keep", "ignore"}
    )
    return (
        f"{counted(counts['proposal'], 'change', 'changes')} of this proposal, "
        f"{counts['waiting']:,} waiting on the base branch, {counts['drift']:,} of drift"
    )
