"""Which version of the schema a database has, and how it comes to the newest one."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from reconciler.errors import IdentityError
from reconciler.ledger.sql.database import Database

MIGRATIONS = Path(__file__).parents[1] / "migrations"
VERSION_TABLE = "ledger_schema"
NEWEST = "0002"
"""The newest revision; equal to Alembic's head, which is slow to ask."""
MIGRATION_LOCK = 0x6D337465
"""PostgreSQL's advisory lock: one worker migrates, the others wait."""


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


def version(connection: Connection) -> str | None:
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
    found = database.read(version)
    if found is not None and found > NEWEST:
        raise LedgerSchemaError(database.where, found)
    if found != NEWEST:
        database.write(_upgrade)


def outdated(database: Database) -> bool:
    """Whether there is a ledger's schema, and an older one."""
    found = database.read(version)
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
