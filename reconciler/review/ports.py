"""What reviews need of a forge; GitHub, Gitea and Forgejo stand behind it."""

from __future__ import annotations

from typing import Protocol

from reconciler.errors import ExitCode, ReconcilerError
from reconciler.review.model.forge import Issue, Note, Status, StatusState
from reconciler.review.model.pull_request import (
    Answer3,
    Commit,
    Forge,
    Login,
    PullRequest,
    Review,
)


class ForgeError(ReconcilerError):
    """The forge did not do what it was asked."""

    def __init__(self, intent: str, reason: str, advice: str) -> None:
        super().__init__(f"cannot {intent}: {reason}.\n{advice}")


class ForgeUnreachableError(ForgeError):
    """No clear answer came; a write may have been carried out."""

    def __init__(self, intent: str, reason: str) -> None:
        super().__init__(intent, reason, "Run the job again; it finds what was written before.")


class ForgeRefusedError(ForgeError):
    """The forge refused, for example because the token may not."""

    exit_code = ExitCode.REFUSED_IDENTITY

    def __init__(self, intent: str, status: int, said: str) -> None:
        super().__init__(
            intent,
            f"the forge answers {status}: {said}",
            "Nothing was written by this request. Check what the job's token may do, see SETUP.md.",
        )
        self.status = status


class ReviewForge(Protocol):
    """One repository on a forge. Lists are read to their end; membership is as of now."""

    @property
    def kind(self) -> Forge:
        """Which rules of ``approvers`` hold here."""
        ...

    @property
    def repository(self) -> str:
        """``OWNER/NAME``."""
        ...

    def whoami(self) -> Login:
        """Name our own account."""
        ...

    def pull_request(self, number: int) -> PullRequest:
        """Read a pull request with everyone who wrote it."""
        ...

    def merged_between(self, base: Commit, head: Commit) -> tuple[int, ...]:
        """Number the pull requests whose commits came after ``base``, up to ``head``.

        Without a ``base``, or where nothing came after it, those of ``head`` alone.
        """
        ...

    def reviews(self, number: int) -> tuple[Review, ...]:
        """Read every submitted review."""
        ...

    def is_member(self, person: Login, group: Login) -> Answer3:
        """Say whether someone is in ``organization/team``."""
        ...

    def may_write(self, person: Login) -> Answer3:
        """Say whether someone may push to the repository."""
        ...

    def dismisses_on_push(self, branch: str) -> Answer3:
        """Say whether a push takes approvals away."""
        ...

    def statuses(self, commit: Commit) -> tuple[Status, ...]:
        """Read the statuses that our own account set, also those that others have overtaken."""
        ...

    def set_status(
        self, commit: Commit, context: str, state: StatusState, text: str, url: str
    ) -> None:
        """Set a status; ``text`` has at most 140 characters."""
        ...

    def notes(self, number: int) -> tuple[Note, ...]:
        """Read the comments of our own account on a pull request or issue."""
        ...

    def write_note(self, number: int, text: str, replaces: int | None = None) -> None:
        """Write a comment, anew or in the place of an earlier one."""
        ...

    def issues(self) -> tuple[Issue, ...]:
        """Read the open issues of our own account."""
        ...

    def open_issue(self, title: str, text: str) -> Issue:
        """Open an issue."""
        ...

    def edit_issue(self, number: int, title: str, text: str) -> None:
        """Change title and text of an issue."""
        ...

    def close_issue(self, number: int) -> None:
        """Close an issue."""
        ...

    def branch_head(self, branch: str) -> Commit:
        """Give the newest commit of a branch."""
        ...

    def parents(self, commit: Commit) -> tuple[Commit, ...]:
        """Give the parents of a commit, in order."""
        ...

    def dispatch(self, workflow: str, branch: str, inputs: dict[str, str]) -> None:
        """Start a workflow."""
        ...

    def file_tree(self, commit: Commit) -> str:
        """Give the URL below which the files of a commit are shown."""
        ...
