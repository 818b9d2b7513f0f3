"""After an apply: which live object each address is, and the base that the next merge starts from.

The base of a field is a pair: what was sent, and what was read back. Only changes that were done
move it; of an object that was merely adopted, only fields that were equal get one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from reconciler.definitions.core.as_data import integration_of, voice_of
from reconciler.kernel.address import Address, FieldPath, LiveId
from reconciler.kernel.value import ABSENT, JsonObject
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.plan.core.comparable import (
    CONNECTION,
    ENABLED,
    EXTERNAL_ID,
    KEY,
    PASSTHROUGH,
    Fields,
    live_fields,
    live_hash,
    mapping_key,
)
from reconciler.plan.core.identity import aside
from reconciler.plan.core.merge import as_stored
from reconciler.plan.model.applied import Already, BaseField, Binding, Done, Receipt
from reconciler.plan.model.change import (
    Adopt,
    Change,
    Connect,
    Create,
    Delete,
    Disconnect,
    Enable,
    Ignore,
    Keep,
    Update,
)
from reconciler.plan.model.plan import Plan

Live = LiveIntegration | LiveMapping
Sends = Create | Update | Enable | Connect | Disconnect
Binds = Adopt | Sends


def bindings_after(
    plan: Plan,
    before: Iterable[Binding],
    receipt: Receipt,
    live: Mapping[Address, Live],
) -> tuple[Binding, ...]:
    """Give all bindings after an apply, sorted by address.

    Args:
        plan: What was applied.
        before: Bindings of the record before.
        receipt: What became of each change.
        live: The newest known object of every touched address that has one.
    """
    done = {
        outcome.change
        for outcome in receipt.outcomes
        if isinstance(outcome.outcome, Done | Already)
    }
    bound = _Bound({sign.address: sign for sign in before})
    going = {change.live.id for change in plan.body.changes if isinstance(change, Delete)}
    for change in plan.body.changes:
        if change.id in done:
            _follow(change, bound, live.get(change.address), going, plan.body.definitions)
    return tuple(
        _protected(bound.by_address[address], plan.body.definitions)
        for address in sorted(bound.by_address)
    )


def readable(live: Live, address: Address, definitions: JsonObject) -> Fields:
    """Bring a live object into comparable form, as its rendered definition says."""
    if isinstance(live, LiveMapping):
        return {EXTERNAL_ID: live.external_id, KEY: list(mapping_key(live))}
    spec = integration_of(definitions, address)
    if spec is None:
        return live_fields(live, (), None)
    settings, dialect = voice_of(definitions, spec)
    return live_fields(live, settings, dialect)


def _follow(
    change: Change,
    bound: _Bound,
    live: Live | None,
    going: Collection[LiveId],
    definitions: JsonObject,
) -> None:
    """Bring the bindings to where a change that was done leaves them."""
    match change:
        case Keep(released=True):
            bound.by_address.pop(change.address, None)
        case Keep() | Ignore():
            pass
        case Delete():
            bound.forget(change.live.id)
        case _ if live is not None:
            bound.bind(_bound_by(change, live, bound, definitions), going)
        case _:
            pass


class _Bound:
    """Bindings by address, each object bound once."""

    def __init__(self, by_address: dict[Address, Binding]) -> None:
        self.by_address = by_address
        self._addresses = {binding.id: address for address, binding in by_address.items()}

    def of(self, identity: LiveId) -> Binding | None:
        """Give the binding of a live object, under whatever address."""
        address = self._addresses.get(identity)
        return None if address is None else self.by_address.get(address)

    def forget(self, identity: LiveId) -> None:
        """End the binding of a live object."""
        address = self._addresses.pop(identity, None)
        if address is not None:
            self.by_address.pop(address, None)

    def bind(self, binding: Binding, going: Collection[LiveId]) -> None:
        """Bind an object; what the address held before is remembered until it is deleted."""
        self.forget(binding.id)
        before = self.by_address.get(binding.address)
        if before is not None and before.id in going:
            address = aside(before)
            self.by_address[address] = replace(before, address=address)
            self._addresses[before.id] = address
        self.by_address[binding.address] = binding
        self._addresses[binding.id] = binding.address


def _bound_by(change: Binds, live: Live, bound: _Bound, definitions: JsonObject) -> Binding:
    """Give the binding that a change leaves, from the object read back after it."""
    identity = LiveId(live.id)
    former = bound.of(identity)
    if isinstance(change, Adopt):
        fields = _adopted(change, former)
    else:
        fields = _sent(change, former, readable(live, change.address, definitions))
    return Binding(change.address, identity, live.version, live_hash(live), fields)


def _adopted(change: Adopt, former: Binding | None) -> tuple[BaseField, ...]:
    """Store a base for equal fields only; of a renamed object the others keep theirs."""
    bases = {field.path: field for field in former.fields} if former else {}
    for field in change.fields:
        if field.verdict in {"same", "both"}:
            bases[field.path] = BaseField(field.path, field.desired, field.live)
    return _lasting(bases)


def _sent(change: Sends, former: Binding | None, fields: Fields) -> tuple[BaseField, ...]:
    """Store what was sent and what is read back, also where only m3ter has a value now."""
    bases = {field.path: field for field in former.fields} if former else {}
    sent = {field.path: field.desired for field in change.fields if field.verdict != "unmanaged"}
    for path, desired in sent.items():
        bases[path] = BaseField(path, desired, as_stored(fields.get(path, ABSENT)))
    if isinstance(change, Create | Update):
        ours = {
            field for field in fields if field != CONNECTION and not field.startswith(PASSTHROUGH)
        }
        for path in ours - set(bases):
            bases[path] = BaseField(path, None, as_stored(fields[path]))
    return _lasting(bases)


def _lasting(bases: Mapping[FieldPath, BaseField]) -> tuple[BaseField, ...]:
    """Forget fields that nobody has any more, and passed-through keys that left git."""
    return tuple(
        bases[path]
        for path in sorted(bases)
        if path != ENABLED and not (path.startswith(PASSTHROUGH) and bases[path].sent is None)
    )


def _protected(binding: Binding, definitions: JsonObject) -> Binding:
    """Remember protection for the time when git no longer has the object."""
    if binding.address.kind != "integration":
        return binding
    spec = integration_of(definitions, binding.address)
    return binding if spec is None else replace(binding, protect=spec.protect)
