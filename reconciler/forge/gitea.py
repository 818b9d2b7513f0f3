"""Gitea and Forgejo behind the port of reviews.

Sources: Gitea 1.26 API description (``templates/swagger/v1_json.tmpl``); for what it leaves open,
Gitea's own code, named at the place.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from reconciler.forge.answers import issue_of, status_of
from reconciler.forge.fields import at, moment, number, person, text
from reconciler.forge.session import Session, segment
from reconciler.kernel.value import JsonObject
from reconciler.review.model.forge import Issue, Note, Status, StatusState
from reconciler.review.model.pull_request import (
    Answer3,
    Commit,
    Forge,
    Login,
    PullRequest,
    Review,
    ReviewKind,
    login,
)
from reconciler.review.ports import ForgeRefusedError

_MAY_WRITE: Final = frozenset({"owner", "admin", "write"})
_KINDS: Final[dict[str, ReviewKind]] = {
    "APPROVED": "approved",
    "REQUEST_CHANGES": "changes-requested",
    "COMMENT": "commented",
}
# Source: Gitea models/user/user_system.go: accounts without a person have no positive id
_FIRST_PERSON: Final = 1


class Gitea:
    """One repository on Gitea or Forgejo; implements ``ReviewForge``."""

    kind: Forge = "gitea"

    def __init__(
        self, rest: Session, *, teams: Session, repository: str, server: str, account: str = ""
    ) -> None:
        self.repository = repository
        self._rest, self._teams = rest, teams
        self._server = server
        self._account = login(account)
        owner, _, name = repository.partition("/")
        self._path = f"/repos/{segment(owner)}/{segment(name)}"

    def whoami(self) -> Login:
        """Ask whose the token is."""
        if not self._account:
            self._account = person(self._rest.read("/user", intent="ask who we are"))
        return self._account

    def pull_request(self, number_: int) -> PullRequest:
        """Read a pull request with everyone who wrote it."""
        intent = f"read pull request {number_}"
        found = self._rest.read(f"{self._path}/pulls/{number_}", intent=intent)
        commits = self._rest.pages(f"{self._path}/pulls/{number_}/commits", intent=intent)
        author = person(found, "user")
        people = {author}
        for commit in commits:
            people |= {person(commit, "author"), person(commit, "committer")}
        return PullRequest(
            number=number_,
            author=author,
            people=frozenset(people - {Login("")}),
            head=Commit(text(found, "head", "sha")),
            base=text(found, "base", "ref"),
            from_fork=text(found, "head", "repo", "full_name") != self.repository,
            url=text(found, "html_url"),
        )

    def merged_between(self, base: Commit, head: Commit) -> tuple[int, ...]:
        """Compare, then ask each commit which pull request it merged."""
        intent = f"list what was merged after {base:.12}"
        path = f"{self._path}/compare/{segment(base)}...{segment(head)}"
        compared = (
            self._rest.pages(path, intent=intent, key="commits", is_whole=True) if base else ()
        )
        commits = [text(commit, "sha") for commit in compared] or [head]
        numbers = [self._merged_by(commit, intent) for commit in commits]
        return tuple(dict.fromkeys(number for number in numbers if number))

    def reviews(self, number_: int) -> tuple[Review, ...]:
        """Read them, and beside them what people see now.

        Source: Gitea models/issues/review.go: a review keeps the words it was submitted with; what
        is edited is its comment in the timeline.
        """
        intent = f"read the reviews of {number_}"
        timeline = self._rest.pages(f"{self._path}/issues/{number_}/timeline", intent=intent)
        shown = {
            number(entry, "review_id"): text(entry, "body")
            for entry in timeline
            if text(entry, "type") == "review"
        }
        listed = self._rest.pages(f"{self._path}/pulls/{number_}/reviews", intent=intent)
        return tuple(
            _review(review, shown.get(number(review, "id")))
            for review in listed
            if text(review, "state") in _KINDS
        )

    def is_member(self, person_: Login, group: Login) -> Answer3:
        """Find the team by its exact name, then ask for the member.

        Source: Gitea routers/api/v1/api.go: members are shown to members of the team and to owners.
        """
        organisation, _, name = group.partition("/")
        intent = f"ask whether {person_} is in {group}"
        path = f"/orgs/{segment(organisation)}/teams"
        try:
            teams = self._teams.pages(path, intent=intent)
            ids = [number(team, "id") for team in teams if text(team, "name").lower() == name]
        except ForgeRefusedError:
            return "unknown"
        if len(ids) != 1:
            return "unknown"
        try:
            self._teams.read(f"/teams/{ids[0]}/members/{segment(person_)}", intent=intent)
        except ForgeRefusedError as error:
            return "no" if error.status == HTTPStatus.NOT_FOUND else "unknown"
        return "yes"

    def may_write(self, person_: Login) -> Answer3:
        """Ask for the permission of a collaborator.

        Source: Gitea routers/api/v1/repo/collaborators.go: shown to administrators of the
        repository, and to everyone of themselves.
        """
        path = f"{self._path}/collaborators/{segment(person_)}/permission"
        try:
            found = self._teams.read(path, intent=f"ask what {person_} may do")
        except ForgeRefusedError as error:
            return "no" if error.status == HTTPStatus.NOT_FOUND else "unknown"
        return "yes" if text(found, "permission") in _MAY_WRITE else "no"

    def dismisses_on_push(self, branch: str) -> Answer3:
        """Read the protection that names exactly this branch; patterns are not guessed at."""
        intent = f"read the protection of {branch}"
        try:
            rules = list(
                self._rest.pages(f"{self._path}/branch_protections", intent=intent, is_whole=True)
            )
        except ForgeRefusedError:
            return "unknown"
        named = [rule for rule in rules if text(rule, "rule_name") == branch]
        if not named:
            return "unknown"
        return "yes" if at(named[0], "dismiss_stale_approvals") is True else "no"

    def statuses(self, commit: Commit) -> tuple[Status, ...]:
        """Read every status, newest first, and keep our own."""
        path = f"{self._path}/commits/{segment(commit)}/statuses"
        query = (("sort", "recentupdate"),)
        listed = self._rest.pages(path, query, intent=f"read the statuses of {commit:.12}")
        ours = self.whoami()
        own = [status for status in listed if person(status, "creator") == ours]
        own.sort(key=lambda status: number(status, "id"), reverse=True)
        return tuple(status_of(commit, status, "status") for status in own)

    def set_status(
        self, commit: Commit, context: str, state: StatusState, text_: str, url: str
    ) -> None:
        """Set a status."""
        body: JsonObject = {
            "state": state,
            "context": context,
            "description": text_,
            "target_url": url,
        }
        path = f"{self._path}/statuses/{segment(commit)}"
        intent = f"set the status of {commit:.12}"
        self._rest.write("POST", path, body, intent=intent, again=True)

    def notes(self, number_: int) -> tuple[Note, ...]:
        """Read the comments of our own account."""
        path = f"{self._path}/issues/{number_}/comments"
        intent = f"read the comments of {number_}"
        ours = self.whoami()
        return tuple(
            Note(number(comment, "id"), text(comment, "body"))
            for comment in self._rest.pages(path, intent=intent, is_whole=True)
            if person(comment, "user") == ours
        )

    def write_note(self, number_: int, text_: str, replaces: int | None = None) -> None:
        """Write a comment, anew or in the place of an earlier one."""
        intent = f"write a comment on {number_}"
        if replaces is None:
            path = f"{self._path}/issues/{number_}/comments"
            self._rest.write("POST", path, {"body": text_}, intent=intent)
        else:
            path = f"{self._path}/issues/comments/{replaces}"
            self._rest.write("PATCH", path, {"body": text_}, intent=intent, again=True)

    def issues(self) -> tuple[Issue, ...]:
        """Read the open issues of our own account."""
        query = (("state", "open"), ("type", "issues"), ("created_by", self.whoami()))
        listed = self._rest.pages(f"{self._path}/issues", query, intent="read our issues")
        return tuple(issue_of(issue) for issue in listed)

    def open_issue(self, title: str, text_: str) -> Issue:
        """Open an issue."""
        body: JsonObject = {"title": title, "body": text_}
        return issue_of(
            self._rest.write("POST", f"{self._path}/issues", body, intent="open an issue")
        )

    def edit_issue(self, number_: int, title: str, text_: str) -> None:
        """Change title and text of an issue."""
        self._patch_issue(number_, {"title": title, "body": text_})

    def close_issue(self, number_: int) -> None:
        """Close an issue."""
        self._patch_issue(number_, {"state": "closed"})

    def branch_head(self, branch: str) -> Commit:
        """Give the newest commit of a branch."""
        path = f"{self._path}/branches/{segment(branch)}"
        found = self._rest.read(path, intent=f"read the head of {branch}")
        return Commit(text(found, "commit", "id"))

    def parents(self, commit: Commit) -> tuple[Commit, ...]:
        """Give the parents of a commit, in order."""
        path = f"{self._path}/git/commits/{segment(commit)}"
        found = self._rest.read(path, intent=f"read commit {commit:.12}")
        return tuple(Commit(text(parent, "sha")) for parent in at(found, "parents") or ())

    def dispatch(self, workflow: str, branch: str, inputs: dict[str, str]) -> None:
        """Start a workflow."""
        path = f"{self._path}/actions/workflows/{segment(workflow)}/dispatches"
        body: JsonObject = {"ref": branch, "inputs": {**inputs}}
        self._rest.write("POST", path, body, intent=f"start {workflow}")

    def file_tree(self, commit: Commit) -> str:
        """Give the URL below which the files of a commit are shown."""
        return f"{self._server}/{self.repository}/src/commit/{commit}"

    def _merged_by(self, commit: str, intent: str) -> int:
        """Give the pull request whose merge a commit is; 0 for none."""
        try:
            found = self._rest.read(f"{self._path}/commits/{segment(commit)}/pull", intent=intent)
        except ForgeRefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return 0
            raise
        return number(found, "number") if at(found, "merged") is True else 0

    def _patch_issue(self, number_: int, body: JsonObject) -> None:
        path = f"{self._path}/issues/{number_}"
        self._rest.write("PATCH", path, body, intent=f"change issue {number_}", again=True)


def _review(found: JsonObject, shown: str | None) -> Review:
    """Read a review; one that people see otherwise, or not at all, counts as edited."""
    is_dismissed = at(found, "dismissed") is True
    return Review(
        id=number(found, "id"),
        author=person(found, "user"),
        is_person=number(found, "user", "id") >= _FIRST_PERSON,
        kind="dismissed" if is_dismissed else _KINDS[text(found, "state")],
        at=moment(found, "submitted_at"),
        commit=Commit(text(found, "commit_id")),
        words=text(found, "body"),
        is_edited=shown != text(found, "body"),
        url=text(found, "html_url"),
    )
