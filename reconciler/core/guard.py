"""Changes -> guard hits: what does not go through unasked.

Each guard is a pure function of the situation. ``coverage`` and ``interlock`` need bills and runs
and are added by whoever reads those; ``plan-age`` and ``protected`` are known only when applying.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.accounts_of import Selecting
from reconciler.core.guard_amounts import empty_scope, max_deletes
from reconciler.core.guard_changes import dialect, first_contact, moved_fields
from reconciler.core.guard_routes import Route, double_route, widening
from reconciler.core.guard_time import freeze
from reconciler.domain.address import Address, FieldPath
from reconciler.domain.applied import Binding
from reconciler.domain.change import Change
from reconciler.domain.kinds.environment import EnvironmentSpec
from reconciler.domain.kinds.project import ProjectSpec
from reconciler.domain.live import Account
from reconciler.domain.plan import GuardHit


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
