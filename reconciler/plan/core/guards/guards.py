"""Changes -> guard hits: what does not go through unasked.

Each guard is a pure function of the facts. ``coverage`` and ``interlock`` need bills and runs and
are added by whoever reads those; ``plan-age`` and ``protected`` are known only when applying.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from reconciler.definitions.core.as_data import dialect_for
from reconciler.definitions.core.settings import settings_of
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.environment import EnvironmentSpec, FreezeWindow
from reconciler.definitions.kinds.project import MaxDeletes, ProjectSpec
from reconciler.definitions.model import Effective
from reconciler.kernel.address import Address, FieldPath, PlanId
from reconciler.kernel.line_item import Destination
from reconciler.kernel.times import duration
from reconciler.m3ter.live import Account, LiveIntegration
from reconciler.plan.core.comparable import live_fields
from reconciler.plan.core.diff.diff import Pairs
from reconciler.plan.core.guards.approval import hit
from reconciler.plan.core.guards.changes import dialect, first_contact, moved_fields
from reconciler.plan.core.guards.routes import (
    ConnectedRoute,
    Selecting,
    double_route,
    selecting,
    widening,
)
from reconciler.plan.core.identity import Missing
from reconciler.plan.model.applied import Binding
from reconciler.plan.model.change import Change, Delete, FieldValue, Ignore
from reconciler.plan.model.plan import GuardHit
from reconciler.selection.interlock import is_connected


@dataclass(frozen=True, slots=True)
class GuardFacts:
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
    routes: Sequence[ConnectedRoute]
    accounts: Iterable[Account]
    names: Mapping[str, str]
    now: datetime


def hits(facts: GuardFacts) -> tuple[GuardHit, ...]:
    """Compute the hits that belong to a plan, in a fixed order."""
    guards = facts.project.guards
    return (
        *dialect(facts.changes, facts.unconfirmed),
        *max_deletes(facts.changes, facts.bindings, guards.max_deletes, prune=facts.project.prune),
        *empty_scope(facts.changes, facts.bindings, facts.wanted),
        *first_contact(facts.changes, facts.bindings),
        *moved_fields(
            facts.changes, facts.bindings, facts.project, is_protected=facts.environment.protected
        ),
        *widening(facts.changes, facts.before, facts.after, facts.accounts, facts.names),
        *double_route(facts.changes, facts.routes),
        *(freeze(facts.environment.freeze, facts.now) if any(map(_writes, facts.changes)) else ()),
    )


def _writes(change: Change) -> bool:
    return change.type not in {"adopt", "keep", "ignore"}


BILL = "Bill"


def selections(
    pairs: Pairs,
) -> tuple[dict[Address, Selecting], dict[Address, Selecting]]:
    """Give what the managed configurations that exist select: as they are live, and would."""
    before: dict[Address, Selecting] = {}
    after: dict[Address, Selecting] = {}
    for address, found in pairs.live_integrations.found.items():
        wanted = pairs.integrations[address]
        if not isinstance(found, Missing):
            before[address] = selecting(live_fields(found.live, wanted.settings, wanted.dialect))
            after[address] = selecting(wanted.fields)
    return before, after


def unconfirmed(pairs: Pairs) -> dict[Address, tuple[FieldPath, ...]]:
    """Give the settings without confirmed names; none at all where there is no dialect."""
    return {
        address: integration.unconfirmed if integration.dialect else ()
        for address, integration in pairs.integrations.items()
    }


def wanted_counts(effective: Effective) -> Mapping[str, int]:
    """Count what git has, by kind and by mapping set; a set that is gone is not counted at all."""
    sets = {
        f"mapping/{mapping_set.defined.name}": len(mapping_set.rows)
        for mapping_set in effective.mapping_sets
    }
    kinds = Counter(integration=len(effective.integrations), mapping=sum(sets.values()))
    return {**kinds, **sets}


def routes(
    pairs: Pairs,
    integrations: Iterable[LiveIntegration],
    changes: Iterable[Change],
    dialects: Iterable[DialectSpec],
) -> list[ConnectedRoute]:
    """List the configurations that would be connected for Chargebee bills after the plan."""
    held = tuple(changes)
    ignored = {
        change.address for change in held if isinstance(change, Ignore) and not change.fields
    }
    gone = {str(change.live.id) for change in held if isinstance(change, Delete)}
    routes: list[ConnectedRoute] = []
    for address, pair in pairs.live_integrations.found.items():
        if address in ignored:
            continue
        wanted, identity = pairs.integrations[address], ""
        if not isinstance(pair, Missing):
            identity = pair.live.id
            gone.add(identity)
        if wanted.credential is not None and _sends_bills(wanted.destination, wanted.entity_type):
            routes.append(ConnectedRoute(address, identity, wanted.name, selecting(wanted.fields)))
    dialect = dialect_for(dialects, Destination.CHARGEBEE, BILL)
    return [
        *routes,
        *(
            _other(integration, dialect)
            for integration in integrations
            if _stays(integration, gone)
        ),
    ]


def _stays(live: LiveIntegration, gone: Collection[str]) -> bool:
    sends = _sends_bills(live.destination, live.entity_type)
    return sends and live.id not in gone and is_connected(live)


def _other(live: LiveIntegration, dialect: DialectSpec | None) -> ConnectedRoute:
    settings = settings_of(Destination.CHARGEBEE)
    known = selecting(live_fields(live, settings, dialect)) if dialect else None
    return ConnectedRoute(None, live.id, live.name, known)


def _sends_bills(destination: str, entity_type: str) -> bool:
    return (destination.casefold(), entity_type.casefold()) == ("chargebee", "bill")


FRACTION_COUNTS_FROM: Final = 10
"""Existing objects from which the allowed share of deletions counts."""


def deletions(changes: Iterable[Change]) -> tuple[Delete, ...]:
    """Give the deletions that leave nothing in their place."""
    return tuple(
        planned
        for planned in changes
        if isinstance(planned, Delete) and not planned.address.key.endswith(f"@{planned.live.id}")
    )


def max_deletes(
    changes: Iterable[Change],
    bindings: Mapping[Address, Binding],
    limit: MaxDeletes,
    *,
    prune: Literal["never", "confirm", "allow"],
) -> Iterator[GuardHit]:
    """Ask before many deletions; under ``prune: confirm`` before each."""
    planned = deletions(changes)
    if prune == "confirm":
        for deletion in planned:
            yield hit(
                "max-deletes",
                f"{deletion.address} would be deleted, and the project asks first (`prune: "
                "confirm`)",
                address=deletion.address,
                field="prune",
                live=FieldValue(deletion.live.id),
            )
    count, existing = len(planned), len(bindings)
    if why := _too_many(count, existing, limit):
        yield hit(
            "max-deletes",
            why,
            field="count",
            base=FieldValue(existing),
            desired=FieldValue(sorted(str(deletion.address) for deletion in planned)),
        )


def empty_scope(
    changes: Iterable[Change], bindings: Mapping[Address, Binding], wanted: Mapping[str, int]
) -> Iterator[GuardHit]:
    """Ask before the last object of a kind or of a mapping set goes."""
    planned = deletions(changes)
    going = Counter(scope for deletion in planned for scope in _scopes(deletion.address))
    bound = Counter(scope for address in bindings for scope in _scopes(address))
    for scope in sorted(going):
        if wanted.get(scope, -1) == 0:
            yield hit(
                "empty-scope",
                f"git has no {scope} any more: {going[scope]} of {bound[scope]} objects that this "
                "repository manages would be deleted",
                field=scope,
                base=FieldValue(bound[scope]),
                desired=FieldValue(0),
            )


def _scopes(address: Address) -> tuple[str, ...]:
    return (address.kind, f"{address.kind}/{address.name}")


def _too_many(count: int, existing: int, limit: MaxDeletes) -> str:
    share = Decimal(count) / existing if existing else Decimal(0)
    allowed = f"allowed are {limit.count}"
    if existing >= FRACTION_COUNTS_FROM:
        allowed += f" and {_percent(limit.fraction)} ({int(limit.fraction * existing)})"
    else:
        allowed += f"; shares count from {FRACTION_COUNTS_FROM} objects up"
    by_share = existing >= FRACTION_COUNTS_FROM and share > limit.fraction
    if count <= limit.count and not by_share:
        return ""
    return f"{count} deletions of {existing} managed objects are {_percent(share)}; {allowed}"


def _percent(share: Decimal) -> str:
    return f"{(share * 100).quantize(Decimal('0.1')).normalize():f} %"


def freeze(windows: Iterable[FreezeWindow], now: datetime) -> Iterator[GuardHit]:
    """Ask inside a freeze window; also when applying, for time has passed since the plan."""
    for window in windows:
        start, end = datetime.fromisoformat(window.from_), datetime.fromisoformat(window.until)
        if start <= now < end:
            yield hit(
                "freeze",
                f"changes are frozen from {window.from_} until {window.until}: {window.reason}",
                field="window",
                desired=FieldValue([window.from_, window.until, window.reason]),
            )


def plan_age(plan: PlanId, created_at: str, limit: str, now: datetime) -> Iterator[GuardHit]:
    """Ask before a plan older than the limit is applied."""
    age = now - datetime.fromisoformat(created_at)
    if age > duration(limit):
        hours = int(age.total_seconds() // 3600)
        yield hit(
            "plan-age",
            f"the plan was made {hours} h ago, and the project's limit is {limit}; make a new one",
            field="age",
            base=FieldValue(created_at),
            desired=FieldValue(plan),
        )


def unsaved(environment: str) -> GuardHit:
    """Refuse to apply to a protected environment without a plan that was saved and reviewed."""
    return hit(
        "protected",
        f"`{environment}` is protected: it takes a saved plan only. Run `reconciler plan --env "
        f"{environment} -o plan.json`, have it reviewed, and `reconciler apply plan.json`",
        field="plan",
        desired=FieldValue(environment),
        needs="remedy",
    )
