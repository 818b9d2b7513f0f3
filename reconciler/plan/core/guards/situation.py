"""From pairs and changes to what the guards look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from reconciler.definitions.core.as_data import dialect_for
from reconciler.definitions.core.settings import settings_of
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.model import Effective
from reconciler.kernel.address import Address, FieldPath
from reconciler.kernel.line_item import Destination
from reconciler.m3ter.live import LiveIntegration
from reconciler.plan.core.comparable import live_fields
from reconciler.plan.core.diff.diff import Pairs
from reconciler.plan.core.guards.accounts_of import Selecting, selecting
from reconciler.plan.core.guards.routes import Route
from reconciler.plan.core.identity import Missing
from reconciler.plan.model.change import Change, Delete, Ignore
from reconciler.selection.interlock import is_connected

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
        address: one.unconfirmed if one.dialect else ()
        for address, one in pairs.integrations.items()
    }


def wanted_counts(effective: Effective) -> Mapping[str, int]:
    """Count what git has, by kind and by mapping set; a set that is gone is not counted at all."""
    sets = {f"mapping/{one.defined.name}": len(one.rows) for one in effective.mapping_sets}
    kinds = Counter(integration=len(effective.integrations), mapping=sum(sets.values()))
    return {**kinds, **sets}


def routes(
    pairs: Pairs,
    integrations: Iterable[LiveIntegration],
    changes: Iterable[Change],
    dialects: Iterable[DialectSpec],
) -> list[Route]:
    """List the configurations that would be connected for Chargebee bills after the plan."""
    held = tuple(changes)
    ignored = {one.address for one in held if isinstance(one, Ignore) and not one.fields}
    gone = {str(one.live.id) for one in held if isinstance(one, Delete)}
    found: list[Route] = []
    for address, pair in pairs.live_integrations.found.items():
        if address in ignored:
            continue
        wanted, identity = pairs.integrations[address], ""
        if not isinstance(pair, Missing):
            identity = pair.live.id
            gone.add(identity)
        if wanted.credential is not None and _sends_bills(wanted.destination, wanted.entity_type):
            found.append(Route(address, identity, wanted.name, selecting(wanted.fields)))
    dialect = dialect_for(dialects, Destination.CHARGEBEE, BILL)
    return [*found, *(_other(one, dialect) for one in integrations if _stays(one, gone))]


def _stays(live: LiveIntegration, gone: Collection[str]) -> bool:
    sends = _sends_bills(live.destination, live.entity_type)
    return sends and live.id not in gone and is_connected(live)


def _other(live: LiveIntegration, dialect: DialectSpec | None) -> Route:
    settings = settings_of(Destination.CHARGEBEE)
    known = selecting(live_fields(live, settings, dialect)) if dialect else None
    return Route(None, live.id, live.name, known)


def _sends_bills(destination: str, entity_type: str) -> bool:
    return (destination.casefold(), entity_type.casefold()) == ("chargebee", "bill")
