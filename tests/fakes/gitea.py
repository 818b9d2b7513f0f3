"""A Gitea for one repository on loopback: the same world, told as Gitea tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fakes.github import ACCOUNT, REPOSITORY, GitHubWorld

STATES = {"APPROVED": "APPROVED", "CHANGES_REQUESTED": "REQUEST_CHANGES", "COMMENTED": "COMMENT",
          "PENDING": "PENDING", "DISMISSED": "APPROVED"}  # fmt: skip


@dataclass
class GiteaWorld(GitHubWorld):
    """Everything there is; ``rules`` are branch protections here."""

    page_size: str = "limit"
    graphql: str = "/none"

    def protect(self, *, dismisses: bool) -> None:
        self.rules = [
            {"rule_name": "release/*", "dismiss_stale_approvals": True},
            {"rule_name": "main", "dismiss_stale_approvals": dismisses},
        ]

    def environ(self, url: str) -> dict[str, str]:
        return {
            **super().environ(url),
            "GITHUB_API_URL": f"{url}/api/v1",
            "GITEA_ACTIONS": "true",
        }

    def _routes(self) -> list[tuple[str, str, Callable[..., tuple[int, Any]]]]:
        repo = f"/api/v1/repos/{REPOSITORY}"
        return [
            (r"/api/v1/user", "GET", lambda *_: (200, {"login": ACCOUNT})),
            (rf"{repo}/pulls/(\d+)", "GET", self._pull),
            (rf"{repo}/pulls/(\d+)/commits", "GET", self._all_commits),
            (rf"{repo}/pulls/(\d+)/reviews", "GET", self._reviews),
            (rf"{repo}/issues/(\d+)/timeline", "GET", self._timeline),
            (rf"{repo}/compare/(.+)", "GET", self._compare),
            (rf"{repo}/commits/([0-9a-f]+)/pull", "GET", self._pull_of),
            (rf"{repo}/commits/([0-9a-f]+)/statuses", "GET", self._gitea_statuses),
            (rf"{repo}/statuses/([0-9a-f]+)", "POST", self._set_gitea_status),
            (rf"{repo}/git/commits/([0-9a-f]+)", "GET", self._commit),
            (rf"{repo}/branches/(.+)", "GET", self._gitea_branch),
            (rf"{repo}/branch_protections", "GET", lambda *_: (200, list(self.rules))),
            (rf"{repo}/collaborators/([^/]+)/permission", "GET", self._permission),
            (rf"{repo}/issues", "GET", self._gitea_issues),
            (rf"{repo}/issues", "POST", self._open_issue),
            (rf"{repo}/issues/(\d+)", "PATCH", self._edit_gitea_issue),
            (rf"{repo}/issues/(\d+)/comments", "GET", self._comments),
            (rf"{repo}/issues/(\d+)/comments", "POST", self._write),
            (rf"{repo}/issues/comments/(\d+)", "PATCH", self._rewrite),
            (rf"{repo}/actions/workflows/([^/]+)/dispatches", "POST", self._dispatch),
            (r"/api/v1/orgs/([^/]+)/teams", "GET", self._teams),
            (r"/api/v1/teams/(\d+)/members/([^/]+)", "GET", self._member),
        ]

    def _pull(self, number: str, *_: Any) -> tuple[int, Any]:
        status, found = super()._pull(number)
        del found["commits"]
        return status, {
            **found,
            "merged": found["merged_at"] is not None,
            "merged_at": "2026-12-01T00:00:00Z",
        }

    def _all_commits(self, number: str, *_: Any) -> tuple[int, Any]:
        return 200, [
            {"author": {"login": author}, "committer": {"login": committer}}
            for author, committer in self.pulls[int(number)].people
        ]

    def _reviews(self, number: str, *_: Any) -> tuple[int, Any]:
        return 200, [
            {
                "id": int(review["fullDatabaseId"]),
                "user": _user(review["author"]),
                "state": STATES[review["state"]],
                "dismissed": review["state"] == "DISMISSED",
                "body": review["body"],
                "commit_id": review["commit"]["oid"],
                "submitted_at": review["submittedAt"],
                "html_url": review["url"],
            }
            for review in self.reviews.get(int(number), [])
        ]

    def _timeline(self, number: str, *_: Any) -> tuple[int, Any]:
        return 200, [
            {
                "type": "review",
                "review_id": int(review["fullDatabaseId"]),
                "body": review["body"] + (" (edited)" if review["lastEditedAt"] else ""),
            }
            for review in self.reviews.get(int(number), [])
        ]

    def _pull_of(self, sha: str, *_: Any) -> tuple[int, Any]:
        if sha not in self.carried:
            return 404, {"message": "pull request does not exist"}
        return self._pull(str(self.carried[sha]))

    def _gitea_statuses(self, sha: str, *_: Any) -> tuple[int, Any]:
        found = [status for status in self.statuses if status["sha"] == sha]
        return 200, [
            {key: entry[key] for key in ("context", "description", "created_at")}
            | {"id": number, "status": entry["state"], "creator": {"login": entry["creator"]}}
            for number, entry in enumerate(found)
        ]

    def _set_gitea_status(self, sha: str, query: Any, body: Any, token: str) -> tuple[int, Any]:
        self._set_status(sha, query, body, token)
        return 201, {"context": body["context"], "status": body["state"]}

    def _gitea_branch(self, name: str, *_: Any) -> tuple[int, Any]:
        return 200, {"name": name, "commit": {"id": self.branches[name]}}

    def _gitea_issues(self, query: dict[str, str], *_: Any) -> tuple[int, Any]:
        assert (query["created_by"], query["type"]) == (ACCOUNT, "issues")
        return self._issues({"creator": ACCOUNT})

    def _edit_gitea_issue(self, number: str, query: Any, body: Any, token: str) -> tuple[int, Any]:
        return 201, self._edit_issue(number, query, body, token)[1]

    def _teams(self, owner: str, _: Any, __: Any, token: str) -> tuple[int, Any]:
        if token not in self.seen_by:
            return 403, {"message": "user should be an organization member"}
        names = [name.partition("/")[2] for name in self.teams if name.startswith(f"{owner}/")]
        return 200, [{"id": number, "name": name} for number, name in enumerate(names, 1)]

    def _member(self, number: str, login: str, _: Any, __: Any, token: str) -> tuple[int, Any]:
        if token not in self.seen_by:
            return 403, {"message": "may not"}
        members = list(self.teams.values())[int(number) - 1]
        if members.get(login) != "active":
            return 404, {"message": "not a member"}
        return 200, {"login": login}


def _user(author: dict[str, str] | None) -> dict[str, Any]:
    if author is None:
        return {"login": "Ghost", "id": -1}
    return {"login": author["login"], "id": -2 if author["__typename"] == "Bot" else 5}
