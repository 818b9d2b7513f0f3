"""Which page of ``docs/runbook.md`` belongs to an exit code or a state."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from reconciler.errors import ExitCode

RUNBOOK = "docs/runbook.md"


class Page(StrEnum):
    """A page about a state; its value is the anchor."""

    WAITING = "waiting"
    STARTED = "started"
    RETRYING = "retrying"
    REFUSED_LINE = "refused-line"
    REFUSED_KEY = "refused-key"
    ALREADY_PAID = "invoice-already-paid"
    PERIOD_CLOSED = "accounting-period-closed"
    TIMEOUT = "timeout"
    DISABLED = "disabled"
    PAUSED = "paused"
    UNKNOWN = "unknown-outcome"
    LINES_ALIKE = "lines-like-ours"
    PARTIAL = "partial"
    AUTO_CLOSE = "auto-close-missed"
    REOPENED = "reopened"
    BLOCKED = "blocked"
    NOTHING_TO_SEND = "nothing-to-send"
    INTERLOCK = "interlock"
    DOUBLE_ROUTE = "double-route"
    DRIFT = "drift-blocks-sync"
    STALE_PLAN = "stale-plan"
    LOCKED = "locked"
    LEDGER_LOST = "ledger-lost"
    OTHER_LEDGER = "other-ledger"
    OLDER_LEDGER = "older-ledger"
    OVERDUE = "overdue"
    DIFFERENCE = "difference"
    MONTH_END = "month-end"
    FIRST_SETUP = "first-set-up"
    CUTOVER = "cut-over"
    NOT_OURS = "not-ours"
    SKIPPED = "skipped"
    STAYS_OPEN = "stays-open"
    CLOCKS = "clocks-apart"
    NOT_APPLIED = "not-applied"
    BROKEN_SEAL = "broken-seal"
    NOT_THE_MERGE = "not-the-merge"


_OF_ENDING: Mapping[ExitCode, Page] = {
    ExitCode.STALE: Page.STALE_PLAN,
    ExitCode.LOCKED: Page.LOCKED,
}
_ITSELF = frozenset({ExitCode.DONE, ExitCode.INVALID})
"""Endings whose messages say everything; problems in files name their rule instead."""


def with_page(message: str, code: ExitCode, anchor: str = "") -> str:
    """Add the page of an exit code to the message that a command ends with.

    Args:
        message: What the reader is told; one that names a page stays as it is.
        code: What the command ends with.
        anchor: A page that says more than the exit code's.
    """
    if code in _ITSELF or f"{RUNBOOK}#" in message:
        return message
    where = f"{RUNBOOK}#{anchor}" if anchor else page(_OF_ENDING.get(code, code))
    return f"{message}\nSee {where}."


def page(of: Page | ExitCode) -> str:
    """Give the address of a page, for example ``docs/runbook.md#unknown-outcome``.

    Args:
        of: The page itself, or the exit code that it is about.
    """
    return f"{RUNBOOK}#{of.value}" if isinstance(of, Page) else f"{RUNBOOK}#exit-{of.value}"
