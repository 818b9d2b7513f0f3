"""Findings of doctor, one for each thing it looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reconciler.errors import ExitCode, winning

State = Literal["ok", "problem", "warning", "not checked"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found.

    Attributes:
        todo: What to do about it; empty when all is well.
        code: What the program ends with because of it; ``DONE`` unless it is a problem.
    """

    check: str
    state: State
    message: str
    todo: str = ""
    code: ExitCode = ExitCode.DONE


def well(check: str, message: str) -> CheckResult:
    """Say that a check passed."""
    return CheckResult(check, "ok", message)


def wrong(check: str, message: str, todo: str, code: ExitCode = ExitCode.INVALID) -> CheckResult:
    """Say that a check failed."""
    return CheckResult(check, "problem", message, todo, code)


def doubtful(check: str, message: str, todo: str = "") -> CheckResult:
    """Say that something deserves a look, and stops nothing."""
    return CheckResult(check, "warning", message, todo)


def unseen(check: str, message: str) -> CheckResult:
    """Say that a check could not be made."""
    return CheckResult(check, "not checked", message)


def failed(check: str, error: Exception, code: ExitCode) -> CheckResult:
    """Make a finding of an error: its first sentence, and what it says to do."""
    first, _, rest = " ".join(str(error).split()).partition(". ")
    return wrong(check, first.rstrip("."), rest.strip(), code)


def exit_code_of_checks(results: Iterable[CheckResult]) -> ExitCode:
    """Choose the exit code by the worst finding."""
    return winning(result.code for result in results)
