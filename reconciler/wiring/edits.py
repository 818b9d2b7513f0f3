"""Edits of a repository, tried on a copy first: files are valid before and after, or untouched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reconciler.definitions.core.edits import Edit, files_of
from reconciler.definitions.edit import perform
from reconciler.definitions.validate import validate
from reconciler.errors import InvalidError
from reconciler.kernel.problem import Problem
from reconciler.repository.edit.editor import FileEditor
from reconciler.settings import Settings
from reconciler.wiring.repository import FOLDER, knows_time_zone, open_repository

_SHOWN_MAX = 10


class EditsNotValidError(InvalidError):
    """The definitions would no longer be valid after the edits; no file was written."""

    def __init__(self, problems: Sequence[Problem], files: Sequence[str]) -> None:
        errors = [one for one in problems if one.severity == "error"]
        lines = [
            f"  {one.origin or FOLDER}  {one.rule}  {one.message}" for one in errors[:_SHOWN_MAX]
        ]
        if len(errors) > _SHOWN_MAX:
            lines.append(f"  and {len(errors) - _SHOWN_MAX} more")
        super().__init__(
            "what m3ter has cannot stand in git as it is:\n"
            + "\n".join(lines)
            + f"\nNo file was written (it would have been {', '.join(files)}), and nothing was "
            "sent to m3ter. Correct it in m3ter, or write it by hand and run "
            "`reconciler validate`."
        )


def edit_files(root: Path, edits: tuple[Edit, ...], settings: Settings) -> None:
    """Make edits in a repository whose definitions have no errors.

    Raises:
        EditRefusedError: When an edit would touch anything else; no file was written.
        EditsNotValidError: When the definitions would have errors then; no file was written.
    """
    if not edits:
        return
    problems = problems_after(root, edits, settings)
    if any(one.severity == "error" for one in problems):
        raise EditsNotValidError(problems, files_of(edits))
    perform(edits, FileEditor(root))


def problems_after(root: Path, edits: tuple[Edit, ...], settings: Settings) -> tuple[Problem, ...]:
    """Give the problems that the definitions would have; the edits are made in a copy only.

    Raises:
        EditRefusedError: When an edit would touch anything else.
    """
    with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
        copy = Path(folder)
        if (root / FOLDER).is_dir():
            shutil.copytree(root / FOLDER, copy / FOLDER, symlinks=True)
        perform(edits, FileEditor(copy))
        return validate(open_repository(copy), settings.allowance, knows_time_zone).problems
