"""How far each environment's ledger had come, kept beside the chain: implements ``LedgerWatch``."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from reconciler.errors import IdentityError, ReconcilerError
from reconciler.kernel import exact_json
from reconciler.kernel.value import JsonObject
from reconciler.sync.ports.ledger import LedgerNote
from reconciler.transport.private_file import private

FILE = "ledger.json"


class BrokenWatchError(IdentityError):
    """The note about the ledger cannot be read."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file} does not say how far the ledger had come.\n"
            "Nothing was sent. Restore the file from a backup; never edit it by hand."
        )


class UnwrittenWatchError(IdentityError):
    """The note about the ledger cannot be written."""

    def __init__(self, file: Path, error: OSError) -> None:
        super().__init__(
            f"{file}, which says how far the ledger has come, cannot be written: "
            f"{error.strerror or error}.\n"
            "Nothing more was sent: without it a lost ledger would not be known as lost. Check the "
            "room on its disk and the rights of this user, then run the same command again."
        )


@dataclass(frozen=True, slots=True)
class DirectoryLedgerWatch:
    """One small file per environment in the folder of the chain; replaced, never half written."""

    folder: Path
    _turn: Lock = field(default_factory=Lock)

    def seen(self, environment: str) -> LedgerNote | None:
        """Give what was noted last.

        Raises:
            BrokenWatchError: When the file is no note.
        """
        file = self._file(environment)
        try:
            note = exact_json.decode(file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ReconcilerError):
            raise BrokenWatchError(file) from None
        match note:
            case {"ledger": str(identity), "sequence": int(sequence), "newest": str(newest)}:
                return LedgerNote(identity, sequence, newest)
            case {"ledger": str(identity), "sequence": int(sequence)}:
                return LedgerNote(identity, sequence)
            case _:
                raise BrokenWatchError(file)

    def note(self, environment: str, note: LedgerNote) -> None:
        """Keep a note, on the disk when it returns; the sequence of the same ledger never falls.

        Raises:
            BrokenWatchError: When the file is no note.
            UnwrittenWatchError: When the file cannot be written.
        """
        try:
            with self._alone(environment):
                seen = self.seen(environment)
                if seen is None or seen.id != note.id or seen.sequence < note.sequence:
                    _replace(self._file(environment), exact_json.encode(_body(note)).encode())
        except OSError as error:
            raise UnwrittenWatchError(self._file(environment), error) from None

    @contextmanager
    def _alone(self, environment: str) -> Iterator[None]:
        """Let one thread of one process at a time compare and replace the note."""
        folder = self.folder / environment
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / "ledger.lock"
        with self._turn, open(place, "a", opener=private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _file(self, environment: str) -> Path:
        return self.folder / environment / FILE


def _body(note: LedgerNote) -> JsonObject:
    return {"ledger": note.id, "sequence": note.sequence, "newest": note.newest}


def _replace(place: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".ledger-", delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(place)
