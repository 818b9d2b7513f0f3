"""A consistent copy of a ledger's file, made beside whoever pushes."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from reconciler.errors import InvalidError
from reconciler.ledger.sequence import identity_of
from reconciler.ledger.sql.damage import LedgerDamagedError, is_damage
from reconciler.ledger.sql.database import Database
from reconciler.sync.ports.ledger import LedgerIdentity


class UnwrittenBackupError(InvalidError):
    """The copy cannot be written where it was asked for."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(
            f"the ledger was not copied to {file}: {reason}.\n"
            "The ledger and every file that was there stay as they are. Name a file that does not "
            "exist yet, in a folder that this user may write, with room on its disk."
        )


class BackupElsewhereError(InvalidError):
    """The ledger is in PostgreSQL, which has its own tools for copies."""

    def __init__(self, address: str) -> None:
        super().__init__(
            "the ledger is in PostgreSQL, which this command does not copy. Nothing was written.\n"
            "Copy it with PostgreSQL's own tool, also while pushes run: "
            f'pg_dump --format=custom --file=ledger.dump "{address}"\n'
            "Better still, keep its write-ahead log archived, so that the moment before a loss can "
            "be brought back."
        )


def back_up(database: Database, place: Path) -> LedgerIdentity:
    """Copy a ledger into a new file that nobody but its owner may read, and check the copy.

    Returns:
        Which ledger the copy holds, and how far it had come.

    Raises:
        UnwrittenBackupError: When there is a file already, or it cannot be written.
        LedgerDamagedError: When the ledger cannot be read in full.
    """
    if place.exists():
        raise UnwrittenBackupError(place, "it exists already, and no backup is ever overwritten")
    try:
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".ledger-backup-") as file:
            identity = _copied(database, Path(file.name))
            os.fsync(file.fileno())
            place.hardlink_to(file.name)
    except FileExistsError:
        raise UnwrittenBackupError(place, "another process made it meanwhile") from None
    except OSError as error:
        raise UnwrittenBackupError(place, error.strerror or str(error)) from None
    return identity


def _copied(database: Database, copy: Path) -> LedgerIdentity:
    with closing(sqlite3.connect(copy)) as target:
        try:
            identity = database.read(lambda source: _copy(source, target))
            # one file, without a log that could be left behind
            target.execute("PRAGMA journal_mode=DELETE").fetchall()
            sound = str(target.execute("PRAGMA integrity_check(1)").fetchone()[0])
        except sqlite3.Error as error:
            if is_damage(error):
                raise LedgerDamagedError(database.where, str(error)) from None
            raise UnwrittenBackupError(copy, str(error)) from None
    if sound != "ok":
        raise LedgerDamagedError(database.where, sound.splitlines()[-1])
    return identity


def _copy(source: Connection, target: sqlite3.Connection) -> LedgerIdentity:
    identity = identity_of(source)
    driver: Any = source.connection.dbapi_connection
    driver.backup(target)
    return identity
