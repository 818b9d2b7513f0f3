"""A person's word about lines on an invoice: which of them it is about."""

from __future__ import annotations

from reconciler.drafting.draft_json import draft_from_json
from reconciler.sync.core.readback.invoice_lines import told_apart, unsent_positions
from reconciler.sync.model.push import (
    Effect,
    InvoiceId,
    InvoiceLineId,
    Step,
    StepKind,
    StepName,
    StoredRequest,
)
from reconciler.sync.people.leased_bill import LeasedBill
from reconciler.sync.ports.destination import PushDestination
from reconciler.sync.ports.ledger import BillRow


def ours_on(
    invoice: InvoiceId, hand: LeasedBill, row: BillRow, begun: Effect
) -> dict[int, InvoiceLineId]:
    """Give the lines of a bill that stand on an invoice and that no step accounts for.

    Returns:
        By position in the draft, from the open step on. Where there are more lines than the bill
        has, none of them is given: which are ours cannot be told.
    """
    if begun.key.step.kind is not StepKind.ADD_LINE or not row.draft:
        return {}
    read = hand.destination.read(invoice)
    if read is None:
        return {}
    draft = draft_from_json(row.draft)
    effects = hand.ledger.effects(hand.site, row.bill_id)
    line_ids = [line.id for line in read.lines]
    known = hand.ledger.lines_known(hand.site, line_ids).union(begun.lines_before or ())
    lines = [line for line in read.lines if line.id not in known]
    left = unsent_positions(draft, effects, row.generation)
    return dict(told_apart(lines, draft, left))


def taken_over(begun: Effect, invoice: InvoiceId, position: int) -> Step:
    """Make the step of a line that stands there already; nothing is sent for it.

    Steps count from 1.
    """
    name = StepName(StepKind.ADD_LINE, position + 1)
    return Step(name, StoredRequest("(adopted)", b""), invoice, begun.lines_before, position)


def there_now(begun: Effect, destination: PushDestination) -> tuple[InvoiceLineId, ...]:
    """Give every line of the invoice that an unsent line was for: by a person's word, not ours."""
    if begun.key.step.kind is not StepKind.ADD_LINE or begun.invoice_id is None:
        return ()
    read = destination.read(begun.invoice_id)
    return () if read is None else tuple(line.id for line in read.lines)
