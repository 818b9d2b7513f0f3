"""What was merged: applied with exactly the approvals that its pull requests have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.errors import ExitCode, HeldError, ReconcilerError
from reconciler.kernel.runbook import Page
from reconciler.plan.against import CausedPlan
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.cause import Causes
from reconciler.plan.model.plan import Plan
from reconciler.review.core.judge import Judged
from reconciler.review.core.verdict import asking, verdict
from reconciler.review.keyed_issue import KeyedIssue
from reconciler.review.model.pull_request import Commit
from reconciler.review.model.sealed import Reviewed
from reconciler.review.ports import ForgeError
from reconciler.review.post import Post
from reconciler.review.proposal import Judging
from reconciler.review.show.comment import comment
from reconciler.review.show.report import Report

_ISSUE: Final = "apply"


class NewerCommitError(ReconcilerError):
    """The branch has moved on; whoever applies its newest commit applies this one too."""

    exit_code = ExitCode.STALE

    def __init__(self, branch: str, commit: Commit, newest: Commit) -> None:
        super().__init__(
            f"{commit[:12] or 'no commit'} is checked out, and the newest of `{branch}` is "
            f"{newest:.12}.\nNothing was written. The run of the newest commit applies both."
        )


class WaitsForApprovalError(HeldError):
    """What was merged needs someone who has not approved it."""

    anchor = Page.NOT_APPLIED

    def __init__(self, plan: Plan, sentence: str, asked: Iterable[int]) -> None:
        numbers = ", ".join(str(number) for number in asked) or "none"
        super().__init__(
            f"plan {plan.id:.12} is held: {sentence}\nNothing was written. Approve it in a review "
            f"of a pull request that it carries ({numbers}), then run this job again."
        )


@dataclass(frozen=True, slots=True)
class Merged:
    """Everything that is merged and not applied.

    Attributes:
        commit: What is checked out, the newest of ``branch``.
    """

    judging: Judging
    branch: str
    commit: Commit
    now: str

    def check_newest(self) -> None:
        """Check that the checkout is the newest commit of its branch.

        Raises:
            NewerCommitError: When it is not; re-running an old job is harmless.
        """
        newest = self.judging.forge.branch_head(self.branch)
        if newest != self.commit:
            raise NewerCommitError(self.branch, self.commit, newest)

    def collect(self) -> tuple[Reviewed, ...]:
        """Read the reviews of every pull request that was merged since the last apply."""
        numbers = self.judging.waiting(self.commit)
        return tuple(self.judging.reviews.collect(number) for number in numbers)

    def judge(self, plan: Plan, reviewed: tuple[Reviewed, ...]) -> Judged:
        """Decide which items of the new plan are approved.

        Raises:
            WaitsForApprovalError: When any is not; its pull requests and one issue say so.
        """
        judged = self.judging.reviews.judged(plan.body.hits, reviewed)
        if asking(judged.open):
            sentence = self._tell(plan, judged, reviewed)
            raise WaitsForApprovalError(
                plan, sentence, (change.pull_request.number for change in reviewed)
            )
        return judged

    def settled(self, record: AppliedRecord) -> None:
        """Close the issue that said that the branch is not applied."""
        self._issue.settle(f"Applied: record {record.sequence} of {record.environment}.")

    @property
    def _issue(self) -> KeyedIssue:
        environment = self.judging.effective.environment.name
        return KeyedIssue(self.judging.forge, _ISSUE, environment)

    def _tell(self, plan: Plan, judged: Judged, reviewed: tuple[Reviewed, ...]) -> str:
        report = self.judging.report(CausedPlan(plan, Causes()), judged, self.commit)
        for change in reviewed:
            post = Post(self.judging.reviews, change.pull_request, self.judging.run, self.now)
            _quietly(lambda post=post: post.report(report))  # type: ignore[misc]
        title = f"{self.branch} is not applied to {report.plan.body.environment}"
        _quietly(lambda: self._issue.report(title, comment(report).text, plan.id))
        return _sentence(report)


def _sentence(report: Report) -> str:
    return verdict(report.plan, report.judged, report.rules, report.causes).sentence


def _quietly(write: Callable[[], object]) -> None:
    """Let a forge that cannot be written to hide no reason why nothing was applied."""
    try:
        write()
    except ForgeError:
        return
