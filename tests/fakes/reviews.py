"""A pull request on paper: plans that were posted, reviews, and people who meddle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.definitions.kinds.project import Approvers, GuardName
from reconciler.kernel.address import Address, PlanId
from reconciler.kernel.exact_json import digest
from reconciler.kernel.secret import Secret
from reconciler.plan.core.guards.approval import hit
from reconciler.plan.model.change import FieldValue
from reconciler.plan.model.plan import GuardHit
from reconciler.review.core.rules import Members, Rules
from reconciler.review.core.seal import opened, seal
from reconciler.review.model.pull_request import (
    Answer3,
    Commit,
    Login,
    PullRequest,
    Review,
    ReviewKind,
)
from reconciler.review.model.sealed import Posted, Reviewed, SealedPlan, short, short_plan

KEY = Secret("k" * 32)
REPOSITORY = "acme/billing"
ENVIRONMENT = "production"
ANN, EVE, FAY, FRED, BOB, ROBOT = (
    Login(name) for name in ("ann", "eve", "fay", "fred", "bob", "robot")
)
FINANCE = Login("acme/finance")
PULL_REQUEST = PullRequest(
    7, ANN, frozenset({ANN, EVE}), Commit("c" * 40), "main", from_fork=False, url="https://f/7"
)
_IN_FINANCE: dict[Login, Answer3] = {
    FAY: "yes", FRED: "yes", ANN: "yes", BOB: "no", ROBOT: "yes", EVE: "unknown",
}  # fmt: skip
MEMBERS = Members(
    groups={(person, FINANCE): answer for person, answer in _IN_FINANCE.items()},
    writers={BOB: "yes", ANN: "yes", FAY: "no"},
    dismisses="yes",
)


def approvers(**settings: Any) -> Approvers:
    """One rule of a Project."""
    given = {"guards": ["sensitive-field", "drift", "policy"], "github": ["acme/finance"]}
    return Approvers.model_validate({**given, **settings}, strict=False)


def rules(*approving: Approvers) -> Rules:
    """The rules of the applied record."""
    return Rules(approving or (approvers(),), ENVIRONMENT, "github")


def item(guard: GuardName, name: str, value: str = "after") -> GuardHit:
    """One item of a plan."""
    return hit(
        guard,
        f"{name} would be {value}",
        address=Address("integration", name),
        field="chargebee.defaultPriceId",
        base=FieldValue("before"),
        live=FieldValue("before"),
        desired=FieldValue(value),
    )


def plan_id(*items: GuardHit, salt: str = "") -> PlanId:
    """The name of a plan with these items."""
    return PlanId(digest([*(str(hit.digest) for hit in items), salt]))


def commit(number: int) -> Commit:
    """The hash of the nth push."""
    return Commit(f"{number:040x}")


def at(moment: int) -> str:
    """A time, as forges write it."""
    hours, seconds = divmod(moment, 3600)
    return f"2026-12-01T{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}Z"


@dataclass
class Paper:
    """Everything that stands on a forge about one pull request."""

    clock: int = 0
    pushes: int = 1
    reviews: list[Review] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    plans: list[SealedPlan] = field(default_factory=list)

    def tick(self) -> int:
        """Let time pass."""
        self.clock += 10
        return self.clock

    def post(self, *items: GuardHit, skew: int = 0, salt: str = "") -> PlanId:
        """Post a plan of these items at the newest commit."""
        now = self.tick()
        plan = SealedPlan(
            REPOSITORY,
            PULL_REQUEST.number,
            ENVIRONMENT,
            commit(self.pushes),
            plan_id(*items, salt=salt),
            at(now + skew + 100),
            frozenset(short(hit.digest) for hit in items),
        )
        self.plans.append(plan)
        self.posted.append(Posted(short_plan(plan.plan), plan.head, at(now + 100)))
        self.comments += seal(plan, KEY)
        return plan.plan

    def review(
        self, author: Login, words: str = "", kind: ReviewKind = "commented", **about: Any
    ) -> Review:
        """Submit a review of the newest commit."""
        now = self.tick()
        review = Review(
            id=now,
            author=author,
            is_person=author != ROBOT,
            kind=kind,
            at=at(now + 100),
            commit=commit(self.pushes),
            words=words,
            is_edited=False,
            url=f"https://f/7#{now}",
        )
        self.reviews.append(replace(review, **about))
        return self.reviews[-1]

    def reviewed(self) -> Reviewed:
        """What the tool reads of it."""
        found = opened(
            self.comments,
            (KEY,),
            repository=REPOSITORY,
            pull_request=PULL_REQUEST.number,
            environment=ENVIRONMENT,
        )
        return Reviewed(
            PULL_REQUEST, tuple(self.reviews), found.sealed, found.damaged, tuple(self.posted)
        )


def members(dismisses: Answer3 = "yes", **groups: Any) -> Members:
    """The members as above, one answer changed."""
    return replace(MEMBERS, dismisses=dismisses, **groups)


def guards_of(items: Iterable[GuardHit]) -> list[str]:
    """The guards of some items, for short assertions."""
    return [hit.guard for hit in items]
