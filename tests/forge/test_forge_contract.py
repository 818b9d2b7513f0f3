"""What every forge must give to reviews, against its own description of its API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes.clock import FakeClock
from fakes.gitea import GiteaWorld
from fakes.github import (
    ACCOUNT,
    REPOSITORY,
    TOKEN,
    GitHubWorld,
    Pull,
    serving,
)
from fakes.openapi import OpenApi

from reconciler.review.model.pull_request import Commit, Login
from reconciler.review.ports import ForgeRefusedError, ForgeUnreachableError, ReviewForge
from reconciler.settings import Settings
from reconciler.wiring.forge import NoForgeError, open_forge, run_url, seal_keys

HEAD, BASE, MERGE = Commit("a" * 40), Commit("b" * 40), Commit("c" * 40)


@pytest.fixture(params=["github.json", "ghes.json", "gitea.json"])
def world(request: pytest.FixtureRequest) -> GitHubWorld:
    kind = GiteaWorld if request.param == "gitea.json" else GitHubWorld
    made = kind(OpenApi(request.param))
    made.pulls[7] = Pull("ann", HEAD, people=[("ann", "web-flow"), ("Eve", "eve")])
    made.commits |= {MERGE: [BASE, HEAD], BASE: [], HEAD: [BASE]}
    made.branches["main"] = MERGE
    made.teams["acme/finance"] = {"fay": "active", "guest": "pending"}
    made.permissions |= {"bob": "write", "rob": "read", "max": "admin"}
    return made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def forge(world: GitHubWorld, clock: FakeClock) -> Iterator[ReviewForge]:
    with serving(world) as url:
        settings = Settings.from_environment(world.environ(url))
        with open_forge(settings, clock) as opened:
            yield opened


def test_we_know_who_we_are(forge: ReviewForge) -> None:
    assert forge.whoami() == ACCOUNT
    assert forge.repository == REPOSITORY


def test_a_pull_request_names_everyone_who_wrote_it(forge: ReviewForge) -> None:
    found = forge.pull_request(7)
    assert found.people == {"ann", "eve", "web-flow"}
    assert (found.author, found.head, found.base) == ("ann", HEAD, "main")
    assert not found.from_fork


def test_a_pull_request_of_many_commits_hides_nobody(
    world: GitHubWorld, forge: ReviewForge
) -> None:
    world.pulls[7].people = [("ann", "ann")] * 260 + [("late", "late")]
    assert "late" in forge.pull_request(7).people


def test_a_fork_is_told(world: GitHubWorld, forge: ReviewForge) -> None:
    world.pulls[7].repository = "eve/billing"
    assert forge.pull_request(7).from_fork


@pytest.mark.parametrize("page", [1, 2, 100])
def test_lists_are_read_to_their_end(world: GitHubWorld, forge: ReviewForge, page: int) -> None:
    world.page_max = page
    for number in range(5):
        world.review(7, "fay", f"review {number}")
        world.comment(7, ACCOUNT, f"note {number}")
        world.comment(7, "eve", "<!-- reconciler-comment/1 production -->")
    assert [review.words[-1] for review in forge.reviews(7)] == list("01234")
    assert [note.text[-1] for note in forge.notes(7)] == list("01234")


def test_a_review_says_who_when_what_and_whether_it_was_edited(
    world: GitHubWorld, forge: ReviewForge
) -> None:
    world.users["robot"] = "Bot"
    world.review(7, "Fay", "words", "APPROVED")
    world.edit_review(7, world.review(7, "robot", state="DISMISSED"))
    world.reviews[7][world.review(7, "ghost")]["author"] = None
    world.review(7, "fay", state="PENDING")
    fay, robot, ghost = forge.reviews(7)
    assert (fay.author, fay.kind, fay.words, fay.is_edited) == ("fay", "approved", "words", False)
    assert (fay.commit, fay.at) == (HEAD, "2026-12-01T00:00:01Z")
    assert (robot.is_person, robot.kind, robot.is_edited) == (False, "dismissed", True)
    assert not ghost.is_person
    assert fay.id < robot.id < ghost.id


@pytest.mark.parametrize(
    ("person", "group", "answer"),
    [
        ("fay", "acme/finance", "yes"),
        ("guest", "acme/finance", "no"),
        ("bob", "acme/finance", "no"),
        ("fay", "acme/nothing", "unknown"),
    ],
)
def test_membership_is_yes_no_or_unknown(
    forge: ReviewForge, person: str, group: str, answer: str
) -> None:
    assert forge.is_member(Login(person), Login(group)) == answer


def test_a_token_that_may_not_read_teams_knows_nothing(
    world: GitHubWorld, forge: ReviewForge
) -> None:
    world.seen_by = {TOKEN}
    assert forge.is_member(Login("fay"), Login("acme/finance")) == "unknown"


@pytest.mark.parametrize(
    ("person", "answer"), [("bob", "yes"), ("max", "yes"), ("rob", "no"), ("nobody", "no")]
)
def test_who_may_write(forge: ReviewForge, person: str, answer: str) -> None:
    assert forge.may_write(Login(person)) == answer


def test_whether_a_push_dismisses_approvals(world: GitHubWorld, forge: ReviewForge) -> None:
    assert forge.dismisses_on_push("main") == "unknown"
    world.protect(dismisses=False)
    assert forge.dismisses_on_push("main") == "no"
    world.protect(dismisses=True)
    assert forge.dismisses_on_push("main") == "yes"
    world.broken.append(("GET", "/", 403, {}))
    assert forge.dismisses_on_push("main") == "unknown"


def test_only_our_own_statuses_count_newest_first(world: GitHubWorld, forge: ReviewForge) -> None:
    for state, text in (("pending", "one"), ("success", "two")):
        forge.set_status(HEAD, "reconciler/production", state, text, "https://run")  # type: ignore[arg-type]
    world.statuses.append({**world.statuses[0], "creator": "eve"})
    found = forge.statuses(HEAD)
    assert [(status.state, status.text) for status in found] == [
        ("success", "two"),
        ("pending", "one"),
    ]
    assert found[1].at < found[0].at


def test_a_comment_is_written_and_replaced(world: GitHubWorld, forge: ReviewForge) -> None:
    forge.write_note(7, "first")
    forge.write_note(7, "second", forge.notes(7)[0].id)
    assert world.notes(7) == ["second"]
    with pytest.raises(ForgeRefusedError, match="too long"):
        forge.write_note(7, "x" * 70_000)


def test_an_issue_is_opened_changed_and_closed(world: GitHubWorld, forge: ReviewForge) -> None:
    made = forge.open_issue("title", "text")
    forge.edit_issue(made.number, "other", "words")
    assert [(issue.title, issue.text) for issue in forge.issues()] == [("other", "words")]
    forge.close_issue(made.number)
    assert forge.issues() == ()


def test_what_was_merged_is_found_by_its_commits(world: GitHubWorld, forge: ReviewForge) -> None:
    world.pulls[7].merged_at = "2026-12-01T00:00:00Z"
    world.pulls[8] = Pull("bob", Commit("d" * 40), merged_at="2026-12-01T00:00:00Z", base_sha=MERGE)
    world.carried |= {MERGE: 7, HEAD: 7, "d" * 40: 8}
    world.commits["d" * 40] = [MERGE]
    assert set(forge.merged_between(BASE, Commit("d" * 40))) == {7, 8}
    assert forge.merged_between(Commit(""), MERGE) == (7,)


def test_branches_parents_workflows_and_files(world: GitHubWorld, forge: ReviewForge) -> None:
    assert forge.branch_head("main") == MERGE
    assert forge.parents(MERGE) == (BASE, HEAD)
    forge.dispatch("plan.yml", "main", {"pull-request": "7"})
    assert world.dispatched[0]["inputs"] == {"pull-request": "7"}
    tree = forge.file_tree(HEAD)
    assert tree.startswith(f"https://github.test/{REPOSITORY}/")
    assert tree.endswith(HEAD)


@pytest.mark.parametrize(
    "limit",
    [
        (403, {"retry-after": "7"}, 7),
        (429, {"retry-after": "9"}, 9),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, 1),
    ],
)
def test_limits_are_waited_for(
    world: GitHubWorld,
    forge: ReviewForge,
    clock: FakeClock,
    limit: tuple[int, dict[str, str], int],
) -> None:
    status, headers, least = limit
    world.broken.append(("GET", "/pulls/7", status, headers))
    began = clock.monotonic()
    assert forge.pull_request(7).author == "ann"
    assert clock.monotonic() - began >= least


def test_a_refusal_is_no_limit(world: GitHubWorld, forge: ReviewForge) -> None:
    world.broken.append(("GET", "/pulls/7", 403, {}))
    with pytest.raises(ForgeRefusedError, match="answers 403: broken on purpose"):
        forge.pull_request(7)


def test_a_comment_whose_fate_is_unknown_is_not_sent_twice(
    world: GitHubWorld, forge: ReviewForge
) -> None:
    world.broken.append(("POST", "/comments", 502, {}))
    with pytest.raises(ForgeUnreachableError, match="finds what was written before"):
        forge.write_note(7, "text")
    (asked,) = [path for method, path in world.asked if method == "POST"]
    assert asked.endswith(f"/repos/{REPOSITORY}/issues/7/comments")


def test_reads_and_what_may_be_repeated_are_sent_again(
    world: GitHubWorld, forge: ReviewForge
) -> None:
    world.broken += [("GET", "/pulls/7", 502, {}), ("POST", "/statuses/", 503, {})]
    assert forge.pull_request(7).author == "ann"
    forge.set_status(HEAD, "reconciler/production", "success", "text", "")
    assert len(world.statuses) == 1


@pytest.mark.parametrize("variable", ["GITHUB_REPOSITORY", "GITHUB_TOKEN"])
def test_outside_a_job_it_says_what_is_missing(variable: str, clock: FakeClock) -> None:
    known = GitHubWorld(OpenApi("github.json")).environ("http://127.0.0.1:1")
    del known[variable]
    with (
        pytest.raises(NoForgeError, match=f"{variable} is not set"),
        open_forge(Settings.from_environment(known), clock),
    ):
        pass


def test_a_seal_must_be_long_and_may_be_two() -> None:
    assert len(seal_keys({"RECONCILER_SEAL": f"{'a' * 32} {'b' * 32}"})) == 2
    for short in ({}, {"RECONCILER_SEAL": "a" * 31}):
        with pytest.raises(NoForgeError, match="RECONCILER_SEAL"):
            seal_keys(short)


def test_a_run_has_a_url_where_there_is_one() -> None:
    assert (
        run_url(GitHubWorld(OpenApi("github.json")).environ("x"))
        == f"https://github.test/{REPOSITORY}/actions/runs/77"
    )
    assert run_url({}) == ""


def test_an_unknown_forge_is_refused(clock: FakeClock) -> None:
    known = GitHubWorld(OpenApi("github.json")).environ("http://127.0.0.1:1")
    settings = Settings.from_environment({**known, "RECONCILER_FORGE": "gitlab"})
    with (
        pytest.raises(NoForgeError, match="'gitlab', not `github` or `gitea`"),
        open_forge(settings, clock),
    ):
        pass
