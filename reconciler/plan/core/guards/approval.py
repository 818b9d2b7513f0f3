"""Guard hits and their approvals: both name items by a digest that outlives the plan."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, get_args

from reconciler.definitions.kinds.project import GuardName
from reconciler.errors import HeldError, InvalidError
from reconciler.kernel.address import Address, FieldPath
from reconciler.kernel.exact_json import as_json, digest
from reconciler.kernel.value import JsonValue
from reconciler.plan.model.change import FieldChange, FieldValue
from reconciler.plan.model.plan import Approval, GuardHit, ItemDigest, Plan

Needs = Literal["approval", "confirmation", "remedy"]


class ApprovalRefusedError(InvalidError):
    """An approval does not name a guard of this plan."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(
            f"the approval `{text}` counts for nothing: {reason}.\nNothing was written. "
            "Write `--approve GUARD@PLAN` with a guard that the plan names, and at least the "
            f"first {_SHORTEST} digits of its id."
        )


class NeedsApprovalError(HeldError):
    """A plan has guard hits that nobody approved."""

    def __init__(self, plan: str, missing: Iterable[GuardHit]) -> None:
        hits = tuple(missing)
        lines = "\n".join(f"  {hit.guard}: {hit.message}" for hit in hits)
        guards = sorted({hit.guard for hit in hits if hit.needs != "remedy"})
        approve = " ".join(f"--approve {guard}@{plan[:_SHORTEST]}" for guard in guards)
        asked = "--yes, or " if all(hit.needs == "confirmation" for hit in hits) else ""
        ending = f"To go on: {asked}{approve}" if guards else "No approval lifts these."
        super().__init__(
            f"plan {plan[:_SHORTEST]} is held:\n{lines}\nNothing was written. {ending}"
        )
        self.missing = hits


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


_SHORTEST: Final = 12
_FORM: Final = re.compile(r"([a-z-]+)@([0-9a-f]{12,64})")


def approve(plan: Plan, text: str, *, by: str, at: str) -> Approval:
    """Approve every item of one guard of a plan.

    Args:
        plan: What was reviewed.
        text: ``GUARD@PLANID``; at least 12 digits of the id.
        by: Who approves.
        at: When, ISO 8601.

    Raises:
        ApprovalRefusedError: When the text names another plan, or a guard without items.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ApprovalRefusedError(text, "it is not of that form")
    guard, prefix = found.groups()
    if not plan.id.startswith(prefix):
        raise ApprovalRefusedError(text, f"this plan is {plan.id[:_SHORTEST]}")
    items = tuple(hit for hit in plan.body.hits if hit.guard == guard and hit.needs != "remedy")
    known: GuardName | None = next((arg for arg in get_args(GuardName) if arg == guard), None)
    if known is None or not items:
        raise ApprovalRefusedError(text, f"guard `{guard}` holds nothing that can be approved")
    return Approval(known, plan.id, tuple(hit.digest for hit in items), by, at)


def uncovered(
    hits: Iterable[GuardHit], approvals: Iterable[Approval], *, confirmed: bool
) -> tuple[GuardHit, ...]:
    """Give the hits that still stop the plan.

    Args:
        hits: Of the plan, and those known only when applying.
        approvals: Given to this plan, or to an earlier one with equal items.
        confirmed: Whether a person on a terminal, or ``--yes``, said yes.
    """
    given = {(approval.guard, digest) for approval in approvals for digest in approval.digests}
    return tuple(
        hit
        for hit in hits
        if hit.needs == "remedy"
        or not ((hit.guard, hit.digest) in given or (confirmed and hit.needs == "confirmation"))
    )
