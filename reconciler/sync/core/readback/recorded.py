"""What the ledger holds of a sent bill, in the form that it is compared in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from reconciler.drafting.draft import InvoiceDraft
from reconciler.kernel.money import Money
from reconciler.sync.core.readback.invoice_lines import Recorded, same_line
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import Effect, InvoiceId, InvoiceLineId, PushState, StepKind


def recorded_of(
    draft: InvoiceDraft,
    effects: Sequence[Effect],
    generation: int,
    invoices: Sequence[Invoice],
    amount: Money | None = None,
) -> Recorded | None:
    """Say what was sent; ``None`` when no step of any generation is done.

    Args:
        draft: Of the newest generation, as recorded.
        effects: Every effect of the bill.
        generation: The newest one.
        invoices: As read back, ours first.
        amount: Credits beside the invoice, as read back.
    """
    done = [
        effect
        for effect in effects
        if effect.state is PushState.DONE or _stands(effect, draft, invoices)
    ]
    if not done:
        return None
    mine = [effect for effect in done if effect.key.generation == generation]
    lines = line_ids(mine)
    credited = invoices[0].credited if invoices else None
    return Recorded(draft, lines, _foreign(mine, set(lines.values())), _both(credited, amount))


def _stands(effect: Effect, draft: InvoiceDraft, invoices: Sequence[Invoice]) -> bool:
    """Whether a line that was sent and waits for a person stands on the invoice, once or twice."""
    if not _may_stand(effect) or effect.draft_line is None:
        return False
    before, wanted = effect.lines_before or (), draft.lines[effect.draft_line]
    new = (line for other in invoices for line in other.lines if line.id not in before)
    return any(same_line(line, wanted) for line in new)


def _may_stand(effect: Effect) -> bool:
    sent = effect.attempts > 0 and effect.state is PushState.PERSON
    return sent and effect.key.step.kind is StepKind.ADD_LINE


def _foreign(mine: Sequence[Effect], ours: Collection[InvoiceLineId]) -> frozenset[InvoiceLineId]:
    """Give the lines that were there before ours.

    What came after a line of ours that is not known may be that line, also where it was there
    before the next one.
    """
    known = [effect.lines_before for effect in mine if effect.lines_before is not None]
    unknown = [
        effect.lines_before or frozenset()
        for effect in mine
        if effect.key.step.kind is StepKind.ADD_LINE and not effect.line_ids
    ]
    before = frozenset().union(*known) - frozenset(ours)
    return before.intersection(*unknown)


def _both(credited: Money | None, amount: Money | None) -> Money | None:
    if credited is None or amount is None or credited.currency != amount.currency:
        return amount or credited
    return credited + amount


def line_ids(done: Sequence[Effect]) -> Mapping[int, InvoiceLineId]:
    """Give our line ids by position in the draft, as far as the answers told them."""
    found: dict[int, InvoiceLineId] = {}
    for effect in done:
        match effect.key.step.kind:
            case StepKind.CREATE_INVOICE:
                found.update(enumerate(effect.line_ids))
            case StepKind.ADD_LINE if effect.draft_line is not None and effect.line_ids:
                found[effect.draft_line] = effect.line_ids[0]
            case _:
                pass
    return found


def invoice_ids(effects: Sequence[Effect]) -> tuple[InvoiceId, ...]:
    """Give the invoices that steps made or added to, the newest generation's first.

    One that we closed is given by the id that it got then.
    """
    newest = sorted(effects, key=lambda effect: -effect.key.generation)
    closed = _closed(effects)
    ids: list[InvoiceId] = []
    for effect in newest:
        if effect.state is not PushState.DONE and not _may_stand(effect):
            continue
        if effect.key.step.kind is StepKind.CREATE_INVOICE:
            ids.append(closed.get(effect.object_id, InvoiceId(effect.object_id)))
        elif effect.key.step.kind is StepKind.ADD_LINE:
            key = effect.invoice_id or InvoiceId(effect.object_id)
            ids.append(closed.get(key, key))
    return tuple(dict.fromkeys(ids))


def _closed(effects: Sequence[Effect]) -> Mapping[str, InvoiceId]:
    """Give the id of closed invoices by the one they had before."""
    return {
        effect.invoice_id: InvoiceId(effect.object_id)
        for effect in effects
        if effect.key.step.kind is StepKind.CLOSE_INVOICE
        and effect.state is PushState.DONE
        and effect.invoice_id is not None
    }


def without_undone(invoices: Sequence[Invoice], effects: Sequence[Effect]) -> tuple[Invoice, ...]:
    """Leave out the invoices of former sendings whose lines were credited to be billed anew.

    One that was closed by somebody else has another id than the ledger knows; the credit that takes
    it back names it.
    """
    newest = max((effect.key.generation for effect in effects), default=1)
    former = [effect for effect in effects if effect.key.generation < newest]
    replaced = {*invoice_ids(former), *_taken_back(effects)}
    replaced -= set(invoice_ids([effect for effect in effects if effect.key.generation == newest]))
    ours = frozenset(line for effect in former for line in effect.line_ids)
    return tuple(
        other for other in invoices if not (other.id in replaced and _credited(other, ours))
    )


def _taken_back(effects: Sequence[Effect]) -> Iterator[InvoiceId]:
    for effect in effects:
        credited = effect.key.step.kind is StepKind.CREDIT_NOTE and effect.key.step.number
        if credited and effect.state is PushState.DONE and effect.invoice_id is not None:
            yield effect.invoice_id


def _credited(invoice: Invoice, ours: frozenset[InvoiceLineId]) -> bool:
    """Tell whether credit notes take back our lines; all lines where none is known as ours."""
    lines = [line for line in invoice.lines if line.id in ours] or list(invoice.lines)
    total = sum(line.amount.minor - line.discount.minor for line in lines)
    return invoice.credited is not None and invoice.credited.minor >= total


def in_our_order(invoices: Sequence[Invoice], known: Sequence[InvoiceId]) -> tuple[Invoice, ...]:
    """Put the invoices that the ledger knows first, the newest generation's before all."""
    place = {identity: position for position, identity in enumerate(known)}
    return tuple(sorted(invoices, key=lambda invoice: place.get(invoice.id, len(place))))
