"""Write what a plan came to: the status first, then the comment with its sealed blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.review.collect import Reviews
from reconciler.review.core.seal import seal
from reconciler.review.core.verdict import status_text, verdict
from reconciler.review.model.forge import Note, StatusState
from reconciler.review.model.pull_request import Commit, PullRequest
from reconciler.review.model.sealed import SealedPlan, short
from reconciler.review.ports import ForgeError
from reconciler.review.show.comment import BYTES_MAX, comment, marker
from reconciler.review.show.report import Report

SEALS_MAX: Final = 24_000
"""Bytes of sealed blocks that stand in the comment itself; more of them get their own."""
_BLOCK: Final = re.compile(r"<!-- reconciler-seal/1 [^>]* -->")


@dataclass(frozen=True, slots=True)
class Post:
    """Posts plans of one pull request.

    Attributes:
        pull_request: ``None`` where only a status is set.
        run: URL of this run.
        now: ISO 8601, UTC.
    """

    reviews: Reviews
    pull_request: PullRequest | None
    run: str
    now: str

    def status(self, commit: Commit, state: StatusState, text: str) -> None:
        """Set the status, unless the newest says the same."""
        context = self.reviews.context
        before = [
            status for status in self.reviews.forge.statuses(commit) if status.context == context
        ]
        if before and (before[0].state, before[0].text) == (state, text):
            return
        self.reviews.forge.set_status(commit, context, state, text, self.run)

    def report(self, report: Report) -> str:
        """Post status and comment; a comment that fails is told of and fails nothing.

        Returns:
            Why the comment could not be written, or nothing.
        """
        found = verdict(report.plan, report.judged, report.rules, report.causes)
        text = status_text(found, report.plan)
        assert self.pull_request is not None
        self.status(self.pull_request.head, found.state, text)
        try:
            self._comment(report, self.pull_request)
        except ForgeError as error:
            return str(error)
        return ""

    def _comment(self, report: Report, pull_request: PullRequest) -> None:
        number, forge = pull_request.number, self.reviews.forge
        notes = forge.notes(number)
        mark = marker(self.reviews.rules.environment)
        ours = next((note for note in notes if note.text.startswith(mark)), None)
        if ours is None and comment(report).is_quiet:
            return
        kept = self._kept(ours, number) if ours else []
        blocks = self._blocks(report, pull_request, notes)
        if _size([*kept, *blocks]) <= SEALS_MAX:
            kept, blocks = [*kept, *blocks], ()
        for text in _packed(blocks, self.reviews.rules.environment):
            forge.write_note(number, text)
        visible = comment(report, bytes_max=BYTES_MAX - _size(kept)).text
        text = visible + "\n".join(kept)
        if ours is None or ours.text != text:
            forge.write_note(number, text, ours.id if ours else None)

    def _kept(self, ours: Note, number: int) -> list[str]:
        """Give the blocks of our comment that are truly ours, as many as belong there."""
        kept: list[str] = []
        for block in dict.fromkeys(_BLOCK.findall(ours.text)):
            opened = self.reviews.opened(number, [Note(ours.id, block)])
            if not opened.false and _size([*kept, block]) <= SEALS_MAX:
                kept.append(block)
        return kept

    def _blocks(
        self, report: Report, pull_request: PullRequest, notes: Sequence[Note]
    ) -> Sequence[str]:
        """Seal the plan, unless it is the newest that is sealed on this commit."""
        plan = SealedPlan(
            repository=self.reviews.forge.repository,
            pull_request=pull_request.number,
            environment=self.reviews.rules.environment,
            head=pull_request.head,
            plan=report.plan.id,
            at=self.now,
            digests=frozenset(short(hit.digest) for hit in report.plan.body.hits),
        )
        before = self.reviews.opened(pull_request.number, notes).sealed
        newest = max(before, key=lambda plan: plan.at, default=None)
        if newest and (newest.plan, newest.head) == (plan.plan, plan.head):
            return ()
        return seal(plan, self.reviews.keys[0])


def _packed(blocks: Sequence[str], environment: str) -> list[str]:
    """Put blocks into as few comments as they fit, each saying what it is."""
    head = f"Sealed plans of {environment}. Approvals count only while this comment is as it is.\n"
    texts: list[str] = []
    for block in blocks:
        if texts and _size([texts[-1], block]) <= BYTES_MAX:
            texts[-1] += block + "\n"
        else:
            texts.append(f"{head}{block}\n")
    return texts


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)
