from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.state.git import author, read_checkout
from reconciler.wiring.desk import authorship

ENVIRON = {"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nowhere"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path, env=ENVIRON, check=True)

    git("init", "-q")
    git("config", "user.name", "j.doe")
    git("config", "user.email", "j.doe@example.com")
    (tmp_path / "integrations.d").mkdir()
    (tmp_path / "integrations.d" / "a.yaml").write_text("a: 1\n")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    return tmp_path


def test_a_clean_checkout_names_its_commit(checkout: Path) -> None:
    stand = read_checkout(checkout, ENVIRON)
    assert len(stand.commit) == 40
    assert not stand.dirty


def test_only_changes_of_definitions_make_it_dirty(checkout: Path) -> None:
    (checkout / "notes.txt").write_text("x")
    assert not read_checkout(checkout, ENVIRON).dirty
    (checkout / "integrations.d" / "a.yaml").write_text("a: 2\n")
    assert read_checkout(checkout, ENVIRON).dirty


def test_outside_git_there_is_no_commit(tmp_path: Path) -> None:
    stand = read_checkout(tmp_path, {**ENVIRON, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    assert stand.commit == ""
    assert not stand.dirty


def test_a_machine_without_git_is_no_error(tmp_path: Path) -> None:
    assert read_checkout(tmp_path, {"PATH": "/nowhere"}).commit == ""
    assert author(tmp_path, {"PATH": "/nowhere"}) == ""


def test_the_actor_is_the_ci_user_then_the_author_then_the_login(checkout: Path) -> None:
    assert authorship(checkout, {**ENVIRON, "GITHUB_ACTOR": "octocat"}).actor == "octocat"
    assert authorship(checkout, ENVIRON).actor == "j.doe"
    assert authorship(checkout, {"PATH": "/nowhere", "USER": "me"}).actor == "me"
    assert authorship(checkout, {"PATH": "/nowhere"}).actor == "unknown"
