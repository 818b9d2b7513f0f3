"""Opens the repository: its definitions and schemas, edits tried on a copy first, first files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import reconciler
from reconciler.definitions.core.edits import Edit, files_of
from reconciler.definitions.edit import perform
from reconciler.definitions.ports import DefinitionSource
from reconciler.definitions.validate import validate
from reconciler.errors import InvalidError
from reconciler.kernel.problem import Problem
from reconciler.repository.edit.editor import FileEditor
from reconciler.repository.repository import Repository
from reconciler.repository.schema.schema import schema_files, write_schemas
from reconciler.settings import Settings


class AlreadyStartedError(InvalidError):
    """``init`` found definitions that it would have to overwrite."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} already exists and is not empty; nothing was written.\n"
            "Run `reconciler validate` to see what stands in it, or choose another repository"
            " with -C."
        )


class UnknownKindError(InvalidError):
    """A schema was asked for that does not exist."""

    def __init__(self, kind: str, names: Iterable[str]) -> None:
        super().__init__(f"there is no schema for {kind!r}; there are: {', '.join(names)}.")


class EditsNotValidError(InvalidError):
    """The definitions would no longer be valid after the edits; no file was written."""

    def __init__(self, problems: Sequence[Problem], files: Sequence[str]) -> None:
        errors = [problem for problem in problems if problem.severity == "error"]
        lines = [
            f"  {error.origin or FOLDER}  {error.rule}  {error.message}"
            for error in errors[:_SHOWN_MAX]
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


FOLDER = "integrations.d"
_SUFFIX = ".schema.json"
_PATCHES = "patch/"
_STARTER = {
    "project.yaml": """\
# How careful this repository is. Every setting: schemas/project.schema.json
apiVersion: m3ter-reconciler/v1
kind: Project
metadata: {name: my-billing}
spec:
  prune: confirm        # never | confirm | allow: what happens to an object that leaves git
  adoption: by-name     # by-name | explicit: what to do when m3ter already has the name
  state: {backend: directory, path: .reconciler/state}
""",
    "environments/sandbox.yaml": """\
# One m3ter organisation. Keys are references only: {env: NAME} or {file: PATH}.
apiVersion: m3ter-reconciler/v1
kind: Environment
metadata: {name: sandbox}
spec:
  protected: false
  m3ter:
    organizationId: 00000000-0000-4000-8000-000000000000    # yours: Console, Settings, Organization
    accessKey: {env: M3TER_API_KEY}
    apiSecret: {env: M3TER_API_SECRET}
""",
}


def open_repository(root: Path) -> DefinitionSource:
    """Give the definitions of a repository; nothing is read yet."""
    return Repository(root)


def save_schemas(root: Path) -> tuple[Path, ...]:
    """Write ``schemas/`` of a repository and give the files."""
    return write_schemas(root / "schemas")


def schema_text(kind: str, *, patch: bool) -> str:
    """Give the schema of a kind, of whole documents or of patches.

    Raises:
        UnknownKindError: When there is no such kind.
    """
    files = schema_files()
    names = {
        name.removesuffix(_SUFFIX): text
        for name, text in files.items()
        if not name.startswith(_PATCHES)
    }
    plain = {name.replace("-", ""): name for name in names}
    name = plain.get(kind.replace("-", "").lower())
    text = files.get(f"{_PATCHES}{name}{_SUFFIX}") if patch else names.get(name or "")
    if text is None:
        raise UnknownKindError(kind, names)
    return text


def start_repository(root: Path) -> tuple[Path, ...]:
    """Write a first Project and Environment.

    Raises:
        AlreadyStartedError: When there are definitions already; nothing was written.
    """
    folder = root / FOLDER
    if folder.is_symlink() or folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise AlreadyStartedError(folder)
    files = {folder / name: text for name, text in _STARTER.items()}
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    return tuple(files)


def knows_time_zone(name: str) -> bool:
    """Say whether a name is an IANA time zone; where no zones are installed, any name is."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return name == "UTC" or not available_timezones()
    return True


_SHOWN_MAX = 10


def edit_files(root: Path, edits: tuple[Edit, ...], settings: Settings) -> None:
    """Make edits in a repository whose definitions have no errors.

    Raises:
        EditRefusedError: When an edit would touch anything else; no file was written.
        EditsNotValidError: When the definitions would have errors then; no file was written.
    """
    if not edits:
        return
    problems = problems_after(root, edits, settings)
    if any(problem.severity == "error" for problem in problems):
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


def example_folder() -> Path:
    """Find the example's ``integrations.d``."""
    package = Path(reconciler.__file__).parent
    inside = package / "example"
    return inside if inside.is_dir() else package.parent / "integrations.d"
