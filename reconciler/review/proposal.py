"""A pull request: its plan, judged by what was applied, posted where its reviewers read."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.definitions.model import Effective
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.runbook import Page
from reconciler.kernel.secret import Secret
from reconciler.plan.against import CausedPlan
from reconciler.plan.core.guards.policy import Policy, applied_policy, in_force
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.cause import Causes
from reconciler.review.collect import Reviews
from reconciler.review.core.judge import Judged
from reconciler.review.core.public_names import public_names
from reconciler.review.core.rules import Rules
from reconciler.review.model.pull_request import Commit, PullRequest
from reconciler.review.model.sealed import Reviewed
from reconciler.review.ports import ReviewForge
from reconciler.review.post import Post
from reconciler.review.show.report import Report


class NotTheMergeError(ReconcilerError):
    """What is checked out is not the pull request merged into its base."""

    exit_code = ExitCode.STALE
    anchor = Page.NOT_THE_MERGE

    def __init__(self, pull_request: PullRequest, commit: Commit) -> None:
        super().__init__(
            f"{commit[:12] or 'nothing'} is not pull request {pull_request.number} at "
            f"{pull_request.head:.12} merged into `{pull_request.base}`: they conflict, or a newer "
            "push came.\n"
            "Nothing was planned. Resolve the conflict and push; the next run plans it."
        )


@dataclass(frozen=True, slots=True)
class Judging:
    """How plans of one environment are judged on one forge.

    Attributes:
        head: The newest applied record: its rules judge, never those that are proposed.
    """

    forge: ReviewForge
    keys: tuple[Secret, ...]
    effective: Effective
    head: AppliedRecord | None
    run: str

    @property
    def policy(self) -> Policy:
        """Give the rules in force."""
        applied = applied_policy(self.head.definitions) if self.head else None
        return in_force(applied, Policy.wanted(self.effective))

    @property
    def reviews(self) -> Reviews:
        """Give the place where approvals are read."""
        rules = Rules(
            self.policy.project.approvers, self.effective.environment.name, self.forge.kind
        )
        return Reviews(self.forge, rules, self.keys)

    def waiting(self, until: Commit) -> tuple[int, ...]:
        """Number the pull requests that are merged and not applied."""
        return self.forge.merged_between(
            Commit(self.head.source_commit if self.head else ""), until
        )

    def report(self, caused: CausedPlan, judged: Judged, tree: Commit) -> Report:
        """Put together what comment, status and summary say.

        Args:
            caused: The plan.
            judged: By its reviews.
            tree: The commit whose files places lead to.
        """
        reports = self.policy.project.public_reports
        return Report(
            plan=caused.plan,
            causes=caused.causes,
            judged=judged,
            rules=self.reviews.rules,
            names=public_names(caused.plan, reports),
            shows_addresses=reports == "names",
            files=self.forge.file_tree(tree),
            run=self.run,
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is checked out, on its way to being posted.

    Attributes:
        commit: Of the checkout.
        run: URL of this run.
        now: ISO 8601, UTC.
    """

    judging: Judging
    commit: Commit
    run: str
    now: str

    def posted(self, caused: CausedPlan, pull_request: PullRequest) -> tuple[Report, str]:
        """Judge a plan by the reviews there are, and post it.

        Returns:
            What was posted, and why its comment could not be, if so.
        """
        reviewed = self.judging.reviews.collect(pull_request.number)
        judged = self._judged(caused, reviewed)
        report = self.judging.report(caused, judged, self.commit)
        return report, self._post(pull_request).report(report)

    def queued(self, caused: CausedPlan) -> Report:
        """Post the status alone: a merge queue waits for it, and reviews were judged before."""
        judged = Judged((), caused.plan.body.hits, ())
        report = self.judging.report(caused, judged, self.commit)
        wrong = caused.plan.body.unplanned
        text = "Cannot be applied: objects have errors" if wrong else "Planned; see the run"
        self._post(None).status(self.commit, "failure" if wrong else "success", text)
        return report

    def _post(self, pull_request: PullRequest | None) -> Post:
        return Post(self.judging.reviews, pull_request, self.run, self.now)

    def _judged(self, caused: CausedPlan, reviewed: Reviewed) -> Judged:
        """Judge the plan of a pull request, and of whatever waits before it."""
        number, forge = reviewed.pull_request.number, self.judging.forge
        waiting: tuple[int, ...] = ()
        if _has_waiting(caused.causes):
            waiting = self.judging.waiting(forge.branch_head(reviewed.pull_request.base))
        reviews = self.judging.reviews
        others = [reviews.collect(other) for other in waiting if other != number]
        return reviews.judged(caused.plan.body.hits, [reviewed, *others])


def merged_into_base(forge: ReviewForge, number: int, commit: Commit) -> PullRequest:
    """Read a pull request, and check that a commit merges it as it is now.

    On a conflict a forge leaves an old merge in place.

    Raises:
        NotTheMergeError: When it does not.
    """
    pull_request = forge.pull_request(number)
    parents = forge.parents(commit) if commit else ()
    if len(parents) < _MERGE or parents[1] != pull_request.head:
        raise NotTheMergeError(pull_request, commit)
    return pull_request


def _has_waiting(causes: Causes) -> bool:
    return "waiting" in {*causes.changes.values(), *causes.items.values()}


_MERGE = 2
"""Parents of a merge: the base, then what was merged into it."""
