"""One issue for one matter: opened, kept up to date, closed; found by an exact hidden mark."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.review.model.forge import Issue
from reconciler.review.ports import ReviewForge


@dataclass(frozen=True, slots=True)
class KeyedIssue:
    """An issue of our own account about one matter of one environment.

    Attributes:
        key: The matter, for example ``drift``.
    """

    forge: ReviewForge
    key: str
    environment: str

    def report(self, title: str, text: str, state: str) -> None:
        """Open the issue, or bring it up to date; people are told only when ``state`` changes.

        Args:
            title: One line.
            text: Markdown, at most 60,000 bytes.
            state: What the matter is, as a digest.
        """
        body = f"{self._mark(state)}\n{text}"
        issue = self._found()
        if issue is None:
            self.forge.open_issue(title, body)
            return
        if issue.text == body and issue.title == title:
            return
        known = issue.text.startswith(self._mark(state))
        self.forge.edit_issue(issue.number, title, body)
        if not known:
            self.forge.write_note(issue.number, text)

    def settle(self, text: str) -> None:
        """Close the issue when there is one, and say why."""
        issue = self._found()
        if issue is not None:
            self.forge.write_note(issue.number, text)
            self.forge.close_issue(issue.number)

    def _found(self) -> Issue | None:
        issues = self.forge.issues()
        return next((issue for issue in issues if issue.text.startswith(self._begins)), None)

    @property
    def _begins(self) -> str:
        return f"<!-- reconciler-{self.key}/1 {self.environment} "

    def _mark(self, state: str) -> str:
        return f"{self._begins}{state} -->"
