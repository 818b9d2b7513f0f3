"""The files under ``integrations.d``: which there are, and their bytes, never of anything else."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.definitions.core.form_rules import (
    EXTENSION,
    FOLDER,
    NOT_A_FILE,
    OUTSIDE,
    UNREADABLE,
)
from reconciler.kernel.problem import Origin, Problem

NAME = "integrations.d"
_DEFINITION = ".yaml"
_MISTAKEN = re.compile(r"\.ya?ml", re.IGNORECASE)
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class DefinitionFile:
    """One definition file: the name people see, where it is, and whether it is a link."""

    name: str
    path: str
    is_link: bool


def shown_path(path: str) -> str:
    r"""Write a path for people: ``/`` between parts, odd bytes as ``\xNN``."""
    return _ODD.sub(lambda odd: f"\\x{ord(odd[0]) & 0xFF:02x}", path.replace(os.sep, "/"))


class Folder:
    """``integrations.d`` of one repository.

    Args:
        root: The repository.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.path = root / NAME
        self._real = os.path.realpath(self.path)

    def missing(self) -> Problem | None:
        """Say why the folder cannot be used, if so."""
        if not self.path.is_dir():
            return FOLDER.broken(None, f"there is no folder `{NAME}` here")
        if not _inside(os.fspath(self.path), os.path.realpath(self._root)):
            return OUTSIDE.broken(None, f"`{NAME}` is a link that leaves the repository")
        return None

    def definitions(self) -> Iterator[DefinitionFile | Problem]:
        """Give every definition file, sorted by name, and what is not one."""
        for entry in sorted(_walk(os.fspath(self.path))):
            name = self.name_of(entry.path)
            suffix = os.path.splitext(entry.path)[1]  # noqa: PTH122  a name of odd bytes is no Path
            if entry.fault:
                yield UNREADABLE.broken(Origin(name), f"cannot be read: {entry.fault}")
            elif entry.is_folder and suffix == _DEFINITION:
                yield NOT_A_FILE.broken(Origin(name), "this is a folder, not a definition")
            elif entry.is_folder and entry.is_link:
                yield OUTSIDE.broken(Origin(name), "links to folders are not followed")
            elif suffix == _DEFINITION:
                yield DefinitionFile(name, entry.path, entry.is_link)
            elif _MISTAKEN.fullmatch(suffix) and not entry.is_folder:
                message = f"only files that end in `{_DEFINITION}` are read"
                yield EXTENSION.broken(Origin(name), message)

    def name_of(self, path: str) -> str:
        """Give a file's name relative to the repository."""
        return shown_path(os.path.relpath(path, self._root))

    def content(self, file: DefinitionFile, limit: int) -> bytes | Problem:
        """Read a definition file; links are followed inside the folder only.

        Args:
            file: The file.
            limit: At most this many bytes and one more, which shows that there are more.
        """
        if file.is_link:
            return self.read(file.path, limit, Origin(file.name))
        return _opened(file.path, limit, Origin(file.name))

    def read(self, path: str, limit: int, origin: Origin) -> bytes | Problem:
        """Read a regular file inside the folder.

        Args:
            path: The file.
            limit: At most this many bytes and one more, which shows that there are more.
            origin: Who asks for the file, for the problem.
        """
        if not _inside(path, self._real):
            message = "the file is, or leads, outside integrations.d; it was not read"
            return OUTSIDE.broken(origin, message)
        return _opened(path, limit, origin)


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    path: str
    is_folder: bool
    is_link: bool
    fault: str = ""


def _walk(folder: str) -> Iterator[_Entry]:
    """Give every entry below a folder; links are not followed."""
    waiting = [folder]
    while waiting:
        at = waiting.pop()
        try:
            with os.scandir(at) as entries:
                found = [_entry(owner) for owner in entries]
        except OSError as error:
            yield _Entry(at, is_folder=True, is_link=False, fault=str(error.strerror))
            continue
        yield from found
        waiting += [entry.path for entry in found if entry.is_folder and not entry.is_link]


def _entry(entry: os.DirEntry[str]) -> _Entry:
    try:
        return _Entry(entry.path, entry.is_dir(), entry.is_symlink())
    except OSError as error:
        return _Entry(entry.path, is_folder=False, is_link=True, fault=str(error.strerror))


def _inside(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(os.path.join(folder, ""))  # noqa: PTH118  as above


def _opened(path: str, limit: int, origin: Origin) -> bytes | Problem:
    try:
        return _content(path, limit, origin)
    except OSError as error:
        return UNREADABLE.broken(origin, f"cannot be read: {error.strerror}")


def _content(path: str, limit: int, origin: Origin) -> bytes | Problem:
    # Opening a pipe waits for a writer unless told not to.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return NOT_A_FILE.broken(origin, "this is no regular file; it was not read")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(limit + 1)
    finally:
        os.close(handle)
