"""What a command works with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reconciler.cli.progress import SilentProgress
from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.definitions.validate import InvalidDefinitionsError
from reconciler.errors import ExitCode
from reconciler.settings import Settings
from reconciler.wiring.desk import (
    DeskError,
    authorship,
    open_desk,
    open_state,
    read_file,
    system_clock,
    write_file,
)
from reconciler.wiring.repository import example_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(example_folder(), tmp_path / "integrations.d")
    return tmp_path


def test_a_desk_knows_environment_source_and_state(folder: Path) -> None:
    settings = Settings.from_environment({})
    environ = {"GITHUB_ACTOR": "octocat"}
    desk = open_desk(folder, "sandbox", environ, settings, progress=SilentProgress())
    assert desk.environment == "sandbox"
    assert desk.made_from.tool.startswith("m3ter-reconciler ")
    assert (desk.made_from.commit, desk.made_from.dirty) == ("", False)
    assert desk.authorship.actor == "octocat"
    assert desk.chain.head("sandbox") is None
    assert system_clock().now().tzinfo is not None


def test_a_desk_needs_sound_definitions(folder: Path) -> None:
    (folder / "integrations.d/project.yaml").unlink()
    settings = Settings.from_environment({})
    with pytest.raises(InvalidDefinitionsError):
        open_desk(folder, "sandbox", {}, settings, progress=SilentProgress())


def test_the_actor_is_the_job_the_author_or_the_login(folder: Path) -> None:
    assert authorship(folder, {"GITHUB_ACTOR": "octocat", "USER": "me"}).actor == "octocat"


def test_the_state_stands_where_the_project_says(tmp_path: Path) -> None:
    spec = {
        "prune": "never",
        "adoption": "explicit",
        "state": {"backend": "directory", "path": "there"},
    }
    project = ProjectSpec.model_validate(spec, strict=False)
    assert open_state(tmp_path, project).folder == tmp_path / "there"


def test_files_that_cannot_be_read_or_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(DeskError, match=r"cannot read the plan .*none.json") as found:
        read_file("the plan", tmp_path / "none.json")
    assert found.value.exit_code is ExitCode.INVALID
    with pytest.raises(DeskError, match="cannot write the plan"):
        write_file("the plan", tmp_path, b"")
    write_file("the plan", tmp_path / "plan.json", b"x")
    assert read_file("the plan", tmp_path / "plan.json") == b"x"


def test_the_example_stands_beside_the_checkout() -> None:
    assert (example_folder() / "project.yaml").is_file()
