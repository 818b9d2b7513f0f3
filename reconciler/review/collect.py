"""Read everything that approvals of some pull requests rest on, as it is now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.kernel.secret import Secret
from reconciler.plan.model.plan import GuardHit
from reconciler.review.core.consents import heard
from reconciler.review.core.judge import Judged, judge
from reconciler.review.core.rules import Members, Rules, asked_groups
from reconciler.review.core.seal import opened
from reconciler.review.model.forge import Note, Status
from reconciler.review.model.pull_request import Commit, Login
from reconciler.review.model.sealed import Opened, Posted, Reviewed, ShortPlan
from reconciler.review.ports import ReviewForge

_PLAN: Final = re.compile(r"\[([0-9a-f]{32})\]$")


@dataclass(frozen=True, slots=True)
class Reviews:
    """Where approvals are read: one environment's, on one forge.

    Attributes:
        keys: Of the seal; approvals need one.
    """

    forge: ReviewForge
    rules: Rules
    keys: tuple[Secret, ...]

    @property
    def context(self) -> str:
        """Name the status of the environment."""
        return f"reconciler/{self.rules.environment}"

    def judged(self, hits: Sequence[GuardHit], reviewed: Sequence[Reviewed]) -> Judged:
        """Decide which items the reviews approve."""
        return judge(hits, reviewed, self.rules, self.members(hits, reviewed))

    def collect(self, number: int) -> Reviewed:
        """Read one pull request, its reviews, and the plans that were posted on it."""
        pull_request = self.forge.pull_request(number)
        reviews = self.forge.reviews(number)
        found = self.opened(number, self.forge.notes(number))
        commits = dict.fromkeys(review.commit for review in reviews if review.commit)
        posted = tuple(plan for commit in commits for plan in self._posted(commit))
        return Reviewed(pull_request, reviews, found.sealed, found.damaged, posted)

    def opened(self, number: int, notes: Iterable[Note]) -> Opened:
        """Read the sealed plans in our comments on a pull request."""
        return opened(
            (note.text for note in notes),
            self.keys,
            repository=self.forge.repository,
            pull_request=number,
            environment=self.rules.environment,
        )

    def members(self, hits: Iterable[GuardHit], reviewed: Sequence[Reviewed]) -> Members:
        """Ask about those who said something, and nobody else."""
        excluded = frozenset(person for change in reviewed for person in change.pull_request.people)
        voices: tuple[Login, ...] = tuple(
            dict.fromkeys(
                consent.by for change in reviewed for consent in heard(change, excluded).consents
            )
        )
        is_free = any(not self.rules.matching(hit) for hit in hits if hit.needs != "remedy")
        groups = asked_groups(self.rules, voices)
        by_review = any(rule.by == "review" for rule in self.rules.approvers)
        bases = sorted({change.pull_request.base for change in reviewed}) if by_review else []
        answers = {self.forge.dismisses_on_push(base) for base in bases}
        return Members(
            groups={(who, group): self.forge.is_member(who, group) for who, group in groups},
            writers={who: self.forge.may_write(who) for who in voices} if is_free else {},
            dismisses="yes" if answers == {"yes"} else "no" if "no" in answers else "unknown",
        )

    def _posted(self, commit: Commit) -> Iterable[Posted]:
        """Read the plans that our statuses name on a commit, oldest first."""
        for status in reversed(self.forge.statuses(commit)):
            plan = self.named_plan(status)
            if plan is not None:
                yield Posted(plan, commit, status.at)

    def named_plan(self, status: Status) -> ShortPlan | None:
        """Give the plan that a status of this environment names."""
        found = _PLAN.search(status.text)
        return ShortPlan(found[1]) if found and status.context == self.context else None
