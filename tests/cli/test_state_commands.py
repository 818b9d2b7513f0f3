"""plan and apply with the state on a git remote, as people type them."""

from __future__ import annotations

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
    ran = place.run("apply", "--env", "sandbox", "--yes")
    assert ran.code == ExitCode.REFUSED_IDENTITY
    assert "reconciler state init --env sandbox" in ran.err
    assert place.writes() == []
    assert place.refs() == {}


def test_what_one_clone_applies_another_one_knows(place: GitPlace) -> None:
    place.init()
    place.apply()
    assert place.is_in_sync()
    assert sorted(place.refs()) == [
        "refs/heads/reconciler/state/sandbox",
        "refs/reconciler/witness/sandbox",
    ]
    other = second(place)
    assert other.is_in_sync()
    log = git(
        place.remote,
        "log",
        "--format=%s%n%(trailers:key=Reconciler-Record)",
        "-1",
        "reconciler/state/sandbox",
    )
    assert log.startswith("apply ")
    assert "Reconciler-Record: 3 " in log
