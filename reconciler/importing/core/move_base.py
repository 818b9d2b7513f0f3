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
    binding = next((one for one in previous.bindings if one.address == address), None)
    if binding is None:
        raise NotBoundError(address)
    there = readable(live, address, previous.definitions)
    bases = {one.path: one for one in binding.fields}
    modelled = {one for one in there if one != ENABLED and not one.startswith(PASSTHROUGH)}
    known = set(bases) | modelled
    if path is not None and path not in known and path not in there:
        raise NoSuchFieldError(address, path)
    for one in sorted(known) if path is None else [path]:
        now, base = as_stored(there.get(one, ABSENT)), bases.get(one)
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
