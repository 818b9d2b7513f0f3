"""Decisions about a difference that need no write to m3ter: the base moves, and so the verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.errors import InvalidError
from reconciler.kernel.address import Address, FieldPath
from reconciler.kernel.value import ABSENT
from reconciler.plan.core.bindings import Live, readable
from reconciler.plan.core.comparable import ENABLED, PASSTHROUGH
from reconciler.plan.core.merge import as_stored
from reconciler.plan.model.applied import AppliedRecord, BaseField


class NotBoundError(InvalidError):
    """An address was never applied or adopted, so it has no base to decide about."""

    def __init__(self, address: Address) -> None:
        super().__init__(
            f"{address} is not bound to an object in m3ter.\nNothing was changed. "
            f"Take it over first: `reconciler adopt {address}`."
        )


class NoSuchFieldError(InvalidError):
    """An object has no field of that path."""

    def __init__(self, address: Address, path: FieldPath) -> None:
        super().__init__(
            f"{address} has no field `{path}`, neither in the last apply nor in m3ter.\n"
            "Nothing was changed. `reconciler drift` lists the fields that differ."
        )


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Who made a record, when (ISO 8601, UTC), and by which command."""

    actor: str
    at: str
    action: str


def move_base(
    previous: AppliedRecord,
    address: Address,
    path: FieldPath | None,
    live: Live,
    signature: SignedBy,
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
    binding = next((former for former in previous.bindings if former.address == address), None)
    if binding is None:
        raise NotBoundError(address)
    values = readable(live, address, previous.definitions)
    bases = {field.path: field for field in binding.fields}
    modelled = {value for value in values if value != ENABLED and not value.startswith(PASSTHROUGH)}
    known = set(bases) | modelled
    if path is not None and path not in known and path not in values:
        raise NoSuchFieldError(address, path)
    for field_path in sorted(known) if path is None else [path]:
        now, base = as_stored(values.get(field_path, ABSENT)), bases.get(field_path)
        if path is not None or base is None or base.read != now:
            bases[field_path] = BaseField(field_path, now, now)
    decided = replace(binding, fields=tuple(bases[field_path] for field_path in sorted(bases)))
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
        bindings=tuple(
            decided if former.address == address else former for former in previous.bindings
        ),
    )
