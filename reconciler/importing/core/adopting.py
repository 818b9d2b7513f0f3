"""A live object taken over under an address of git: its binding, and the record that says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.errors import InvalidError
from reconciler.importing.core.move_base import SignedBy
from reconciler.kernel.address import Address, LiveId
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.plan.core.bindings import Live
from reconciler.plan.core.comparable import ENABLED, PASSTHROUGH, live_hash
from reconciler.plan.model.applied import AppliedRecord, BaseField, Binding
from reconciler.plan.model.change import Adopt
from reconciler.plan.model.plan import Fingerprint, References


class TakenError(InvalidError):
    """The live object is managed under another address."""

    def __init__(self, identity: LiveId, address: Address, holder: Address) -> None:
        super().__init__(
            f"{identity} is {holder} already, so it cannot be {address} too.\n"
            f"Nothing was changed. To move it, remove {holder} from git and plan."
        )


class NoCandidateError(InvalidError):
    """There is no live object to take over."""

    def __init__(self, address: Address, identity: str) -> None:
        what = f"no object {identity}" if identity else f"nothing that could be {address}"
        super().__init__(
            f"m3ter has {what}.\nNothing was changed. `reconciler apply` creates what is missing; "
            "`--id` names an object that bears another name."
        )


@dataclass(frozen=True, slots=True)
class FirstRecord:
    """What surrounds a first record, where there is none to start from."""

    environment: str
    fingerprint: Fingerprint
    commit: str
    definitions: JsonObject
    references: References


def binding_of(adoption: Adopt, live: Live, *, protect: bool) -> Binding:
    """Bind an object; only fields that are equal get a base, the others wait for a decision."""
    bases = tuple(
        BaseField(field.path, field.desired, field.live)
        for field in sorted(adoption.fields, key=lambda field: field.path)
        if field.verdict in {"same", "both"}
        and field.path != ENABLED
        and not (field.path.startswith(PASSTHROUGH) and field.desired is None)
    )
    return Binding(adoption.address, LiveId(live.id), live.version, live_hash(live), bases, protect)


def with_bindings(
    head: AppliedRecord | None,
    new: Iterable[Binding],
    setting: FirstRecord,
    signature: SignedBy,
) -> AppliedRecord:
    """Give the record that binds objects; of git it holds what it held, and what they need.

    Raises:
        TakenError: When an object is bound to another address.
    """
    bound = {binding.address: binding for binding in head.bindings} if head else {}
    for binding in new:
        for holder in bound.values():
            if holder.id == binding.id and holder.address != binding.address:
                raise TakenError(binding.id, binding.address, holder.address)
        bound[binding.address] = binding
    record = head or _first(setting)
    return replace(
        record,
        sequence=head.sequence + 1 if head else 1,
        previous=head.id if head else None,
        id=None,
        at=signature.at,
        actor=signature.actor,
        action=signature.action,
        plan=None,
        receipt=None,
        approvals=(),
        definitions=_defined(record.definitions, setting.definitions, bound),
        bindings=tuple(bound[address] for address in sorted(bound)),
    )


def _first(setting: FirstRecord) -> AppliedRecord:
    return AppliedRecord(
        environment=setting.environment,
        sequence=1,
        previous=None,
        at="",
        actor="",
        action="",
        fingerprint=setting.fingerprint,
        source_commit=setting.commit,
        plan=None,
        definitions={},
        references=setting.references,
        bindings=(),
        receipt=None,
        approvals=(),
    )


def _defined(
    before: JsonObject, wanted: JsonObject, bound: Mapping[Address, Binding]
) -> JsonObject:
    """Add the definitions that bound integrations are read with; those applied stay as they are."""
    names = {address.name for address in bound if address.kind == "integration"}
    added: dict[str, JsonValue] = {}
    for kind, found in wanted.items():
        former = before.get(kind)
        known = former if isinstance(former, Mapping) else {}
        listed = found if isinstance(found, Mapping) else {}
        needed = names if kind == "Integration" else set() if kind == "MappingSet" else set(listed)
        fresh = {
            name: value for name, value in listed.items() if name in needed and name not in known
        }
        added[kind] = {**known, **fresh}
    return {**before, **added}
