"""Insert a row or change it, in one statement that two workers may run at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects.postgresql import insert as insert_in_postgres
from sqlalchemy.dialects.sqlite import insert as insert_in_sqlite

from reconciler.ledger.sql.tables import Columns


def put(connection: Connection, table: Table, rows: Sequence[Columns]) -> None:
    """Insert rows; one whose primary key is there takes the new values."""
    statement = _upsert(connection.dialect.name, table, tuple(rows[0]))
    connection.execute(statement, rows)


@cache
def _upsert(dialect: str, table: Table, names: tuple[str, ...]) -> Insert:
    """Make the statement once for each table: it runs for every bill."""
    made: Any = insert_in_postgres(table) if dialect == "postgresql" else insert_in_sqlite(table)
    new = {name: made.excluded[name] for name in names}
    statement: Insert = made.on_conflict_do_update(index_elements=list(table.primary_key), set_=new)
    return statement


def keep(connection: Connection, table: Table, row: Columns) -> None:
    """Insert a row; one whose primary key is there stays as it is."""
    if connection.dialect.name == "postgresql":
        connection.execute(insert_in_postgres(table).values(row).on_conflict_do_nothing())
    else:
        connection.execute(insert_in_sqlite(table).values(row).on_conflict_do_nothing())
