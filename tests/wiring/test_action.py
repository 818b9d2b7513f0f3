"""The one piece of shell there is: how the action calls the program."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def step() -> dict[str, Any]:
    action: Any = YAML(typ="safe").load((ROOT / "action.yml").read_text())
    found: dict[str, Any] = action["runs"]["steps"][-1]
    return found


def called(step: dict[str, Any], folder: Path, **given: str) -> list[str]:
    """Run the step with a program that prints its arguments, one a line."""
    program = folder / "reconciler/bin/reconciler"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    program.chmod(0o755)
    known = dict.fromkeys(step["env"], "") | {"FOLDER": "proposal"} | given
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "RUNNER_TEMP": str(folder), **known},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.splitlines()


def test_a_command_is_called_with_what_was_given(step: dict[str, Any], tmp_path: Path) -> None:
    assert called(step, tmp_path, COMMAND="ci plan", NAME="production", NUMBER="7", AGAINST=".") == [
        "-C", "proposal", "ci", "plan", "--env", "production", "--pull-request", "7", "--against", ".",
    ]  # fmt: skip


def test_what_is_empty_is_left_out_and_nothing_is_run_or_split(
    step: dict[str, Any], tmp_path: Path
) -> None:
    nasty = "$(touch hit) `touch hit` ; x"
    assert called(step, tmp_path, COMMAND="ci drift", NAME=nasty) == [
        "-C", "proposal", "ci", "drift", "--env", nasty,
    ]  # fmt: skip
    assert not (tmp_path / "hit").exists()
