"""A plan beside that of its base branch, over one reading of m3ter."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.definitions.model import Effective
from reconciler.plan.compare import compare, compare_other
from reconciler.plan.core.causes import causes
from reconciler.plan.make_plan import PlanPorts, PlanSource, guard_hits, needed_accounts, plan
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.cause import Causes
from reconciler.plan.model.plan import Plan


@dataclass(frozen=True, slots=True)
class CausedPlan:
    """A plan, and why each of its changes and items is there."""

    plan: Plan
    causes: Causes


def plan_against(
    effective: Effective,
    base: Effective | None,
    head: AppliedRecord | None,
    source: PlanSource,
    ports: PlanPorts,
) -> CausedPlan:
    """Make a plan and tell what is the proposal's, what waits, and what is drift.

    Args:
        effective: The proposal merged into its base.
        base: The base branch alone; ``None`` when it has no such environment or has errors: then
            everything is the proposal's.
        head: The newest applied record.
        source: Where the definitions come from.
        ports: The world; what the base needs is not read again.
    """
    since = (ports.clock.monotonic(), ports.organisation.calls)
    compared = compare(effective, head, ports.organisation, ports.progress)
    accounts = needed_accounts(compared, ports.organisation)
    made = plan(effective, head, source, ports, compared=compared, accounts=accounts, since=since)
    if base is None:
        return CausedPlan(made, Causes())
    other = compare_other(compared, base)
    hits = guard_hits(other, accounts, made.head.names, ports.clock)
    return CausedPlan(made, causes(made.body.changes, made.body.hits, other.changes, hits))
