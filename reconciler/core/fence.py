"""Before anything is written: is everything that the plan touches still as the plan saw it?

The changes of one object form a chain of contents: as planned, after the first change, after the
second. What is live must be one of them. If it is a later one, an earlier run of this plan got
that far, and those changes are done already; if it is none, someone else was there: the plan is
stale, and nothing of it is applied.

==========================  =====================================  ==============================
the plan                    live now                               so
==========================  =====================================  ==============================
refers to an object         hash as planned                        nothing is done yet
refers to an object         content of a later change              done up to that change
refers to an object         anything else, or gone                 stale
deletes an object           gone                                   done
creates an object           nothing of its natural key             nothing is done yet
creates an object           one, with content of one of its steps  done up to that change
creates an object           one with other content, or several     stale
==========================  =====================================  ==============================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reconciler.core.comparable import NaturalKey, integration_key, live_hash, mapping_key
from reconciler.core.dialect import normal_number
from reconciler.core.exact_json import number_text
from reconciler.domain.address import Address, IntegrationId, LiveId
from reconciler.domain.change import (
    Change,
    ChangeId,
    ConfigurationContent,
    Create,
    Delete,
    Ignore,
    Keep,
    LinkByAddress,
    LinkById,
    LiveReference,
    MappingContent,
)
from reconciler.domain.live import LiveIntegration, LiveMapping
from reconciler.domain.value import JsonValue
from reconciler.errors import ExitCode, ReconcilerError

Live = LiveIntegration | LiveMapping


@dataclass(frozen=True, slots=True)
class Moved:
    """One object that is not as the plan saw it; ``by`` and ``at`` where m3ter says."""

    address: Address
    what: str
    by: str = ""
    at: str = ""

    def __str__(self) -> str:
        who = f" by {self.by}" if self.by else ""
        when = f" at {self.at}" if self.at else ""
        return f"{self.address} {self.what}{who}{when}"


class StalePlanError(ReconcilerError):
    """An object that the plan touches was changed after the plan was made."""

    exit_code = ExitCode.STALE

    def __init__(self, plan: str, environment: str, moved: Sequence[Moved]) -> None:
        listed = "\n".join(f"  {one}" for one in moved)
        super().__init__(
            f"plan {plan:.12} is stale: what it touches is not as it was when it was made.\n"
            f"{listed}\n"
            f"Nothing was written. Run `reconciler plan --env {environment}` again and review it."
        )
        self.moved = tuple(moved)


@dataclass(frozen=True, slots=True)
class Fence:
    """What the plan meets.

    Attributes:
        live: The live object of every touched address that has one.
        done: Changes that an earlier run of this plan has made.
        moved: Objects that make the plan stale.
    """

    live: Mapping[Address, Live]
    done: frozenset[ChangeId]
    moved: tuple[Moved, ...]


def fence(
    changes: Iterable[Change],
    integrations: Sequence[LiveIntegration],
    mappings: Sequence[LiveMapping],
) -> Fence:
    """Compare everything that a plan touches with what is live."""
    by_id: dict[LiveId, Live] = {LiveId(one.id): one for one in integrations}
    by_id |= {LiveId(row.id): row for row in mappings}
    by_key: dict[NaturalKey, list[Live]] = {}
    for one in integrations:
        by_key.setdefault(integration_key(one), []).append(one)
    for row in mappings:
        by_key.setdefault(mapping_key(row), []).append(row)
    live: dict[Address, Live] = {}
    done: set[ChangeId] = set()
    moved: list[Moved] = []
    for address, chain in _chains(changes).items():
        found = _meet(address, chain, by_id, by_key, live)
        if isinstance(found, Moved):
            moved.append(found)
            continue
        there, finished = found
        done |= {change.id for change in chain[:finished]}
        if there is not None:
            live[address] = there
    return Fence(live, frozenset(done), tuple(moved))


def same_content(
    content: ConfigurationContent | MappingContent | None,
    live: Live,
    created: Mapping[Address, Live],
) -> bool:
    """Tell whether a live object already is what a change would make of it."""
    match content, live:
        case ConfigurationContent(), LiveIntegration():
            return (
                content.name == live.name
                and content.destination.casefold() == live.destination.casefold()
                and content.entity_type.casefold() == live.entity_type.casefold()
                and content.credential_id == live.credential_id
                and _loose(content.config_data) == _loose(live.config_data)
            )
        case MappingContent(), LiveMapping():
            key = content_key(content, created)
            return key == mapping_key(live) and content.external_id == live.external_id
        case _:
            return False


def content_key(
    content: ConfigurationContent | MappingContent, created: Mapping[Address, Live]
) -> NaturalKey | None:
    """Give the natural key a content will have; ``None`` while its configuration is not made."""
    if isinstance(content, ConfigurationContent):
        return (content.destination.casefold(), content.entity_type.casefold(), content.name)
    linked: str = ""
    match content.link:
        case LinkById(id=identity):
            linked = identity
        case LinkByAddress(address=address):
            if address not in created:
                return None
            linked = IntegrationId(created[address].id)
        case None:
            pass
    return (content.system, content.table, content.entity, content.m3ter_id, linked)


def _chains(changes: Iterable[Change]) -> dict[Address, list[Change]]:
    chains: dict[Address, list[Change]] = {}
    for change in changes:
        if not isinstance(change, Keep | Ignore):
            chains.setdefault(change.address, []).append(change)
    return chains


def _meet(
    address: Address,
    chain: Sequence[Change],
    by_id: Mapping[LiveId, Live],
    by_key: Mapping[NaturalKey, Sequence[Live]],
    live: Mapping[Address, Live],
) -> tuple[Live | None, int] | Moved:
    if isinstance(chain[0], Create):
        return _meet_new(address, chain, by_key, live)
    planned = next(one for change in chain if (one := _reference(change)) is not None)
    there = by_id.get(planned.id)
    if there is None:
        if any(isinstance(change, Delete) for change in chain):
            return None, len(chain)
        return Moved(address, "is gone from m3ter")
    if live_hash(there) == planned.hash:
        return there, 0
    finished = _finished(chain, there, live)
    return (there, finished) if finished else _moved(address, there)


def _meet_new(
    address: Address,
    chain: Sequence[Change],
    by_key: Mapping[NaturalKey, Sequence[Live]],
    live: Mapping[Address, Live],
) -> tuple[Live | None, int] | Moved:
    create = chain[0]
    assert isinstance(create, Create)
    key = content_key(create.content, live) if create.content is not None else None
    same = by_key.get(key, ()) if key is not None else ()
    if not same:
        return None, 0
    if len(same) > 1:
        return Moved(address, f"exists {len(same)} times in m3ter")
    finished = _finished(chain, same[0], live)
    return (same[0], finished) if finished else _moved(address, same[0], "appeared in m3ter, made")


def _finished(chain: Sequence[Change], there: Live, live: Mapping[Address, Live]) -> int:
    """Count the changes after which the object would be as it is; 0 when none."""
    for number in range(len(chain), 0, -1):
        if same_content(getattr(chain[number - 1], "content", None), there, live):
            return number
    return 0


def _reference(change: Change) -> LiveReference | None:
    return None if isinstance(change, Create) else change.live


def _moved(address: Address, live: Live, what: str = "was changed") -> Moved:
    return Moved(address, what, live.audit.modified_by, live.audit.modified_at)


def _loose(value: JsonValue) -> JsonValue:
    """Compare across a server that stores scalars as texts and keeps no order of lists."""
    if isinstance(value, Mapping):
        return {key: _loose(one) for key, one in value.items()}
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return number_text(normal_number(value))
    if isinstance(value, str) or value is None:
        return value
    return sorted(str(_loose(one)) for one in value)
