"""Which lines of an invoice are ours: by ids that are new, and by what stands in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from reconciler.drafting.draft import DraftLine, InvoiceDraft
from reconciler.sync.model.invoice import Invoice, InvoiceLine
from reconciler.sync.model.push import (
    Effect,
    Found,
    InvoiceLineId,
    LookUp,
    NotFound,
    PushState,
    Undecidable,
)


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


def alike(
    invoice: Invoice, draft: InvoiceDraft, effects: Sequence[Effect], generation: int
) -> tuple[InvoiceLineId, ...]:
    """Give the lines that are just like one still to be added, and that no step accounts for.

    They may be ours, sent by a ledger that was lost, or a person's. A description tells nothing:
    none is sent with a line that is added.

    Args:
        invoice: As it is now.
        draft: What is being sent.
        effects: Of the bill; lines that were there before its steps, or that they made, are known.
        generation: That is being sent.
    """
    known = {line for one in effects for line in (*(one.lines_before or ()), *one.line_ids)}
    left = [draft.lines[one] for one in unsent_positions(draft, effects, generation)]
    return tuple(
        line.id
        for line in invoice.lines
        if line.id not in known and any(same_line(line, wanted) for wanted in left)
    )


def unsent_positions(
    draft: InvoiceDraft, effects: Sequence[Effect], generation: int
) -> tuple[int, ...]:
    """Give the drafted lines that no step of a generation has added, by position."""
    mine = (one for one in effects if one.key.generation == generation)
    added = {one.draft_line for one in mine if one.state is PushState.DONE}
    return tuple(one for one in range(len(draft.lines)) if one not in added)


def told_apart(
    lines: Sequence[InvoiceLine], draft: InvoiceDraft, positions: Sequence[int]
) -> Mapping[int, InvoiceLineId]:
    """Pair drafted lines with those that are just like them, where nothing is left to choose.

    Equal drafted lines are interchangeable; more lines than drafted ones are a choice, and then
    none of them is given.
    """
    groups = _groups(lines, draft, positions)
    times = Counter(line for same in groups for line in same)
    return {
        position: line
        for same, wanted in groups.items()
        if len(same) <= len(wanted) and all(times[one] == 1 for one in same)
        for position, line in zip(wanted, same, strict=False)
    }


def twice(lines: Sequence[InvoiceLine], draft: InvoiceDraft) -> tuple[InvoiceLineId, ...]:
    """Give the lines just like drafted ones of which there are more than were drafted."""
    groups = _groups(lines, draft, range(len(draft.lines)))
    return tuple(
        line for same, wanted in groups.items() if len(same) > len(wanted) for line in same
    )


def _groups(
    lines: Sequence[InvoiceLine], draft: InvoiceDraft, positions: Sequence[int]
) -> Mapping[tuple[InvoiceLineId, ...], list[int]]:
    """Group positions of drafted lines by the lines that are just like them."""
    groups: dict[tuple[InvoiceLineId, ...], list[int]] = {}
    for position in positions:
        same = tuple(one.id for one in lines if same_line(one, draft.lines[position]))
        groups.setdefault(same, []).append(position)
    return groups


def same_line(line: InvoiceLine, wanted: DraftLine) -> bool:
    """Whether a line is what a drafted one was to become: price, amount and period."""
    amount = wanted.expected is None or line.amount == wanted.expected
    starts = line.date_from in {None, wanted.period.start}
    ends = line.date_to in {None, wanted.period.end}
    return line.price_id == wanted.price_id and amount and starts and ends
