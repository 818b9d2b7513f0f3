"""How far a ledger has come: the one row that every record counts in, and the note of it."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, select, update

from reconciler.ledger.rows import read_instant
from reconciler.ledger.sql.tables import attempts, ledger
from reconciler.sync.ports.ledger import LedgerIdentity, LedgerNote

_LEDGER = select(ledger)
_COUNT = update(ledger).values(sequence=ledger.c.sequence + 1)
_ATTEMPT = select(attempts.c.effect, attempts.c.number, attempts.c.started_at)
_NEWEST = _ATTEMPT.order_by(attempts.c.effect.desc(), attempts.c.number.desc()).limit(1)


def identity_of(connection: Connection) -> LedgerIdentity:
    """Read which ledger it is, and how far it has come."""
    row = connection.execute(_LEDGER).one()
    return LedgerIdentity(row.id, row.sequence, read_instant(row.rebuilt_at))


def count(connection: Connection) -> None:
    """Count one more record; last in a transaction, because it holds the ledger's one row."""
    connection.execute(_COUNT)


def count_record(connection: Connection) -> LedgerNote:
    """Count one more record, and give what to remember of the ledger outside of it."""
    count(connection)
    return note_of(connection)


def note_of(connection: Connection) -> LedgerNote:
    """Say what to remember of a ledger outside of it."""
    row = connection.execute(_LEDGER).one()
    newest = connection.execute(_NEWEST).mappings().one_or_none()
    return LedgerNote(row.id, row.sequence, "" if newest is None else _name(newest))


def came_from(connection: Connection, note: LedgerNote) -> bool:
    """Whether a ledger came from the one that was noted: it holds the request that was newest."""
    if not note.newest:
        return True
    effect, _, rest = note.newest.partition(".")
    number, _, _ = rest.partition("@")
    if not (effect.isdecimal() and number.isdecimal()):
        return False
    chosen = (attempts.c.effect == int(effect)) & (attempts.c.number == int(number))
    found = connection.execute(_ATTEMPT.where(chosen)).mappings().one_or_none()
    return found is not None and _name(found) == note.newest


def _name(attempt: RowMapping) -> str:
    return f"{attempt['effect']}.{attempt['number']}@{attempt['started_at']}"
