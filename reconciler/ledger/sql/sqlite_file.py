"""A ledger in one SQLite file: durable, one writer at a time, readers whenever they like."""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from reconciler.errors import BusyError
from reconciler.kernel.ports import Clock
from reconciler.ledger.sql.damage import LedgerDamagedError
from reconciler.ledger.sql.database import Database, LedgerUnreachableError, migrate, outdated
from reconciler.ledger.sql.sqlite_log import count_commit, refuse_foreign_log
from reconciler.transport.private_file import private, take_from_others

BUSY_SECONDS = 30
CONNECTIONS = 20
"""At most 16 threads work at once; the others are for readers beside them."""


class LedgerBusyError(BusyError):
    """Another process writes to the ledger's file."""

    def __init__(self, file: Path, holder: str) -> None:
        super().__init__(
            f"the ledger {file} is in use by {holder}.\n"
            "Nothing was sent. Wait until that run has ended, or look at it with `reconciler "
            "status`; for several machines at once use a PostgreSQL ledger."
        )


def open_sqlite(file: Path, clock: Clock) -> Database:
    """Open a ledger's file to write; it and its folder are made when missing.

    The file is its owner's alone, and so are its log and index, which take its mode.

    Raises:
        LedgerBusyError: When another process writes to it.
        ForeignLogError: When the log beside it belongs to another state of it.
        LedgerUnreachableError: When the file cannot be written or is something else.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = _writer_lock(file, clock)
        _keep_private(file)
    except OSError as error:
        raise LedgerUnreachableError(str(file), error.strerror or str(error)) from None
    return _open(file, clock, "rwc", lock)


def read_sqlite(file: Path, clock: Clock) -> Database:
    """Open a ledger's file that exists, only to read; one of an older version is upgraded first.

    Raises:
        LedgerBusyError: When a process of an older version writes to it.
        ForeignLogError: When the log beside it belongs to another state of it.
        LedgerUnreachableError: When the file cannot be read or is something else.
    """
    database = _open(file, clock, "ro", None)
    if not outdated(database):
        return database
    database.close()
    with closing(open_sqlite(file, clock)) as writer:
        migrate(writer)
    return _open(file, clock, "ro", None)


def control_sqlite(file: Path, clock: Clock) -> Database:
    """Open a ledger's file that exists, beside its one writer, for rows that stop or allow pushes.

    Raises:
        ForeignLogError: When the log beside it belongs to another state of it.
        LedgerUnreachableError: When the file cannot be read or is something else.
    """
    return _open(file, clock, "rw", None)


def _open(file: Path, clock: Clock, mode: str, lock: IO[str] | None) -> Database:
    try:
        refuse_foreign_log(file)
        return _connected(file, clock, mode, lock)
    except BaseException as error:
        if lock is not None:
            lock.close()
        if isinstance(error, UnicodeDecodeError):
            raise LedgerDamagedError(str(file), "its schema is no text") from None
        if isinstance(error, OSError):
            reason = f"unable to open database file ({error.strerror})"
            raise LedgerUnreachableError(str(file), reason) from None
        raise


def _connected(file: Path, clock: Clock, mode: str, lock: IO[str] | None) -> Database:
    address = f"file:{quote(str(file.absolute()))}?mode={mode}"
    connect = partial(
        sqlite3.connect, address, uri=True, timeout=BUSY_SECONDS, check_same_thread=False
    )
    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=CONNECTIONS,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _leave_transactions if mode == "ro" else _make_durable)
    event.listen(engine, "begin", _begin)
    database = Database(engine, clock, str(file), lock=lock)
    try:
        with engine.execution_options(reading=True).begin() as connection:
            connection.exec_driver_sql("select count(*) from sqlite_master")
    except DBAPIError as error:
        database.close()
        reason = str(error.orig)
        raise LedgerUnreachableError(str(file), reason) from None
    return database


def _writer_lock(file: Path, clock: Clock) -> IO[str]:
    place = file.with_suffix(file.suffix + ".lock")
    lock = open(place, "a+", encoding="utf-8", opener=private)  # noqa: SIM115  held while open
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise LedgerBusyError(file, holder) from None
    lock.truncate(0)
    since = clock.now().strftime("%d %b %Y, %H:%M UTC")
    lock.write(f"process {os.getpid()} on {socket.gethostname()}, since {since}")
    lock.flush()
    return lock


def _keep_private(file: Path) -> None:
    """Make the file where it is missing, and take it from others where a copy gave it to them."""
    with open(file, "ab", opener=private) as opened:
        take_from_others(opened)


def _leave_transactions(connection: sqlite3.Connection, _: object) -> None:
    # the driver's own transactions begin too late for `BEGIN IMMEDIATE`
    connection.isolation_level = None


def _make_durable(connection: sqlite3.Connection, record: object) -> None:
    _leave_transactions(connection, record)
    for setting in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {setting}").close()


def _begin(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    if options.get("reading"):
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    count_commit(connection)
