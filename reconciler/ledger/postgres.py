"""A ledger in PostgreSQL: shared by workers on many machines, on the database's clock."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from reconciler.domain.secret import Secret
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.ledger.database import Database, LedgerUnreachableError
from reconciler.ports.runtime import Clock

CONNECTIONS = 20
"""At most 16 threads work at once in a process."""
SCHEMES = ("postgresql+psycopg://", "postgresql://", "postgres://")
INSTALL = "pip install 'm3ter-reconciler[postgres]'"


class PostgresMissingError(ReconcilerError):
    """The ledger is in PostgreSQL, but the driver is not installed."""

    exit_code = ExitCode.INVALID

    def __init__(self) -> None:
        super().__init__(
            "the ledger is in PostgreSQL, but its driver is not installed; nothing was sent.\n"
            f"Install it with: {INSTALL}"
        )


def open_postgres(url: Secret, clock: Clock, *, database_time: bool = True) -> Database:
    """Open a ledger in PostgreSQL.

    Args:
        url: ``postgresql://…`` as libpq reads it.
        clock: For waits between attempts to reach the database.
        database_time: Whether its clock counts, as it must where workers share it.

    Raises:
        PostgresMissingError: When the extra is not installed.
        LedgerUnreachableError: When the address is none, or the server refuses.
    """
    if find_spec("psycopg") is None:
        raise PostgresMissingError
    scheme = next((one for one in SCHEMES if url.reveal().startswith(one)), None)
    if scheme is None:
        raise LedgerUnreachableError("PostgreSQL", "its address does not begin postgresql://")
    try:
        address = SCHEMES[0] + url.reveal().removeprefix(scheme)
        engine = create_engine(
            address, pool_size=CONNECTIONS, pool_pre_ping=True, hide_parameters=True
        )
        event.listen(engine, "connect", _make_durable)
    except (SQLAlchemyError, ValueError) as error:
        # their words quote the address, and with it the password
        raise LedgerUnreachableError("PostgreSQL", type(error).__name__) from None
    try:
        with engine.connect() as connection:
            connection.execute(text("select 1"))
    except SQLAlchemyError as error:
        engine.dispose()
        raise LedgerUnreachableError("PostgreSQL", type(error).__name__) from None
    where = f"the PostgreSQL database `{engine.url.database}`"
    return Database(engine, clock, where, database_time=database_time)


def _make_durable(connection: Any, _: object) -> None:  # noqa: ANN401  a DB-API connection
    """See to it that a commit waits for the disk; a stricter setting of the server stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select set_config('synchronous_commit', 'on', false)"
            " where current_setting('synchronous_commit') in ('off', 'local')"
        )
    connection.commit()
