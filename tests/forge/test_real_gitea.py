"""Gitea itself, built from its Go module: what its description leaves open, asked of the program.

`make forge` builds it and runs this; elsewhere it is skipped.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.kernel import exact_json
from reconciler.review.model.pull_request import Commit, Login
from reconciler.review.ports import ReviewForge
from reconciler.settings import Settings
from reconciler.transport.system_clock import SystemClock
from reconciler.wiring.forge import open_forge

PROGRAM = os.environ.get("RECONCILER_GITEA", "")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="needs a Gitea: run `make forge`")
REPOSITORY = "acme/billing"
PASSWORD = "correct-horse-7"
INI = """
APP_NAME = forge
RUN_MODE = prod
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
STATIC_ROOT_PATH = {static}
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db
[repository]
ROOT = {folder}/repositories
[security]
INSTALL_LOCK = true
[service]
DISABLE_REGISTRATION = true
[cron]
ENABLED = false
[cron.update_checker]
ENABLED = false
[log]
LEVEL = Error
ROOT_PATH = {folder}/log
"""


@dataclass
class Server:
    """A running Gitea with one repository, and people in it."""

    url: str
    token: str
    owner_token: str

    def call(self, method: str, path: str, body: object = None, by: str = "root") -> Any:
        """Do something as a person would."""
        answer = httpx.request(
            method,
            f"{self.url}/api/v1{path}",
            content=None if body is None else exact_json.encode(body).encode(),  # type: ignore[arg-type]
            headers={"Content-Type": "application/json"},
            auth=(by, PASSWORD),
            timeout=60,
        )
        assert answer.status_code < 300, (path, answer.text)
        return exact_json.decode(answer.content) if answer.content else None

    def commit(self, branch: str, file: str, by: str, **more: object) -> str:
        """Commit a new file, and give the hash."""
        body = {
            "content": b64encode(file.encode()).decode(),
            "message": f"add {file}",
            "branch": branch,
            **more,
        }
        made = self.call("POST", f"/repos/{REPOSITORY}/contents/{file}", body, by)
        return str(made["commit"]["sha"])


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("gitea"), free_port()
    static = (Path(PROGRAM).parent / "static").read_text().strip()
    ini = folder / "app.ini"
    ini.write_text(INI.format(port=port, folder=folder, static=static))
    environ = {
        **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
        "GITEA_WORK_DIR": str(folder),
        "GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT": "true",
    }

    def gitea(*arguments: str) -> str:
        ended = subprocess.run(
            [PROGRAM, "--config", str(ini), *arguments],
            env=environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended
        return ended.stdout

    gitea("migrate")
    about = ("--password", PASSWORD, "--must-change-password=false")
    gitea(
        "admin", "user", "create", "--admin", "--username", "root", "--email", "root@x.test", *about
    )
    for name in ("ann", "fay", "bob", "tool"):
        gitea("admin", "user", "create", "--username", name, "--email", f"{name}@x.test", *about)
    make = ("admin", "user", "generate-access-token", "--raw", "--scopes", "all", "--username")
    tokens = [gitea(*make, name).strip().splitlines()[-1] for name in ("tool", "root")]
    process = subprocess.Popen([PROGRAM, "--config", str(ini), "web"], env=environ)
    try:
        made = Server(f"http://127.0.0.1:{port}", *tokens)
        for _ in range(300):
            with suppress(httpx.HTTPError):
                if httpx.get(f"{made.url}/api/healthz", timeout=5).status_code == 200:
                    break
            time.sleep(0.2)
        prepare(made)
        yield made
    finally:
        process.terminate()
        process.wait(30)


def prepare(server: Server) -> None:
    """Make an organisation, a team, and a repository that all may write to."""
    server.call("POST", "/orgs", {"username": "acme"})
    units = {"repo.code": "write", "repo.pulls": "write", "repo.issues": "write"}
    for name, members in (("finance", ["fay"]), ("engineers", ["ann", "bob", "fay", "tool"])):
        team = server.call(
            "POST", "/orgs/acme/teams",
            {"name": name, "units_map": units, "includes_all_repositories": True},
        )  # fmt: skip
        for member in members:
            server.call("PUT", f"/teams/{team['id']}/members/{member}")
    server.call(
        "POST", "/orgs/acme/repos", {"name": "billing", "auto_init": True, "default_branch": "main"}
    )


@pytest.fixture
def forge(server: Server) -> Iterator[ReviewForge]:
    with connected(server, RECONCILER_TEAM_TOKEN=server.owner_token) as opened:
        yield opened


@contextmanager
def connected(server: Server, **more: str) -> Iterator[ReviewForge]:
    environ = {
        "RECONCILER_FORGE": "gitea",
        "GITHUB_API_URL": f"{server.url}/api/v1",
        "GITHUB_SERVER_URL": server.url,
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_TOKEN": server.token,
        **more,
    }
    with open_forge(Settings.from_environment(environ), SystemClock()) as opened:
        yield opened


def proposed(server: Server, branch: str) -> tuple[int, str]:
    """Open a pull request by ann with one commit; gives its number and head."""
    head = server.commit("main", f"{branch}.txt", "ann", new_branch=branch)
    made = server.call(
        "POST",
        f"/repos/{REPOSITORY}/pulls",
        {"title": branch, "head": branch, "base": "main"},
        "ann",
    )
    return int(made["number"]), head


def review(server: Server, number: int, by: str, words: str, event: str = "COMMENT") -> int:
    body = {"body": words, "event": event}
    return int(server.call("POST", f"/repos/{REPOSITORY}/pulls/{number}/reviews", body, by)["id"])


def test_who_we_are_and_who_is_where(server: Server, forge: ReviewForge) -> None:
    assert forge.whoami() == "tool"
    assert forge.is_member(Login("fay"), Login("acme/finance")) == "yes"
    assert forge.is_member(Login("bob"), Login("acme/finance")) == "no"
    assert forge.is_member(Login("bob"), Login("acme/none")) == "unknown"
    # a team's rights unit by unit are none as a whole, and count as none
    assert forge.may_write(Login("ann")) == "no"
    server.call("PUT", f"/repos/{REPOSITORY}/collaborators/bob", {"permission": "write"})
    assert forge.may_write(Login("bob")) == "yes"
    assert forge.may_write(Login("nobody")) == "no"


def test_a_token_that_is_in_no_such_team_knows_nothing_of_it(server: Server) -> None:
    with connected(server) as forge:
        assert forge.is_member(Login("fay"), Login("acme/finance")) != "yes"


def test_a_pull_request_and_its_reviews(server: Server, forge: ReviewForge) -> None:
    number, head = proposed(server, "reviews")
    found = forge.pull_request(number)
    assert (found.author, found.head, found.base, found.from_fork) == ("ann", head, "main", False)
    assert "ann" in found.people
    review(server, number, "fay", "/approve drift@0123456789ab -- fine", "APPROVED")
    review(server, number, "bob", "no", "REQUEST_CHANGES")
    fay, bob = forge.reviews(number)
    assert (fay.author, fay.kind, fay.words) == (
        "fay",
        "approved",
        "/approve drift@0123456789ab -- fine",
    )
    assert (fay.commit, fay.is_person, fay.is_edited) == (head, True, False)
    assert (bob.kind, bob.is_edited) == ("changes-requested", False)
    assert fay.at <= bob.at


def test_an_edited_a_dismissed_and_a_stale_review(server: Server, forge: ReviewForge) -> None:
    number, _ = proposed(server, "edited")
    edited = review(server, number, "fay", "first words")
    dismissed = review(server, number, "bob", "", "APPROVED")
    timeline = server.call("GET", f"/repos/{REPOSITORY}/issues/{number}/timeline")
    (entry,) = [
        candidate
        for candidate in timeline
        if candidate["type"] == "review" and candidate["review_id"] == edited
    ]
    server.call("PATCH", f"/repos/{REPOSITORY}/issues/comments/{entry['id']}", {"body": "other"})
    path = f"/repos/{REPOSITORY}/pulls/{number}/reviews/{dismissed}/dismissals"
    server.call("POST", path, {"message": "not so"})
    server.commit("edited", "more.txt", "ann")
    found = {review.id: review for review in forge.reviews(number)}
    assert found[edited].is_edited
    assert found[dismissed].kind == "dismissed"


def test_statuses_comments_and_issues(server: Server, forge: ReviewForge) -> None:
    number, head = proposed(server, "statuses")
    commit = Commit(head)
    forge.set_status(commit, "reconciler/production", "pending", "one", "")
    forge.set_status(commit, "reconciler/production", "success", "two", f"{server.url}/run")
    body = {"state": "success", "context": "reconciler/production", "description": "mine"}
    server.call("POST", f"/repos/{REPOSITORY}/statuses/{head}", body, "bob")
    assert [(status.state, status.text) for status in forge.statuses(commit)] == [
        ("success", "two"),
        ("pending", "one"),
    ]
    server.call("POST", f"/repos/{REPOSITORY}/issues/{number}/comments", {"body": "mine"}, "bob")
    forge.write_note(number, "<!-- hidden --> first")
    forge.write_note(number, "<!-- hidden --> second", forge.notes(number)[0].id)
    assert [note.text for note in forge.notes(number)] == ["<!-- hidden --> second"]
    made = forge.open_issue("title", "text")
    forge.edit_issue(made.number, "other", "words")
    assert [(issue.title, issue.text) for issue in forge.issues()] == [("other", "words")]
    forge.close_issue(made.number)
    assert forge.issues() == ()


def test_whether_a_push_dismisses(server: Server, forge: ReviewForge) -> None:
    assert forge.dismisses_on_push("main") in {"unknown", "no"}
    server.call("PUT", f"/repos/{REPOSITORY}/collaborators/tool", {"permission": "admin"})
    body = {"rule_name": "kept", "dismiss_stale_approvals": True}
    server.call("POST", f"/repos/{REPOSITORY}/branch_protections", body)
    assert forge.dismisses_on_push("kept") == "yes"


@pytest.mark.parametrize("kind", ["merge", "squash", "rebase"])
def test_what_was_merged_is_found_whatever_the_merge(
    server: Server, forge: ReviewForge, kind: str
) -> None:
    base = forge.branch_head("main")
    number, _ = proposed(server, f"merged-{kind}")
    path = f"/repos/{REPOSITORY}/pulls/{number}/merge"
    for _ in range(50):
        if server.call("GET", f"/repos/{REPOSITORY}/pulls/{number}")["mergeable"]:
            break
        time.sleep(0.2)
    server.call("POST", path, {"Do": kind})
    head = forge.branch_head("main")
    assert forge.merged_between(base, head) == (number,)
    assert len(forge.parents(head)) == (2 if kind == "merge" else 1)
