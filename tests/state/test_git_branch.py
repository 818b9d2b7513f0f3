"""The chain on a branch of a remote: who wins, what is kept, and what is said of a broken one."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Thread

import pytest
from fakes.git_bench import (
    BRANCH,
    ENVIRONMENT,
    LOCK,
    WITNESS,
    Bench,
    Calls,
    Killed,
    append,
    die,
    start,
    write,
)
from fakes.git_place import git
from fakes.plans import binding, record

from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.address import PlanId
from reconciler.plan.model.applied import Receipt
from reconciler.plan.ports import ChainMovedError, LockedError, RecordKeptError
from reconciler.state.branch.refs import (
    AbsentStateError,
    LostStateError,
    OvertakenError,
    StateThereError,
)
from reconciler.state.branch.remote import RemoteAwayError, StateRefusedError
from reconciler.state.branch.store import ForeignCommitError
from reconciler.state.git_branch import GitBranchState
from reconciler.state.git_repair import drop, lock_of, release, restore

RECEIPT = Receipt(PlanId("a" * 64), "2026-12-01T06:00:00Z", "2026-12-01T06:00:01Z", ())


def applied(state: GitBranchState, calls: Calls, away_before: str = "") -> None:
    """Leave the two records of an apply; the remote may be gone before one of them."""
    with state.hold(ENVIRONMENT, "reconciler apply"):
        calls.away = away_before == "apply-started"
        append(state, action="apply-started")
        calls.away = away_before == "apply"
        append(state, binding(), receipt=RECEIPT, action="apply")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_without_a_branch_there_is_no_head_and_nothing_can_be_written(bench: Bench) -> None:
    state = bench.machine()
    assert state.head(ENVIRONMENT) is None
    with pytest.raises(AbsentStateError, match="state init --env sandbox") as refused:
        write(state)
    assert refused.value.exit_code is ExitCode.REFUSED_IDENTITY
    assert bench.refs() == {}


def test_a_record_is_one_commit_and_the_witness_names_it_too(bench: Bench) -> None:
    made = write(bench.begun(), binding())
    refs = bench.refs()
    assert refs == {BRANCH: refs[BRANCH], WITNESS: refs[BRANCH]}
    other = bench.machine("other")
    assert other.head(ENVIRONMENT) == made
    assert [record.sequence for record in other.records(ENVIRONMENT)] == [2, 1]
    assert git(bench.remote, "log", "-1", "--format=%an <%ae>|%cn <%ce>", BRANCH) == (
        "one <>|m3ter-reconciler <>"
    )
    git(bench.remote, "fsck", "--strict")


def test_an_apply_needs_four_round_trips(bench: Bench) -> None:
    calls = Calls()
    state = bench.begun(spawn=calls)
    state.head(ENVIRONMENT)
    calls.seen.clear()
    applied(state, calls)
    assert calls.reached() == ["push", "ls-remote", "push", "push"]
    assert LOCK not in bench.refs()


def test_a_lock_that_is_met_names_command_person_machine_and_time(bench: Bench) -> None:
    state = bench.begun()
    with (
        state.hold(ENVIRONMENT, "reconciler apply"),
        pytest.raises(LockedError, match="`reconciler apply` of one on") as met,
    ):
        write(bench.machine("other"))
    assert met.value.exit_code is ExitCode.LOCKED
    assert "lock release --env sandbox --reason" in str(met.value)
    write(bench.machine("other"))


def test_a_lock_of_a_ci_run_names_its_page_and_goes_when_the_forge_says_it_ended(
    bench: Bench,
) -> None:
    run = {
        "GITHUB_SERVER_URL": "https://forge.example",
        "GITHUB_REPOSITORY": "acme/billing",
        "GITHUB_RUN_ID": "7",
        "GITHUB_RUN_ATTEMPT": "2",
    }
    dead = Calls()
    job = bench.begun("job", spawn=dead, **run)
    die(dead, job)
    with pytest.raises(LockedError, match=r"forge\.example/acme/billing/actions/runs/7, attempt 2"):
        write(bench.machine("other", ended=lambda run, attempt: False))
    write(bench.machine("other", ended=lambda run, attempt: run.endswith("/7") and attempt == 2))
    assert LOCK not in bench.refs()


def test_a_lock_whose_record_is_complete_goes_unasked(bench: Bench) -> None:
    state = bench.begun()
    lock = {}
    with state.hold(ENVIRONMENT, "reconciler keep-git"):
        lock = bench.refs()
        bench.clock.advance(5)
        append(state)
    git(bench.remote, "update-ref", LOCK, lock[LOCK])
    write(bench.machine("other"))
    assert LOCK not in bench.refs()


def test_a_lock_taken_away_is_recorded_with_its_reason(bench: Bench) -> None:
    dead = Calls()
    state = bench.begun(spawn=dead)
    die(dead, state)
    other = bench.machine("other")
    holder = lock_of(other, ENVIRONMENT)
    assert holder is not None
    assert holder.person == "one"
    release(other, ENVIRONMENT, "the laptop\nwas closed")
    assert lock_of(other, ENVIRONMENT) is None
    head = other.head(ENVIRONMENT)
    assert head is not None
    assert head.action == "lock-released"
    told = git(bench.remote, "log", "-1", "--format=%(trailers:key=Reconciler-Reason)", BRANCH)
    assert told.strip() == "Reconciler-Reason: the laptop was closed"
    write(other)


@pytest.mark.parametrize("writers", [2, 4, 8])
def test_of_many_writers_one_wins_and_the_rest_name_it(bench: Bench, writers: int) -> None:
    start(bench.machine("first"))
    machines = [bench.machine(f"machine-{number}") for number in range(writers)]
    for machine in machines:
        machine.head(ENVIRONMENT)
    barrier, errors = Barrier(writers), list[ReconcilerError]()

    def run(number: int) -> None:
        state = machines[number]
        head = state.head(ENVIRONMENT)
        assert head is not None
        barrier.wait()
        try:
            with state.hold(ENVIRONMENT, "reconciler apply"):
                state.append(record(2, head.id))
        except ReconcilerError as error:
            errors.append(error)

    threads = [Thread(target=run, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bench.chain()) == 2
    assert len(errors) == writers - 1
    for error in errors:
        assert error.exit_code in {ExitCode.LOCKED, ExitCode.STALE}
        assert "machine-" in str(error) or "j.doe" in str(error)
    assert sorted(bench.refs()) == [BRANCH, WITNESS]


def test_two_environments_share_nothing_but_the_remote(bench: Bench) -> None:
    state = bench.begun()
    with state.hold(ENVIRONMENT, "reconciler apply"):
        assert bench.machine("other").head("production") is None
        assert lock_of(state, "production") is None


LAST = 32
PUSHES = [(7, False), (7, True), (20, False), (20, True), (28, False), (28, True), (29, True)]


@pytest.mark.parametrize(("at", "after"), PUSHES)
def test_killed_at_a_push_the_next_run_finishes_or_explains(
    bench: Bench, at: int, after: bool
) -> None:
    _killed(bench, at, after=after)


@pytest.mark.chaos
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, LAST + 1))
def test_killed_at_any_git_call_the_next_run_finishes_or_explains(
    bench: Bench, at: int, after: bool
) -> None:
    _killed(bench, at, after=after)


def _killed(bench: Bench, at: int, *, after: bool) -> None:
    calls = Calls(at, after)
    state = bench.begun(spawn=calls)
    try:
        applied(state, calls)
    except Killed:
        pass
    else:
        assert calls.count < at <= LAST, "an apply makes other calls than this test kills at"
        return
    same_disk = bench.machine()
    try:
        write(same_disk)
    except LockedError:
        release(same_disk, ENVIRONMENT, "killed")
        write(same_disk)
    assert LOCK not in bench.refs()
    refs = bench.refs()
    assert refs[BRANCH] == refs[WITNESS]
    said = bench.chain()
    assert len(said) == len(set(git(bench.remote, "rev-list", BRANCH).split()))
    assert sum(text.startswith(("apply ", "apply:")) for text in said) <= 1
    assert [record.sequence for record in bench.machine("fresh").records(ENVIRONMENT)][-1] == 1


def test_a_push_whose_answer_is_lost_is_not_a_second_record(bench: Bench) -> None:
    lost = iter([True, False, True, False, True, False])
    calls = Calls(lose=lambda name: name == "push" and next(lost))
    state = bench.begun(spawn=calls)
    applied(state, calls)
    assert len(bench.chain()) == 3
    assert sorted(bench.refs()) == [BRANCH, WITNESS]


def test_offline_before_the_first_write_nothing_was_written(bench: Bench) -> None:
    calls = Calls()
    state = bench.begun(spawn=calls)
    calls.away = True
    with pytest.raises(RemoteAwayError, match="no route to host") as refused:
        write(state)
    assert refused.value.exit_code is ExitCode.UNEXPECTED
    calls.away = False
    write(state)


def test_offline_after_the_lock_the_next_run_here_gives_it_back(bench: Bench) -> None:
    calls = Calls()
    state = bench.begun(spawn=calls)
    with pytest.raises(RemoteAwayError):
        applied(state, calls, away_before="apply-started")
    assert LOCK in bench.refs()
    calls.away = False
    write(bench.machine())
    assert LOCK not in bench.refs()


def kept(bench: Bench) -> Calls:
    """Apply, and lose the remote after the first write to m3ter."""
    calls = Calls()
    state = bench.begun(spawn=calls)
    with pytest.raises(RecordKeptError, match="state push --env sandbox") as refused:
        applied(state, calls, away_before="apply")
    assert refused.value.exit_code is ExitCode.PARTLY_DONE
    return calls


def test_offline_after_the_first_write_the_record_is_kept_and_pushed_first(bench: Bench) -> None:
    kept(bench)
    assert bench.chain()[-1].startswith("apply-started")
    with pytest.raises(LockedError):
        write(bench.machine("other"))
    again = bench.machine()
    head = again.head(ENVIRONMENT)
    assert head is not None
    assert head.action == "apply"
    assert sorted(bench.refs()) == [BRANCH, WITNESS]
    assert again.settle(ENVIRONMENT) == ""


def test_a_kept_record_that_was_overtaken_stops_until_it_is_put_aside(bench: Bench) -> None:
    kept(bench)
    other = bench.machine("other")
    release(other, ENVIRONMENT, "the machine is gone")
    write(other)
    again = bench.machine()
    with pytest.raises(OvertakenError, match="--drop") as refused:
        again.head(ENVIRONMENT)
    assert refused.value.exit_code is ExitCode.STALE
    assert drop(again, ENVIRONMENT)
    assert drop(again, ENVIRONMENT) == ""
    write(again)


def test_a_deleted_branch_is_not_an_empty_state_and_comes_back(bench: Bench) -> None:
    made = write(bench.begun())
    git(bench.remote, "update-ref", "-d", BRANCH)
    other = bench.machine("other")
    with pytest.raises(LostStateError, match="state restore --env sandbox") as refused:
        other.head(ENVIRONMENT)
    assert refused.value.exit_code is ExitCode.REFUSED_IDENTITY
    with pytest.raises(StateThereError):
        start(other)
    done = restore(other, ENVIRONMENT)
    assert (done.record, done.changed) == (made, True)
    assert not restore(other, ENVIRONMENT).changed
    write(other)


def test_a_branch_that_was_taken_back_is_seen_by_its_witness(bench: Bench) -> None:
    state = bench.begun()
    before = bench.refs()[BRANCH]
    write(state)
    git(bench.remote, "update-ref", BRANCH, before)
    for name in ("one", "other"):
        with pytest.raises(LostStateError):
            bench.machine(name).head(ENVIRONMENT)
    restore(bench.machine("other"), ENVIRONMENT)
    assert len(bench.chain()) == 2


def test_branch_and_witness_taken_back_together_are_seen_by_who_saw_more(bench: Bench) -> None:
    state = bench.begun()
    before = bench.refs()[BRANCH]
    write(state)
    for text in (BRANCH, WITNESS):
        git(bench.remote, "update-ref", text, before)
    with pytest.raises(LostStateError, match="taken back"):
        bench.machine().head(ENVIRONMENT)
    restore(bench.machine(), ENVIRONMENT)
    assert len(bench.chain()) == 2


def test_a_commit_of_somebody_else_stops_with_its_name(bench: Bench, tmp_path: Path) -> None:
    write(bench.begun())
    clone = tmp_path / "clone"
    git(
        tmp_path,
        "clone",
        "--quiet",
        "--branch=reconciler/state/sandbox",
        str(bench.remote),
        "clone",
    )
    (clone / "record.json").write_text("{}")
    git(clone, "commit", "--quiet", "-am", "a small correction")
    git(clone, "push", "--quiet", "origin", "HEAD")
    commit = git(clone, "rev-parse", "HEAD")
    with pytest.raises(ForeignCommitError, match=commit[:12]) as refused:
        bench.machine("other").head(ENVIRONMENT)
    assert refused.value.exit_code is ExitCode.STALE
    restore(bench.machine("other"), ENVIRONMENT)
    write(bench.machine("other"))


def test_a_state_comes_back_from_another_clone_or_a_bundle(bench: Bench, tmp_path: Path) -> None:
    write(bench.begun())
    git(tmp_path, "clone", "--quiet", str(bench.remote), "clone")
    git(bench.remote, "bundle", "create", "--quiet", str(tmp_path / "b"), BRANCH)
    for place in (tmp_path / "clone", tmp_path / "b", tmp_path / "one"):
        for text in (BRANCH, WITNESS):
            git(bench.remote, "update-ref", "-d", text)
        other = bench.machine(f"other-{place.name}")
        assert other.head(ENVIRONMENT) is None
        assert restore(other, ENVIRONMENT, place).record.sequence == 2


def test_a_remote_without_atomic_push_is_refused_with_that_reason(bench: Bench) -> None:
    state = bench.begun()
    git(bench.remote, "config", "receive.advertiseAtomic", "false")
    with pytest.raises(StateRefusedError, match="--atomic") as refused:
        write(state)
    assert refused.value.exit_code is ExitCode.REFUSED_IDENTITY


def test_a_remote_that_forbids_the_push_is_refused_with_the_rule_to_set(bench: Bench) -> None:
    state = bench.begun()
    hook = bench.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho protected by a rule >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(StateRefusedError, match=r"reconciler/state/\*.*may stay") as refused:
        write(state)
    assert "protected by a rule" in str(refused.value)
    assert sorted(bench.refs()) == [BRANCH, WITNESS]


def test_the_clone_of_the_user_plays_no_part(bench: Bench, tmp_path: Path) -> None:
    start(bench.machine("first"))
    clone = tmp_path / "one"
    state = bench.machine("one")
    (clone / "dirty.txt").write_text("not committed")
    git(clone, "add", "dirty.txt")
    for name in ("pre-push", "reference-transaction", "post-commit"):
        hook = clone / ".git" / "hooks" / name
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
    git(clone, "config", "core.hooksPath", str(clone / ".git/hooks"))
    git(clone, "config", "commit.gpgSign", "true")
    write(state)
    assert git(clone, "status", "--porcelain", "--ignored=no").splitlines()[0] == "A  dirty.txt"


def test_a_shallow_clone_that_is_a_remote_of_nobody_reads_and_writes(
    bench: Bench, tmp_path: Path
) -> None:
    state = bench.begun()
    for _ in range(3):
        write(state)
    other = bench.machine("other")
    write(other)
    repository = other.store.git.repository
    assert (repository / "shallow").exists()
    assert len(list(other.records(ENVIRONMENT))) == 5
    assert not (repository / "shallow").exists()


def test_a_record_that_does_not_follow_the_head_is_refused(bench: Bench) -> None:
    state = bench.begun()
    with state.hold(ENVIRONMENT, "x"), pytest.raises(ChainMovedError):
        state.append(record(2, "f" * 64))
    assert len(bench.chain()) == 1
