"""Alembic's entry: migrates over the connection that it is handed."""

from __future__ import annotations

from alembic import context

from reconciler.ledger.sql.database import VERSION_TABLE
from reconciler.ledger.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
