"""Opens, makes and rebuilds a ledger, and refuses one that is lost, restored or another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, update

from reconciler.errors import IdentityError
from reconciler.kernel.runbook import Page, page
from reconciler.ledger import leases
from reconciler.ledger.ledger import SqlLedger
from reconciler.ledger.rows import stamp_text
from reconciler.ledger.sequence import came_from, identity_of, note_of
from reconciler.ledger.sql.database import (
    Database,
    catch_up,
    migrate,
    schema_version,
    wait_for_others,
)
from reconciler.ledger.sql.tables import ledger
from reconciler.sync.core.when_to_act import RetryTimes
from reconciler.sync.ports.ledger import LedgerIdentity, LedgerNote


class NoLedgerError(IdentityError):
    """There is no ledger yet, and nothing was ever pushed."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"there is no ledger in {where} yet.\n"
            "Nothing was sent. Before the first push run `reconciler ledger init`; "
            f"{page(Page.FIRST_SETUP)} says how."
        )


class LostLedgerError(IdentityError):
    """The ledger is gone, although pushes were made."""

    def __init__(self, where: str, seen: LedgerNote) -> None:
        super().__init__(
            f"there is no ledger in {where}, but pushes were made with ledger {seen.id}, which "
            f"was at record {seen.sequence}.\n"
            "Nothing was sent: without it bills would be sent twice. Bring the newest backup back, "
            "then run `reconciler ledger rebuild --since DATE`.\n"
            f"First read {page(Page.LEDGER_LOST)}."
        )


class OtherLedgerError(IdentityError):
    """The ledger is not the one that the environment names."""

    def __init__(self, where: str, wanted: str, found: str) -> None:
        super().__init__(
            f"{where} holds the ledger {found}, but the environment names {wanted}.\n"
            "Nothing was sent. Correct `spec.ledger` of the Environment: another ledger does not "
            f"know what was sent. Read {page(Page.OTHER_LEDGER)}."
        )


class OldLedgerError(IdentityError):
    """The ledger is behind what was seen of it: a backup was restored."""

    def __init__(self, where: str, identity: LedgerIdentity, seen: LedgerNote) -> None:
        super().__init__(
            f"the ledger in {where} {_behind(identity, seen)}: an older copy was restored.\n"
            "Nothing was sent: it does not know all that was sent. Run `reconciler ledger rebuild "
            "--since DATE` with a day before the copy was made.\n"
            f"First read {page(Page.OLDER_LEDGER)}."
        )


@dataclass(frozen=True, slots=True)
class Expected:
    """What the outside knows of the ledger.

    Attributes:
        id: Pinned in the Environment.
        seen: Remembered beside the applied chain; ``None`` before the first push.
        note: Remembers a newer state there.
    """

    id: str
    seen: LedgerNote | None
    note: Callable[[LedgerNote], None]


def open_ledger(database: Database, expected: Expected, settings: RetryTimes) -> SqlLedger:
    """Open the ledger of an environment to push, and bring its schema up to date.

    Raises:
        NoLedgerError: Before the first push.
        LostLedgerError: When there is none although pushes were made.
        OtherLedgerError: When it is another one than pinned or seen.
        OldLedgerError: When an older copy was restored.
        LedgerDamagedError: When a page or an index of it is not sound.
    """
    identity = look(database)
    if identity is None:
        refuse_lost(database.where, expected)
        raise NoLedgerError(database.where)
    _refuse_other(database, expected, identity)
    _refuse_older(database, expected, identity)
    database.refuse_damaged()
    return _writable(database, expected, settings)


def read_ledger(database: Database, expected: Expected, settings: RetryTimes) -> SqlLedger | None:
    """Open the ledger of an environment only to look; ``None`` when there is none yet.

    Raises:
        LostLedgerError: When it is gone although pushes were made: what was sent would look unsent.
        OtherLedgerError: When it is another one than pinned.
        OldLedgerError: When an older copy was restored, to which the same applies.
    """
    identity = look(database)
    if identity is None:
        refuse_lost(database.where, expected)
        return None
    if identity.id != expected.id:
        raise OtherLedgerError(database.where, expected.id, identity.id)
    _refuse_older(database, expected, identity)
    catch_up(database)
    return SqlLedger(database, settings, expected.note)


def create_ledger(database: Database, expected: Expected, settings: RetryTimes) -> SqlLedger:
    """Make the ledger of an environment before the first push; one that is there is opened.

    Raises:
        LostLedgerError: When pushes were made with one that is gone.
        OtherLedgerError: When another ledger is there.
        OldLedgerError: When the one that is there is a restored copy.
    """
    identity = look(database)
    if identity is not None:
        return open_ledger(database, expected, settings)
    refuse_lost(database.where, expected)
    _insert(database, expected.id)
    return open_ledger(database, expected, settings)


def reopen_ledger(database: Database, expected: Expected, settings: RetryTimes) -> SqlLedger:
    """Open a ledger to rebuild it, made anew when it is gone. It stays refused until ``accept``.

    Raises:
        OtherLedgerError: When another ledger is there.
    """
    identity = look(database)
    if identity is None:
        _insert(database, expected.id)
    elif identity.id != expected.id:
        raise OtherLedgerError(database.where, expected.id, identity.id)
    migrate(database)
    return SqlLedger(database, settings, lambda _: None)


def accept(opened: SqlLedger, expected: Expected, newest: datetime | None = None) -> LedgerIdentity:
    """Let a rebuilt ledger be used again: it is past everything that was seen of the lost one.

    Args:
        opened: The ledger.
        expected: What is known of the lost one.
        newest: When the newest bill was created, by m3ter's clock: the ledger is not older than
            that, whatever this machine's clock says.
    """
    seen = expected.seen.sequence if expected.seen else 0

    def learnt(connection: Connection) -> tuple[LedgerIdentity, LedgerNote]:
        now = opened.database.now(connection)
        now = now if newest is None else max(now, newest)
        sequence = max(identity_of(connection).sequence, seen) + 1
        connection.execute(update(ledger).values(sequence=sequence, rebuilt_at=stamp_text(now)))
        return identity_of(connection), note_of(connection)

    identity, note = opened.database.write(learnt)
    expected.note(note)
    return identity


def look(database: Database) -> LedgerIdentity | None:
    """Say which ledger a database holds; writes nothing."""

    def found(connection: Connection) -> LedgerIdentity | None:
        if schema_version(connection) is None:
            return None
        return identity_of(connection) if _has_row(connection) else None

    return database.read(found)


def _has_row(connection: Connection) -> bool:
    return connection.execute(ledger.select().limit(1)).first() is not None


def refuse_lost(where: str, expected: Expected) -> None:
    """Refuse that there is no ledger.

    Raises:
        LostLedgerError: When pushes were made.
    """
    if expected.seen is not None and expected.seen.sequence:
        raise LostLedgerError(where, expected.seen)


def _refuse_older(database: Database, expected: Expected, identity: LedgerIdentity) -> None:
    seen = expected.seen
    if seen is None or seen.id != identity.id:
        return
    same = database.read(lambda connection: came_from(connection, seen))
    if identity.sequence < seen.sequence or not same:
        raise OldLedgerError(database.where, identity, seen)


def _behind(identity: LedgerIdentity, seen: LedgerNote) -> str:
    if identity.sequence < seen.sequence:
        return f"is at record {identity.sequence}, but was at {seen.sequence} already"
    return f"does not hold the request that it had sent when it was at record {seen.sequence}"


def _refuse_other(database: Database, expected: Expected, identity: LedgerIdentity) -> None:
    if identity.id != expected.id:
        raise OtherLedgerError(database.where, expected.id, identity.id)
    seen = expected.seen
    if seen is not None and seen.sequence and seen.id != identity.id:
        raise OtherLedgerError(database.where, seen.id, identity.id)


def _insert(database: Database, identity: str) -> None:
    migrate(database)

    def make(connection: Connection) -> None:
        wait_for_others(connection)
        at = stamp_text(database.now(connection))
        if not _has_row(connection):
            connection.execute(insert(ledger).values(id=identity, sequence=0, created_at=at))

    database.write(make)


def _writable(database: Database, expected: Expected, settings: RetryTimes) -> SqlLedger:
    migrate(database)
    if not database.shared:
        # the writer's lock is ours, so whoever held a lease is dead
        database.write(lambda connection: leases.end_all(connection, database.now(connection)))
    opened = SqlLedger(database, settings, expected.note)
    opened.note_now()
    return opened
