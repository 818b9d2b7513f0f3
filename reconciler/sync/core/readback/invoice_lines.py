"""Our lines on one invoice beside what was sent: found, changed, missing, or not ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.drafting.draft import (
    CataloguePricing,
    DraftLine,
    InvoiceDraft,
    Pricing,
    WholePricing,
)
from reconciler.kernel.money import Money
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
from reconciler.sync.model.reconciliation import DifferenceClass


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the ledger holds of a bill that was sent.

    Attributes:
        draft: As it was sent.
        lines: Our line ids by position in the draft, as far as they are known.
        foreign: Line ids that were on the invoice before we added ours.
        credited: What stands in our credits, as read back; ``None`` when there are none.
        held: Positions of lines that were provably not sent yet.
        credits_held: Whether the credit note was provably not sent yet.
    """

    draft: InvoiceDraft
    lines: Mapping[int, InvoiceLineId]
    foreign: frozenset[InvoiceLineId] = frozenset()
    credited: Money | None = None
    held: frozenset[int] = frozenset()
    credits_held: bool = False


@dataclass(frozen=True, slots=True)
class LineFinding:
    """One difference on an invoice; ``unexplained`` is ``None`` when no amount differs."""

    kind: DifferenceClass
    unexplained: Money | None
    text: str
    line_id: InvoiceLineId | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """An invoice beside what was sent.

    Attributes:
        invoiced: What our lines and extra ones come to, discounts and credit notes taken off.
        catalogue: What our lines at catalogue prices come to; not in ``invoiced``.
        held: Those of ``Recorded.held`` that are indeed not there.
    """

    invoiced: Money
    catalogue: Money
    held: frozenset[int]
    findings: tuple[LineFinding, ...]


def compare_lines(sent: Recorded, invoice: Invoice) -> Compared:
    """Compare an invoice, whose currency is the draft's, line by line."""
    ours = match(sent, invoice)
    extra = tuple(_extra(sent, invoice, ours))
    held = sent.held - ours.keys()
    findings = [
        finding
        for position, wanted in enumerate(sent.draft.lines)
        if position not in held
        for finding in _line(wanted, ours.get(position), sent.lines.get(position), invoice)
    ]
    findings.extend(_foreign(line, sent.draft, invoice) for line in extra)
    findings.extend(_reductions(sent, list(ours.values()), invoice))
    at_catalogue = [
        line for position, line in ours.items() if sent.draft.lines[position].expected is None
    ]
    counted = [
        line for position, line in ours.items() if sent.draft.lines[position].expected is not None
    ]
    zero = Money(0, sent.draft.currency)
    invoiced = _sum((*counted, *extra), zero) - (sent.credited or zero)
    return Compared(invoiced, _sum(at_catalogue, zero), held, tuple(findings))


def match(sent: Recorded, invoice: Invoice) -> dict[int, InvoiceLine]:
    """Find our lines, by position in the draft.

    By id first; where ids are unknown or changed when the invoice was closed, by equality, then by
    item price and start alone, so that an edited line is still told from a missing one. A line just
    like one of ours was not made by an edit: it stands twice.
    """
    by_id = {line.id: line for line in invoice.lines}
    found = {
        position: by_id[sent.lines[position]]
        for position in range(len(sent.draft.lines))
        if position in sent.lines and sent.lines[position] in by_id
    }
    _match_by(same_line, sent, invoice.lines, found)
    others = [line for line in invoice.lines if not _drafted(line, sent.draft)]
    _match_by(_edited, sent, others, found)
    return found


def _match_by(
    like: Callable[[InvoiceLine, DraftLine], bool],
    sent: Recorded,
    lines: Sequence[InvoiceLine],
    found: dict[int, InvoiceLine],
) -> None:
    line_ids = {run.id for run in found.values()} | sent.foreign
    for position, wanted in enumerate(sent.draft.lines):
        if position in found:
            continue
        for line in lines:
            if line.id not in line_ids and like(line, wanted):
                found[position] = line
                line_ids.add(line.id)
                break


def _drafted(line: InvoiceLine, draft: InvoiceDraft) -> bool:
    return any(same_line(line, drafted) for drafted in draft.lines)


def _edited(line: InvoiceLine, wanted: DraftLine) -> bool:
    return line.price_id == wanted.price_id and line.date_from == wanted.period.start


def _extra(
    sent: Recorded, invoice: Invoice, ours: Mapping[int, InvoiceLine]
) -> Iterator[InvoiceLine]:
    """Give lines that do not belong there.

    On an invoice that we made, every other line is one. A pending invoice is the subscription's
    own and holds its charges, so there only a line just like one of ours is.
    """
    line_ids = {our_line.id for our_line in ours.values()} | sent.foreign
    for line in invoice.lines:
        if line.id in line_ids:
            continue
        if sent.draft.way != "pending" or _drafted(line, sent.draft):
            yield line


def _line(
    wanted: DraftLine, line: InvoiceLine | None, known: InvoiceLineId | None, invoice: Invoice
) -> Iterator[LineFinding]:
    name = f'line "{wanted.description}" of invoice {invoice.id}'
    if line is None:
        gone = -wanted.expected if wanted.expected is not None else None
        text = f"{name}, {wanted.expected or 'at the catalogue price'}, is not there"
        yield LineFinding(DifferenceClass.EDITED, gone, text, known)
        return
    if line.price_id != wanted.price_id:
        text = f"{name} has price {line.price_id or 'none'}; {wanted.price_id} was sent"
        yield LineFinding(DifferenceClass.EDITED, None, text, line.id)
    if wanted.expected is not None and line.amount != wanted.expected:
        edited = not _as_sent(line, wanted.pricing)
        kind = DifferenceClass.EDITED if edited else DifferenceClass.AMOUNT
        text = f"{name} is {line.amount}; {wanted.expected} was sent"
        yield LineFinding(kind, line.amount - wanted.expected, text, line.id)
    period = wanted.period
    if (line.date_from or period.start, line.date_to or period.end) != (period.start, period.end):
        text = (
            f"{name} is for {line.date_from} to {line.date_to};"
            f" {period.start} to {period.end} was sent"
        )
        yield LineFinding(DifferenceClass.PERIOD, None, text, line.id)


def _as_sent(line: InvoiceLine, pricing: Pricing) -> bool:
    """Whether quantity and price are those that were sent; then the amount was computed so."""
    assert not isinstance(pricing, CataloguePricing), "its amount is not compared"
    price = pricing.unit_price.major if isinstance(pricing, WholePricing) else pricing.unit_price
    return line.quantity == pricing.quantity and line.unit_price == price


def _foreign(line: InvoiceLine, draft: InvoiceDraft, invoice: Invoice) -> LineFinding:
    name = f'line "{line.description}"'
    if _drafted(line, draft):
        text = f"{name} of invoice {invoice.id} stands twice: {line.id}, {line.amount}, is too much"
    else:
        text = f"invoice {invoice.id}: a {name} of {line.amount} is not ours"
    return LineFinding(DifferenceClass.EXTRA, line.amount - line.discount, text, line.id)


def _reductions(
    sent: Recorded, ours: Sequence[InvoiceLine], invoice: Invoice
) -> Iterator[LineFinding]:
    """Compare discounts and credit notes, each as one sum."""
    zero = Money(0, sent.draft.currency)
    wanted = Money(sum(discount.amount.minor for discount in sent.draft.discounts), zero.currency)
    amount = Money(sum(line.discount.minor for line in ours), zero.currency)
    if wanted != amount:
        text = f"invoice {invoice.id} discounts our lines by {amount}; {wanted} was sent"
        yield LineFinding(DifferenceClass.AMOUNT, wanted - amount, text)
    notes = () if sent.credits_held else sent.draft.credits
    due = Money(sum(note.amount.minor for note in notes), zero.currency)
    credited = sent.credited or zero
    if due != credited:
        text = f"credits of invoice {invoice.id} come to {credited}; {due} was due"
        yield LineFinding(DifferenceClass.AMOUNT, due - credited, text)


def _sum(lines: Sequence[InvoiceLine], zero: Money) -> Money:
    return Money(sum(line.amount.minor - line.discount.minor for line in lines), zero.currency)


def new_lines(invoice: Invoice, before: Collection[InvoiceLineId], wanted: DraftLine) -> LookUp:
    """Decide by id difference whether an added line arrived.

    None new means that it did not arrive; exactly one equal new line is ours; everything else is
    for a person, also when a line of before is gone.

    Args:
        invoice: As it is now.
        before: Line ids on it before the step.
        wanted: The line that was sent.
    """
    present = {line.id for line in invoice.lines}
    if gone := sorted(set(before) - present):
        return Undecidable(f"lines {', '.join(gone)} are no longer on invoice {invoice.id}")
    if invoice.deleted or invoice.status == "voided":
        return Undecidable(f"invoice {invoice.id} was deleted or voided")
    new = [line for line in invoice.lines if line.id not in before]
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
        names = ", ".join(sorted(other.id for other in invoices))
        return Undecidable(f"several invoices carry the stamp of the bill: {names}")
    invoice = invoices[0]
    if invoice.deleted or invoice.status == "voided":
        word = "deleted" if invoice.deleted else "voided"
        return Undecidable(f"invoice {invoice.id} of the bill was {word}")
    return Found(invoice.id, tuple(line.id for line in invoice.lines))


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
    known = {
        line for effect in effects for line in (*(effect.lines_before or ()), *effect.line_ids)
    }
    left = [draft.lines[position] for position in unsent_positions(draft, effects, generation)]
    return tuple(
        line.id
        for line in invoice.lines
        if line.id not in known and any(same_line(line, wanted) for wanted in left)
    )


def unsent_positions(
    draft: InvoiceDraft, effects: Sequence[Effect], generation: int
) -> tuple[int, ...]:
    """Give the drafted lines that no step of a generation has added, by position."""
    mine = (effect for effect in effects if effect.key.generation == generation)
    added = {effect.draft_line for effect in mine if effect.state is PushState.DONE}
    return tuple(position for position in range(len(draft.lines)) if position not in added)


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
        if len(same) <= len(wanted) and all(times[line_id] == 1 for line_id in same)
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
        same = tuple(line.id for line in lines if same_line(line, draft.lines[position]))
        groups.setdefault(same, []).append(position)
    return groups


def same_line(line: InvoiceLine, wanted: DraftLine) -> bool:
    """Whether a line is what a drafted one was to become: price, amount and period."""
    amount = wanted.expected is None or line.amount == wanted.expected
    starts = line.date_from in {None, wanted.period.start}
    ends = line.date_to in {None, wanted.period.end}
    return line.price_id == wanted.price_id and amount and starts and ends
