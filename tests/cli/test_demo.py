"""The demo as a newcomer runs it, and what its stage does when a step goes wrong."""

from __future__ import annotations

import io
import os
import re
import socket
from pathlib import Path

import pytest

from reconciler.cli.demo.stage import DemoFailedError, Stage, emulator
from reconciler.cli.main import main
from reconciler.cli.options import App


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    out = io.StringIO()
    app = App(tmp_path, os.environ, io.StringIO(), out, out)
    return Stage(app, tmp_path, "http://127.0.0.1:9", os.environ)


def test_the_demo_goes_the_whole_way_and_leaves_nothing_running() -> None:
    out, err = io.StringIO(), io.StringIO()
    code = main(["demo"], os.environ, stdout=out, stderr=err)
    text = out.getvalue()
    assert (code, err.getvalue()) == (0, ""), text[-3000:]
    assert "k.smith" in text
    proof = text.partition("The proof, line by line")[2]
    assert "Unexplained: nothing. Not sent yet: " in proof
    assert "added in Chargebee by k.smith" in proof
    assert all(len(line) <= 100 for line in proof.splitlines())
    address = re.search(r"http://127\.0\.0\.1:(\d+)", text)
    assert address is not None
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(address[1]))) != 0


def test_a_step_with_another_exit_code_stops_the_demo(stage: Stage) -> None:
    with pytest.raises(DemoFailedError, match="exit 10, but 0 was expected"):
        stage.run("validate")


def test_a_step_that_does_not_say_what_it_should_stops_the_demo(stage: Stage) -> None:
    with pytest.raises(DemoFailedError, match="does not say `no such words`"):
        stage.run("--version", contains="no such words")


def test_long_output_is_cut_with_a_count(stage: Stage) -> None:
    stage.run("--help", show=2)
    assert "more lines" in stage.app.stdout.getvalue()  # type: ignore[attr-defined]


def test_a_long_command_is_shown_over_several_lines(stage: Stage) -> None:
    stage.run("--version", *(f"--no-such-option={number:05}" for number in range(9)), expect=10)
    shown = stage.app.stdout.getvalue()  # type: ignore[attr-defined]
    lines = shown.strip().splitlines()
    assert lines[0].startswith("$ reconciler --version --no-such-option=00000 ")
    assert lines[0].endswith(" \\")
    assert max(map(len, lines)) <= 100


def test_a_command_that_ends_too_soon_cannot_be_killed(stage: Stage) -> None:
    with pytest.raises(DemoFailedError, match="before it could be killed"):
        stage.kill_midway("--version", after_seconds=60)


def test_a_refusing_control_surface_stops_the_demo(stage: Stage) -> None:
    with emulator("starter", os.environ) as (url, given):
        assert given["M3TER_BASE_URL"] == url
        there = Stage(stage.app, stage.folder, url, os.environ)
        with pytest.raises(DemoFailedError, match="the emulator answered 400"):
            there.control("/_emulator/user-edit", {"id": "nobody"})


def test_a_machine_without_git_gets_no_commit(stage: Stage, tmp_path: Path) -> None:
    bare = Stage(stage.app, tmp_path, stage.url, {**os.environ, "PATH": "/nowhere"})
    bare.commit("nothing to see")
    assert not (tmp_path / ".git").exists()
