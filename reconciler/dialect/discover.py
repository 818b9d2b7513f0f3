"""Dialects from what the organisation publishes. Nothing is written, here or there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC

from reconciler.definitions.core.as_data import dialect_for
from reconciler.definitions.core.settings import settings_of
from reconciler.definitions.core.spelling import folded
from reconciler.definitions.kinds.envelope import API_VERSION
from reconciler.definitions.model import Effective
from reconciler.dialect.core.discovery import Proposal, propose
from reconciler.dialect.core.published import read_available
from reconciler.kernel.ports import Clock
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.ports import Integrations

Wanted = tuple[str, str]
"""Destination and entity type, in our words."""


def discover(
    effective: Effective,
    integrations: Integrations,
    clock: Clock,
    wanted: Iterable[Wanted] = (),
) -> tuple[Proposal, ...]:
    """Propose a dialect for each destination and entity type.

    Args:
        effective: The environment, and the dialects it has.
        integrations: The organisation's.
        clock: Dates the evidence.
        wanted: What to look for; by default what the definitions use, or Chargebee bills.
    """
    used = {(one.spec.destination.value, one.spec.entity_type) for one in effective.integrations}
    pairs = sorted(set(wanted) or used or {("Chargebee", "Bill")})
    return tuple(_propose(effective, integrations, clock, one) for one in pairs)


def document(environment: str, proposal: Proposal) -> JsonObject | None:
    """Give the Dialect document of a proposal, ready to be written."""
    if proposal.spec is None:
        return None
    kind = "" if proposal.entity_type == "Bill" else f"-{proposal.entity_type}"
    name = f"{proposal.destination}{kind}-{environment}".lower().replace("_", "-")
    return {
        "apiVersion": API_VERSION,
        "kind": "Dialect",
        "metadata": {"name": name[:63].rstrip("-")},
        "spec": proposal.spec,
    }


def _propose(
    effective: Effective, integrations: Integrations, clock: Clock, one: Wanted
) -> Proposal:
    destination, entity_type = one
    system = _system(integrations, destination, entity_type)
    available = read_available(
        integrations.available(system, entity_type), destination, entity_type
    )
    at = clock.now().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    head: dict[str, JsonValue] = {
        "environment": effective.environment.name,
        "destination": destination,
        "entityType": entity_type,
        "evidence": {"source": "discover", "at": at},
    }
    dialects = [defined.spec for defined in effective.dialects]
    current = dialect_for(dialects, destination, entity_type)
    return propose(available, settings_of(destination), head, current)


def _system(integrations: Integrations, destination: str, entity_type: str) -> str:
    """Find how the organisation spells a system; our word where it lists none that fits."""
    for one in integrations.systems(entity_type):
        for name in ("identifier", "displayName"):
            spelled = one.get(name)
            if isinstance(spelled, str) and folded(spelled) == folded(destination):
                identifier = one.get("identifier")
                return identifier if isinstance(identifier, str) else spelled
    return destination
