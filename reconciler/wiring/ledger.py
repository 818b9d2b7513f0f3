"""Opens the ledger of an environment: to push, to look, to make it, to rebuild it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from shlex import quote

from reconciler.definitions.kinds.environment import (
    ChargebeeConnection,
    EnvironmentSpec,
    EnvReference,
    PostgresLedger,
    Reference,
    SqliteLedger,
)
from reconciler.errors import InvalidError, ReconcilerError
from reconciler.kernel.ports import RateLimit
from reconciler.kernel.secret import Secret
from reconciler.ledger.backup import BackupElsewhereError, back_up
from reconciler.ledger.history import SqlHistory
from reconciler.ledger.ledger import SqlLedger
from reconciler.ledger.opening import (
    Expected,
    NoLedgerError,
    accept,
    create_ledger,
    look,
    open_ledger,
    read_ledger,
    refuse_lost,
    reopen_ledger,
)
from reconciler.ledger.rate_limit import SharedBucket, may_share
from reconciler.ledger.sql.database import Database
from reconciler.ledger.sql.postgres import open_postgres
from reconciler.ledger.sql.sqlite_file import control_sqlite, open_sqlite, read_sqlite
from reconciler.ledger.watch import DirectoryLedgerWatch
from reconciler.sync.model.push import SiteName
from reconciler.sync.ports.ledger import LedgerIdentity, PushHistory
from reconciler.sync.ports.workers import Workers
from reconciler.wiring.chargebee import own_bucket, site_pace
from reconciler.wiring.desk import Desk
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
        pace, name = site_pace(site), SiteName(site.site)
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
    if _no_file(desk, environment):
        # a file that opening made would take the log of the lost one with it
        refuse_lost(where(desk, environment), expected)
        raise NoLedgerError(where(desk, environment))
    with _database(desk, environment) as (database, url):
        ledger = open_ledger(database, expected, desk.settings.look_first)
        try:
            yield OpenLedger(ledger, desk, url)
        except BaseException:
            # a ledger that failed cannot say it, and what failed is to be told
            with suppress(ReconcilerError):
                ledger.note_now()
            raise
        ledger.note_now()


@contextmanager
def reading_ledger(desk: Desk, environment: EnvironmentSpec) -> Iterator[OpenLedger | None]:
    """Open a ledger only to look, beside whoever pushes; ``None`` when there is none yet.

    Raises:
        LostLedgerError: When it is gone although pushes were made: what was sent would look unsent.
        OtherLedgerError: When it is another one.
        OldLedgerError: When an older copy was restored.
    """
    expected = _expected(desk, environment)
    if _no_file(desk, environment):
        refuse_lost(where(desk, environment), expected)
        yield None
        return
    with _database(desk, environment, reader=True) as (database, url):
        ledger = read_ledger(database, expected, desk.settings.look_first)
        yield None if ledger is None else OpenLedger(ledger, desk, url)


@contextmanager
def controlling_ledger(desk: Desk, environment: EnvironmentSpec) -> Iterator[OpenLedger]:
    """Open a ledger beside whoever pushes, to pause, resume and enable.

    Raises:
        NoLedgerError: When there is none yet.
        LostLedgerError: When it is gone although pushes were made.
        OtherLedgerError: When it is another one.
        OldLedgerError: When an older copy was restored.
    """
    spec = _spec(desk, environment)
    expected = _expected(desk, environment)
    if _no_file(desk, environment):
        refuse_lost(where(desk, environment), expected)
        raise NoLedgerError(where(desk, environment))
    if isinstance(spec, SqliteLedger):
        database, url = control_sqlite(desk.root / spec.sqlite, desk.clock), None
    else:
        url = desk.settings.resolve(spec.postgresql, desk.root)
        database = _postgres(url, desk)
    try:
        ledger = read_ledger(database, expected, desk.settings.look_first)
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
    if _no_file(desk, environment):
        refuse_lost(where(desk, environment), expected)
    with _database(desk, environment) as (database, _):
        new = look(database) is None
        return Made(create_ledger(database, expected, desk.settings.look_first).identity, new)


def back_up_ledger(desk: Desk, environment: EnvironmentSpec, place: Path) -> LedgerIdentity:
    """Copy the ledger of an environment into a new file, beside whoever pushes.

    Raises:
        BackupElsewhereError: When it is in PostgreSQL.
        NoLedgerError: When there is none yet.
        UnwrittenBackupError: When there is a file already, or it cannot be written.
        LedgerDamagedError: When it cannot be read in full.
    """
    spec = _spec(desk, environment)
    if isinstance(spec, PostgresLedger):
        raise BackupElsewhereError(_in_shell(spec.postgresql))
    with reading_ledger(desk, environment) as opened:
        if opened is None:
            raise NoLedgerError(spec.sqlite)
        return back_up(opened.ledger.database, place)


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


def _in_shell(reference: Reference) -> str:
    """Write a reference as a shell reads it."""
    if isinstance(reference, EnvReference):
        return f"${reference.env}"
    return f"$(cat {quote(reference.file)})"


def _no_file(desk: Desk, environment: EnvironmentSpec) -> bool:
    spec = _spec(desk, environment)
    return isinstance(spec, SqliteLedger) and not (desk.root / spec.sqlite).exists()


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
