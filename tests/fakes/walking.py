"""Walks through the runbook: which test walks which page, and the months they walk in."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from chaos.due import Json
from chaos.ground import Ended
from fakes.small_month import ACCOUNTS, BILLS, SmallMonth

from reconciler.emulator.m3ter.integrations.native import record
from reconciler.emulator.running import RunningEmulator
from reconciler.emulator.world import World

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"
Test = TypeVar("Test", bound=Callable[..., Any])


def walks(*anchors: str) -> Callable[[Test], Test]:
    """Say which pages a test walks; ``test_runbook_complete.py`` reads it."""
    assert anchors
    return lambda test: test


def page_in(ended: Ended, anchor: str) -> None:
    """Assert that what a person was shown names a page."""
    shown = ended.out + ended.err
    assert f"docs/runbook.md#{anchor}" in shown.replace("\n", " "), shown


class Walked(SmallMonth):
    """A month in which the pages of the runbook are walked, command by command."""

    def follow(self, anchor: str, part: str, *more: str, **names: str) -> Ended:
        """Run the command of a page that holds a part, with these names for its placeholders.

        Args:
            anchor: The page.
            part: Tells the command among those of the page.
            more: Words that a test adds, to look at its own bill only.
            names: What stands for ``BILL``, ``INVOICE``, ``NAME`` …
        """
        found = [command for command in commands(anchor) if part in command]
        assert found, f"{anchor} has no command with `{part}`: {commands(anchor)}"
        line = found[0]
        line = line.replace("csv=", f"csv={self.folder}/").replace("plan.json", self.plan_file)
        for name, value in names.items():
            line = re.sub(rf"\b{name}\b", value, line)
        if "sync run" in line:
            # a person waits; a test lets emulated time pass
            line, more = re.sub(r" --wait \S+", "", line), ("--wait", "0", *more)
        ended = self.go(" ".join([line.replace("…", "because"), *more]))
        assert "Traceback" not in ended.err
        assert "docs/runbook.md#exit-1." not in ended.err, ended.err
        return ended

    @property
    def plan_file(self) -> str:
        """Where plans are saved."""
        return f"{self.folder}/plan.json"

    def push(self, *bills: str, **environ: str) -> Ended:
        """Run a sync of these bills only, without waiting."""
        named = [part for bill in bills for part in ("--bill", bill)]
        return self.go(" ".join(["sync run --env production --wait 0", *named]), **environ)

    def status(self, bill: str) -> str:
        """Where the ledger has a bill, in m3ter's words; empty where it has none of it."""
        with sqlite3.connect(self.folder / ".reconciler/ledger.sqlite") as ledger:
            found = ledger.execute("SELECT status FROM bills WHERE bill_id = ?", (bill,)).fetchone()
        ledger.close()
        return str(found[0]) if found else ""

    def native_run(self, bill: str, status: str) -> Json:
        """Let m3ter's own integration have tried a bill before the push took over."""
        config = next(self.store.all("m3ter/integrationconfigs"))
        return record(self.store, config, self.store.get(BILLS, bill) or {}, status)


def commands(anchor: str) -> list[str]:
    """The commands of a page of the runbook, in its order."""
    return re.findall(r"`(reconciler [^`]+)`", section(anchor))


def section(anchor: str) -> str:
    """One page of the runbook."""
    text = RUNBOOK.read_text(encoding="utf-8")
    return text.split(f'<a id="{anchor}"></a>')[1].split("<a id=")[0]


@contextmanager
def walked_month(folder: Path, *configs: str, **switches: object) -> Iterator[Walked]:
    """A month with these integrations pushed, applied, and an empty ledger."""
    calm = {"requests_per_second": 0, "requests_per_minute": 0, "month_end_bills": ACCOUNTS}
    with RunningEmulator(World("month-end", 1, calm | switches)) as emulator:
        made = Walked.of(folder, emulator, *configs)
        try:
            assert made.go("discover --env production").code == 0
            made.apply()
            assert made.go("ledger init --env production").code == 0
            yield made
        finally:
            made.end()
