"""A ledger over each of the two databases; what holds for one holds for the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.push_effects import expected

from reconciler.kernel.secret import Secret
from reconciler.ledger.ledger import SqlLedger
from reconciler.ledger.opening import create_ledger
from reconciler.ledger.sql.database import Database
from reconciler.ledger.sql.postgres import open_postgres
from reconciler.ledger.sql.sqlite_file import open_sqlite
from reconciler.sync.core.when_to_act import RetryTimes

OpenDatabase = Callable[[], Database]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_database(
    backend: str, clock: FakeClock, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[OpenDatabase]:
    """Open the test's database, again and again if need be; SQLite after the writer before."""
    with ExitStack() as opened:
        url: Secret | None = None
        if backend == "postgresql":
            url = request.getfixturevalue("postgres_url")

        def again() -> Database:
            if url is None:
                database = open_sqlite(tmp_path / "state" / "ledger.sqlite", clock)
            else:
                database = open_postgres(url, clock, database_time=False)
            opened.callback(database.close)
            return database

        yield again


@pytest.fixture
def database(open_database: OpenDatabase) -> Database:
    return open_database()


@pytest.fixture
def ledger(database: Database) -> SqlLedger:
    return create_ledger(database, expected(), RetryTimes())
