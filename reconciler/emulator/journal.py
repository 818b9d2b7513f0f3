"""The optional state file: one JSON line per change, so that a killed process loses nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Head:
    """What the first line says: how the world was made.

    Attributes:
        scenario: Its name.
        seed: Seed of ids and faults.
        switches: Behaviours by name.
        starts: How often the emulator went on from the file before.
        at: Emulated instant of the last start.
    """

    scenario: str
    seed: int
    switches: Mapping[str, object]
    starts: int
    at: datetime

    def as_line(self) -> JsonObject:
        """The line in the file."""
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "switches": dict(self.switches),
            "starts": self.starts,
            "at": self.at.isoformat(),
        }


class Journal:
    """Appends changes to a file, each flushed to the system before the answer is sent."""

    def __init__(self, path: Path, head: Head) -> None:
        """Start the file anew with its head line."""
        self._path = path
        self._new = path.with_name(path.name + ".new")
        self._file = self._new.open("wb")
        self._write(head.as_line())

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


def read(path: Path) -> tuple[Head, Iterator[JsonObject]]:
    """The head and the changes of a state file; a last line that was cut off is ignored.

    Raises:
        BrokenStateFileError: On a head that is none; while iterating, on any other broken line.
    """
    lines = _lines(path)
    line = next(lines, {})
    try:
        head = Head(
            str(line["scenario"]),
            int(line["seed"]),
            dict(line["switches"]),
            int(line["starts"]),
            datetime.fromisoformat(line["at"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenStateFileError(path, 1) from error
    return head, lines


def _lines(path: Path) -> Iterator[JsonObject]:
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        try:
            value = wire.decode(line)
        except wire.MalformedJsonError as error:
            raise BrokenStateFileError(path, number) from error
        if not isinstance(value, dict) or (number > 1 and not _is_change(value)):
            raise BrokenStateFileError(path, number)
        yield value


def _is_change(line: JsonObject) -> bool:
    if not isinstance(line.get("at"), str):
        return False
    if "put" in line:
        return isinstance(line.get("object"), dict) and "id" in line["object"]
    return isinstance(line.get("delete"), str) and isinstance(line.get("id"), str)
