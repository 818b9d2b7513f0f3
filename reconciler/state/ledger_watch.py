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

from reconciler.core import exact_json
from reconciler.domain.value import JsonObject
from reconciler.errors import IdentityError, ReconcilerError
from reconciler.ports.ledger import LedgerIdentity

FILE = "ledger.json"


class BrokenWatchError(IdentityError):
    """The note about the ledger cannot be read."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file} does not say how far the ledger had come.\n"
            "Nothing was sent. Restore the file from a backup; never edit it by hand."
        )


@dataclass(frozen=True, slots=True)
class DirectoryLedgerWatch:
    """One small file per environment in the folder of the chain; replaced, never half written."""

    folder: Path
    _turn: Lock = field(default_factory=Lock)

    def seen(self, environment: str) -> LedgerIdentity | None:
        """Give the ledger that was seen last.

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
            case {"ledger": str(identity), "sequence": int(sequence)}:
                return LedgerIdentity(identity, sequence)
            case _:
                raise BrokenWatchError(file)

    def note(self, environment: str, identity: LedgerIdentity) -> None:
        """Remember a ledger; the sequence of the same ledger never falls."""
        with self._alone(environment):
            seen = self.seen(environment)
            if seen is not None and seen.id == identity.id and seen.sequence >= identity.sequence:
                return
            note: JsonObject = {"ledger": identity.id, "sequence": identity.sequence}
            _replace(self._file(environment), exact_json.encode(note).encode())

    @contextmanager
    def _alone(self, environment: str) -> Iterator[None]:
        """Let one thread of one process at a time compare and replace the note."""
        folder = self.folder / environment
        folder.mkdir(parents=True, exist_ok=True)
        with self._turn, (folder / "ledger.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _file(self, environment: str) -> Path:
        return self.folder / environment / FILE


def _replace(place: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".ledger-", delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(place)
