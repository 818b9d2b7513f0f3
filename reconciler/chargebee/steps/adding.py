"""Lines on an invoice that is there: choose it, add ours one by one, take the former ones off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from reconciler.chargebee import wire
from reconciler.chargebee.steps.progress import CREATE, DELETE, BillProgress, add_step, holds
from reconciler.chargebee.steps.seen import StepReads, ids_on, stop
from reconciler.drafting.draft import BlockCode
from reconciler.kernel.times import duration
from reconciler.sync.core.pending import (
    KeepWaiting,
    NotStarted,
    UseInvoice,
    WaitIsOver,
    choose_pending,
    time_left,
)
from reconciler.sync.core.readback.invoice_lines import alike
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import InvoiceId, InvoiceLineId, Step, StepName
from reconciler.sync.model.recalculation import ReplaceLines
from reconciler.sync.ports.destination import NextStep, Stop, WaitForInvoice


def create(progress: BillProgress, reads: StepReads) -> Step:
    """Make the whole invoice."""
    request = wire.create_invoice(progress.draft, reads.flat_prices, reads.switches)
    return Step(CREATE, request)


def add_line(progress: BillProgress, name: StepName, reads: StepReads) -> NextStep:
    """Add the next line: go on with an invoice, begin to replace on one, or choose one."""
    position = name.number - 1
    if progress.added:
        return _add_next(progress, position, reads)
    if progress.replaces:
        return _begin_replacing(progress, position, reads)
    return _unless_closed(_begin(progress, position, reads), progress, reads)


def _add_next(progress: BillProgress, position: int, reads: StepReads) -> NextStep:
    """Go on with an invoice that was begun.

    A closed one is told by Chargebee's refusal, so that the ledger has it from there.
    """
    last = progress.added[-1]
    known = frozenset(last.lines_before or ()) | frozenset(last.line_ids)
    if reads.invoice is None:
        return _add_to(progress, position, InvoiceId(last.object_id), known, reads)
    ours = [line for effect in progress.added for line in effect.line_ids]
    if reads.invoice.status == "pending" and not holds(reads.invoice, ours):
        return stop(f"some of our lines are no longer on invoice {reads.invoice.id}")
    return _add_to(progress, position, reads.invoice, ids_on(reads.invoice), reads)


def _begin_replacing(progress: BillProgress, position: int, reads: StepReads) -> NextStep:
    invoice = reads.invoice
    if invoice is None or invoice.status != "pending" or invoice.deleted:
        return stop("the invoice whose lines were to be replaced is no longer pending")
    why = _irreplaceable(progress, invoice)
    if why:
        return stop(why)
    return _fits(progress, invoice, reads, len(progress.draft.lines) + 1) or _add_to(
        progress, position, invoice, ids_on(invoice), reads
    )


def _irreplaceable(progress: BillProgress, invoice: Invoice) -> str:
    """Say why lines must not be replaced: the old ones could not be deleted, or discounts stay."""
    change = progress.sending.change
    old = change.delete if isinstance(change, ReplaceLines) else ()
    if not old or progress.former_lines is None or not holds(invoice, old):
        return f"not all of our former lines on invoice {invoice.id} are known"
    if progress.draft.discounts or any(
        line.discount.minor for line in invoice.lines if line.id in old
    ):
        return f"invoice {invoice.id} has discounts, which cannot be replaced while it is pending"
    return ""


def _begin(progress: BillProgress, position: int, reads: StepReads) -> NextStep:
    """Choose the pending invoice, and begin if there is time."""
    draft, sending = progress.draft, progress.sending
    since = sending.waiting_since or reads.now
    others = [other for other in reads.pending if other.stamp in {None, draft.bill_id}]
    choice = choose_pending(others, draft.period.end, since, sending.pending, reads.now)
    match choice:
        case UseInvoice(invoice):
            lines = len(draft.lines)
            late = time_left(invoice, lines, reads.pace.per_line, sending.pending, reads.now)
            if late:
                until = since + duration(sending.pending.wait_up_to)
                over = reads.now >= until
                return _waited(progress, reads, late) if over else _wait(until, late, reads)
            return _fits(progress, invoice, reads, lines) or _add_to(
                progress, position, invoice, ids_on(invoice), reads
            )
        case KeepWaiting(until):
            why = f"subscription {draft.target.external_id} has no pending invoice yet"
            return _wait(until, why, reads)
        case WaitIsOver():
            why = f"no pending invoice of subscription {draft.target.external_id} came in time"
            return _waited(progress, reads, why)
        case NotStarted(why):
            return stop(why)
        case _:
            assert_never(choice)


def _waited(progress: BillProgress, reads: StepReads, why: str) -> NextStep:
    if progress.sending.pending.then == "create":
        return create(progress, reads)
    hint = "create the invoice in Chargebee, or set push.pending.then: create"
    return stop(why, hint)


def _fits(progress: BillProgress, invoice: Invoice, reads: StepReads, requests: int) -> Stop | None:
    """Refuse an invoice of another currency, too long, or about to close."""
    draft = progress.draft
    if invoice.currency != draft.currency.code:
        text = f"invoice {invoice.id} is in {invoice.currency}, the bill in {draft.currency}"
        return stop(text)
    total = len(invoice.lines) + len(draft.lines)
    if total > reads.switches.max_lines:
        text = f"invoice {invoice.id} would have {total} lines, over {reads.switches.max_lines}"
        hint = "set splitUsageLineItems: itemPerProduct, or close the invoice in Chargebee"
        return stop(text, hint, BlockCode.TOO_MANY_LINES)
    late = time_left(invoice, requests, reads.pace.per_line, progress.sending.pending, reads.now)
    return stop(late) if late else None


def _add_to(
    progress: BillProgress,
    position: int,
    invoice: Invoice | InvoiceId,
    before: frozenset[InvoiceLineId],
    reads: StepReads,
) -> Step:
    request = wire.add_line_request(
        progress.draft, position, invoice, reads.flat_prices, reads.switches
    )
    if not isinstance(invoice, Invoice):
        return Step(add_step(position), request, invoice, before, position)
    line_ids = alike(invoice, progress.draft, progress.done, progress.generation)
    step = Step(add_step(position), request, invoice.id, before - set(line_ids), position)
    return replace(step, alike=line_ids, alike_on=invoice.id) if line_ids else step


def _unless_closed(step: NextStep, progress: BillProgress, reads: StepReads) -> NextStep:
    """Say with the first step which lines just like ours stand on an invoice that closed before."""
    if progress.former or not isinstance(step, Step) or step.alike:
        return step
    for invoice in reads.pending:
        if invoice.status not in {"pending", "voided"} and not invoice.deleted:
            line_ids = alike(invoice, progress.draft, progress.done, progress.generation)
            if line_ids:
                return replace(step, alike=line_ids, alike_on=invoice.id)
    return step


def delete_former(progress: BillProgress, reads: StepReads) -> NextStep | None:
    """Take the former lines off, now that the new ones are there; ``None``: none is there."""
    if reads.invoice is None:
        return stop("the invoice whose lines are being replaced cannot be found")
    former = progress.former_lines
    if former is None:
        return stop(f"our former lines on invoice {reads.invoice.id} are not all known")
    old = [line.id for line in reads.invoice.lines if line.id in former]
    if not old:
        return None
    request = wire.delete_lines(reads.invoice.id, old, reads.switches)
    return Step(DELETE, request, reads.invoice.id, ids_on(reads.invoice))


def _wait(until: datetime, why: str, reads: StepReads) -> WaitForInvoice:
    return WaitForInvoice(min(until, reads.now + reads.pace.look_again), why)
