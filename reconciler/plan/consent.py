"""What was agreed to: approvals given now, and the guards that are known only when applying."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.definitions.model import Effective
from reconciler.errors import HeldError, IdentityError
from reconciler.plan.apply import Consent
from reconciler.plan.core.break_glass import BREAK_GLASS
from reconciler.plan.core.guards.approval import approve
from reconciler.plan.core.guards.guards import freeze, plan_age, unsaved
from reconciler.plan.core.guards.policy import Policy, applied_policy, in_force
from reconciler.plan.make_plan import fingerprint, is_empty
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.plan import GuardHit, Plan


class OtherPlaceError(IdentityError):
    """The plan was made for another place than the environment names now."""

    def __init__(self, plan: Plan, environment: str) -> None:
        super().__init__(
            f"plan {plan.id:.12} was made for another organisation, host or site than environment "
            f"`{environment}` names now.\nNothing was written. Make a new plan and review it."
        )


class ReviewNeededError(HeldError):
    """Approvals of a protected environment come from reviews, not from whoever types them."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(
            f"plan {plan.id:.12} is for `{plan.body.environment}`, which is protected and names "
            "its approvers: they approve in a review of the pull request, not here.\n"
            "Nothing was written. In an emergency add `--break-glass --reason TEXT`: it is "
            "recorded, and `reconciler status` shows it for 30 days."
        )


def consent(
    plan: Plan,
    texts: Sequence[str],
    *,
    effective: Effective,
    head: AppliedRecord | None,
    actor: str,
    now: datetime,
    saved: bool,
    break_glass: str = "",
) -> Consent:
    """Collect what lets a plan through, and the guards that are known only when applying.

    Args:
        plan: What is to be applied.
        texts: ``GUARD@PLAN`` each.
        effective: The environment as git has it now.
        head: What was applied before: its rules judge this plan.
        actor: Who applies.
        now: The time.
        saved: Whether the plan was saved and could be reviewed.
        break_glass: Why approvals are given without a review, where they need one.

    Raises:
        ReviewNeededError: When approvals of this environment come from reviews.
        ApprovalRefusedError: When a text names no guard of this plan.
        OtherPlaceError: When the environment points elsewhere now.
    """
    if fingerprint(effective) != plan.body.fingerprint:
        raise OtherPlaceError(plan, effective.environment.name)
    at = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    late = () if is_empty(plan) else tuple(_late(plan, effective, head, now, saved=saved))
    held = replace(plan, body=replace(plan.body, hits=(*plan.body.hits, *late)))
    if texts and not break_glass and _wants_reviews(effective, head):
        raise ReviewNeededError(plan)
    approvals = tuple(approve(held, text, by=actor, at=at) for text in texts)
    if break_glass:
        approvals = tuple(
            replace(approval, forge=BREAK_GLASS, reason=break_glass) for approval in approvals
        )
    return Consent(actor, approvals, late_hits=late)


def _wants_reviews(effective: Effective, head: AppliedRecord | None) -> bool:
    judging = _judging(effective, head)
    project = judging.project
    return (
        judging.environment.protected
        and bool(project.approvers)
        and project.state.backend == "git-branch"
    )


def _judging(effective: Effective, head: AppliedRecord | None) -> Policy:
    applied = applied_policy(head.definitions) if head else None
    return in_force(applied, Policy.wanted(effective))


def _late(
    plan: Plan, effective: Effective, head: AppliedRecord | None, now: datetime, *, saved: bool
) -> Iterable[GuardHit]:
    judging = _judging(effective, head)
    # as in the plan: a freeze is about what is sent to m3ter
    if any(change.type not in {"adopt", "keep", "ignore"} for change in plan.body.changes):
        yield from freeze(judging.environment.freeze, now)
    limit = judging.project.guards.max_plan_age
    yield from plan_age(plan.id, plan.head.created_at, limit, now)
    if judging.environment.protected and not saved:
        yield unsaved(effective.environment.name)
