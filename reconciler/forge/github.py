"""GitHub and GitHub Enterprise Server behind the port of reviews.

Sources: GitHub REST API description (npm ``@octokit/openapi``), GraphQL reference
``PullRequestReview``.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from reconciler.forge.answers import issue_of, status_of
from reconciler.forge.fields import at, moment, number, person, text
from reconciler.forge.session import Session, segment
from reconciler.kernel.value import JsonObject, JsonValue
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
from reconciler.review.ports import ForgeRefusedError, ForgeUnreachableError

_MAY_WRITE: Final = frozenset({"admin", "maintain", "write"})
_KINDS: Final[dict[str, ReviewKind]] = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "changes-requested",
    "COMMENTED": "commented",
    "DISMISSED": "dismissed",
}
_LISTED_COMMITS_MAX: Final = 250
_REVIEWS: Final = """query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    reviews(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { fullDatabaseId state submittedAt lastEditedAt body url
        author { __typename login } commit { oid } } } } } }"""
_VIEWER: Final = "query { viewer { login } }"


class GitHub:
    """One repository on GitHub; implements ``ReviewForge``."""

    kind: Forge = "github"

    def __init__(
        self,
        rest: Session,
        graphql: Session,
        *,
        teams: Session,
        repository: str,
        server: str,
        account: str = "",
    ) -> None:
        self.repository = repository
        self._rest, self._graphql, self._teams = rest, graphql, teams
        self._server = server
        self._account = login(account)
        owner, _, name = repository.partition("/")
        self._owner, self._name = owner, name
        self._path = f"/repos/{segment(owner)}/{segment(name)}"

    def whoami(self) -> Login:
        """Ask GraphQL: REST answers to the token of a job with 403."""
        if not self._account:
            answer = self._ask(_VIEWER, {}, "ask who we are")
            self._account = person(answer, "viewer")
        return self._account

    def pull_request(self, number_: int) -> PullRequest:
        """Read a pull request with everyone who wrote it."""
        intent = f"read pull request {number_}"
        found = self._rest.read(f"{self._path}/pulls/{number_}", intent=intent)
        author = person(found, "user")
        people = {author}
        for commit in self._commits(number_, found, intent):
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
        """Compare, then ask each commit: merge, squash and rebase alike."""
        intent = f"list what was merged after {base:.12}"
        path = f"{self._path}/compare/{segment(base)}...{segment(head)}"
        compared = self._rest.pages(path, intent=intent, key="commits") if base else ()
        commits = [text(commit, "sha") for commit in compared] or [head]
        numbers: dict[int, None] = {}
        for commit in commits:
            pulls = self._rest.pages(f"{self._path}/commits/{commit}/pulls", intent=intent)
            numbers |= {number(pull, "number"): None for pull in pulls if text(pull, "merged_at")}
        return tuple(numbers)

    def reviews(self, number_: int) -> tuple[Review, ...]:
        """Read them by GraphQL, which alone tells whether a review was edited."""
        return tuple(self._reviews(number_))

    def is_member(self, person_: Login, group: Login) -> Answer3:
        """Ask for the membership, and whether we see the team at all: both answer 404."""
        organisation, _, team = group.partition("/")
        path = f"/orgs/{segment(organisation)}/teams/{segment(team)}"
        intent = f"ask whether {person_} is in {group}"
        try:
            found = self._teams.read(f"{path}/memberships/{segment(person_)}", intent=intent)
        except ForgeRefusedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                return "unknown"
            return "no" if self._sees(path, intent) else "unknown"
        # Source: GitHub REST "Get team membership for a user": an invitation is `pending`
        return "yes" if text(found, "state") == "active" else "no"

    def may_write(self, person_: Login) -> Answer3:
        """Ask for the permission of a collaborator."""
        path = f"{self._path}/collaborators/{segment(person_)}/permission"
        try:
            found = self._rest.read(path, intent=f"ask what {person_} may do")
        except ForgeRefusedError as error:
            return "no" if error.status == HTTPStatus.NOT_FOUND else "unknown"
        return "yes" if text(found, "permission") in _MAY_WRITE else "no"

    def dismisses_on_push(self, branch: str) -> Answer3:
        """Read the rules of a branch; its older protection is shown to administrators only."""
        path = f"{self._path}/rules/branches/{segment(branch)}"
        try:
            rules = list(self._rest.pages(path, intent=f"read the rules of {branch}"))
        except ForgeRefusedError:
            return "unknown"
        reviews = [rule for rule in rules if text(rule, "type") == "pull_request"]
        if any(at(rule, "parameters", "dismiss_stale_reviews_on_push") is True for rule in reviews):
            return "yes"
        return "no" if reviews else "unknown"

    def statuses(self, commit: Commit) -> tuple[Status, ...]:
        """Read every status, newest first as GitHub gives them, and keep our own."""
        path = f"{self._path}/commits/{segment(commit)}/statuses"
        listed = self._rest.pages(path, intent=f"read the statuses of {commit:.12}")
        ours = self.whoami()
        return tuple(
            status_of(commit, status, "state")
            for status in listed
            if person(status, "creator") == ours
        )

    def set_status(
        self, commit: Commit, context: str, state: StatusState, text_: str, url: str
    ) -> None:
        """Set a status."""
        body: dict[str, JsonValue] = {"state": state, "context": context, "description": text_}
        if url:
            body["target_url"] = url
        self._rest.write(
            "POST",
            f"{self._path}/statuses/{segment(commit)}",
            body,
            intent=f"set the status of {commit:.12}",
            again=True,
        )

    def notes(self, number_: int) -> tuple[Note, ...]:
        """Read the comments of our own account."""
        path = f"{self._path}/issues/{number_}/comments"
        listed = self._rest.pages(path, intent=f"read the comments of {number_}")
        ours = self.whoami()
        return tuple(
            Note(number(comment, "id"), text(comment, "body"))
            for comment in listed
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
        """Read the open issues of our own account; GitHub lists pull requests among them."""
        query = (("state", "open"), ("creator", self.whoami()))
        listed = self._rest.pages(f"{self._path}/issues", query, intent="read our issues")
        return tuple(issue_of(issue) for issue in listed if "pull_request" not in issue)

    def open_issue(self, title: str, text_: str) -> Issue:
        """Open an issue."""
        body: JsonObject = {"title": title, "body": text_}
        made = self._rest.write("POST", f"{self._path}/issues", body, intent="open an issue")
        return issue_of(made)

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
        return Commit(text(found, "commit", "sha"))

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
        return f"{self._server}/{self.repository}/blob/{commit}"

    def _commits(self, number_: int, found: JsonValue, intent: str) -> Iterator[JsonObject]:
        # Source: GitHub REST "List commits on a pull request": at most 250, whatever the pages
        if number(found, "commits") <= _LISTED_COMMITS_MAX:
            return self._rest.pages(f"{self._path}/pulls/{number_}/commits", intent=intent)
        base, head = text(found, "base", "sha"), text(found, "head", "sha")
        path = f"{self._path}/compare/{segment(base)}...{segment(head)}"
        return self._rest.pages(path, intent=intent, key="commits")

    def _reviews(self, number_: int) -> Iterator[Review]:
        after: str | None = None
        while True:
            about: JsonObject = {
                "owner": self._owner,
                "name": self._name,
                "number": number_,
                "after": after,
            }
            answer = self._ask(_REVIEWS, about, f"read the reviews of {number_}")
            page = at(answer, "repository", "pullRequest", "reviews")
            for node in at(page, "nodes") or ():
                if text(node, "state") in _KINDS:
                    yield _review(node)
            if at(page, "pageInfo", "hasNextPage") is not True:
                return
            after = text(page, "pageInfo", "endCursor")

    def _ask(self, query: str, variables: JsonObject, intent: str) -> JsonValue:
        body: JsonObject = {"query": query, "variables": variables}
        answer = self._graphql.write("POST", "", body, intent=intent, again=True)
        found = at(answer, "data")
        if at(answer, "errors") or found is None:
            errors = at(answer, "errors")
            said = text(errors[0], "message") if isinstance(errors, list) and errors else ""
            raise ForgeUnreachableError(intent, f"GraphQL answers: {said or 'nothing'}")
        return found  # type: ignore[no-any-return]

    def _patch_issue(self, number_: int, body: JsonObject) -> None:
        path = f"{self._path}/issues/{number_}"
        self._rest.write("PATCH", path, body, intent=f"change issue {number_}", again=True)

    def _sees(self, path: str, intent: str) -> bool:
        try:
            self._teams.read(path, intent=intent)
        except ForgeRefusedError:
            return False
        return True


def _review(node: JsonValue) -> Review:
    return Review(
        id=number(node, "fullDatabaseId"),
        author=person(node, "author"),
        # Source: GraphQL interface Actor: User, Bot, Mannequin, Organization, EnterpriseUserAccount
        is_person=text(node, "author", "__typename") == "User",
        kind=_KINDS[text(node, "state")],
        at=moment(node, "submittedAt"),
        commit=Commit(text(node, "commit", "oid")),
        words=text(node, "body"),
        is_edited=at(node, "lastEditedAt") is not None,
        url=text(node, "url"),
    )
