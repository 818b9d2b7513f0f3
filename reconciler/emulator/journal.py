"""The optional state file: one JSON line per change, so that a killed process loses nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler.emulator import wire

JsonObject = dict[str, Any]


class BrokenStateFileError(ValueError):
    """The state file is not one that the emulator wrote."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__(
            f"{path}:{line}: not a line of an emulator state file; nothing was started. "
            "Delete the file to begin anew, or pass another one"
        )


class Journal:
    """Appends changes to a file, each flushed to the system before the answer is sent."""

    def __init__(self, path: Path, head: JsonObject) -> None:
        """Start the file anew with its head line (scenario, seed, switches, starts)."""
        self._path = path
        self._new = path.with_name(path.name + ".new")
        self._file = self._new.open("wb")
        self._write(head)

    def put(self, kind: str, data: JsonObject, now: datetime) -> None:
        """Record an object as it is now."""
        self._write({"put": kind, "object": data, "at": now.isoformat()})

    def delete(self, kind: str, key: str, now: datetime) -> None:
        """Record that an object is gone."""
        self._write({"delete": kind, "id": key, "at": now.isoformat()})

    def publish(self) -> None:
        """Put the new file in the place of the old one, once it holds the whole start."""
        self._file.flush()
        os.replace(self._new, self._path)  # noqa: PTH105 - atomic on the same file system
        self._new = self._path

    def close(self) -> None:
        """Stop recording."""
        self._file.close()

    def _write(self, line: JsonObject) -> None:
        self._file.write(wire.encode(line) + b"\n")
        if self._new == self._path:
            self._file.flush()


def read(path: Path) -> Iterator[JsonObject]:
    """The lines of a state file, head first; a last line that was cut off is ignored.

    Raises:
        BrokenStateFileError: On any other line that is not a JSON object.
    """
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            value = wire.decode(line)
        except wire.MalformedJsonError as error:
            raise BrokenStateFileError(path, number) from error
        if not isinstance(value, dict):
            raise BrokenStateFileError(path, number)
        yield value
