"""Opens the ledger of an environment: to push, to look, to make it, to rebuild it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from reconciler.domain.kinds.environment import (
    ChargebeeConnection,
    EnvironmentSpec,
    PostgresLedger,
    SqliteLedger,
)
from reconciler.domain.push import SiteName
from reconciler.domain.secret import Secret
from reconciler.errors import InvalidError
from reconciler.ledger.database import Database
from reconciler.ledger.history import SqlHistory
from reconciler.ledger.opening import (
    Expected,
    LostLedgerError,
    NoLedgerError,
    accept,
    create_ledger,
    look,
    open_ledger,
    read_ledger,
    reopen_ledger,
)
from reconciler.ledger.postgres import open_postgres
from reconciler.ledger.pushes import SqlLedger
from reconciler.ledger.rate_limit import SharedBucket, may_share
from reconciler.ledger.sqlite_file import control_sqlite, open_sqlite, read_sqlite
from reconciler.ports.history import PushHistory
from reconciler.ports.ledger import LedgerIdentity
from reconciler.ports.runtime import RateLimit, Workers
from reconciler.state.ledger_watch import DirectoryLedgerWatch
from reconciler.wiring.desk import Desk
from reconciler.wiring.site_pace import own_bucket, pace_of
from reconciler.workers.embedded import EmbeddedWorkers
from reconciler.workers.procrastinate import ProcrastinateWorkers


class NoLedgerDefinedError(InvalidError):
    """The environment names no ledger."""

    def __init__(self, environment: str) -> None:
        super().__init__(
            f"the environment `{environment}` has no `spec.ledger`, which remembers what was sent. "
            "Nothing was sent.\nAdd one, for example: "
            "ledger: {id: A-NEW-UUID, sqlite: .reconciler/ledger.sqlite}"
        )


class NoSiteDefinedError(InvalidError):
    """The environment names no Chargebee site."""

    def __init__(self, environment: str) -> None:
        super().__init__(
            f"the environment `{environment}` has no `spec.chargebee`, so there is no site to read "
            "invoices from. Nothing was sent or changed. Add one to its definition."
        )


@dataclass(frozen=True, slots=True)
class OpenLedger:
    """A ledger that is open, and what lives in the same database.

    Attributes:
        url: Where it is PostgreSQL: its address, for the workers.
    """

    ledger: SqlLedger
    desk: Desk
    url: Secret | None

    @property
    def history(self) -> PushHistory:
        """Give what people read of it."""
        return SqlHistory(self.ledger.database)

    def limiter(self, site: ChargebeeConnection) -> RateLimit:
        """Give the site's pace: one row for all workers in PostgreSQL, else this process's own.

        No 60 seconds see more than ``requestsPerMinute``, the burst included. Somebody who may only
        read the database, to print a plan, say, keeps a pace of their own.
        """
        if self.url is None or not may_share(self.ledger.database):
            return own_bucket(site, self.desk.clock)
        pace, name = pace_of(site), SiteName(site.site)
        return SharedBucket(self.ledger.database, name, pace.per_second, burst=pace.burst)

    def workers(self, *, on_many_machines: bool = False) -> Workers:
        """Give what delivers jobs; on many machines only over PostgreSQL.

        Raises:
            EngineMissingError: When the extra `postgres` is not installed.
        """
        if on_many_machines and self.url is not None:
            return ProcrastinateWorkers(self.url, self.desk.clock)
        return EmbeddedWorkers(self.desk.clock)


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """A ledger that learns again; refused by everything else until ``accept``."""

    ledger: SqlLedger
    accept: Callable[[datetime | None], LedgerIdentity]


@contextmanager
def pushing_ledger(desk: Desk, environment: EnvironmentSpec) -> Iterator[OpenLedger]:
    """Open a ledger to push with, for the time of a ``with`` block.

    Args:
        desk: The repository, and which environment of it.
        environment: As it is in force.

    Raises:
        NoLedgerDefinedError: When the environment names none.
        LedgerBusyError: When another process writes to the file.
        NoLedgerError: Before ``ledger init``.
        LostLedgerError: When it is gone although pushes were made.
        OtherLedgerError: When it is another one.
        OldLedgerError: When an older copy was restored.
    """
    expected = _expected(desk, environment)
    with _database(desk, environment) as (database, url):
        ledger = open_ledger(database, expected, desk.settings.look_first)
        try:
            yield OpenLedger(ledger, desk, url)
        finally:
            expected.note(ledger.identity)


@contextmanager
def reading_ledger(desk: Desk, environment: EnvironmentSpec) -> Iterator[OpenLedger | None]:
    """Open a ledger only to look, beside whoever pushes; ``None`` when there is none yet.

    Raises:
        LostLedgerError: When it is gone although pushes were made: what was sent would look unsent.
        OtherLedgerError: When it is another one.
    """
    spec = _spec(desk, environment)
    expected = _expected(desk, environment)
    if isinstance(spec, SqliteLedger) and not (desk.root / spec.sqlite).exists():
        _refuse_lost(spec.sqlite, expected)
        yield None
        return
    with _database(desk, environment, reader=True) as (database, url):
        ledger = read_ledger(database, expected, desk.settings.look_first)
        if ledger is None:
            _refuse_lost(database.where, expected)
        yield None if ledger is None else OpenLedger(ledger, desk, url)


@contextmanager
def controlling_ledger(desk: Desk, environment: EnvironmentSpec) -> Iterator[OpenLedger]:
    """Open a ledger beside whoever pushes, to pause, resume and enable.

    Raises:
        NoLedgerError: When there is none yet.
        OtherLedgerError: When it is another one.
    """
    spec = _spec(desk, environment)
    if isinstance(spec, SqliteLedger):
        file = desk.root / spec.sqlite
        if not file.exists():
            raise NoLedgerError(spec.sqlite)
        database, url = control_sqlite(file, desk.clock), None
    else:
        url = desk.settings.resolve(spec.postgresql, desk.root)
        database = _postgres(url, desk)
    try:
        ledger = read_ledger(database, _expected(desk, environment), desk.settings.look_first)
        if ledger is None:
            raise NoLedgerError(database.where)
        yield OpenLedger(ledger, desk, url)
    finally:
        database.close()


@dataclass(frozen=True, slots=True)
class Made:
    """A ledger after ``init_ledger``.

    Attributes:
        new: It was made now; otherwise it was there before, and stays as it was.
    """

    at: LedgerIdentity
    new: bool


def init_ledger(desk: Desk, environment: EnvironmentSpec) -> Made:
    """Make the ledger of an environment before its first push; one that is there stays.

    Raises:
        LostLedgerError: When pushes were made with one that is gone.
        OtherLedgerError: When another ledger is there.
    """
    expected = _expected(desk, environment)
    with _database(desk, environment) as (database, _):
        new = look(database) is None
        return Made(create_ledger(database, expected, desk.settings.look_first).identity, new)


@contextmanager
def rebuilding_ledger(desk: Desk, environment: EnvironmentSpec) -> Iterator[Rebuilding]:
    """Open a ledger that was lost or restored, to learn again what was sent.

    Raises:
        OtherLedgerError: When another ledger is there.
    """
    expected = _expected(desk, environment)
    with _database(desk, environment) as (database, _):
        ledger = reopen_ledger(database, expected, desk.settings.look_first)
        yield Rebuilding(ledger, partial(accept, ledger, expected))


def where(desk: Desk, environment: EnvironmentSpec) -> str:
    """Say where the ledger is, without its address."""
    spec = _spec(desk, environment)
    return spec.sqlite if isinstance(spec, SqliteLedger) else "PostgreSQL"


def site_of(desk: Desk, environment: EnvironmentSpec) -> ChargebeeConnection:
    """Give the environment's site.

    Raises:
        NoSiteDefinedError: When it names none.
    """
    if environment.chargebee is None:
        raise NoSiteDefinedError(desk.environment)
    return environment.chargebee


def _spec(desk: Desk, environment: EnvironmentSpec) -> SqliteLedger | PostgresLedger:
    if environment.ledger is None:
        raise NoLedgerDefinedError(desk.environment)
    return environment.ledger


def _expected(desk: Desk, environment: EnvironmentSpec) -> Expected:
    watch = DirectoryLedgerWatch(desk.chain.folder)
    name = desk.environment
    return Expected(_spec(desk, environment).id, watch.seen(name), partial(watch.note, name))


def _refuse_lost(place: str, expected: Expected) -> None:
    if expected.seen is not None and expected.seen.sequence:
        raise LostLedgerError(place, expected.seen)


def _postgres(url: Secret, desk: Desk) -> Database:
    machine_time = bool(desk.settings.clock_ahead)
    return open_postgres(url, desk.clock, database_time=not machine_time, tell=desk.tell)


@contextmanager
def _database(
    desk: Desk, environment: EnvironmentSpec, *, reader: bool = False
) -> Iterator[tuple[Database, Secret | None]]:
    spec = _spec(desk, environment)
    url: Secret | None = None
    if isinstance(spec, SqliteLedger):
        file = desk.root / spec.sqlite
        database = (read_sqlite if reader else open_sqlite)(file, desk.clock)
    else:
        url = desk.settings.resolve(spec.postgresql, desk.root)
        database = _postgres(url, desk)
    try:
        yield database, url
    finally:
        database.close()
