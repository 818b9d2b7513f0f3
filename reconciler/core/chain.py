"""The next link of the applied chain: what became of a plan, as bindings and bases."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from reconciler.core.comparable import (
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
from reconciler.core.merge import held
from reconciler.core.rendered import integration_of, voice_of
from reconciler.domain.address import Address, FieldPath, LiveId
from reconciler.domain.applied import (
    Already,
    AppliedRecord,
    BaseField,
    Binding,
    Done,
    Receipt,
)
from reconciler.domain.change import (
    Adopt,
    Connect,
    Create,
    Delete,
    Disconnect,
    Enable,
    Ignore,
    Keep,
    Update,
)
from reconciler.domain.live import LiveIntegration, LiveMapping
from reconciler.domain.plan import Approval, Plan
from reconciler.domain.value import ABSENT, JsonObject
from reconciler.errors import ExitCode, ReconcilerError

Live = LiveIntegration | LiveMapping
Sends = Create | Update | Enable | Connect | Disconnect
Binds = Adopt | Sends


class NotBoundError(ReconcilerError):
    """An address was never applied or adopted, so it has no base to decide about."""

    exit_code = ExitCode.INVALID

    def __init__(self, address: Address) -> None:
        super().__init__(
            f"{address} is not bound to an object in m3ter.\nNothing was changed. "
            f"Take it over first: `reconciler adopt {address}`."
        )


class NoSuchFieldError(ReconcilerError):
    """An object has no field of that path."""

    exit_code = ExitCode.INVALID

    def __init__(self, address: Address, path: FieldPath) -> None:
        super().__init__(
            f"{address} has no field `{path}`, neither in the last apply nor in m3ter.\n"
            "Nothing was changed. `reconciler drift` lists the fields that differ."
        )


@dataclass(frozen=True, slots=True)
class Signature:
    """Who made a record, when (ISO 8601, UTC), and by which command."""

    actor: str
    at: str
    action: str = "apply"


def next_record(
    previous: AppliedRecord | None,
    plan: Plan,
    receipt: Receipt,
    read_back: Mapping[Address, Live],
    *,
    approvals: tuple[Approval, ...],
    signature: Signature,
) -> AppliedRecord:
    """Make the record that follows an apply, complete or not.

    Args:
        previous: The record that the plan was made from.
        plan: What was applied.
        receipt: What became of each change.
        read_back: The live objects after their last successful change, also those that were as
            desired already.
        approvals: Those that let the plan through.
        signature: Who and when.
    """
    done = {one.change for one in receipt.outcomes if isinstance(one.outcome, Done | Already)}
    bound = _Bound({one.address: one for one in previous.bindings} if previous else {})
    going = {one.live.id for one in plan.body.changes if isinstance(one, Delete)}
    for change in plan.body.changes:
        match change:
            case Keep(released=True):
                bound.by_address.pop(change.address, None)
            case Keep() | Ignore():
                pass
            case Delete() if change.id in done:
                bound.forget(change.live.id)
            case Adopt() | Create() | Update() | Enable() | Connect() | Disconnect() if (
                change.id in done and change.address in read_back
            ):
                live = read_back[change.address]
                bound.bind(_bound_by(change, live, bound, plan.body.definitions), going)
            case _:
                pass
    return AppliedRecord(
        environment=plan.body.environment,
        sequence=previous.sequence + 1 if previous else 1,
        previous=previous.id if previous else None,
        at=signature.at,
        actor=signature.actor,
        action=signature.action,
        fingerprint=plan.body.fingerprint,
        source_commit=plan.head.source_commit,
        plan=plan.id,
        definitions=plan.body.definitions,
        references=plan.body.references,
        bindings=tuple(
            _protected(bound.by_address[address], plan.body.definitions)
            for address in sorted(bound.by_address)
        ),
        receipt=receipt,
        approvals=approvals,
    )


def settles(previous: AppliedRecord | None, plan: Plan) -> bool:
    """Tell whether applying a plan is worth a record, even where nothing is sent to m3ter."""
    body = plan.body
    if previous is None or any(not isinstance(one, Ignore | Keep) for one in body.changes):
        return True
    released = any(isinstance(one, Keep) and one.released for one in body.changes)
    return released or previous.definitions != body.definitions


def keep_git(
    previous: AppliedRecord,
    address: Address,
    path: FieldPath | None,
    live: Live,
    signature: Signature,
) -> AppliedRecord:
    """Decide a conflict or drift for git: what m3ter has becomes the base, so git has moved.

    Args:
        previous: The newest record.
        address: The object.
        path: One field; ``None`` for every field that m3ter moved.
        live: The object as it is now.
        signature: Who and when.

    Raises:
        NotBoundError: When the object was never applied or adopted.
        NoSuchFieldError: When nobody knows the field.
    """
    binding = next((one for one in previous.bindings if one.address == address), None)
    if binding is None:
        raise NotBoundError(address)
    there = _readable(live, address, previous.definitions)
    bases = {one.path: one for one in binding.fields}
    known = set(bases) | {one for one in there if not one.startswith(PASSTHROUGH)}
    if path is not None and path not in known and path not in there:
        raise NoSuchFieldError(address, path)
    for one in sorted(known) if path is None else [path]:
        now, base = held(there.get(one, ABSENT)), bases.get(one)
        if path is not None or base is None or base.read != now:
            bases[one] = BaseField(one, now, now)
    decided = replace(binding, fields=tuple(bases[one] for one in sorted(bases)))
    return replace(
        previous,
        sequence=previous.sequence + 1,
        previous=previous.id,
        id=None,
        at=signature.at,
        actor=signature.actor,
        action=signature.action,
        plan=None,
        receipt=None,
        approvals=(),
        bindings=tuple(decided if one.address == address else one for one in previous.bindings),
    )


class _Bound:
    """Bindings by address, each object bound once."""

    def __init__(self, by_address: dict[Address, Binding]) -> None:
        self.by_address = by_address
        self._addresses = {one.id: address for address, one in by_address.items()}

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
            aside = replace(before.address, key=f"{before.address.key} (replaced)")
            self.by_address[aside] = replace(before, address=aside)
            self._addresses[before.id] = aside
        self.by_address[binding.address] = binding
        self._addresses[binding.id] = binding.address


def _bound_by(change: Binds, live: Live, bound: _Bound, definitions: JsonObject) -> Binding:
    """Give the binding that a change leaves, from the object read back after it."""
    identity = LiveId(live.id)
    former = bound.of(identity)
    if isinstance(change, Adopt):
        fields = _adopted(change, former)
    else:
        fields = _sent(change, former, _readable(live, change.address, definitions))
    return Binding(change.address, identity, live.version, live_hash(live), fields)


def _adopted(change: Adopt, former: Binding | None) -> tuple[BaseField, ...]:
    """Store a base for equal fields only; of a renamed object the others keep theirs."""
    bases = {one.path: one for one in former.fields} if former else {}
    for field in change.fields:
        if field.verdict in {"same", "both"}:
            bases[field.path] = BaseField(field.path, field.desired, field.live)
    return _lasting(bases)


def _sent(change: Sends, former: Binding | None, there: Fields) -> tuple[BaseField, ...]:
    """Store what was sent and what is read back, also where only m3ter has a value now."""
    bases = {one.path: one for one in former.fields} if former else {}
    sent = {one.path: one.desired for one in change.fields if one.verdict != "unmanaged"}
    for path, desired in sent.items():
        bases[path] = BaseField(path, desired, held(there.get(path, ABSENT)))
    if isinstance(change, Create | Update):
        ours = {one for one in there if one != CONNECTION and not one.startswith(PASSTHROUGH)}
        for path in ours - set(bases):
            bases[path] = BaseField(path, None, held(there[path]))
    return _lasting(bases)


def _lasting(bases: Mapping[FieldPath, BaseField]) -> tuple[BaseField, ...]:
    """Forget fields that nobody has any more, and passed-through keys that left git."""
    return tuple(
        bases[path]
        for path in sorted(bases)
        if path != ENABLED and not (path.startswith(PASSTHROUGH) and bases[path].sent is None)
    )


def _readable(live: Live, address: Address, definitions: JsonObject) -> Fields:
    """Bring a live object into comparable form, as its definition says."""
    if isinstance(live, LiveMapping):
        return {EXTERNAL_ID: live.external_id, KEY: list(mapping_key(live))}
    spec = integration_of(definitions, address)
    if spec is None:
        return live_fields(live, (), None)
    settings, dialect = voice_of(definitions, spec)
    return live_fields(live, settings, dialect)


def _protected(binding: Binding, definitions: JsonObject) -> Binding:
    """Remember protection for the time when git no longer has the object."""
    if binding.address.kind != "integration":
        return binding
    spec = integration_of(definitions, binding.address)
    return binding if spec is None else replace(binding, protect=spec.protect)
