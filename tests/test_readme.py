"""The README cannot lie about commands, exit codes, proofs and links."""

from __future__ import annotations

import io
import re
import socket
import subprocess
import sys
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


def test_the_month_end_by_hand_works_as_it_is_typed(tmp_path: Path) -> None:
    block = re.search(r"<!-- by hand.*?-->\n```sh\n(.*?)```", README, re.DOTALL)
    assert block is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    small = f"reconciler emulate --port {port} --switch month_end_bills=25"
    approved = "--yes $(reconciler show plan.json | grep -o -- '--approve .*')"
    typed = (
        block[1]
        .replace('"$PWD/.venv/bin:$PATH"', f'"{Path(sys.executable).parent}:$PATH"')
        .replace("reconciler emulate", small)
        .replace("--approve ...", approved)
        .replace("eval", f"{_waits(port)}; eval")
    )
    (tmp_path / "app").mkdir()
    script = f"trap 'kill %1' EXIT\n{typed}"
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path / "app",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "error:" not in ended.stderr
    assert "canary: 5 bills stand in Chargebee as they were sent" in ended.stderr
    assert "Unexplained: nothing." in ended.stdout


def _waits(port: int) -> str:
    """Wait as a person does who reads that it serves."""
    return f"until (: < /dev/tcp/127.0.0.1/{port}) 2> /dev/null; do sleep 0.05; done"


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len(README.splitlines()) < 250
