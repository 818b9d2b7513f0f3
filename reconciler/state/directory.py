"""The chain in a folder: one file per applied record, one lock file per environment.

``STATE/<environment>/000001.json`` is the first record. A record is written beside its place, made
durable and linked into it, so that a reader never sees half a record and two writers never share a
number. The lock is the operating system's: it ends with the process that holds it.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from reconciler.errors import StaleError
from reconciler.kernel.ports import Clock
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.identity import record_id
from reconciler.plan.ports import ChainMovedError, LockedError
from reconciler.state.documents import decode_record, encode_record
from reconciler.transport.private_file import private


class BrokenChainError(StaleError):
    """A record does not name the one before it, or a number is missing."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(
            f"the applied chain is broken at {file}: {reason}.\n"
            "Nothing was written. Restore the folder from a backup; never edit it by hand."
        )


@dataclass(frozen=True, slots=True)
class DirectoryState:
    """Implements ``StateChain`` and ``StateLock``; ``folder`` is made when something is written."""

    folder: Path
    clock: Clock

    def head(self, environment: str) -> AppliedRecord | None:
        """Give the newest record; ``None`` before the first apply."""
        files = self._files(environment)
        return self._read(files[-1], len(files)) if files else None

    def append(self, record: AppliedRecord) -> AppliedRecord:
        """Add a record whose ``previous`` is the head."""
        head = self.head(record.environment)
        found = (head.sequence, head.id) if head else (0, None)
        if (record.sequence - 1, record.previous) != found:
            raise ChainMovedError(record.environment, record.sequence - 1, found[0])
        named = replace(record, id=record_id(record))
        place = self._folder(record.environment) / f"{record.sequence:06d}.json"
        try:
            _write_new(place, encode_record(named))
        except FileExistsError:
            raise ChainMovedError(
                record.environment, record.sequence - 1, record.sequence
            ) from None
        return named

    def records(self, environment: str) -> Iterator[AppliedRecord]:
        """Stream the records, newest first, checking that each names the one before."""
        files = self._files(environment)
        wanted = None
        for number in range(len(files), 0, -1):
            record = self._read(files[number - 1], number)
            if wanted is not None and record.id != wanted:
                raise BrokenChainError(files[number - 1], "the next record names another one")
            wanted = record.previous
            yield record

    @contextmanager
    def hold(self, environment: str, purpose: str) -> Iterator[None]:
        """Hold the environment's lock for the time of a ``with`` block."""
        folder = self._folder(environment)
        folder.mkdir(parents=True, exist_ok=True)
        with _opened(folder / "lock") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise LockedError(environment, file.read().strip() or "another run") from None
            file.truncate(0)
            file.write(self._holder(purpose))
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)

    def _holder(self, purpose: str) -> str:
        since = self.clock.now().strftime("%d %b %Y, %H:%M UTC")
        return (
            f"`{purpose}` of {getpass.getuser()} on {socket.gethostname()} "
            f"(process {os.getpid()}, since {since})"
        )

    def _folder(self, environment: str) -> Path:
        return self.folder / environment

    def _files(self, environment: str) -> list[Path]:
        return sorted(self._folder(environment).glob("[0-9]*.json"))

    def _read(self, file: Path, number: int) -> AppliedRecord:
        record = decode_record(file.read_bytes(), str(file))
        if record.sequence != number or file.stem != f"{number:06d}":
            raise BrokenChainError(file, f"record {number} is expected here")
        return record


def _opened(lock: Path) -> IO[str]:
    return open(lock, "a+", encoding="utf-8", opener=private)


def _write_new(place: Path, data: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".record-") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        place.hardlink_to(file.name)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
