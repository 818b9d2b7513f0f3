"""Changes definition files in place; implements ``DefinitionEditor``.

Every edit is proven before anything is written, and a file is replaced as a whole or not at all.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from reconciler.definitions.model import DocumentPath
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.repository.edit import csv_edit, yaml_edit
from reconciler.repository.edit.writer import field_order
from reconciler.repository.edit.yaml_edit import EditedDocument, EditRefusedError, KeyOrder

_NEW_FILE_MODE: Final = 0o644


class FileEditor:
    """Edits files below one folder, without following links.

    Args:
        root: The repository.
        order: Where new keys go; where the schema lists them unless told otherwise.
    """

    __slots__ = ("_order", "_root")

    def __init__(self, root: Path, order: KeyOrder = field_order) -> None:
        self._root = root
        self._order = order

    def set_value(self, file: str, document: int, path: DocumentPath, value: JsonValue) -> None:
        """Set one value; parents are inserted when missing.

        Raises:
            EditRefusedError: When the edit would touch anything else. The file is unchanged.
        """
        self._edit(
            file,
            lambda data: yaml_edit.with_value(
                EditedDocument(file, data, document), path, value, self._order
            ),
        )

    def remove_value(self, file: str, document: int, path: DocumentPath) -> None:
        """Remove one value and its key; a missing one stays missing.

        Raises:
            EditRefusedError: When the edit would touch anything else. The file is unchanged.
        """
        self._edit(
            file, lambda data: yaml_edit.without_value(EditedDocument(file, data, document), path)
        )

    def write_documents(self, file: str, documents: Iterable[JsonObject]) -> None:
        """Write a new file, or append documents to an existing one.

        Raises:
            EditRefusedError: When what was there would change. The file is unchanged.
        """
        wanted = tuple(documents)
        self._write(file, lambda data: yaml_edit.with_documents(file, data, wanted))

    def write_rows(
        self, file: str, header: tuple[str, ...], rows: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Write CSV rows by key; other rows of an existing file stay; sorted by key.

        Raises:
            EditRefusedError: When file and rows do not fit together. The file is unchanged.
        """
        self._write(file, lambda data: csv_edit.with_rows(file, data, header, rows))

    def remove_row(self, file: str, key: str) -> None:
        """Remove the CSV row of a key; a missing one stays missing.

        Raises:
            EditRefusedError: When the key stands there twice. The file is unchanged.
        """
        self._edit(file, lambda data: csv_edit.without_row(file, data, key))

    def _edit(self, file: str, change: Callable[[bytes], bytes]) -> None:
        def existing(data: bytes | None) -> bytes:
            if data is None:
                raise EditRefusedError(file, "the file", "it does not exist")
            return change(data)

        self._write(file, existing)

    def _write(self, file: str, change: Callable[[bytes | None], bytes]) -> None:
        place = self._place(file)
        try:
            before = _read(place)
            after = change(before)
            if after != before:
                replace_file(place, after, before)
        except OSError as error:
            reason = f"it cannot be read or written ({error.strerror})"
            raise EditRefusedError(file, "the file", reason) from error

    def _place(self, file: str) -> Path:
        """Refuse what leads out of the repository."""
        parts = PurePosixPath(file).parts
        if not parts or file.startswith("/") or ".." in parts:
            raise EditRefusedError(file, "the file", "it is outside the repository")
        place = self._root
        for part in parts:
            place /= part
            if place.is_symlink():
                raise EditRefusedError(file, "the file", f"`{part}` is a link")
        return place


class FileMovedError(OSError):
    """Someone else wrote the file between reading and writing it."""

    def __init__(self) -> None:
        super().__init__(0, "someone else changed it in the meantime")


def replace_file(place: Path, data: bytes, before: bytes | None) -> None:
    """Replace a file as a whole, so that a crash leaves the old one or the new one.

    Args:
        place: The file; missing folders are made.
        data: What it shall hold.
        before: What was read of it; ``None`` when it did not exist.

    Raises:
        FileMovedError: When it no longer holds that.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        _refuse_moved(place, before)
        Path(name).chmod(_NEW_FILE_MODE if before is None else place.stat().st_mode & 0o7777)
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _refuse_moved(place: Path, before: bytes | None) -> None:
    if _read(place) != before:
        raise FileMovedError


def _read(place: Path) -> bytes | None:
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None
