"""What a damaged ledger looks like from within: errors of SQLite and rows that hold no value."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import RowMapping, Table
from sqlalchemy.exc import InvalidRequestError

from reconciler.errors import IdentityError, ReconcilerError
from reconciler.kernel.runbook import Page, page

Value = TypeVar("Value")
More = ParamSpec("More")
Reader = Callable[Concatenate[RowMapping, More], Value]
UNREADABLE = (ValueError, LookupError, TypeError, AssertionError, ArithmeticError)
"""What reading a text, a number or a list raises that is none."""
MISSING = (*UNREADABLE, InvalidRequestError)
"""The same, and a row that must be there and is not."""
# Source: https://www.sqlite.org/rescode.html: the machine's fault, not the file's
_OF_THE_MACHINE = (
    "SQLITE_BUSY",
    "SQLITE_CANTOPEN",
    "SQLITE_FULL",
    "SQLITE_INTERRUPT",
    "SQLITE_IOERR",
    "SQLITE_LOCKED",
    "SQLITE_NOLFS",
    "SQLITE_NOMEM",
    "SQLITE_PERM",
    "SQLITE_PROTOCOL",
    "SQLITE_READONLY",
)
# Source: PostgreSQL 17, Appendix A: data_corrupted, index_corrupted
_CORRUPT_STATES = frozenset({"XX001", "XX002"})


class LedgerDamagedError(IdentityError):
    """What the ledger holds cannot be read."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"the ledger in {where} is damaged: {reason}.\n"
            "Nothing more was sent. What was under way may have arrived without being recorded; "
            "it is looked for before anything is sent again. Move the file away together with its "
            "-wal and -shm, never delete them, bring the newest backup back and go on with "
            f"{page(Page.LEDGER_LOST)}."
        )
        self.where = where
        self.reason = reason


class UnreadableRowError(Exception):
    """A row holds what no version of this tool wrote."""

    def __init__(self, table: str, error: Exception | None) -> None:
        said = f" ({type(error).__name__})" if error is not None else ""
        super().__init__(f"a row of `{table}` cannot be read{said}")


def is_damage(error: BaseException | None) -> bool:
    """Whether a driver's error says that what the database holds is broken."""
    if isinstance(error, sqlite3.ProgrammingError):
        return False
    if isinstance(error, sqlite3.Error):
        # the driver names none where a text is no UTF-8
        name = getattr(error, "sqlite_errorname", None) or "SQLITE_CORRUPT"
        return not name.startswith(_OF_THE_MACHINE)
    return getattr(error, "sqlstate", None) in _CORRUPT_STATES


def refuse_damaged_rows(table: Table) -> Callable[[Reader[More, Value]], Reader[More, Value]]:
    """Make a function that reads a row of a table refuse one that holds something else.

    Raises:
        UnreadableRowError: When a column has another type, or no value that the reader knows.
    """
    columns = [(column.name, column.type.python_type, column.nullable) for column in table.columns]

    def checking(read: Reader[More, Value]) -> Reader[More, Value]:
        @wraps(read)
        def checked(row: RowMapping, /, *args: More.args, **named: More.kwargs) -> Value:
            try:
                for name, kind, nullable in columns:
                    value = row[name]
                    if not isinstance(value, kind) and not (nullable and value is None):
                        raise UnreadableRowError(table.name, None)
                return read(row, *args, **named)
            except (*UNREADABLE, ReconcilerError) as error:
                raise UnreadableRowError(table.name, error) from error

        return checked

    return checking
