"""m3ter's own configurations that may send a bill, and ours that were changed there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from reconciler.account_filter.evaluate import compiled
from reconciler.account_filter.parser import parse
from reconciler.account_filter.tokens import FilterSyntaxError
from reconciler.definitions.core.settings import settings_of
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.kernel.address import AccountId
from reconciler.kernel.line_item import Destination
from reconciler.m3ter.live import LiveIntegration
from reconciler.plan.core.comparable import live_fields, live_hash
from reconciler.plan.core.guards.accounts_of import selecting
from reconciler.selection.interlock import is_connected
from reconciler.selection.scope import Scope
from reconciler.sync.in_force.push_route import SYSTEM, PushRoute


@dataclass(frozen=True, slots=True)
class RouteScope:
    """A connected configuration and its accounts."""

    name: str
    scope: Scope


def native_routes(
    live: Iterable[LiveIntegration], dialect: DialectSpec | None
) -> tuple[RouteScope, ...]:
    """Give the connected configurations that send bills to Chargebee, and their accounts."""
    return tuple(
        RouteScope(f'"{one.name}" ({one.id})', _live_scope(one, dialect))
        for one in live
        if _sends_bills(one) and is_connected(one)
    )


def changed_routes(routes: Iterable[PushRoute], live: Iterable[LiveIntegration]) -> dict[str, str]:
    """Say which push configurations were changed in m3ter since the run began."""
    hashes = {one.id: live_hash(one) for one in live}
    return {
        one.name: "its configuration was changed in m3ter since this run began"
        for one in routes
        if one.live_id is not None and hashes.get(one.live_id) != one.live_hash
    }


def _sends_bills(live: LiveIntegration) -> bool:
    return (live.destination.casefold(), live.entity_type.casefold()) == ("chargebee", "bill")


def is_ours(destination: str) -> bool:
    """Runs for other destinations do not matter; one that names none may be Chargebee's."""
    return destination.casefold() in {"", SYSTEM.casefold()}


def _live_scope(live: LiveIntegration, dialect: DialectSpec | None) -> Scope:
    """Read which accounts a live configuration takes; what cannot be read takes nobody surely."""
    if dialect is None:
        return Scope(None, unreadable="no dialect says how its settings are spelled")
    found = selecting(live_fields(live, settings_of(Destination.CHARGEBEE), dialect))
    included = None if found.included is None else frozenset(map(AccountId, found.included))
    scope = Scope(included, frozenset(map(AccountId, found.restricted)))
    if not found.filter:
        return scope
    try:
        return replace(scope, predicate=compiled(parse(found.filter)))
    except FilterSyntaxError as error:
        return replace(scope, unreadable=f"its account filter cannot be read: {error}")
