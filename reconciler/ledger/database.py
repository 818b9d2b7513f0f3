"""The database behind the ledger: SQLite in one file, or PostgreSQL; one schema for both."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from reconciler.domain.secret import Secret
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.ports.runtime import Clock

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30


class LedgerBusyError(ReconcilerError):
    """Another process writes to the ledger's file."""

    exit_code = ExitCode.LOCKED

    def __init__(self, file: Path, holder: str) -> None:
        super().__init__(
            f"the ledger {file} is in use by {holder}.\n"
            "Nothing was sent. Wait until that run has ended, or look at it with `reconciler "
            "status`; for several machines at once use a PostgreSQL ledger."
        )


class PostgresMissingError(ReconcilerError):
    """The ledger is in PostgreSQL, but the driver is not installed."""

    exit_code = ExitCode.INVALID

    def __init__(self) -> None:
        super().__init__(
            "the ledger is in PostgreSQL, but its driver is not installed; nothing was sent. "
            "Install it with: pip install 'm3ter-reconciler[postgres]'"
        )


class LedgerUnreachableError(ReconcilerError):
    """The database does not answer, or refuses."""

    exit_code = ExitCode.REFUSED_IDENTITY

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"the ledger in {where} cannot be opened: {reason}.\n"
            "Nothing was sent. Check the address and the rights of the user."
        )


@dataclass(slots=True)
class Database:
    """One open database.

    Attributes:
        engine: SQLAlchemy's.
        clock: ``None`` takes the database's own clock, which all workers share.
    """

    engine: Engine
    clock: Clock | None
    where: str
    lock: IO[str] | None = None

    @property
    def shared(self) -> bool:
        """Whether several processes may write at once."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open one transaction that may write; it is committed at the end of the block."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open one transaction that only reads."""
        with self.engine.connect() as connection:
            yield connection

    def now(self, connection: Connection) -> datetime:
        """Give the ledger's time, in UTC."""
        if self.clock is not None:
            return self.clock.now().astimezone(UTC)
        found: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
        return found.astimezone(UTC)

    def close(self) -> None:
        """Close every connection and give the writer's lock back."""
        self.engine.dispose()
        if self.lock is not None:
            self.lock.close()
            self.lock = None


def open_sqlite(file: Path, clock: Clock, *, writer: bool = True) -> Database:
    """Open a ledger in one file; one writer at a time, readers at any time.

    Raises:
        LedgerBusyError: When another process writes to it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = _writer_lock(file, clock) if writer else None
    engine = create_engine(
        f"sqlite:///{file}",
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=20,
    )
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin if writer else _on_reader_begin)
    return Database(engine, clock, str(file), lock)


def open_postgres(url: Secret, clock: Clock | None = None) -> Database:
    """Open a ledger in PostgreSQL; its clock counts unless a test gives another.

    Raises:
        PostgresMissingError: When the extra is not installed.
        LedgerUnreachableError: When the server refuses.
    """
    if find_spec("psycopg") is None:
        raise PostgresMissingError
    address = url.reveal()
    for scheme in ("postgres://", "postgresql://"):
        if address.startswith(scheme):
            address = "postgresql+psycopg://" + address.removeprefix(scheme)
    engine = create_engine(address, pool_size=20, pool_pre_ping=True)
    try:
        with engine.connect() as connection:
            connection.execute(text("set synchronous_commit to on"))
            where = f"PostgreSQL database `{engine.url.database}` on {engine.url.host}"
    except SQLAlchemyError as error:
        # the driver's text names the address, and may name the user's password
        engine.dispose()
        raise LedgerUnreachableError("PostgreSQL", type(error).__name__) from None
    return Database(engine, clock, where)


def migrate(database: Database) -> None:
    """Bring the schema to the newest version."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _writer_lock(file: Path, clock: Clock) -> IO[str]:
    lock = file.with_suffix(file.suffix + ".lock").open("a+", encoding="utf-8")
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


def _on_sqlite_connect(connection: Any, _: object) -> None:  # noqa: ANN401  a DB-API connection
    # the driver's own transactions begin too late for `BEGIN IMMEDIATE`
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _on_reader_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
