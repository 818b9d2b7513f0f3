from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest

from reconciler.cli.main import main

ROOT = Path(__file__).parent.parent.parent
PINNED = re.compile(r"uses: (?:\./\S*|[\w/-]+@[0-9a-f]{40} # v\d\S*)$")


def run(folder: Path, *arguments: str) -> int:
    out = StringIO()
    return main([*arguments, "-C", str(folder)], {}, stdin=StringIO(), stdout=out, stderr=out)


@pytest.fixture
def scaffolded(tmp_path: Path) -> Path:
    assert run(tmp_path, "init", "--forge", "github") == 0
    return tmp_path


def test_a_new_repository_is_valid_and_knows_its_schemas(scaffolded: Path) -> None:
    assert run(scaffolded, "validate") == 0
    assert (scaffolded / "schemas/definition.schema.json").exists()
    assert "RECONCILER_SEAL" in (scaffolded / "SETUP.md").read_text()


def test_workflows_are_those_of_this_project_with_the_action_beside_them(scaffolded: Path) -> None:
    for name in ("plan", "review", "apply", "drift"):
        file = f".github/workflows/{name}.yml"
        shipped, written = (ROOT / file).read_text(), (scaffolded / file).read_text()
        assert written == shipped.replace("uses: ./\n", "uses: ./.github/actions/reconciler\n")
        assert "uses: ./\n" in shipped
    action = (scaffolded / ".github/actions/reconciler/action.yml").read_text()
    assert '"m3ter-reconciler==' in action
    assert "github.action_path" not in action


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "SETUP.md").write_text("mine\n")
    assert run(tmp_path, "init", "--forge", "github") == 0
    assert (tmp_path / "SETUP.md").read_text() == "mine\n"


@pytest.mark.parametrize("file", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=str)
def test_workflows_pin_what_they_use_and_ask_for_no_more_than_they_need(file: Path) -> None:
    text = file.read_text()
    assert "\npermissions: {}\n" in text
    assert "pull_request_target" not in text or "Under `pull_request` anyone" in text
    for line in text.splitlines():
        if line.lstrip(" -").startswith("uses:"):
            assert PINNED.search(line), line
    if file.name in {"plan.yml", "review.yml", "apply.yml", "drift.yml"}:
        assert "run:" not in text
