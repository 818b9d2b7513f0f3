"""What was agreed to: approvals given now, approvals that outlived an earlier plan, late guards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.definitions.model import Effective
from reconciler.errors import IdentityError
from reconciler.plan.apply import Consent
from reconciler.plan.core.guards.approval import approve
from reconciler.plan.core.guards.guards import freeze, plan_age, unsaved
from reconciler.plan.core.guards.policy import Policy, applied_policy, in_force
from reconciler.plan.make_plan import fingerprint, is_empty
from reconciler.plan.model.applied import Already, AppliedRecord, Done, Receipt
from reconciler.plan.model.plan import Approval, GuardHit, Plan


class OtherPlaceError(IdentityError):
    """The plan was made for another place than the environment names now."""

    def __init__(self, plan: Plan, environment: str) -> None:
        super().__init__(
            f"plan {plan.id:.12} was made for another organisation, host or site than environment "
            f"`{environment}` names now.\nNothing was written. Make a new plan and review it."
        )


def consent(
    plan: Plan,
    texts: Iterable[str],
    *,
    effective: Effective,
    head: AppliedRecord | None,
    actor: str,
    now: datetime,
    saved: bool,
) -> Consent:
    """Collect what lets a plan through, and the guards that are known only when applying.

    Args:
        plan: What is to be applied.
        texts: ``GUARD@PLAN`` each.
        effective: The environment as git has it now.
        head: Its approvals still count for equal items, as long as its plan is not carried out.
        actor: Who applies.
        now: The time.
        saved: Whether the plan was saved and could be reviewed.

    Raises:
        ApprovalRefusedError: When a text names no guard of this plan.
        OtherPlaceError: When the environment points elsewhere now.
    """
    if fingerprint(effective) != plan.body.fingerprint:
        raise OtherPlaceError(plan, effective.environment.name)
    at = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    late = () if is_empty(plan) else tuple(_late(plan, effective, head, now, saved=saved))
    held = replace(plan, body=replace(plan.body, hits=(*plan.body.hits, *late)))
    given = tuple(approve(held, text, by=actor, at=at) for text in texts)
    return Consent(actor, (*given, *_earlier(plan, head)), late_hits=late)


def _earlier(plan: Plan, head: AppliedRecord | None) -> Iterable[Approval]:
    """Give approvals of a plan that was not carried out to its end; done with it, they are spent.

    The same edit in the Console a month later is another one, and needs another approval.
    """
    if head is None or (head.receipt is not None and _complete(head.receipt)):
        return ()
    items = {(one.guard, one.digest) for one in plan.body.hits}
    return (
        one for one in head.approvals if any((one.guard, digest) in items for digest in one.digests)
    )


def _complete(receipt: Receipt) -> bool:
    return all(isinstance(one.outcome, Done | Already) for one in receipt.outcomes)


def _late(
    plan: Plan, effective: Effective, head: AppliedRecord | None, now: datetime, *, saved: bool
) -> Iterable[GuardHit]:
    applied = applied_policy(head.definitions) if head else None
    judging = in_force(applied, Policy.wanted(effective))
    yield from freeze(judging.environment.freeze, now)
    limit = judging.project.guards.max_plan_age
    yield from plan_age(plan.id, plan.head.created_at, limit, now)
    if judging.environment.protected and not saved:
        yield unsaved(effective.environment.name)
