"""A GitHub for one repository on loopback; every request and answer is checked against its API."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from fakes.openapi import OpenApi, check, filled

from reconciler.kernel import exact_json

REPOSITORY = "acme/billing"
ACCOUNT = "reconciler[bot]"
BODY_MAX = 65_536
TOKEN, TEAM_TOKEN = "job-token", "team-token"


@dataclass
class Pull:
    """One pull request."""

    author: str
    head: str
    base: str = "main"
    base_sha: str = "b" * 40
    people: list[tuple[str, str]] = field(default_factory=list)
    repository: str = REPOSITORY
    merged_at: str | None = None


@dataclass
class GitHubWorld:
    """Everything there is; tests change it as people would.

    Attributes:
        teams: Members and invited people, by team.
        seen_by: Which tokens may read teams.
        page_max: So that lists of three have pages.
        broken: Answers to give instead, by method and a part of the path, each once.
    """

    api: OpenApi
    now: int = 0
    users: dict[str, str] = field(default_factory=dict)
    teams: dict[str, dict[str, str]] = field(default_factory=dict)
    seen_by: set[str] = field(default_factory=lambda: {TEAM_TOKEN})
    permissions: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    commits: dict[str, list[str]] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    dispatched: list[dict[str, Any]] = field(default_factory=list)
    page_max: int = 100
    page_size: str = "per_page"
    graphql: str = "/graphql"
    broken: list[tuple[str, str, int, dict[str, str]]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def moment(self) -> str:
        """Let a second pass."""
        self.now += 1
        return f"2026-12-01T{self.now // 3600:02d}:{self.now // 60 % 60:02d}:{self.now % 60:02d}Z"

    def review(self, number: int, author: str, words: str = "", state: str = "COMMENTED") -> int:
        """Submit a review."""
        at = self.moment()
        self.reviews.setdefault(number, []).append(
            {"fullDatabaseId": str(self.now), "state": state, "submittedAt": at,
             "lastEditedAt": None, "body": words, "url": f"https://github.test/r/{self.now}",
             "author": {"__typename": self.users.get(author, "User"), "login": author},
             "commit": {"oid": self.pulls[number].head}}
        )  # fmt: skip
        return len(self.reviews[number]) - 1

    def comment(self, number: int, author: str, body: str) -> int:
        """Write a comment."""
        identity = 1_000 + len(self.comments)
        self.comments[identity] = {"number": number, "author": author, "body": body}
        return identity

    def notes(self, number: int) -> list[str]:
        """What our account wrote there."""
        return [
            comment["body"]
            for comment in self.comments.values()
            if (comment["number"], comment["author"]) == (number, ACCOUNT)
        ]

    def edit_review(self, number: int, place: int) -> None:
        """Change the words of a review after it was submitted."""
        self.reviews[number][place]["lastEditedAt"] = "2026-12-01T00:00:09Z"

    def protect(self, *, dismisses: bool) -> None:
        """Ask for reviews on the base branch."""
        self.rules = [review_rule(dismisses=dismisses)]

    def environ(self, url: str) -> dict[str, str]:
        """What a runner says about it."""
        return {
            "GITHUB_API_URL": url,
            "GITHUB_GRAPHQL_URL": f"{url}/graphql",
            "GITHUB_SERVER_URL": "https://github.test",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_TOKEN": TOKEN,
            "RECONCILER_TEAM_TOKEN": TEAM_TOKEN,
            "RECONCILER_SEAL": "k" * 32,
            "GITHUB_RUN_ID": "77",
        }

    def status(self, sha: str, context: str) -> tuple[str, str]:
        """The newest status of a commit."""
        found = [
            status
            for status in self.statuses
            if (status["sha"], status["context"]) == (sha, context)
        ]
        return (found[-1]["state"], found[-1]["description"]) if found else ("", "")

    def open_issues(self) -> list[dict[str, Any]]:
        """The issues that are open."""
        return [issue for issue in self.issues.values() if issue["state"] == "open"]

    def answer(
        self, method: str, target: str, body: Any, token: str
    ) -> tuple[int, dict[str, str], Any]:
        """Answer one request."""
        parts = urlsplit(target)
        self.asked.append((method, parts.path))
        for number, (verb, place, code, known) in enumerate(self.broken):
            if verb == method and place in parts.path:
                del self.broken[number]
                return code, known, {"message": "broken on purpose"}
        if parts.path == self.graphql:
            return 200, {}, {"data": self._graphql(body)}
        query = dict(parse_qsl(parts.query))
        operation = self.api.check_request(method, parts.path, query, body)
        for pattern, verb, serve in self._routes():
            found = re.fullmatch(pattern, parts.path)
            if found and verb == method:
                names = [unquote(name) for name in found.groups()]
                status, given = serve(*names, query, body, token)
                return self._whole(operation, status, given, parts.path, query)
        raise AssertionError(target)

    def _whole(
        self, operation: Any, status: int, given: Any, path: str, query: dict[str, str]
    ) -> tuple[int, dict[str, str], Any]:
        if status >= 300:
            return status, {}, given
        headers: dict[str, str] = {}
        listed = given.get("commits") if isinstance(given, dict) else given
        if isinstance(listed, list) and self.page_size in operation["query"]:
            size = min(self.page_max, int(query.get(self.page_size, "30")))
            page = int(query.get("page", "1"))
            if len(listed) > page * size:
                kept = "&".join(f"{key}={query[key]}" for key in query if key != "page")
                headers["link"] = f'<http://forge{path}?{kept}&page={page + 1}>; rel="next"'
            listed[:] = listed[(page - 1) * size : page * size]
        schema = operation["answers"][str(status)]
        answer = filled(schema, given)
        if schema is not True:
            check(schema, answer)
        return status, headers, answer

    def _routes(self) -> list[tuple[str, str, Callable[..., tuple[int, Any]]]]:
        repo = f"/repos/{REPOSITORY}"
        return [
            (rf"{repo}/pulls/(\d+)", "GET", self._pull),
            (rf"{repo}/pulls/(\d+)/commits", "GET", self._pull_commits),
            (rf"{repo}/compare/(.+)", "GET", self._compare),
            (rf"{repo}/commits/([0-9a-f]+)/pulls", "GET", self._pulls_of),
            (rf"{repo}/commits/([0-9a-f]+)/statuses", "GET", self._statuses),
            (rf"{repo}/statuses/([0-9a-f]+)", "POST", self._set_status),
            (rf"{repo}/git/commits/([0-9a-f]+)", "GET", self._commit),
            (rf"{repo}/branches/(.+)", "GET", self._branch),
            (rf"{repo}/rules/branches/(.+)", "GET", lambda _, *__: (200, list(self.rules))),
            (rf"{repo}/collaborators/([^/]+)/permission", "GET", self._permission),
            (rf"{repo}/issues", "GET", self._issues),
            (rf"{repo}/issues", "POST", self._open_issue),
            (rf"{repo}/issues/(\d+)", "PATCH", self._edit_issue),
            (rf"{repo}/issues/(\d+)/comments", "GET", self._comments),
            (rf"{repo}/issues/(\d+)/comments", "POST", self._write),
            (rf"{repo}/issues/comments/(\d+)", "PATCH", self._rewrite),
            (rf"{repo}/actions/workflows/([^/]+)/dispatches", "POST", self._dispatch),
            (r"/orgs/([^/]+)/teams/([^/]+)", "GET", self._team),
            (r"/orgs/([^/]+)/teams/([^/]+)/memberships/([^/]+)", "GET", self._membership),
        ]

    def _graphql(self, body: Any) -> Any:
        assert set(body) == {"query", "variables"}
        if "viewer" in body["query"]:
            return {"viewer": {"login": ACCOUNT}}
        about = body["variables"]
        assert f"{about['owner']}/{about['name']}" == REPOSITORY
        size = min(100, self.page_max)
        start = int(about["after"] or 0)
        listed = self.reviews.get(about["number"], [])
        more = len(listed) > start + size
        page = {"hasNextPage": more, "endCursor": str(start + size)}
        found = {"pageInfo": page, "nodes": listed[start : start + size]}
        return {"repository": {"pullRequest": {"reviews": found}}}

    def _pull(self, number: str, *_: Any) -> tuple[int, Any]:
        pull = self.pulls[int(number)]
        return 200, {
            "number": int(number),
            "user": {"login": pull.author},
            "head": {"sha": pull.head, "repo": {"full_name": pull.repository}},
            "base": {"ref": pull.base, "sha": pull.base_sha},
            "html_url": f"https://github.test/{REPOSITORY}/pull/{number}",
            "merged_at": pull.merged_at,
            "commits": len(pull.people),
        }

    def _pull_commits(self, number: str, *_: Any) -> tuple[int, Any]:
        return 200, [_people(*person) for person in self.pulls[int(number)].people][:250]

    def _compare(self, basehead: str, *_: Any) -> tuple[int, Any]:
        base, head = basehead.split("...")
        pull = next(
            (candidate for candidate in self.pulls.values() if candidate.head == head), None
        )
        if pull is not None and base == pull.base_sha:
            return 200, {"commits": [_people(*person) for person in pull.people]}
        known = self._ancestors(base)
        new = [sha for sha in self._ancestors(head) if sha not in known]
        return 200, {"commits": [{"sha": sha} for sha in reversed(new)]}

    def _ancestors(self, sha: str) -> list[str]:
        found: dict[str, None] = {}
        left = [sha]
        while left:
            one = left.pop(0)
            found[one] = None
            left += [parent for parent in self.commits.get(one, []) if parent not in found]
        return list(found)

    def _pulls_of(self, sha: str, *_: Any) -> tuple[int, Any]:
        numbers = [self.carried[sha]] if sha in self.carried else []
        return 200, [
            {"number": number, "merged_at": self.pulls[number].merged_at} for number in numbers
        ]

    def _statuses(self, sha: str, *_: Any) -> tuple[int, Any]:
        found = [status for status in reversed(self.statuses) if status["sha"] == sha]
        return 200, [
            {key: entry[key] for key in ("context", "state", "description", "created_at")}
            | {"creator": {"login": entry["creator"]}}
            for entry in found
        ]

    def _set_status(self, sha: str, _: Any, body: Any, __: str) -> tuple[int, Any]:
        if len(body["description"]) > 140:
            return 422, {"message": "description is too long"}
        made = {"sha": sha, "creator": ACCOUNT, "created_at": self.moment(), **body}
        self.statuses.append(made)
        return 201, {"context": body["context"], "state": body["state"]}

    def _commit(self, sha: str, *_: Any) -> tuple[int, Any]:
        if sha not in self.commits:
            return 404, {"message": "Not Found"}
        return 200, {"sha": sha, "parents": [{"sha": commit} for commit in self.commits[sha]]}

    def _branch(self, name: str, *_: Any) -> tuple[int, Any]:
        return 200, {"name": name, "commit": {"sha": self.branches[name]}}

    def _permission(self, login: str, *_: Any) -> tuple[int, Any]:
        if login not in self.permissions:
            return 404, {"message": f"{login} is not a user"}
        return 200, {"permission": self.permissions[login]}

    def _issues(self, query: dict[str, str], *_: Any) -> tuple[int, Any]:
        assert query["creator"] == ACCOUNT
        return 200, [_issue(issue) for issue in self.open_issues() if issue["author"] == ACCOUNT]

    def _open_issue(self, _: Any, body: Any, __: str) -> tuple[int, Any]:
        number = 500 + len(self.issues)
        made = {"number": number, "state": "open", "author": ACCOUNT, **body}
        self.issues[number] = made
        return 201, _issue(made)

    def _edit_issue(self, number: str, _: Any, body: Any, __: str) -> tuple[int, Any]:
        self.issues[int(number)] |= body
        return 200, _issue(self.issues[int(number)])

    def _comments(self, number: str, *_: Any) -> tuple[int, Any]:
        return 200, [
            _comment(identity, comment)
            for identity, comment in self.comments.items()
            if comment["number"] == int(number)
        ]

    def _write(self, number: str, _: Any, body: Any, __: str) -> tuple[int, Any]:
        if len(body["body"]) > BODY_MAX:
            return 422, {"message": "body is too long (maximum is 65536 characters)"}
        identity = self.comment(int(number), ACCOUNT, body["body"])
        return 201, _comment(identity, self.comments[identity])

    def _rewrite(self, identity: str, _: Any, body: Any, __: str) -> tuple[int, Any]:
        if len(body["body"]) > BODY_MAX:
            return 422, {"message": "body is too long (maximum is 65536 characters)"}
        self.comments[int(identity)]["body"] = body["body"]
        return 200, _comment(int(identity), self.comments[int(identity)])

    def _dispatch(self, workflow: str, _: Any, body: Any, __: str) -> tuple[int, Any]:
        self.dispatched.append({"workflow": workflow, **body})
        return 204, None

    def _team(self, owner: str, team: str, _: Any, __: Any, token: str) -> tuple[int, Any]:
        if token not in self.seen_by or f"{owner}/{team}" not in self.teams:
            return 404, {"message": "Not Found"}
        return 200, {"slug": team}

    def _membership(
        self, owner: str, team: str, login: str, _: Any, __: Any, token: str
    ) -> tuple[int, Any]:
        if token not in self.seen_by:
            return 403, {"message": "Resource not accessible by integration"}
        state = self.teams.get(f"{owner}/{team}", {}).get(login)
        if state is None:
            return 404, {"message": "Not Found"}
        return 200, {"state": state, "role": "member"}


def review_rule(*, dismisses: bool) -> dict[str, Any]:
    """A rule of a branch that asks for reviews."""
    return {
        "type": "pull_request",
        "parameters": {
            "dismiss_stale_reviews_on_push": dismisses,
            "require_code_owner_review": False,
            "require_last_push_approval": False,
            "required_approving_review_count": 1,
            "required_review_thread_resolution": False,
        },
    }


def _people(author: str, committer: str) -> dict[str, Any]:
    return {"author": {"login": author}, "committer": {"login": committer}}


def _issue(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": one["number"], "title": one["title"], "body": one["body"],
        "html_url": f"https://github.test/{REPOSITORY}/issues/{one['number']}",
    }  # fmt: skip


def _comment(identity: int, one: dict[str, Any]) -> dict[str, Any]:
    return {"id": identity, "body": one["body"], "user": {"login": one["author"]}}


@contextmanager
def serving(world: GitHubWorld) -> Iterator[str]:
    """Serve it on loopback; gives its URL. A request that breaks the API fails the test."""
    failures: list[BaseException] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            data = self.rfile.read(length)
            token = self.headers.get("authorization", "").partition(" ")[2]
            try:
                body = exact_json.decode(data) if data else None
                status, headers, answer = world.answer(self.command, self.path, body, token)
            except BaseException as error:  # noqa: BLE001  told to the test at its end
                failures.append(error)
                status, headers, answer = 500, {}, {"message": repr(error)}
            text = b"" if answer is None else exact_json.encode(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_PATCH = do_GET  # noqa: N815  the library's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    if failures:
        raise failures[0]
