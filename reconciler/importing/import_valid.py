"""Imports only what can stand in git: what breaks a rule is left out, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from reconciler.definitions.core.edits import Edit
from reconciler.importing.import_live import Import
from reconciler.kernel.problem import Problem

Check = Callable[[tuple[Edit, ...]], tuple[Problem, ...]]
"""Gives the problems that the definitions would have after edits."""


def import_valid(make: Callable[[Mapping[str, str]], Import], check: Check) -> Import:
    """Import again without each new integration whose files would have errors.

    Args:
        make: Makes the import; is given the reasons against integrations by their live id.
        check: Tries edits out.

    Returns:
        The import; errors may be left where none of its new integrations is to blame.
    """
    refused: dict[str, str] = {}
    while True:
        done = make(refused)
        found = _faults(done.folders, check(done.edits))
        if not found:
            return done
        refused |= found


def _faults(folders: Mapping[str, str], problems: Iterable[Problem]) -> dict[str, str]:
    found: dict[str, str] = {}
    for problem in problems:
        if problem.severity != "error" or problem.origin is None:
            continue
        for identity, folder in folders.items():
            if problem.origin.file.startswith(f"{folder}/"):
                found.setdefault(identity, f"it breaks rule {problem.rule}: {problem.message}")
    return found
