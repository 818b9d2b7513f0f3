"""A PostgreSQL that does not let us in: whether waiting helps, and what is said of it.

Only the words of the server tell, because libpq gives no SQLSTATE for a connection that failed.
Its words name the address and the user, so none of them are repeated.
"""

from __future__ import annotations

from reconciler.errors import ReconcilerError

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


class LedgerAwayError(ReconcilerError):
    """PostgreSQL did not come back while we waited at the start."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(
            f"the ledger in PostgreSQL did not let us in for {seconds:.0f} s: {reason}.\n"
            "Nothing was read or sent. See whether the server runs and is reached from here, then "
            "run the same command again; the key and the user were not refused."
        )


def is_refused(text: str) -> bool:
    """Whether the server refused for a reason that waiting does not change."""
    lower = text.casefold()
    return any(one in lower for one in _REFUSED)


def reason(text: str) -> str:
    """Say why the server is away, without its address."""
    lower = text.casefold()
    return next((said for one, said in _AWAY.items() if one in lower), "it does not answer")
