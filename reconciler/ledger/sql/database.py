"""The database behind the ledger: transactions that outlive a restart of PostgreSQL.

Its schema has a version, and comes to the newest one by migrations.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import IO, TypeVar

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from reconciler.errors import ExitCode, IdentityError, ReconcilerError
from reconciler.kernel.ports import Clock
from reconciler.kernel.runbook import Page, page
from reconciler.ledger.sql.damage import MISSING, LedgerDamagedError, UnreadableRowError, is_damage

Result = TypeVar("Result")


class LedgerUnreachableError(IdentityError):
    """The database cannot be opened, or refuses."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"the ledger in {where} cannot be opened: {reason}.\n"
            "Nothing was sent. Check its address, the rights of the user and the room on its disk. "
            "If the file is damaged, move it away, never delete it, and go on with "
            f"{page(Page.LEDGER_LOST)}."
        )


class LedgerGoneError(ReconcilerError):
    """The database stopped answering in the middle of the work."""

    exit_code = ExitCode.UNKNOWN_OUTCOME

    def __init__(self, where: str, reason: str) -> None:
        self.where, self.reason = where, reason
        super().__init__(
            f"the ledger in {where} stopped answering: {reason}.\n"
            "Nothing more was sent. What was under way may have arrived without being recorded; "
            f"the next run looks for it before it sends anything; see {page(Page.UNKNOWN)}."
        )


@dataclass(slots=True)
class Database:
    """One open database.

    Attributes:
        clock: For waits; and for the time unless ``database_time``.
        database_time: Take the database's own clock, which all workers share.
        where: What messages call it; never its address.
        lock: The writer's lock on the file.
    """

    engine: Engine
    clock: Clock
    where: str
    database_time: bool = False
    lock: IO[str] | None = None
    _turn: Lock = field(default_factory=Lock)

    @property
    def shared(self) -> bool:
        """Whether several processes may write at once."""
        return self.engine.dialect.name == "postgresql"

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Do work in one transaction, committed at its end.

        Where the database is shared, the work is done again when the connection broke, also if the
        commit may have arrived; so it must bear being done twice.

        Raises:
            LedgerGoneError: When the database does not come back.
            LedgerDamagedError: When what it holds cannot be read.
        """
        # threads of one process take turns; SQLite's own waiting sleeps too long
        with nullcontext() if self.shared else self._turn:
            return self._through(self.engine, work)

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Do work in one transaction that only reads.

        Raises:
            LedgerGoneError: When the database does not come back.
            LedgerDamagedError: When what it holds cannot be read.
        """
        try:
            return self._through(self.engine.execution_options(reading=True), work)
        except MISSING as error:
            raise LedgerDamagedError(self.where, f"{type(error).__name__} on reading") from error

    def refuse_damaged(self) -> None:
        """Look whether every page and index of a file is sound; a server looks after its own.

        Raises:
            LedgerDamagedError: When it is not.
        """
        if self.shared:
            return
        found = self.read(
            lambda connection: connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        )
        if found != "ok":
            raise LedgerDamagedError(self.where, str(found).splitlines()[-1])

    def now(self, connection: Connection) -> datetime:
        """Give the ledger's time, in UTC."""
        if not self.database_time:
            return self.clock.now().astimezone(UTC)
        found: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
        return found.astimezone(UTC)

    def close(self) -> None:
        """Close every connection and give the writer's lock back."""
        self.engine.dispose()
        if self.lock is not None:
            self.lock.close()
            self.lock = None

    def _through(self, engine: Engine, work: Callable[[Connection], Result]) -> Result:
        until = self.clock.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with engine.begin() as connection:
                    return work(connection)
            except (UnreadableRowError, UnicodeDecodeError) as error:
                # SQLite puts names of a damaged schema into its words, which need not be text
                raise LedgerDamagedError(self.where, str(error)) from error
            except IntegrityError:
                self.refuse_damaged()
                raise
            except DBAPIError as error:
                if is_damage(error.orig):
                    raise LedgerDamagedError(self.where, str(error.orig)) from None
                if not isinstance(error, (OperationalError, InterfaceError)):
                    raise
                if not self.shared:
                    # SQLite's words hold no value of ours: `database or disk is full`
                    raise LedgerGoneError(self.where, str(error.orig)) from None
                if self.clock.monotonic() >= until:
                    raise LedgerGoneError(self.where, type(error.orig).__name__) from None
            self.clock.sleep(PAUSE_SECONDS)


class LedgerSchemaError(IdentityError):
    """The database has a schema that this version does not know."""

    def __init__(self, where: str, found: str) -> None:
        super().__init__(
            f"the ledger in {where} has schema {found}, and this version of reconciler knows "
            f"{NEWEST}.\nNothing was sent. Use the version that wrote the ledger, or a newer one."
        )


class OutdatedLedgerError(IdentityError):
    """The database has an older schema, and this user may not change it."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"the ledger in {where} was written by an older version of reconciler, and this user"
            f" may not bring its schema to {NEWEST}.\nNothing was sent or changed. The next"
            " `sync run`, by a user who may write, does that; then run this again."
        )


PATIENCE_SECONDS = 60.0
"""How long a shared database may be away before the work ends."""
PAUSE_SECONDS = 0.2


def tries(work: Callable[[], Result]) -> Result | None:
    """Do work; ``None`` when another worker inserted the same row first."""
    try:
        return work()
    except IntegrityError:
        return None


MIGRATIONS = Path(__file__).parents[1] / "migrations"
VERSION_TABLE = "ledger_schema"
NEWEST = "0002"
"""The newest revision; equal to Alembic's head, which is slow to ask."""
MIGRATION_LOCK = 0x6D337465
"""PostgreSQL's advisory lock: one worker migrates, the others wait."""


def schema_version(connection: Connection) -> str | None:
    """Give the schema's version; ``None`` where there is no ledger's schema."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"select version_num from {VERSION_TABLE}"))  # noqa: S608
    return str(found.scalar_one())


def migrate(database: Database) -> None:
    """Bring the schema to the newest version.

    Raises:
        LedgerSchemaError: When it is newer than this version of the tool.
    """
    found = database.read(schema_version)
    if found is not None and found > NEWEST:
        raise LedgerSchemaError(database.where, found)
    if found != NEWEST:
        database.write(_upgrade)


def outdated(database: Database) -> bool:
    """Whether there is a ledger's schema, and an older one."""
    found = database.read(schema_version)
    return found is not None and found < NEWEST


def catch_up(database: Database) -> None:
    """Bring an older schema to the newest version, where somebody only wants to look.

    Raises:
        OutdatedLedgerError: When the user may not.
    """
    if not outdated(database):
        return
    try:
        migrate(database)
    except DBAPIError:
        raise OutdatedLedgerError(database.where) from None


def wait_for_others(connection: Connection) -> None:
    """Be the only one who makes something new, until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"select pg_advisory_xact_lock({MIGRATION_LOCK})"))


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    wait_for_others(connection)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
