"""After an apply: which live object each address is, and the base that the next merge starts from.

The base of a field is a pair: what was sent, and what was read back. Only changes that were done
move it; of an object that was merely adopted, only fields that were equal get one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from reconciler.core.comparable import (
    ENABLED,
    EXTERNAL_ID,
    KEY,
    Fields,
    live_fields,
    live_hash,
    mapping_key,
)
from reconciler.core.merge import held
from reconciler.core.modelled import settings_of
from reconciler.domain.address import Address, LiveId
from reconciler.domain.applied import Already, BaseField, Binding, Done, Receipt
from reconciler.domain.change import (
    Adopt,
    Change,
    Connect,
    Create,
    Delete,
    Disconnect,
    Enable,
    FieldChange,
    Ignore,
    Keep,
    Update,
)
from reconciler.domain.kinds.dialect import DialectSpec
from reconciler.domain.live import LiveIntegration, LiveMapping
from reconciler.domain.plan import Plan
from reconciler.domain.value import ABSENT, JsonObject, JsonValue


def bindings_after(
    plan: Plan,
    before: Iterable[Binding],
    receipt: Receipt,
    live: Mapping[Address, LiveIntegration | LiveMapping],
) -> tuple[Binding, ...]:
    """Give all bindings after an apply, sorted by address.

    Args:
        plan: What was applied.
        before: Bindings of the record before.
        receipt: What became of each change.
        live: The newest known object of every touched address that has one.
    """
    after = {one.address: one for one in before}
    done = {one.change for one in receipt.outcomes if isinstance(one.outcome, Done | Already)}
    protected = _protected(plan.body.definitions)
    for address, changes in _by_address(plan.body.changes).items():
        made = [change for change in changes if change.id in done]
        if not made:
            continue
        if any(_ends(change) for change in made):
            after.pop(address, None)
        elif (there := live.get(address)) is not None:
            known = after.get(address)
            fields = _fields(made, known, _read(there, plan.body.definitions))
            protect = address in protected
            after[address] = Binding(
                address, LiveId(there.id), there.version, live_hash(there), fields, protect
            )
    return tuple(after[address] for address in sorted(after))


def _by_address(changes: Iterable[Change]) -> dict[Address, list[Change]]:
    found: dict[Address, list[Change]] = {}
    for change in changes:
        if not isinstance(change, Ignore):
            found.setdefault(change.address, []).append(change)
    return found


def _ends(change: Change) -> bool:
    return isinstance(change, Delete) or (isinstance(change, Keep) and change.released)


def _fields(made: Sequence[Change], known: Binding | None, read: Fields) -> tuple[BaseField, ...]:
    bases = {one.path: one for one in known.fields} if known else {}
    for change in made:
        for field in _settled(change):
            if field.desired is None and field.path not in read:
                bases.pop(field.path, None)
            else:
                found = held(read.get(field.path, ABSENT))
                bases[field.path] = BaseField(field.path, field.desired, found)
    return tuple(bases[path] for path in sorted(bases))


def _settled(change: Change) -> tuple[FieldChange, ...]:
    """Give the fields that a change which was done has made as git wants them."""
    match change:
        case Adopt():
            return tuple(one for one in change.fields if one.verdict == "same")
        case Create() | Update() | Connect() | Disconnect():
            return tuple(
                one for one in change.fields if one.verdict != "unmanaged" and one.path != ENABLED
            )
        case Enable() | Delete() | Keep() | Ignore():
            return ()
        case _:
            assert_never(change)


def _read(live: LiveIntegration | LiveMapping, definitions: JsonObject) -> Fields:
    if isinstance(live, LiveMapping):
        return {EXTERNAL_ID: live.external_id, KEY: list(mapping_key(live))}
    dialect = _dialect(live, definitions)
    settings = settings_of(dialect.destination if dialect else live.destination)
    return live_fields(live, settings, dialect)


def _dialect(live: LiveIntegration, definitions: JsonObject) -> DialectSpec | None:
    for spec in _specs(definitions, "Dialect").values():
        dialect = DialectSpec.model_validate(spec)
        names = (dialect.wire_names.destination, dialect.wire_names.entity_type)
        if (live.destination.casefold(), live.entity_type.casefold()) == tuple(
            one.casefold() for one in names
        ):
            return dialect
    return None


def _protected(definitions: JsonObject) -> frozenset[Address]:
    return frozenset(
        Address("integration", name)
        for name, spec in _specs(definitions, "Integration").items()
        if isinstance(spec, Mapping) and spec.get("protect") is True
    )


def _specs(definitions: JsonObject, kind: str) -> Mapping[str, JsonValue]:
    found = definitions.get(kind)
    return found if isinstance(found, Mapping) else {}
