"""Changes -> guard hits: what does not go through unasked.

Each guard is a pure function of the situation. ``coverage`` and ``interlock`` need bills and runs
and are added by whoever reads those; ``plan-age`` and ``protected`` are known only when applying.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.kernel.address import Address, FieldPath
from reconciler.m3ter.live import Account
from reconciler.plan.core.guards.accounts_of import Selecting
from reconciler.plan.core.guards.changes import dialect, first_contact, moved_fields
from reconciler.plan.core.guards.deletions import empty_scope, max_deletes
from reconciler.plan.core.guards.routes import Route, double_route, widening
from reconciler.plan.core.guards.time import freeze
from reconciler.plan.model.applied import Binding
from reconciler.plan.model.change import Change
from reconciler.plan.model.plan import GuardHit


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the guards look at.

    Attributes:
        bindings: Of the newest applied record.
        wanted: How many objects git has, by kind and by name of mapping set.
        unconfirmed: Settings that git sets and the dialect cannot spell, by integration; no
            settings at all means that there is no dialect.
        before: What existing configurations select, as they are live.
        after: What they would select.
        routes: Configurations that would be connected for Chargebee bills.
        accounts: All accounts; empty when no guard needs them.
        names: What people call an account id.
    """

    project: ProjectSpec
    environment: EnvironmentSpec
    changes: Sequence[Change]
    bindings: Mapping[Address, Binding]
    wanted: Mapping[str, int]
    unconfirmed: Mapping[Address, tuple[FieldPath, ...]]
    before: Mapping[Address, Selecting]
    after: Mapping[Address, Selecting]
    routes: Sequence[Route]
    accounts: Iterable[Account]
    names: Mapping[str, str]
    now: datetime


def hits(one: Situation) -> tuple[GuardHit, ...]:
    """Compute the hits that belong to a plan, in a fixed order."""
    guards = one.project.guards
    return (
        *dialect(one.changes, one.unconfirmed),
        *max_deletes(one.changes, one.bindings, guards.max_deletes, prune=one.project.prune),
        *empty_scope(one.changes, one.bindings, one.wanted),
        *first_contact(one.changes, one.bindings),
        *moved_fields(
            one.changes, one.bindings, one.project, is_protected=one.environment.protected
        ),
        *widening(one.changes, one.before, one.after, one.accounts, one.names),
        *double_route(one.changes, one.routes),
        *(freeze(one.environment.freeze, one.now) if any(map(_writes, one.changes)) else ()),
    )


def _writes(change: Change) -> bool:
    return change.type not in {"adopt", "keep", "ignore"}
