"""Plans that were posted: what a pull request showed to its reviewers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from reconciler.kernel.address import PlanId
from reconciler.plan.model.plan import ItemDigest
from reconciler.review.model.pull_request import Commit, PullRequest, Review

ShortDigest = NewType("ShortDigest", str)
"""The first 16 bytes of an item digest, 32 hexadecimal digits."""
ShortPlan = NewType("ShortPlan", str)
"""The first 32 digits of a plan id, as a status names it."""


def short(digest: ItemDigest) -> ShortDigest:
    """Cut an item digest to what a seal holds."""
    return ShortDigest(digest[:32])


def short_plan(plan: PlanId) -> ShortPlan:
    """Cut a plan id to what a status names."""
    return ShortPlan(plan[:32])


@dataclass(frozen=True, slots=True)
class SealedPlan:
    """One plan of one pull request, and the items it had; nobody else can write one.

    Attributes:
        repository: ``OWNER/NAME``.
        at: When it was posted, by our clock.
    """

    repository: str
    pull_request: int
    environment: str
    head: Commit
    plan: PlanId
    at: str
    digests: frozenset[ShortDigest]


@dataclass(frozen=True, slots=True)
class Posted:
    """A status of ours names a plan: people cannot take a status back, as they can a comment.

    Attributes:
        at: By the forge's clock.
    """

    plan: ShortPlan
    commit: Commit
    at: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A pull request with everything that approvals of it are read from.

    Attributes:
        sealed: Plans whose seals are whole.
        damaged: Plans of which a sealed block is missing or was changed.
        posted: Of the commits that were reviewed.
    """

    pull_request: PullRequest
    reviews: tuple[Review, ...] = ()
    sealed: tuple[SealedPlan, ...] = ()
    damaged: tuple[PlanId, ...] = ()
    posted: tuple[Posted, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """What the hidden blocks of some comments hold.

    Attributes:
        damaged: Plans of which not every block is there.
        false: How many blocks bear no seal of ours.
    """

    sealed: tuple[SealedPlan, ...]
    damaged: tuple[PlanId, ...]
    false: int
