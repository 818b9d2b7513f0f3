"""Whose run or event it was, as far as m3ter tells: runs name a destination, not a configuration.

Source: m3ter OpenAPI 2026-08-03, IntegrationRunResponse has no id of a configuration; the keys of
integration events' payloads are not published, so every likely one is tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.definitions.core.spelling import folded
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.live import IntegrationEvent, LiveIntegration, NativeRun

_CONFIG_KEYS: Final = ("integrationConfigId", "integrationConfigurationId", "configId")
_BILL_KEYS: Final = ("billId", "entityId")
_MESSAGE_KEYS: Final = ("message", "errorMessage", "error", "reason", "description")
# Source: m3ter OpenAPI 2026-08-03, EventTypeResponse
DISABLED_EVENT: Final = "integration.disabled.error"
FAILED: Final = frozenset(
    {
        "ERROR",
        "AUTH_FAILED",
        "ACCOUNTING_PERIOD_CLOSED",
        "INVOICE_ALREADY_PAID",
        "TIMEOUT_LIMIT_EXCEEDED",
    }
)


@dataclass(frozen=True, slots=True)
class RunOwner:
    """What a configuration takes, by its lists of accounts alone; filters are not looked at.

    Attributes:
        accounts: ``None`` for all.
    """

    live: LiveIntegration
    accounts: frozenset[str] | None
    restricted: frozenset[str]

    def may_take(self, account: str) -> bool:
        """Tell whether the lists let an account through."""
        listed = self.accounts is None or account in self.accounts
        return listed and account not in self.restricted


@dataclass(frozen=True, slots=True)
class SeenRun:
    """One run, and what surrounds it.

    Attributes:
        configurations: Ids of those it may belong to; one when it is certain.
        payload: What was exchanged, redacted; ``None`` when it was not asked for.
    """

    run: NativeRun
    account: str
    configurations: tuple[str, ...]
    payload: str | None = None


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """One event, and the ids of the configurations it may be about."""

    event: IntegrationEvent
    bill: str
    message: str
    configurations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """How near a configuration is to being disabled by m3ter.

    Attributes:
        count: Errors since the last success that is known.
        shared: Whether some of them may belong to another configuration.
        oldest: Whether the count begins at the oldest event there is, for want of a success.
    """

    id: str
    name: str
    enabled: bool
    count: int
    shared: bool
    oldest: bool


def configurations_of_run(
    run: NativeRun, account: str, scopes: Sequence[RunOwner]
) -> tuple[str, ...]:
    """Give the ids of the configurations that a run may belong to; one when it is certain.

    None, when no configuration of the destination takes the account any more.
    """
    same = [
        scope
        for scope in scopes
        if folded(scope.live.destination) == folded(run.destination)
        and folded(scope.live.entity_type) == folded(run.entity_type)
    ]
    taking = [owner for owner in same if owner.may_take(account)] if account else same
    return tuple(str(owner.live.id) for owner in taking)


def configurations_of_event(
    event: IntegrationEvent,
    accounts: Mapping[str, str],
    scopes: Sequence[RunOwner],
) -> tuple[str, ...]:
    """Give the ids of the configurations that an event may be about.

    Args:
        event: Of m3ter.
        accounts: Account ids by bill id, as far as they are known.
        scopes: Of all configurations of bills.
    """
    named = first_text(event.payload, _CONFIG_KEYS)
    if named:
        return (named,)
    account = first_text(event.payload, ("accountId",))
    account = account or accounts.get(bill_of_event(event), "")
    destination = folded(first_text(event.payload, ("destination",)))
    same = [
        scope
        for scope in scopes
        if not destination or folded(scope.live.destination) == destination
    ]
    taking = [owner for owner in same if owner.may_take(account)] if account else same
    return tuple(str(owner.live.id) for owner in taking)


def bill_of_event(event: IntegrationEvent) -> str:
    """Give the id of the bill that an event is about; empty when it names none."""
    return first_text(event.payload, _BILL_KEYS)


def message_of(event: IntegrationEvent) -> str:
    """Give what an event says in words; empty when nothing like it is there."""
    return first_text(event.payload, _MESSAGE_KEYS)


def is_error(event: IntegrationEvent) -> bool:
    """Tell whether an event counts towards auto-disable."""
    return event.name.startswith("integration.") and event.name != DISABLED_EVENT


def errors_in_a_row(times: Iterable[str], last_success: str) -> int:
    """Count the errors since the last success; times are ISO 8601 in UTC, as m3ter writes them."""
    return sum(time > last_success for time in times)


def first_text(value: JsonValue, names: Sequence[str]) -> str:
    """Find the first text under one of the names, however deep."""
    objects = list(_objects(value))
    for name in names:
        for body in objects:
            found = body.get(name)
            if isinstance(found, str) and found:
                return found
    return ""


def _objects(value: JsonValue) -> Iterator[Mapping[str, JsonValue]]:
    """Give every object, the outer ones first."""
    waiting: list[JsonValue] = [value]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, Mapping):
            yield node
            waiting += node.values()
        elif isinstance(node, Sequence) and not isinstance(node, str):
            waiting += node
