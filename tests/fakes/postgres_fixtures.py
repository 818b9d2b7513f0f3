"""Fixtures around one PostgreSQL per test run; every test that asks gets a database of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from fakes.postgres import Postgres, serving

from reconciler.kernel.secret import Secret


@pytest.fixture(scope="session")
def postgres(testrun_uid: str) -> Iterator[Postgres]:
    """The server of this test run, shared by its xdist workers; never restart it."""
    with serving(testrun_uid[:12]) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[Secret]:
    """The address of an empty database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server that only this test uses, so that it may be restarted."""
    with serving(f"own-{uuid.uuid4().hex[:8]}") as server:
        yield server
