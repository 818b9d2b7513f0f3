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

Contents are compared as git means them: a server that echoes defaults, stores scalars as texts or
drops what it does not know has the content all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from reconciler.definitions.core.spelling import Value, equal, normal_number
from reconciler.errors import StaleError
from reconciler.kernel.address import Address, FieldPath, IntegrationId, LiveId
from reconciler.kernel.exact_json import number_text
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.plan.core.bindings import readable
from reconciler.plan.core.comparable import (
    ENABLED,
    PASSTHROUGH,
    NaturalKey,
    integration_key,
    live_hash,
    mapping_key,
)
from reconciler.plan.core.diff.order import moved as moved_fields
from reconciler.plan.model.change import (
    Adopt,
    Change,
    ChangeId,
    ConfigurationContent,
    Create,
    Delete,
    Enable,
    Ignore,
    Keep,
    LinkByAddress,
    LinkById,
    LiveReference,
    MappingContent,
)

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


class StalePlanError(StaleError):
    """An object that the plan touches was changed after the plan was made."""

    def __init__(self, plan: str, environment: str, moved: Sequence[Moved]) -> None:
        listed = "\n".join(f"  {change}" for change in moved)
        super().__init__(
            f"plan {plan:.12} is stale: what it touches is not as it was when it was made.\n"
            f"{listed}\n"
            f"Nothing was written. Run `reconciler plan --env {environment}` again and review it."
        )
        self.moved = tuple(moved)


@dataclass(frozen=True, slots=True)
class Met:
    """What the plan meets.

    Attributes:
        live: The live object of every touched address that has one.
        done: Changes that an earlier run of this plan has made.
        moved: Objects that make the plan stale.
    """

    live: Mapping[Address, Live]
    done: frozenset[ChangeId]
    moved: tuple[Moved, ...]


def check_unchanged(
    changes: Iterable[Change],
    integrations: Sequence[LiveIntegration],
    mappings: Sequence[LiveMapping],
    definitions: JsonObject,
) -> Met:
    """Compare everything that a plan touches with what is live.

    Args:
        changes: Of the plan.
        integrations: Everything live.
        mappings: Everything live.
        definitions: The plan's rendered definitions: they say what contents mean.
    """
    known = _Known.of(integrations, mappings, definitions)
    done: set[ChangeId] = set()
    moved: list[Moved] = []
    for address, chain in _chains(changes).items():
        found = _meet(address, chain, known)
        if isinstance(found, Moved):
            moved.append(found)
            continue
        live, finished = found
        done |= {change.id for change in chain[:finished]}
        if live is not None:
            known.met[address] = live
    return Met(known.met, frozenset(done), tuple(moved))


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything live by id and natural key, and what of it is which address."""

    by_id: Mapping[LiveId, Live]
    by_key: Mapping[NaturalKey, Sequence[Live]]
    definitions: JsonObject
    met: dict[Address, Live]

    @classmethod
    def of(
        cls,
        integrations: Sequence[LiveIntegration],
        mappings: Sequence[LiveMapping],
        definitions: JsonObject,
    ) -> _Known:
        """Index what is live."""
        by_id: dict[LiveId, Live] = {
            LiveId(integration.id): integration for integration in integrations
        }
        by_id |= {LiveId(row.id): row for row in mappings}
        by_key: dict[NaturalKey, list[Live]] = {}
        for integration in integrations:
            by_key.setdefault(integration_key(integration), []).append(integration)
        for row in mappings:
            by_key.setdefault(mapping_key(row), []).append(row)
        return cls(by_id, by_key, definitions, {})


def content_key(
    content: ConfigurationContent | MappingContent, created: Mapping[Address, Live]
) -> NaturalKey | None:
    """Give the natural key a content will have; ``None`` while its configuration is not made."""
    if isinstance(content, ConfigurationContent):
        return (content.destination.casefold(), content.entity_type.casefold(), content.name)
    linked: str = ""
    if isinstance(content.link, LinkById):
        linked = content.link.id
    elif isinstance(content.link, LinkByAddress):
        if content.link.address not in created:
            return None
        linked = IntegrationId(created[content.link.address].id)
    return (content.system, content.table, content.entity, content.m3ter_id, linked)


def _chains(changes: Iterable[Change]) -> dict[Address, list[Change]]:
    chains: dict[Address, list[Change]] = {}
    for change in changes:
        if not isinstance(change, Keep | Ignore):
            chains.setdefault(change.address, []).append(change)
    return chains


def _meet(
    address: Address, chain: Sequence[Change], known: _Known
) -> tuple[Live | None, int] | Moved:
    if isinstance(chain[0], Create):
        return _meet_new(address, chain, known)
    planned = next(reference for change in chain if (reference := _reference(change)) is not None)
    live = known.by_id.get(planned.id)
    if live is None:
        if any(isinstance(change, Delete) for change in chain):
            return None, len(chain)
        return Moved(address, "is gone from m3ter")
    if live_hash(live) == planned.hash:
        return live, 0
    finished = _finished(chain, live, known)
    return (live, finished) if finished else _moved(address, live)


def _meet_new(
    address: Address, chain: Sequence[Change], known: _Known
) -> tuple[Live | None, int] | Moved:
    create = chain[0]
    assert isinstance(create, Create)
    key = content_key(create.content, known.met) if create.content is not None else None
    same = known.by_key.get(key, ()) if key is not None else ()
    if not same:
        return None, 0
    if len(same) > 1:
        return Moved(address, f"exists {len(same)} times in m3ter")
    finished = _finished(chain, same[0], known)
    return (same[0], finished) if finished else _moved(address, same[0], "appeared in m3ter, made")


def _finished(chain: Sequence[Change], live: Live, known: _Known) -> int:
    """Count the changes after which the object would be as it is; 0 when none."""
    for number in range(len(chain), 0, -1):
        if _reached(chain, number - 1, live, known):
            return number
    return 0


def _reached(chain: Sequence[Change], index: int, live: Live, known: _Known) -> bool:
    change = chain[index]
    if isinstance(change, Enable):
        return _enabled(chain, index, live, known)
    return not isinstance(change, Adopt | Delete) and _same(change, live, known)


def _enabled(chain: Sequence[Change], index: int, live: Live, known: _Known) -> bool:
    """Tell whether an Enable was done; it has no content, so its neighbours' must be there."""
    if isinstance(live, LiveMapping) or not live.enabled:
        return False
    for change in reversed(chain[:index]):
        if getattr(change, "content", None) is not None:
            return _same(change, live, known)
    for change in chain[index + 1 :]:
        content = getattr(change, "content", None)
        if isinstance(content, ConfigurationContent):
            apart = replace(content, credential_id=live.credential_id)
            return _same_configuration(change, apart, live, known)
    # nothing else is sent, so what else may have changed is not at stake: the next plan shows it
    planned = _reference(chain[index])
    return planned is not None and live.version in {planned.version, planned.version + 1}


def _same(change: Change, live: Live, known: _Known) -> bool:
    """Tell whether a live object already is what a change would make of it."""
    match getattr(change, "content", None), live:
        case ConfigurationContent() as content, LiveIntegration():
            return _same_configuration(change, content, live, known)
        case MappingContent() as content, LiveMapping():
            key = content_key(content, known.met)
            return key == mapping_key(live) and content.external_id == live.external_id
        case _:
            return False


def _same_configuration(
    change: Change, content: ConfigurationContent, live: LiveIntegration, known: _Known
) -> bool:
    sent = replace(
        live,
        name=content.name,
        config_data=content.config_data,
        credential_id=content.credential_id,
    )
    ours = readable(sent, change.address, known.definitions)
    theirs = readable(live, change.address, known.definitions)
    strict = {field.path for field in moved_fields(getattr(change, "fields", ()))}
    return (
        content.destination.casefold() == live.destination.casefold()
        and content.entity_type.casefold() == live.entity_type.casefold()
        and all(
            _same_field(path, ours, theirs, strict=path in strict and change.type != "create")
            for path in {*ours, *theirs} - {ENABLED}
        )
    )


def _same_field(
    path: FieldPath,
    ours: Mapping[FieldPath, Value],
    theirs: Mapping[FieldPath, Value],
    *,
    strict: bool,
) -> bool:
    if path in ours and path in theirs:
        return _equal(ours[path], theirs[path])
    # a server may drop or add keys that nobody models; what the change is about must be there
    return path.startswith(PASSTHROUGH) and not strict


def _equal(ours: Value, theirs: Value) -> bool:
    if isinstance(ours, frozenset) or isinstance(theirs, frozenset):
        return equal(ours, theirs)
    return _loose(ours) == _loose(theirs)


def _reference(change: Change) -> LiveReference | None:
    return None if isinstance(change, Create) else change.live


def _moved(address: Address, live: Live, what: str = "was changed") -> Moved:
    return Moved(address, what, live.audit.modified_by, live.audit.modified_at)


def _loose(value: JsonValue) -> JsonValue:
    """Compare across a server that stores scalars as texts and keeps no order of lists."""
    if isinstance(value, Mapping):
        return {key: _loose(member) for key, member in value.items()}
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return number_text(normal_number(value))
    if isinstance(value, str) or value is None:
        return value
    return sorted(str(_loose(element)) for element in value)
