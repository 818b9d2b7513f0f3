"""Walks through the runbook: which test walks which page, and the months they walk in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from chaos.ground import Ended
from fakes.small_month import ACCOUNTS, Walked

from reconciler.emulator.running import RunningEmulator
from reconciler.emulator.world import World

Test = TypeVar("Test", bound=Callable[..., Any])


def walks(*anchors: str) -> Callable[[Test], Test]:
    """Say which pages a test walks; ``test_runbook_complete.py`` reads it."""
    assert anchors
    return lambda test: test


def page_in(ended: Ended, anchor: str) -> None:
    """Assert that what a person was shown names a page."""
    shown = ended.out + ended.err
    assert f"docs/runbook.md#{anchor}" in shown.replace("\n", " "), shown


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
