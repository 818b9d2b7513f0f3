"""Names who made differences; asks the destination once, and never fails a report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.reconcile.core.who_changed import may_be_edited, with_authors
from reconciler.sync.model.invoice import InvoiceChange
from reconciler.sync.model.push import InvoiceId
from reconciler.sync.model.reconciliation import Difference
from reconciler.sync.ports.destination import DestinationError, InvoiceHistory

OfBill = tuple[tuple[Difference, ...], tuple[InvoiceId, ...]]
"""A bill's differences, and the ids that its invoices had before."""


def find_authors(
    bills: Sequence[OfBill], history: InvoiceHistory, since: datetime
) -> tuple[list[tuple[Difference, ...]], str]:
    """Name who made each difference, as far as the destination tells.

    Args:
        bills: Nothing is asked when none of them may have been edited by somebody.
        history: The destination's memory.
        since: When the first of their invoices may have been made.

    Returns:
        The differences of each bill, and what could not be found out, in one sentence or empty.
    """
    wanted = {invoice for bill in bills for invoice in _invoices(bill)}
    changes: list[InvoiceChange] = []
    note = ""
    try:
        changes.extend(history.changes(wanted, since) if wanted else ())
    except DestinationError as error:
        first = str(error).splitlines()[0]
        note = f"Who changed what in Chargebee is not fully known: {first}"
    if wanted and not changes and not note:
        # Source: Chargebee API docs, list events: nothing older than 90 days can be retrieved.
        note = "Who changed what is not known: Chargebee told no event of these invoices."
    changes.sort(key=lambda change: change.at)
    return [with_authors(differences, changes, former) for differences, former in bills], note


def _invoices(bill: OfBill) -> set[InvoiceId]:
    differences, former = bill
    edited = [difference.invoice_id for difference in differences if may_be_edited(difference)]
    return {invoice_id for invoice_id in edited if invoice_id is not None} | set(
        former if edited else ()
    )
