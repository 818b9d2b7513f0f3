"""A ledger in PostgreSQL: shared by workers on many machines, on the database's clock.

Where it does not let us in, only the words of the server tell whether waiting helps, because libpq
gives no SQLSTATE for a connection that failed. Its words name the address and the user, so none of
them are repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from reconciler.errors import InvalidError, ReconcilerError
from reconciler.kernel.ports import Clock
from reconciler.kernel.secret import Secret
from reconciler.ledger.sql.database import (
    PATIENCE_SECONDS,
    PAUSE_SECONDS,
    Database,
    LedgerUnreachableError,
)


class PostgresMissingError(InvalidError):
    """The ledger is in PostgreSQL, but the driver is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "the ledger is in PostgreSQL, but its driver is not installed; nothing was sent.\n"
            f"Install it with: {INSTALL}"
        )


class LedgerAwayError(ReconcilerError):
    """PostgreSQL did not come back while we waited at the start."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(
            f"the ledger in PostgreSQL did not let us in for {seconds:.0f} s: {reason}.\n"
            "Nothing was read or sent. See whether the server runs and is reached from here, then "
            "run the same command again; the key and the user were not refused."
        )


CONNECTIONS = 20
"""At most 16 threads work at once in a process."""
CONNECT_SECONDS = 10
"""For one attempt to connect, where the address does not say so itself."""
SCHEMES = ("postgresql+psycopg://", "postgresql://", "postgres://")
INSTALL = "pip install 'm3ter-reconciler[postgres]'"


def open_postgres(
    url: Secret,
    clock: Clock,
    *,
    database_time: bool = True,
    tell: Callable[[str], None] = lambda _: None,
) -> Database:
    """Open a ledger in PostgreSQL; one that is starting or away is waited for.

    Args:
        url: ``postgresql://…`` as libpq reads it.
        clock: For waits between attempts to reach the database.
        database_time: Whether its clock counts, as it must where workers share it.
        tell: Hears that it is waited for, and why.

    Raises:
        PostgresMissingError: When the extra is not installed.
        LedgerUnreachableError: When the address is none, or the server refuses.
        LedgerAwayError: When it does not come back in time.
    """
    if find_spec("psycopg") is None:
        raise PostgresMissingError
    engine = _engine(url)
    try:
        _wait_for(engine, clock, tell)
    except BaseException:
        engine.dispose()
        raise
    where = f"the PostgreSQL database `{engine.url.database}`"
    return Database(engine, clock, where, database_time=database_time)


def _engine(url: Secret) -> Engine:
    scheme = next((candidate for candidate in SCHEMES if url.reveal().startswith(candidate)), None)
    if scheme is None:
        raise LedgerUnreachableError("PostgreSQL", "its address does not begin postgresql://")
    try:
        address = make_url(SCHEMES[0] + url.reveal().removeprefix(scheme))
        given = {} if "connect_timeout" in address.query else {"connect_timeout": CONNECT_SECONDS}
        engine = create_engine(
            address,
            pool_size=CONNECTIONS,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args=given,
        )
        event.listen(engine, "connect", _make_durable)
    except (SQLAlchemyError, ValueError) as error:
        # their words quote the address, and with it the password
        raise LedgerUnreachableError("PostgreSQL", type(error).__name__) from None
    return engine


def _wait_for(engine: Engine, clock: Clock, tell: Callable[[str], None]) -> None:
    """Connect once; again while the server is away."""
    until, reason = clock.monotonic() + PATIENCE_SECONDS, ""
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(text("select 1"))
        except OperationalError as error:
            words = str(error.orig)
            if is_refused(words):
                raise LedgerUnreachableError("PostgreSQL", type(error).__name__) from None
            why = why_away(words)
            if clock.monotonic() >= until:
                raise LedgerAwayError(PATIENCE_SECONDS, why) from None
            if why != reason:
                tell(f"waiting for PostgreSQL, at most {PATIENCE_SECONDS:.0f} s: {why}")
            reason = why
        except SQLAlchemyError as error:
            raise LedgerUnreachableError("PostgreSQL", type(error).__name__) from None
        else:
            return
        clock.sleep(PAUSE_SECONDS)


def _make_durable(connection: Any, _: object) -> None:  # noqa: ANN401  a DB-API connection
    """See to it that a commit waits for the disk; a stricter setting of the server stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select set_config('synchronous_commit', 'on', false)"
            " where current_setting('synchronous_commit') in ('off', 'local')"
        )
    connection.commit()


# Source: PostgreSQL 17, src/backend/libpq/auth.c, hba.c, utils/init/postinit.c and libpq's
# fe-connect.c, fe-secure-openssl.c: what no later attempt will change
_REFUSED = (
    "authentication failed",
    "no password supplied",
    "pg_hba.conf",
    "does not exist",
    "permission denied for database",
    "not permitted to log in",
    "certificate verify failed",
    "root certificate file",
    "does not support ssl",
    "invalid connection option",
    "invalid integer value",
    "invalid sslmode",
)
# Source: PostgreSQL 17, src/backend/utils/init/postinit.c and tcop/backend_startup.c
_AWAY = {
    "starting up": "it is starting up",
    "not yet accepting": "it is starting up",
    "recovery": "it is recovering",
    "shutting down": "it is shutting down",
    "too many": "it has no connection free",
    "connection slots": "it has no connection free",
    "refused": "nobody listens at its address",
    "no such file": "nobody listens at its socket",
    "resolve host": "its host is not known",
    "translate host": "its host is not known",
    "timeout": "it does not answer in time",
}


def is_refused(text: str) -> bool:
    """Whether the server refused for a reason that waiting does not change."""
    lower = text.casefold()
    return any(phrase in lower for phrase in _REFUSED)


def why_away(text: str) -> str:
    """Say why the server is away, without its address."""
    lower = text.casefold()
    return next((said for key, said in _AWAY.items() if key in lower), "it does not answer")
