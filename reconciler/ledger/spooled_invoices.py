"""Stamped invoices in a private temporary file: implements ``InvoiceShelf``, whatever their number.

The file belongs to SQLite, has no name and is gone with the connection.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from reconciler.kernel.address import BillId
from reconciler.sync.model.invoice import Invoice

PAGE = 500


@dataclass(frozen=True, slots=True)
class SpooledInvoices:
    """Invoices by stamp, as long as the connection is open."""

    connection: sqlite3.Connection

    def put(self, invoice: Invoice) -> None:
        """Keep an invoice under its stamp; the newest reading of it counts."""
        if invoice.stamp is None:
            return
        self.connection.execute(
            "INSERT OR REPLACE INTO invoices (id, bill, body, asked) VALUES (?, ?, ?, 0)",
            (invoice.id, invoice.stamp, pickle.dumps(invoice)),
        )

    def take(self, bill: BillId) -> tuple[Invoice, ...]:
        """Give the invoices of a bill, and remember that it was asked for."""
        rows = self.connection.execute(
            "SELECT body FROM invoices WHERE bill = ? ORDER BY id", (bill,)
        ).fetchall()
        if rows:
            self.connection.execute("UPDATE invoices SET asked = 1 WHERE bill = ?", (bill,))
        return tuple(pickle.loads(row[0]) for row in rows)  # noqa: S301  written above, private

    def rest(self) -> Iterator[BillId]:
        """Stream the bills that were never asked for, by id."""
        last = ""
        while True:
            rows = self.connection.execute(
                "SELECT DISTINCT bill FROM invoices WHERE asked = 0 AND bill > ?"
                " ORDER BY bill LIMIT ?",
                (last, PAGE),
            ).fetchall()
            yield from (BillId(row[0]) for row in rows)
            if len(rows) < PAGE:
                return
            last = rows[-1][0]

    def meet(self, bill: BillId) -> bool:
        """Remember that a bill was compared; says whether it is the first time."""
        done = self.connection.execute("INSERT OR IGNORE INTO met (bill) VALUES (?)", (bill,))
        return done.rowcount == 1

    def met(self, bill: BillId) -> bool:
        """Tell whether a bill was compared."""
        found = self.connection.execute("SELECT 1 FROM met WHERE bill = ?", (bill,))
        return found.fetchone() is not None


@contextmanager
def spooled_invoices() -> Iterator[SpooledInvoices]:
    """Open an empty shelf."""
    # an empty name is a temporary file on disk that SQLite removes itself
    with closing(sqlite3.connect("", isolation_level=None)) as connection:
        connection.execute(
            "CREATE TABLE invoices (id TEXT PRIMARY KEY, bill TEXT, body BLOB, asked INTEGER)"
        )
        connection.execute("CREATE TABLE met (bill TEXT PRIMARY KEY) WITHOUT ROWID")
        connection.execute("CREATE INDEX by_bill ON invoices (bill, asked)")
        yield SpooledInvoices(connection)
