"""plan and apply with the state on a git remote, as people type them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.git_place import GitPlace, git, second

from reconciler.emulator.running import RunningEmulator
from reconciler.errors import ExitCode


@pytest.fixture
def place(emulate: Callable[..., RunningEmulator], tmp_path: Path) -> GitPlace:
    return GitPlace(tmp_path / "first", emulate(requests_per_second=0))


def test_without_a_state_a_plan_is_shown_and_nothing_is_written(place: GitPlace) -> None:
    planned = place.run("plan", "--env", "sandbox")
    assert planned.code == 0, planned
    assert "there is no state of `sandbox`" in planned.err
    place.forget()
    for command in (("apply", "--yes"), ("sync", "run")):
        ran = place.run(*command, "--env", "sandbox")
        assert ran.code == ExitCode.REFUSED_IDENTITY, ran
        assert "reconciler state init --env sandbox" in ran.err
    assert place.writes() == []
    assert place.refs() == {}


def test_what_one_clone_applies_another_one_knows(place: GitPlace) -> None:
    """Two places with folders of their own took each other's apply for an edit in the Console."""
    place.init()
    place.apply()
    assert place.is_in_sync()
    assert sorted(place.refs()) == [
        "refs/heads/reconciler/state/sandbox",
        "refs/reconciler/witness/sandbox",
    ]
    other = second(place)
    assert other.is_in_sync()
    other.edit("chargebee-uk/integration.yaml", "Chargebee UK bills", "Chargebee UK")
    other.publish("a shorter name")
    other.apply()
    git(place.folder, "pull", "--quiet", "origin", "main")
    assert place.is_in_sync()
    log = git(
        place.remote,
        *("log", "-1", "--format=%s%n%(trailers:key=Reconciler-Record)"),
        "reconciler/state/sandbox",
    )
    assert log.startswith("apply ")
    assert ": 1 changed" in log
    assert "Reconciler-Record: 5 " in log


def test_an_older_commit_is_not_applied_over_a_newer_one(place: GitPlace) -> None:
    """A job that is run once more checks its old commit out."""
    place.init()
    place.apply()
    place.edit("chargebee-uk/integration.yaml", "Chargebee UK bills", "Chargebee UK")
    place.publish("a shorter name")
    place.apply()
    git(place.folder, "checkout", "--quiet", "HEAD~1")
    place.forget()
    ran = place.run("apply", "--env", "sandbox", "--yes")
    assert ran.code == ExitCode.STALE
    assert "a rollback is a pull request" in ran.err
    assert place.writes() == []


def test_an_older_commit_is_known_as_older_in_a_shallow_clone_too(place: GitPlace) -> None:
    place.init()
    place.apply()
    old = git(place.folder, "rev-parse", "HEAD")
    place.edit("chargebee-uk/integration.yaml", "Chargebee UK bills", "Chargebee UK")
    place.publish("a shorter name")
    place.apply()
    other = second(place, "--depth=1")
    other.edit("chargebee-uk/integration.yaml", "name: chargebee-uk", "name: chargebee-uk ")
    other.publish("a space")
    assert git(other.folder, "rev-parse", "--is-shallow-repository") == "true"
    assert other.run("apply", "--env", "sandbox", "--yes").code == 0
    git(other.folder, "fetch", "--quiet", "--depth=1", "origin", old)
    git(other.folder, "checkout", "--quiet", old)
    assert other.run("apply", "--env", "sandbox", "--yes").code == ExitCode.STALE


def test_a_protected_environment_is_applied_from_its_source_branch_only(place: GitPlace) -> None:
    place.patch_sandbox(protected=True)
    place.publish("protected")
    place.init()
    git(place.folder, "checkout", "--quiet", "-b", "feature")
    place.edit("chargebee-uk/integration.yaml", "Chargebee UK bills", "Chargebee UK")
    dirty = place.run("apply", place.plan())
    assert dirty.code == ExitCode.NEEDS_APPROVAL
    assert "source: `sandbox` is protected: it is applied from `main` only" in dirty.err
    assert "not committed" in dirty.err
    git(place.folder, "commit", "--quiet", "-am", "a shorter name")
    beside = place.run("apply", place.plan(), "--yes")
    assert beside.code == ExitCode.NEEDS_APPROVAL
    assert "is not on it" in beside.err
    git(place.folder, "push", "--quiet", "origin", "feature:main")
    merged = place.run("apply", place.plan())
    assert "applied from `main` only" not in merged.err


def test_a_lock_is_shown_and_taken_away(place: GitPlace) -> None:
    place.init()
    assert place.run("lock", "show", "--env", "sandbox").out == "`sandbox` is free.\n"
    nobody = place.run("lock", "release", "--env", "sandbox", "--reason", "x")
    assert nobody.code == ExitCode.INVALID
    assert place.run("lock", "release", "--env", "sandbox", "--reason", " ").code == 10


def test_a_deleted_branch_comes_back_from_its_witness(place: GitPlace) -> None:
    place.init()
    place.apply()
    before = place.refs()
    git(place.remote, "update-ref", "-d", "refs/heads/reconciler/state/sandbox")
    lost = place.run("plan", "--env", "sandbox")
    assert lost.code == ExitCode.REFUSED_IDENTITY
    assert "reconciler state restore --env sandbox" in lost.err
    restored = place.run("state", "restore", "--env", "sandbox")
    assert restored.code == 0, restored
    assert "stands again at record 3" in restored.out
    assert place.refs() == before
    assert place.is_in_sync()


def test_nothing_is_pushed_when_nothing_is_kept(place: GitPlace) -> None:
    place.init()
    assert "Nothing of `sandbox` is kept here" in place.run("state", "push", "--env", "sandbox").out
    assert place.run("state", "init", "--env", "sandbox").code == ExitCode.REFUSED_IDENTITY
    assert place.run("state", "init", "--env", "sandbox", "--lost").code == ExitCode.INVALID


def test_a_remote_that_the_clone_does_not_have_is_named(place: GitPlace) -> None:
    git(place.folder, "remote", "remove", "origin")
    ran = place.run("plan", "--env", "sandbox")
    assert ran.code == ExitCode.REFUSED_IDENTITY
    assert "git remote add origin URL" in ran.err


def test_a_chain_goes_to_a_remote_and_back_with_equal_bytes(place: GitPlace) -> None:
    line = "state: {backend: git-branch}"
    folder = "state: {backend: directory, path: .reconciler/state}"
    place.edit("project.yaml", line, folder)
    place.apply()
    records = place.folder / ".reconciler/state/sandbox"
    before = {file.name: file.read_bytes() for file in records.glob("[0-9]*.json")}
    there = place.run("state", "migrate", "--env", "sandbox", "--to", "git-branch")
    assert there.code == 0, there
    assert "state: {backend: git-branch}" in there.out
    again = place.run("state", "migrate", "--env", "sandbox", "--to", "git-branch")
    assert "0 records of `sandbox` copied; all 2 read back" in again.out
    place.edit("project.yaml", folder, line)
    planned = place.run("plan", "--env", "sandbox")
    assert "state.backend" in planned.out, "where the state is kept is a rule, and asks"
    shutil.rmtree(records)
    back = place.run("state", "migrate", "--env", "sandbox", "--to", "directory")
    assert back.code == 0, back
    assert {file.name: file.read_bytes() for file in records.glob("[0-9]*.json")} == before
    same = place.run("state", "migrate", "--env", "sandbox", "--to", "git-branch")
    assert same.code == ExitCode.INVALID


def test_two_chains_are_never_mixed(place: GitPlace) -> None:
    place.init()
    folder = "state: {backend: directory, path: .reconciler/state}"
    place.edit("project.yaml", "state: {backend: git-branch}", folder)
    place.apply()
    before = place.refs()
    ran = place.run("state", "migrate", "--env", "sandbox", "--to", "git-branch")
    assert ran.code == ExitCode.REFUSED_IDENTITY
    assert "never mixed" in ran.err
    assert place.refs() == before


def test_a_chain_is_verified_and_the_first_wrong_commit_named(place: GitPlace) -> None:
    place.init()
    place.apply()
    place.edit("chargebee-uk/integration.yaml", "Chargebee UK bills", "Chargebee UK")
    place.publish("a shorter name")
    place.apply()
    sound = place.run("state", "verify", "--env", "sandbox")
    assert sound.code == 0, sound
    assert "5 records of `sandbox` are sound" in sound.out
    branch, witness = "refs/heads/reconciler/state/sandbox", "refs/reconciler/witness/sandbox"
    tree = git(place.remote, "rev-parse", f"{branch}~2^{{tree}}")
    forged = git(place.remote, "commit-tree", tree, "-p", branch, "-m", "as it was")
    for ref in (branch, witness):
        git(place.remote, "update-ref", ref, forged)
    wrong = second(place).run("state", "verify", "--env", "sandbox")
    assert wrong.code == ExitCode.STALE
    assert forged in wrong.err


def test_a_missing_state_and_a_new_name_make_no_second_configuration_unasked(
    place: GitPlace,
) -> None:
    """A folder that was lost counted as nothing applied: the renamed one was planned again."""
    line = "state: {backend: git-branch}"
    place.edit("project.yaml", line, "state: {backend: directory, path: .reconciler/state}")
    place.apply()
    shutil.rmtree(place.folder / ".reconciler/state")
    place.edit("chargebee-uk/integration.yaml", "Chargebee UK bills", "Chargebee UK")
    place.forget()
    ran = place.run("apply", "--env", "sandbox", "--yes")
    assert ran.code == ExitCode.NEEDS_APPROVAL
    assert "first-contact: integration/chargebee-uk: nothing is known to be applied" in ran.err
    assert "`Chargebee UK bills`" in ran.err
    assert place.writes() == []


def test_when_nothing_is_left_a_new_chain_begins_with_its_reason(place: GitPlace) -> None:
    place.init()
    place.apply()
    for ref in place.refs():
        git(place.remote, "update-ref", "-d", ref)
    assert place.run("state", "init", "--env", "sandbox").code == ExitCode.REFUSED_IDENTITY
    begun = place.run("state", "init", "--env", "sandbox", "--lost", "--reason", "the disk died")
    assert begun.code == 0, begun
    place.edit("chargebee-uk/integration.yaml", "Chargebee UK bills", "Chargebee UK")
    ran = place.run("apply", "--env", "sandbox", "--yes")
    assert ran.code == ExitCode.NEEDS_APPROVAL
    assert "first-contact" in ran.err
    told = git(place.remote, "log", "--format=%B", "reconciler/state/sandbox")
    assert "state-lost: a new chain" in told
    assert "Reconciler-Reason: the disk died" in told
