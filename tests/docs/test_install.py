"""A fresh machine, also next month: locks are installed as they are, and are complete."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent.parent
LOCKS = ("requirements/run.txt", "requirements/dev.txt")
INSTALLERS = (
    "Makefile",
    ".ci/package",
    ".ci/run",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / ".github").rglob("*.yml")),
)


def commands_that_install_a_lock(text: str) -> list[str]:
    """Commands of a shell or make file in one line each, its variables put in."""
    lines = text.replace("\\\n", " ").splitlines()
    variables = {
        found[1]: found[2] for line in lines if (found := re.match(r"(\w+)\s*:?=\s*(.*)", line))
    }
    spelled = [
        re.sub(r"\$\((\w+)\)", lambda name: variables.get(name[1], ""), line) for line in lines
    ]
    return [line for line in spelled if re.search(r"-r \S*requirements/", line)]


def test_locks_are_installed_without_asking_what_they_need() -> None:
    commands = [
        (name, command)
        for name in INSTALLERS
        for command in commands_that_install_a_lock((ROOT / name).read_text(encoding="utf-8"))
    ]
    assert len(commands) >= 3
    for name, command in commands:
        assert "--no-deps" in command, f"{name}: {command}"
        assert "--require-hashes" in command, f"{name}: {command}"


def test_whoever_installs_a_lock_checks_that_it_was_complete() -> None:
    for name in INSTALLERS:
        text = (ROOT / name).read_text(encoding="utf-8")
        if commands_that_install_a_lock(text):
            assert "pip check" in text, name


def pinned(lock: str) -> dict[str, str]:
    """Every distribution of a lock, in the form PyPI compares, with its version."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", lock, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_that_what_it_pins_needs(lock: str) -> None:
    pins = pinned((ROOT / lock).read_text(encoding="utf-8"))
    for name in pins:
        needs = Requirement(name)
        try:
            wanted = distribution(needs.name).requires or []
        except ModuleNotFoundError:
            continue  # for another system than this one
        for line in wanted:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert re.sub(r"[-_.]+", "-", need.name).lower() in pins, f"{name} needs {line}"
