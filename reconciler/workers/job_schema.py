"""The engine's own tables: in a schema of their own, which nothing else depends on."""

from __future__ import annotations

import re
import time
from pathlib import Path

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import sql

from reconciler.kernel.secret import Secret

MAKING_LOCK = 0x6A6F6273
"""PostgreSQL's advisory lock: one worker makes the tables, the others wait."""
PAUSE_SECONDS = 0.2


def schema_name() -> str:
    """Name the schema after the newest of procrastinate's migrations.

    Jobs are hints, so a newer layout begins with empty tables instead of migrating the old ones.
    """
    files = Path(SchemaManager.get_migrations_path()).glob("*.sql")
    newest = max(one.name.partition("_")[0] for one in files)
    return "reconciler_jobs_" + re.sub(r"\D+", "_", newest)


def make_schema(url: Secret, patience: float = 0.0) -> str:
    """Make the tables where they are missing, and give the name of their schema.

    Args:
        url: The database.
        patience: Seconds that it may be away.
    """
    until = time.monotonic() + patience
    while True:
        try:
            return _made(url)
        except psycopg.OperationalError:
            if time.monotonic() >= until:
                raise
        time.sleep(PAUSE_SECONDS)


def _made(url: Secret) -> str:
    name = schema_name()
    with psycopg.connect(url.reveal()) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", [MAKING_LOCK])
        found = connection.execute("select to_regclass(%s)", [f"{name}.procrastinate_jobs"])
        if found.fetchone() == (None,):
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))
            connection.execute(sql.SQL("set local search_path to {}").format(sql.Identifier(name)))
            connection.execute(SchemaManager.get_schema())
    return name
