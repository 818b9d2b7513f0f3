"""How each integration stands: as git says or not, connected, enabled, and its last run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.errors import ExitCode
from reconciler.kernel.address import Address
from reconciler.m3ter.live import LiveIntegration, NativeRun
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.change import (
    Adopt,
    Change,
    Connect,
    Create,
    Delete,
    FieldChange,
    Ignore,
    Keep,
)
from reconciler.plan.model.plan import PlanBody

Sync = Literal[
    "in sync", "git is ahead", "edited in m3ter", "both moved", "conflict", "not adopted", "error"
]
Connection = Literal["connected", "not authorized", "disconnected", "not in m3ter"]

_RANK: tuple[Sync, ...] = (
    "error",
    "conflict",
    "both moved",
    "edited in m3ter",
    "git is ahead",
    "not adopted",
    "in sync",
)


@dataclass(frozen=True, slots=True)
class RunSeen:
    """The newest native run that may be of a configuration.

    Attributes:
        shared: How many other configurations it may belong to just as well.
    """

    run: NativeRun
    shared: int


@dataclass(frozen=True, slots=True)
class IntegrationStatus:
    """One integration, or a mapping set that is linked to none.

    Attributes:
        differs: What is not as git says, in words; the first is the gravest.
        connection: ``None`` for a mapping set.
        enabled: ``None`` where there is nothing to enable.
    """

    address: Address
    label: str
    sync: Sync
    differs: tuple[str, ...]
    connection: Connection | None
    enabled: bool | None
    run: RunSeen | None


@dataclass(frozen=True, slots=True)
class Applied:
    """The newest applied record, for people; ``unfinished`` names a plan that was cut off."""

    sequence: int
    at: str
    actor: str
    action: str
    commit: str
    unfinished: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """How an environment stands.

    Attributes:
        unmanaged: Configurations that only m3ter has, by name.
        code: What ``--exit-code`` ends with.
    """

    environment: str
    applied: Applied | None
    standings: tuple[IntegrationStatus, ...]
    unmanaged: tuple[str, ...]
    code: ExitCode
    calls: int


def applied(records: Iterable[AppliedRecord]) -> Applied | None:
    """Describe the newest record that is no mere beginning, and whether a newer apply began.

    Args:
        records: Newest first.
    """
    unfinished = ""
    finished = False
    newest: AppliedRecord | None = None
    for record in records:
        if record.action == "apply-started":
            unfinished = unfinished or ("" if finished else str(record.plan or ""))
            continue
        newest = newest or record
        finished = finished or record.action == "apply"
        if finished:
            break
    if newest is None:
        return Applied(0, "", "", "", "", unfinished) if unfinished else None
    return Applied(
        newest.sequence, newest.at, newest.actor, newest.action, newest.source_commit, unfinished
    )


def connection(live: LiveIntegration | None) -> Connection:
    """Say whether bills can flow; what m3ter leaves out counts as connected (fail closed)."""
    if live is None:
        return "not in m3ter"
    if live.authorized or (live.credential_id and live.authorized is None):
        return "connected"
    if live.credential_id:
        return "not authorized"
    return "disconnected" if live.authorized is False else "connected"


def differences_of(
    body: PlanBody, owners: Mapping[str, str]
) -> dict[Address, tuple[Sync, tuple[str, ...]]]:
    """Sum up the changes of a plan for each integration and each set that is linked to none.

    Args:
        body: Of a plan.
        owners: Name of the integration by name of mapping set.
    """
    words: dict[Address, list[tuple[Sync, str]]] = {}
    rows: dict[Address, Counter[Sync]] = {}
    for change in body.changes:
        address = _owner(change.address, owners)
        if change.address.kind == "mapping" and not change.address.key:
            waiting = f"{change.address.name} waits for its integration"
            words.setdefault(address, []).append(("not adopted", waiting))
        elif change.address.kind == "mapping":
            rows.setdefault(address, Counter()).update(_sides([change]))
        else:
            words.setdefault(address, []).extend(_words(change))
    for address, counts in rows.items():
        words.setdefault(address, []).extend(
            (sync, f"{count:,} mapping{'' if count == 1 else 's'} {_ROWS[sync]}")
            for sync, count in counts.items()
        )
    for wrong in body.unplanned:
        words.setdefault(_owner(wrong.address, owners), []).append(
            ("error", f"{wrong.address.key + ': ' if wrong.address.key else ''}{wrong.message}")
        )
    return {address: _summed(found) for address, found in words.items()}


_ROWS: Mapping[Sync, str] = {
    "git is ahead": "to write",
    "edited in m3ter": "edited in m3ter",
    "conflict": "in conflict",
    "not adopted": "not adopted",
}


def _owner(address: Address, owners: Mapping[str, str]) -> Address:
    if address.kind == "integration":
        return address
    owner = owners.get(address.name)
    return Address("integration", owner) if owner else Address("mapping", address.name)


def _summed(found: Iterable[tuple[Sync, str]]) -> tuple[Sync, tuple[str, ...]]:
    ordered = sorted(set(found), key=lambda pair: (_RANK.index(pair[0]), pair[1]))
    sides = {sync for sync, _ in ordered}
    if not ordered:
        return "in sync", ()
    first = ordered[0][0]
    if first == "edited in m3ter" and "git is ahead" in sides:
        first = "both moved"
    return first, tuple(text for _, text in ordered if text)


def _words(change: Change) -> Iterable[tuple[Sync, str]]:
    match change:
        case Keep():
            yield "in sync", ""
        case Ignore(fields=()):
            yield "not adopted", "m3ter has one of this name that is not adopted"
        case Ignore():
            yield "in sync", ""
        case Create():
            yield "git is ahead", change.reason
        case Connect(live=None):
            yield "git is ahead", ""
        case Delete():
            yield "git is ahead", "git no longer has it"
        case Adopt():
            yield from (_field(field) for field in change.fields if _side(field) == "conflict")
            yield "git is ahead", "not bound yet; the next apply takes it over"
        case _:
            yield from (_field(field) for field in change.fields if _side(field))


def _field(field: FieldChange) -> tuple[Sync, str]:
    side = _side(field)
    assert side is not None
    return side, str(field.path)


def _side(field: FieldChange) -> Sync | None:
    match field.verdict:
        case "ours":
            return "git is ahead"
        case "theirs":
            return "edited in m3ter"
        case "conflict":
            return "conflict"
        case _:
            return None


def _sides(changes: Iterable[Change]) -> Iterable[Sync]:
    """Give one side for each mapping."""
    for change in changes:
        match change:
            case Keep():
                pass
            case Ignore():
                yield "not adopted"
            case Create() | Delete() | Adopt():
                yield "git is ahead"
            case _:
                sides = {side for field in change.fields if (side := _side(field))}
                yield min(sides, key=_RANK.index, default="git is ahead")
