"""Insert a row or change it, in one statement that two workers may run at once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert as insert_in_postgres
from sqlalchemy.dialects.sqlite import insert as insert_in_sqlite

from reconciler.ledger.rows import Columns


def put(connection: Connection, table: Table, rows: Sequence[Columns]) -> None:
    """Insert rows; one whose primary key is there takes the new values."""
    if connection.dialect.name == "postgresql":
        postgres = insert_in_postgres(table)
        new = {name: postgres.excluded[name] for name in rows[0]}
        connection.execute(
            postgres.on_conflict_do_update(index_elements=list(table.primary_key), set_=new), rows
        )
    else:
        sqlite = insert_in_sqlite(table)
        new = {name: sqlite.excluded[name] for name in rows[0]}
        connection.execute(
            sqlite.on_conflict_do_update(index_elements=list(table.primary_key), set_=new), rows
        )


def keep(connection: Connection, table: Table, row: Columns) -> None:
    """Insert a row; one whose primary key is there stays as it is."""
    if connection.dialect.name == "postgresql":
        connection.execute(insert_in_postgres(table).values(row).on_conflict_do_nothing())
    else:
        connection.execute(insert_in_sqlite(table).values(row).on_conflict_do_nothing())
