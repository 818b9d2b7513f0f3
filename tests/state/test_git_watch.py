"""What a sync keeps an eye on: the note of its ledger on the remote, and the tip of the chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.git_bench import ENVIRONMENT, Bench, Calls, start, write
from fakes.git_place import git

from reconciler.errors import ExitCode
from reconciler.ledger.watch import DirectoryLedgerWatch
from reconciler.state.branch.remote import RemoteAwayError
from reconciler.state.git_watch import BrokenNoteError, GitLedgerWatch, StateMovedError, watched
from reconciler.sync.ports.ledger import LedgerNote

ONE = "6f0c2d1e-0000-4000-8000-000000000001"
OTHER = "6f0c2d1e-0000-4000-8000-000000000002"
LEDGER = "refs/reconciler/ledger/sandbox"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    start(made.machine("first"))
    return made


def watch_of(bench: Bench, name: str, **options: Any) -> GitLedgerWatch:
    here = DirectoryLedgerWatch(bench.folder / name / "notes")
    return GitLedgerWatch(bench.machine(name, **options), here)


def test_what_one_machine_noted_another_one_sees(bench: Bench) -> None:
    watch = watch_of(bench, "one")
    assert watch.seen(ENVIRONMENT) is None
    watch.note(ENVIRONMENT, LedgerNote(ONE, 7, "a/1"))
    assert watch_of(bench, "other").seen(ENVIRONMENT) == LedgerNote(ONE, 7, "a/1")


def test_the_remote_hears_of_the_first_note_and_then_once_a_minute(bench: Bench) -> None:
    calls = Calls()
    watch = watch_of(bench, "one", spawn=calls)
    for sequence in range(5):
        watch.note(ENVIRONMENT, LedgerNote(ONE, sequence))
    assert calls.reached().count("push") == 1
    assert watch.seen(ENVIRONMENT) == LedgerNote(ONE, 4)
    bench.clock.advance(61)
    watch.note(ENVIRONMENT, LedgerNote(ONE, 5))
    assert calls.reached().count("push") == 2
    assert watch_of(bench, "other").seen(ENVIRONMENT) == LedgerNote(ONE, 5)


def test_an_older_note_never_takes_the_place_of_a_newer_one(bench: Bench) -> None:
    watch_of(bench, "one").note(ENVIRONMENT, LedgerNote(ONE, 9))
    watch_of(bench, "other").note(ENVIRONMENT, LedgerNote(ONE, 3))
    assert watch_of(bench, "third").seen(ENVIRONMENT) == LedgerNote(ONE, 9)
    watch_of(bench, "other").note(ENVIRONMENT, LedgerNote(OTHER, 1))
    assert watch_of(bench, "third").seen(ENVIRONMENT) == LedgerNote(OTHER, 1)
    assert git(bench.remote, "rev-list", "--count", LEDGER) == "1"


def test_the_first_note_must_arrive_and_a_later_one_may_wait(bench: Bench) -> None:
    calls = Calls(away=True)
    watch = watch_of(bench, "one", spawn=calls)
    with pytest.raises(RemoteAwayError):
        watch.note(ENVIRONMENT, LedgerNote(ONE, 1))
    calls.away = False
    watch.note(ENVIRONMENT, LedgerNote(ONE, 1))
    calls.away = True
    bench.clock.advance(61)
    watch.note(ENVIRONMENT, LedgerNote(ONE, 2))


def test_a_note_of_somebody_else_stops_the_push(bench: Bench) -> None:
    commit = bench.refs()["refs/reconciler/witness/sandbox"]
    git(bench.remote, "update-ref", LEDGER, commit)
    with pytest.raises(BrokenNoteError) as refused:
        watch_of(bench, "one").seen(ENVIRONMENT)
    assert refused.value.exit_code is ExitCode.REFUSED_IDENTITY


def test_a_record_applied_meanwhile_ends_a_run(bench: Bench) -> None:
    state = bench.machine("one")
    state.head(ENVIRONMENT)
    other = bench.machine("other")
    asked: list[bool] = []

    def run() -> None:
        with watched(state, ENVIRONMENT, lambda: False) as stopped:
            asked.append(stopped())
            write(other)
            asked.append(stopped())
            bench.clock.advance(61)
            asked.extend([stopped(), stopped()])

    with pytest.raises(StateMovedError, match="another record was applied") as refused:
        run()
    assert refused.value.exit_code is ExitCode.REFUSED_IDENTITY
    assert asked == [False, False, True, True]


def test_a_remote_that_cannot_be_read_ends_a_run(bench: Bench) -> None:
    calls = Calls()
    state = bench.machine("one", spawn=calls)
    state.head(ENVIRONMENT)

    def run() -> None:
        with watched(state, ENVIRONMENT, lambda: False) as stopped:
            calls.away = True
            bench.clock.advance(61)
            assert stopped()

    with pytest.raises(StateMovedError, match="cannot be reached"):
        run()


def test_a_chain_that_stands_still_ends_nothing(bench: Bench) -> None:
    state = bench.machine("one")
    state.head(ENVIRONMENT)
    with watched(state, ENVIRONMENT, lambda: False) as stopped:
        bench.clock.advance(61)
        assert not stopped()
    with watched(state, ENVIRONMENT, lambda: True) as stopped:
        assert stopped()
