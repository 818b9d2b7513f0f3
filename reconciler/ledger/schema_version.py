"""Which version of the schema a database has, and how it comes to the newest one."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from reconciler.errors import IdentityError
from reconciler.ledger.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "ledger_schema"
NEWEST = "0001"
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
