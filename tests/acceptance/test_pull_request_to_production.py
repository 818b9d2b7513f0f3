"""A pull request that changes what is billed: planned, approved by finance, merged, applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.github import GitHubWorld, serving
from fakes.openapi import OpenApi
from fakes.place import Place
from fakes.workshop import Workshop

from reconciler.emulator.running import RunningEmulator
from reconciler.errors import ExitCode

UK = "chargebee-uk/integration.yaml"


@pytest.fixture
def shop(emulate: Callable[..., RunningEmulator], tmp_path: Path) -> Iterator[Workshop]:
    place = Place(tmp_path, emulate(requests_per_second=0))
    place.patch_sandbox()
    place.discover()
    world = GitHubWorld(OpenApi("github.json"))
    with serving(world) as url:
        made = Workshop(place, world, url)
        made.begin()
        first = made.apply()
        assert first.code == 0, first
        made.protect()
        yield made


def propose(shop: Workshop, number: int = 7) -> None:
    """Open a pull request that changes the default price and a name."""
    shop.branch(number)
    shop.place.edit(UK, "usage-other-GBP", "usage-else-GBP")
    shop.place.edit(UK, "displayName: Chargebee UK bills", "displayName: Chargebee UK")
    shop.push(number)
    ran = shop.plan(number)
    assert ran.code == 0, ran


def test_from_a_branch_to_production(shop: Workshop) -> None:
    propose(shop)
    state, text = shop.status(7)
    assert state == "pending"
    assert text.startswith("acme/finance-team must approve 1 change of a billing setting.")
    assert "`usage-other-GBP` → `usage-else-GBP`" in shop.told(7)
    for person, state in (("ann", "APPROVED"), ("bob", "COMMENTED"), ("robot", "APPROVED")):
        shop.world.review(7, person, shop.line(7), state)
    shop.plan(7)
    assert shop.status(7)[0] == "pending"
    assert "authors and committers never approve" in shop.told(7)

    review = shop.world.review(7, "fay", f"{shop.line(7)} -- agreed with sales")
    shop.plan(7)
    assert shop.status(7)[0] == "success"
    assert "agreed with sales" in shop.told(7)

    shop.world.reviews[7][review]["lastEditedAt"] = "2026-12-01T00:00:09Z"
    shop.plan(7)
    assert shop.status(7)[0] == "pending"
    shop.world.review(7, "fay", f"{shop.line(7)} -- agreed with sales")
    shop.plan(7)
    assert shop.status(7)[0] == "success"

    (shop.place.folder / "README.md").write_text("unrelated\n")
    shop.push(7)
    shop.plan(7)
    assert shop.status(7)[0] == "success"

    shop.merge(7)
    ran = shop.apply()
    assert ran.code == 0, ran
    assert "usage-else-GBP" in shop.place.config("Chargebee UK")["configData"].values()
    record = shop.place.state().head("sandbox")
    assert record is not None
    (approval,) = record.approvals
    assert (approval.by, approval.forge, approval.reason) == ("fay", "github", "agreed with sales")
    assert approval.url.startswith("https://github.test/r/")
    assert shop.world.open_issues() == []


def test_another_price_needs_another_approval(shop: Workshop) -> None:
    propose(shop)
    shop.world.review(7, "fay", shop.line(7))
    shop.place.edit(UK, "usage-else-GBP", "usage-dearer-GBP")
    shop.push(7)
    shop.plan(7)
    assert shop.status(7)[0] == "pending"


def test_what_nobody_approved_is_merged_and_not_applied(shop: Workshop) -> None:
    propose(shop)
    shop.merge(7)
    ran = shop.apply()
    assert ran.code == ExitCode.NEEDS_APPROVAL
    assert "acme/finance-team must approve" in ran.err
    (issue,) = shop.world.open_issues()
    assert issue["title"] == "main is not applied to sandbox"
    shop.world.review(7, "fay", shop.line(7))
    assert shop.apply().code == 0
    assert shop.world.open_issues() == []


def test_a_block_that_was_taken_away_stops_the_apply(shop: Workshop) -> None:
    propose(shop)
    shop.world.review(7, "fay", shop.line(7))
    for comment in shop.world.comments.values():
        comment["body"] = comment["body"].split("<!-- reconciler-seal")[0]
    shop.merge(7)
    assert shop.apply().code == ExitCode.NEEDS_APPROVAL
    assert "was changed or removed" in shop.told(7)


def test_an_edit_in_the_console_after_the_approval_needs_a_new_one(shop: Workshop) -> None:
    propose(shop)
    shop.world.review(7, "fay", shop.line(7))
    live = shop.place.config("Chargebee UK bills")
    key = next(key for key, value in live["configData"].items() if value == "usage-other-GBP")
    shop.place.user_edit(live["id"], configData={**live["configData"], key: "console-GBP"})
    shop.merge(7)
    ran = shop.apply()
    assert ran.code == ExitCode.NEEDS_APPROVAL
    assert "changed in git and in m3ter" in ran.err


def test_a_pull_request_that_only_weakens_a_rule_waits_for_someone(shop: Workshop) -> None:
    shop.branch(8)
    shop.place.edit("project.yaml", "github: [acme/finance-team]", "github: [ann]")
    shop.push(8)
    shop.plan(8)
    assert shop.status(8)[0] == "pending"
    assert "**Rules that change**" in shop.told(8)
    shop.world.review(8, "ann", shop.line(8, "policy"))
    shop.plan(8)
    assert shop.status(8)[0] == "pending"
    shop.world.review(8, "bob", shop.line(8, "policy"))
    shop.plan(8)
    assert shop.status(8)[0] == "success"


def test_who_wrote_one_pull_request_approves_nothing_of_it_in_another(shop: Workshop) -> None:
    propose(shop)
    shop.merge(7)
    shop.branch(8)
    (shop.place.folder / "README.md").write_text("unrelated\n")
    shop.push(8, by="bob")
    shop.plan(8)
    assert "**Waiting on the base branch" in shop.told(8)
    shop.world.review(8, "ann", shop.line(8))
    shop.plan(8)
    assert shop.status(8)[0] == "pending"
    shop.world.review(8, "fay", shop.line(8))
    shop.plan(8)
    assert shop.status(8)[0] == "success"


def test_a_pull_request_that_changes_nothing_of_ours_is_a_success_without_a_comment(
    shop: Workshop,
) -> None:
    shop.branch(8)
    (shop.place.folder / "README.md").write_text("unrelated\n")
    shop.push(8)
    assert shop.plan(8).code == 0
    assert shop.status(8)[0] == "success"
    assert shop.world.notes(8) == []


def test_an_old_merge_is_not_planned(shop: Workshop) -> None:
    propose(shop)
    shop.world.pulls[7].head = "e" * 40
    ran = shop.plan(7)
    assert ran.code == ExitCode.STALE
    assert shop.status(7)[0] == "failure"


def test_files_with_errors_are_a_failed_status_and_a_summary(
    shop: Workshop, tmp_path: Path
) -> None:
    shop.branch(8)
    shop.place.edit("project.yaml", "prune: confirm", "prune: perhaps")
    shop.push(8)
    summary = tmp_path / "summary.md"
    ran = shop.plan(8, GITHUB_STEP_SUMMARY=str(summary))
    assert ran.code == ExitCode.INVALID
    assert shop.status(8)[0] == "failure"
    assert "perhaps" in summary.read_text()


def test_a_comment_that_cannot_be_written_fails_nothing(shop: Workshop) -> None:
    shop.branch(7)
    shop.place.edit(UK, "usage-other-GBP", "usage-else-GBP")
    shop.push(7)
    shop.world.broken.append(("POST", "/comments", 403, {}))
    ran = shop.plan(7)
    assert ran.code == 0
    assert "the comment could not be written" in ran.err
    assert shop.status(7)[0] == "pending"


def test_an_old_job_that_is_run_again_applies_nothing(shop: Workshop) -> None:
    propose(shop)
    shop.world.review(7, "fay", shop.line(7))
    shop.merge(7)
    old = shop.git("rev-parse", "main~1")
    assert shop.apply().code == 0
    shop.git("checkout", "-q", "--detach", old)
    ran = shop.ci("apply")
    assert ran.code == ExitCode.STALE
    assert "The run of the newest commit applies both" in ran.err
    assert shop.place.config("Chargebee UK")


def test_drift_is_one_issue_opened_updated_and_closed(shop: Workshop) -> None:
    assert shop.ci("drift").code == 0
    assert shop.world.issues == {}
    live = shop.place.config("Chargebee UK bills")
    shop.place.user_edit(live["id"], name="edited")
    shop.ci("drift")
    shop.ci("drift")
    (issue,) = shop.world.open_issues()
    assert (
        "`integration/chargebee-uk#displayName`: `Chargebee UK bills` → `edited`" in issue["body"]
    )
    assert "accept-live --env sandbox" in issue["body"]
    assert shop.world.notes(issue["number"]) == []
    shop.place.user_edit(live["id"], name="edited again")
    shop.ci("drift")
    assert len(shop.world.notes(issue["number"])) == 1
    shop.place.user_edit(live["id"], name="Chargebee UK bills")
    shop.ci("drift")
    assert shop.world.open_issues() == []
    assert "as git says again" in shop.world.notes(issue["number"])[-1]


def test_a_plan_is_sealed_once_and_junk_beside_its_seal_is_swept_away(shop: Workshop) -> None:
    propose(shop)
    first = shop.told(7)
    shop.plan(7)
    assert shop.told(7) == first, "the same plan is sealed once"
    junk = "<!-- reconciler-seal/1 AAAA " + "0" * 64 + " -->"
    for comment in shop.world.comments.values():
        comment["body"] += junk * 400
    shop.plan(7)
    assert "AAAA" not in shop.told(7)
    shop.world.review(7, "fay", shop.line(7))
    shop.plan(7)
    assert shop.status(7)[0] == "success"


def test_a_merge_queue_gets_the_status_it_waits_for(shop: Workshop) -> None:
    propose(shop)
    shop.git("checkout", "-q", "--detach", shop.merges[7])
    page = shop.place.folder.parent / "plan.html"
    ran = shop.ci("plan", "--html", str(page))
    assert ran.code == 0, ran
    assert shop.world.status(shop.merges[7], "reconciler/sandbox")[0] == "success"
    assert "usage-else-GBP" in page.read_text()


def test_a_watch_that_ends_calls_its_heartbeat(shop: Workshop) -> None:
    shop.world.broken.append(("GET", "/alive", 200, {}))
    assert shop.ci("drift", RECONCILER_HEARTBEAT=f"{shop.url}/alive?of=drift").code == 0
    assert ("GET", "/alive") in shop.world.asked


def test_a_review_starts_the_plan_again(shop: Workshop) -> None:
    ran = shop.place.run("ci", "review", "--pull-request", "7", **shop.world.environ(shop.url))
    assert ran.code == 0, ran
    (started,) = shop.world.dispatched
    assert (started["workflow"], started["inputs"]) == ("plan.yml", {"pull-request": "7"})


def test_a_forge_that_takes_no_comment_hides_no_reason(shop: Workshop) -> None:
    propose(shop)
    shop.merge(7)
    shop.world.broken += [("POST", "/statuses/", 403, {}), ("POST", "/issues", 403, {})]
    ran = shop.apply()
    assert ran.code == ExitCode.NEEDS_APPROVAL
    assert "acme/finance-team must approve" in ran.err


def test_a_failure_that_cannot_be_posted_is_still_told(shop: Workshop) -> None:
    propose(shop)
    shop.world.pulls[7].head = "e" * 40
    shop.world.broken.append(("POST", "/statuses/", 403, {}))
    assert shop.plan(7).code == ExitCode.STALE


def test_a_job_believes_no_memory_that_a_proposal_brings(shop: Workshop) -> None:
    for command in ("apply", "drift"):
        ran = shop.ci(command, RECONCILER_STATE="git-branch")
        assert ran.code == ExitCode.REFUSED_IDENTITY
        assert "believes `git-branch` alone" in ran.err
    assert shop.ci("drift", RECONCILER_STATE="directory").code == 0
