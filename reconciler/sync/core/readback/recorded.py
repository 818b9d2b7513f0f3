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
    given: Money | None = None,
) -> Recorded | None:
    """Say what was sent; ``None`` when no step of any generation is done.

    Args:
        draft: Of the newest generation, as recorded.
        effects: Every effect of the bill.
        generation: The newest one.
        invoices: As read back, ours first.
        given: Credits beside the invoice, as read back.
    """
    done = [one for one in effects if one.state is PushState.DONE or _stands(one, draft, invoices)]
    if not done:
        return None
    mine = [one for one in done if one.key.generation == generation]
    lines = line_ids(mine)
    credited = invoices[0].credited if invoices else None
    return Recorded(draft, lines, _foreign(mine, set(lines.values())), _both(credited, given))


def _stands(effect: Effect, draft: InvoiceDraft, invoices: Sequence[Invoice]) -> bool:
    """Whether a line that was sent and waits for a person stands on the invoice, once or twice."""
    if not _may_stand(effect) or effect.draft_line is None:
        return False
    before, wanted = effect.lines_before or (), draft.lines[effect.draft_line]
    new = (line for one in invoices for line in one.lines if line.id not in before)
    return any(same_line(one, wanted) for one in new)


def _may_stand(effect: Effect) -> bool:
    sent = effect.attempts > 0 and effect.state is PushState.PERSON
    return sent and effect.key.step.kind is StepKind.ADD_LINE


def _foreign(mine: Sequence[Effect], ours: Collection[InvoiceLineId]) -> frozenset[InvoiceLineId]:
    """Give the lines that were there before ours.

    What came after a line of ours that is not known may be that line, also where it was there
    before the next one.
    """
    known = [one.lines_before for one in mine if one.lines_before is not None]
    unknown = [
        one.lines_before or frozenset()
        for one in mine
        if one.key.step.kind is StepKind.ADD_LINE and not one.line_ids
    ]
    before = frozenset().union(*known) - frozenset(ours)
    return before.intersection(*unknown)


def _both(credited: Money | None, given: Money | None) -> Money | None:
    if credited is None or given is None or credited.currency != given.currency:
        return given or credited
    return credited + given


def line_ids(done: Sequence[Effect]) -> Mapping[int, InvoiceLineId]:
    """Give our line ids by position in the draft, as far as the answers told them."""
    found: dict[int, InvoiceLineId] = {}
    for one in done:
        match one.key.step.kind:
            case StepKind.CREATE_INVOICE:
                found.update(enumerate(one.line_ids))
            case StepKind.ADD_LINE if one.draft_line is not None and one.line_ids:
                found[one.draft_line] = one.line_ids[0]
            case _:
                pass
    return found


def invoice_ids(effects: Sequence[Effect]) -> tuple[InvoiceId, ...]:
    """Give the invoices that steps made or added to, the newest generation's first.

    One that we closed is given by the id that it got then.
    """
    newest = sorted(effects, key=lambda one: -one.key.generation)
    closed = _closed(effects)
    ids: list[InvoiceId] = []
    for one in newest:
        if one.state is not PushState.DONE and not _may_stand(one):
            continue
        if one.key.step.kind is StepKind.CREATE_INVOICE:
            ids.append(closed.get(one.object_id, InvoiceId(one.object_id)))
        elif one.key.step.kind is StepKind.ADD_LINE:
            key = one.invoice_id or InvoiceId(one.object_id)
            ids.append(closed.get(key, key))
    return tuple(dict.fromkeys(ids))


def _closed(effects: Sequence[Effect]) -> Mapping[str, InvoiceId]:
    """Give the id of closed invoices by the one they had before."""
    return {
        one.invoice_id: InvoiceId(one.object_id)
        for one in effects
        if one.key.step.kind is StepKind.CLOSE_INVOICE
        and one.state is PushState.DONE
        and one.invoice_id is not None
    }


def without_undone(invoices: Sequence[Invoice], effects: Sequence[Effect]) -> tuple[Invoice, ...]:
    """Leave out the invoices of former sendings whose lines were credited to be billed anew.

    One that was closed by somebody else has another id than the ledger knows; the credit that takes
    it back names it.
    """
    newest = max((one.key.generation for one in effects), default=1)
    former = [one for one in effects if one.key.generation < newest]
    replaced = {*invoice_ids(former), *_taken_back(effects)}
    replaced -= set(invoice_ids([one for one in effects if one.key.generation == newest]))
    ours = frozenset(line for one in former for line in one.line_ids)
    return tuple(one for one in invoices if not (one.id in replaced and _credited(one, ours)))


def _taken_back(effects: Sequence[Effect]) -> Iterator[InvoiceId]:
    for one in effects:
        credited = one.key.step.kind is StepKind.CREDIT_NOTE and one.key.step.number
        if credited and one.state is PushState.DONE and one.invoice_id is not None:
            yield one.invoice_id


def _credited(invoice: Invoice, ours: frozenset[InvoiceLineId]) -> bool:
    """Tell whether credit notes take back our lines; all lines where none is known as ours."""
    lines = [one for one in invoice.lines if one.id in ours] or list(invoice.lines)
    total = sum(one.amount.minor - one.discount.minor for one in lines)
    return invoice.credited is not None and invoice.credited.minor >= total


def in_our_order(invoices: Sequence[Invoice], known: Sequence[InvoiceId]) -> tuple[Invoice, ...]:
    """Put the invoices that the ledger knows first, the newest generation's before all."""
    place = {identity: position for position, identity in enumerate(known)}
    return tuple(sorted(invoices, key=lambda one: place.get(one.id, len(place))))
