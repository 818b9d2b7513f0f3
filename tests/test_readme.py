"""The README cannot lie about commands, exit codes, proofs and links."""

from __future__ import annotations

import io
import re
from pathlib import Path

from reconciler.cli.main import main
from reconciler.errors import ExitCode

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_help_in_the_readme_is_the_help_of_the_program() -> None:
    out = io.StringIO()
    assert main(["--help"], {}, stdout=out, stderr=io.StringIO()) == 0
    shown = re.search(r"<!-- help:.*?-->\n```text\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    assert shown[1] == out.getvalue()


def test_every_exit_code_stands_in_the_readme() -> None:
    table = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    promises = set(range(1, 10))
    assert set(ExitCode) <= table
    assert table <= set(ExitCode) | promises


def test_every_promise_names_tests_that_exist() -> None:
    rows = re.findall(r"^\| \d \| .* \| (`tests/.*) \|$", README, re.MULTILINE)
    assert len(rows) == 9
    for row in rows:
        for path in re.findall(r"`([^`]+)`", row):
            assert (ROOT / path).exists(), path


def test_every_link_leads_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len(README.splitlines()) < 250
