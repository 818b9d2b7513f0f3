"""Reviews -> consents: who agreed to which items of which plan, and what counts for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.definitions.kinds.project import GuardName
from reconciler.kernel.address import PlanId
from reconciler.kernel.runbook import Page, page
from reconciler.plan.model.plan import GuardHit
from reconciler.review.core.approval_lines import ApprovalLine, Lines, lines_of
from reconciler.review.model.pull_request import Login, Review
from reconciler.review.model.sealed import (
    Reviewed,
    SealedPlan,
    ShortDigest,
    ShortPlan,
    short,
    short_plan,
)

_WITHDRAWN: Final = (
    "a later review of this person asked for changes, was dismissed or was edited, which takes "
    "back what they approved before"
)


@dataclass(frozen=True, slots=True)
class Consented:
    """One person agreed to items of one plan.

    Attributes:
        guard: ``None`` for a forge's own Approve, which names no guard.
        address: Empty for every item.
        digests: All items that the plan had.
    """

    by: Login
    guard: GuardName | None
    address: str
    field: str
    digests: frozenset[ShortDigest]
    plan: PlanId
    at: str
    url: str
    reason: str

    def covers(self, hit: GuardHit) -> bool:
        """Tell whether the named plan had this very item, and this names it."""
        return (
            short(hit.digest) in self.digests
            and self.guard in {None, hit.guard}
            and (not self.address or (self.address, self.field) == (str(hit.address), hit.field))
        )


@dataclass(frozen=True, slots=True)
class Uncounted:
    """Something that looks like an approval and is none."""

    by: Login
    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What the reviews of a pull request come to."""

    consents: tuple[Consented, ...]
    uncounted: tuple[Uncounted, ...]


def heard(reviewed: Reviewed, excluded: frozenset[Login]) -> Heard:
    """Read every review, oldest first; the last word of a person holds.

    Args:
        reviewed: The pull request.
        excluded: People who never count here: whoever wrote what is to be approved.
    """
    consents: list[Consented] = []
    uncounted: list[Uncounted] = []
    for review in sorted(reviewed.reviews, key=lambda review: (review.at, review.id)):
        lines = lines_of(review.words)
        if why := _never(review, excluded):
            if review.kind == "approved" or lines.lines:
                uncounted.append(Uncounted(review.author, review.url, why))
        elif why := _withdraws(review):
            said = any(consent.by == review.author for consent in consents)
            consents = [consent for consent in consents if consent.by != review.author]
            if said or review.is_edited:
                uncounted.append(Uncounted(review.author, review.url, why))
        else:
            consents = _after(consents, review, lines, reviewed, uncounted)
    return Heard(tuple(consents), tuple(uncounted))


def _never(review: Review, excluded: frozenset[Login]) -> str:
    if not review.is_person:
        return "bots, apps and accounts that are gone never approve"
    if review.author in excluded:
        return "authors and committers never approve what they wrote"
    return ""


def _withdraws(review: Review) -> str:
    """Say why a review takes back what its author approved before, or nothing.

    A dismissed review may have asked for changes, and an edited one may have revoked: nobody but
    its author may undo that, so both count as a withdrawal.
    """
    if review.kind in {"dismissed", "changes-requested"}:
        return _WITHDRAWN
    if review.is_edited:
        return "the review was edited after it was submitted; submit a new one"
    return ""


def _after(
    consents: Iterable[Consented],
    review: Review,
    lines: Lines,
    reviewed: Reviewed,
    uncounted: list[Uncounted],
) -> list[Consented]:
    uncounted += [Uncounted(review.author, review.url, why) for why in lines.unread]
    consenteds = list(consents)
    for line in lines.lines:
        if not line.is_approval:
            consenteds = [
                consent for consent in consenteds if not _revoked(consent, review.author, line)
            ]
            continue
        plan, why = _named_plan(line, review, reviewed)
        if plan is None:
            uncounted.append(Uncounted(review.author, review.url, why))
        else:
            consenteds.append(_consented(review, plan, line))
    if review.kind == "approved":
        plan = _newest_plan(review, reviewed)
        if plan is not None:
            consenteds.append(_consented(review, plan, None))
    return consenteds


def _revoked(consent: Consented, author: Login, line: ApprovalLine) -> bool:
    """Tell whether a revocation takes a consent away: all of its guard, in whatever plan."""
    return consent.by == author and consent.guard in {None, line.guard}


def _consented(review: Review, plan: SealedPlan, line: ApprovalLine | None) -> Consented:
    return Consented(
        by=review.author,
        guard=line.guard if line else None,
        address=line.address if line else "",
        field=line.field if line else "",
        digests=plan.digests,
        plan=plan.plan,
        at=review.at,
        url=review.url,
        reason=line.reason if line else "",
    )


def _posted_on(review: Review, reviewed: Reviewed) -> list[ShortPlan]:
    """Name the plans that stood at the reviewed commit before the review, oldest first."""
    before = [
        posted
        for posted in reviewed.posted
        if posted.commit == review.commit and posted.at <= review.at
    ]
    return [posted.plan for posted in sorted(before, key=lambda posted: posted.at)]


def _named_plan(
    line: ApprovalLine, review: Review, reviewed: Reviewed
) -> tuple[SealedPlan | None, str]:
    """Find the one plan that a line names.

    Plans whose block was taken away are still candidates, by the status that named them: else
    taking one away could give a line another meaning.
    """
    plans = {plan.plan: plan for plan in reviewed.sealed}
    whole = {short_plan(plan): plan for plan in plans}
    named: set[str] = {
        *plans,
        *reviewed.damaged,
        *(posted for posted in _posted_on(review, reviewed) if posted not in whole),
    }
    fitting = sorted(plan for plan in named if _fits(line.plan, plan))
    if not fitting:
        return None, f"no plan `{line.plan:.12}` was posted here"
    if len(fitting) > 1:
        return None, f"`{line.plan}` fits {len(fitting)} plans; write more digits"
    plan = plans.get(PlanId(fitting[0]))
    if plan is None:
        where = page(Page.BROKEN_SEAL)
        return None, f"the sealed block of plan `{line.plan:.12}` was changed or removed: {where}"
    return plan, ""


def _fits(prefix: str, plan: str) -> bool:
    return plan.startswith(prefix) or prefix.startswith(plan)


def _newest_plan(review: Review, reviewed: Reviewed) -> SealedPlan | None:
    """Find the plan that stood there when someone clicked Approve.

    The statuses, which nobody can take back, and the seals, which nobody can make, must agree.
    """
    posted = _posted_on(review, reviewed)
    sealed = [
        plan for plan in reviewed.sealed if plan.head == review.commit and plan.at <= review.at
    ]
    if not posted or not sealed:
        return None
    newest = max(sealed, key=lambda plan: plan.at)
    if not set(posted) <= {short_plan(plan.plan) for plan in sealed}:
        return None
    return newest if short_plan(newest.plan) == posted[-1] else None
