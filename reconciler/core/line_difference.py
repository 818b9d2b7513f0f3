"""Which lines of an invoice are ours: by ids that are new, and by what stands in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from reconciler.domain.draft import DraftLine
from reconciler.domain.invoice import Invoice, InvoiceLine
from reconciler.domain.push import Found, InvoiceLineId, LookUp, NotFound, Undecidable


def new_lines(invoice: Invoice, before: Collection[InvoiceLineId], wanted: DraftLine) -> LookUp:
    """Decide by id difference whether an added line arrived.

    None new means that it did not arrive; exactly one equal new line is ours; everything else is
    for a person, also when a line of before is gone.

    Args:
        invoice: As it is now.
        before: Line ids on it before the step.
        wanted: The line that was sent.
    """
    present = {one.id for one in invoice.lines}
    if gone := sorted(set(before) - present):
        return Undecidable(f"lines {', '.join(gone)} are no longer on invoice {invoice.id}")
    if invoice.deleted or invoice.status == "voided":
        return Undecidable(f"invoice {invoice.id} was deleted or voided")
    new = [one for one in invoice.lines if one.id not in before]
    if not new:
        return NotFound()
    if len(new) == 1 and same_line(new[0], wanted):
        return Found(invoice.id, (new[0].id,))
    return Undecidable(
        f"invoice {invoice.id} has {len(new)} new lines, and not exactly one like ours"
    )


def stamped(invoices: Sequence[Invoice]) -> LookUp:
    """Judge the invoices that carry a bill's stamp.

    None means that it did not arrive; one that still holds is ours; several, or a voided or deleted
    one, are for a person.
    """
    if not invoices:
        return NotFound()
    if len(invoices) > 1:
        names = ", ".join(sorted(one.id for one in invoices))
        return Undecidable(f"several invoices carry the stamp of the bill: {names}")
    invoice = invoices[0]
    if invoice.deleted or invoice.status == "voided":
        word = "deleted" if invoice.deleted else "voided"
        return Undecidable(f"invoice {invoice.id} of the bill was {word}")
    return Found(invoice.id, tuple(one.id for one in invoice.lines))


def same_line(line: InvoiceLine, wanted: DraftLine) -> bool:
    """Whether a line is what a drafted one was to become: price, amount and period."""
    amount = wanted.expected is None or line.amount == wanted.expected
    starts = line.date_from in {None, wanted.period.start}
    ends = line.date_to in {None, wanted.period.end}
    return line.price_id == wanted.price_id and amount and starts and ends
