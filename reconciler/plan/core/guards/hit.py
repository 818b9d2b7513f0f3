"""One guard hit and its item digest, which an approval names and which outlives the plan."""

from __future__ import annotations

from typing import Literal

from reconciler.definitions.kinds.project import GuardName
from reconciler.kernel.address import Address, FieldPath
from reconciler.kernel.as_json import as_json
from reconciler.kernel.exact_json import digest
from reconciler.kernel.value import JsonValue
from reconciler.plan.model.change import FieldChange, FieldValue
from reconciler.plan.model.plan import GuardHit, ItemDigest

Needs = Literal["approval", "confirmation", "remedy"]


def hit(
    guard: GuardName,
    message: str,
    *,
    address: Address | None = None,
    field: str = "",
    base: FieldValue | None = None,
    live: FieldValue | None = None,
    desired: FieldValue | None = None,
    needs: Needs = "approval",
) -> GuardHit:
    """Make a hit and name its item."""
    item: dict[str, JsonValue] = {
        "guard": guard,
        "address": str(address) if address else None,
        "field": field,
        "base": as_json(base),
        "live": as_json(live),
        "desired": as_json(desired),
    }
    return GuardHit(
        guard=guard,
        address=address,
        field=FieldPath(field),
        base=base,
        live=live,
        desired=desired,
        message=message,
        digest=ItemDigest(digest(item)),
        needs=needs,
    )


def field_hit(
    guard: GuardName, message: str, address: Address, change: FieldChange, needs: Needs
) -> GuardHit:
    """Make a hit about one field."""
    return hit(
        guard,
        message,
        address=address,
        field=change.path,
        base=change.base,
        live=change.live,
        desired=change.desired,
        needs=needs,
    )
