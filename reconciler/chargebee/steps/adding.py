"""Lines on an invoice that is there: choose it, add ours one by one, take the former ones off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from reconciler.chargebee import wire
from reconciler.chargebee.steps.progress import CREATE, DELETE, BillProgress, add_step, holds
from reconciler.chargebee.steps.seen import StepReads, ids_on, stop
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


def create(progress: BillProgress, there: StepReads) -> Step:
    """Make the whole invoice."""
    request = wire.create_invoice(progress.draft, there.flat_prices, there.switches)
    return Step(CREATE, request)


def add_line(progress: BillProgress, name: StepName, there: StepReads) -> NextStep:
    """Add the next line: go on with an invoice, begin to replace on one, or choose one."""
    position = name.number - 1
    if progress.added:
        return _add_next(progress, position, there)
    if progress.replaces:
        return _begin_replacing(progress, position, there)
    return _unless_closed(_begin(progress, position, there), progress, there)


def _add_next(progress: BillProgress, position: int, there: StepReads) -> NextStep:
    """Go on with an invoice that was begun.

    A closed one is told by Chargebee's refusal, so that the ledger has it from there.
    """
    last = progress.added[-1]
    known = frozenset(last.lines_before or ()) | frozenset(last.line_ids)
    if there.invoice is None:
        return _add_to(progress, position, InvoiceId(last.object_id), known, there)
    ours = [line for one in progress.added for line in one.line_ids]
    if there.invoice.status == "pending" and not holds(there.invoice, ours):
        return stop(f"some of our lines are no longer on invoice {there.invoice.id}")
    return _add_to(progress, position, there.invoice, ids_on(there.invoice), there)


def _begin_replacing(progress: BillProgress, position: int, there: StepReads) -> NextStep:
    invoice = there.invoice
    if invoice is None or invoice.status != "pending" or invoice.deleted:
        return stop("the invoice whose lines were to be replaced is no longer pending")
    why = _irreplaceable(progress, invoice)
    if why:
        return stop(why)
    return _fits(progress, invoice, there, len(progress.draft.lines) + 1) or _add_to(
        progress, position, invoice, ids_on(invoice), there
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


def _begin(progress: BillProgress, position: int, there: StepReads) -> NextStep:
    """Choose the pending invoice, and begin if there is time."""
    draft, sending = progress.draft, progress.sending
    since = sending.waiting_since or there.now
    others = [one for one in there.pending if one.stamp in {None, draft.bill_id}]
    choice = choose_pending(others, draft.period.end, since, sending.pending, there.now)
    match choice:
        case UseInvoice(invoice):
            lines = len(draft.lines)
            late = time_left(invoice, lines, there.pace.per_line, sending.pending, there.now)
            if late:
                until = since + duration(sending.pending.wait_up_to)
                over = there.now >= until
                return _waited(progress, there, late) if over else _wait(until, late, there)
            return _fits(progress, invoice, there, lines) or _add_to(
                progress, position, invoice, ids_on(invoice), there
            )
        case KeepWaiting(until):
            why = f"subscription {draft.target.external_id} has no pending invoice yet"
            return _wait(until, why, there)
        case WaitIsOver():
            why = f"no pending invoice of subscription {draft.target.external_id} came in time"
            return _waited(progress, there, why)
        case NotStarted(why):
            return stop(why)
        case _:
            assert_never(choice)


def _waited(progress: BillProgress, there: StepReads, why: str) -> NextStep:
    if progress.sending.pending.then == "create":
        return create(progress, there)
    hint = "create the invoice in Chargebee, or set push.pending.then: create"
    return stop(why, hint)


def _fits(progress: BillProgress, invoice: Invoice, there: StepReads, requests: int) -> Stop | None:
    """Refuse an invoice of another currency, too long, or about to close."""
    draft = progress.draft
    if invoice.currency != draft.currency.code:
        text = f"invoice {invoice.id} is in {invoice.currency}, the bill in {draft.currency}"
        return stop(text)
    total = len(invoice.lines) + len(draft.lines)
    if total > there.switches.max_lines:
        text = f"invoice {invoice.id} would have {total} lines, over {there.switches.max_lines}"
        return stop(text, "set splitUsageLineItems: itemPerProduct")
    late = time_left(invoice, requests, there.pace.per_line, progress.sending.pending, there.now)
    return stop(late) if late else None


def _add_to(
    progress: BillProgress,
    position: int,
    invoice: Invoice | InvoiceId,
    before: frozenset[InvoiceLineId],
    there: StepReads,
) -> Step:
    request = wire.add_line_request(
        progress.draft, position, invoice, there.flat_prices, there.switches
    )
    if not isinstance(invoice, Invoice):
        return Step(add_step(position), request, invoice, before, position)
    found = alike(invoice, progress.draft, progress.done, progress.generation)
    step = Step(add_step(position), request, invoice.id, before - set(found), position)
    return replace(step, alike=found, alike_on=invoice.id) if found else step


def _unless_closed(step: NextStep, progress: BillProgress, there: StepReads) -> NextStep:
    """Say with the first step which lines just like ours stand on an invoice that closed before."""
    if progress.former or not isinstance(step, Step) or step.alike:
        return step
    for invoice in there.pending:
        if invoice.status not in {"pending", "voided"} and not invoice.deleted:
            found = alike(invoice, progress.draft, progress.done, progress.generation)
            if found:
                return replace(step, alike=found, alike_on=invoice.id)
    return step


def delete_former(progress: BillProgress, there: StepReads) -> NextStep | None:
    """Take the former lines off, now that the new ones are there; ``None``: none is there."""
    if there.invoice is None:
        return stop("the invoice whose lines are being replaced cannot be found")
    former = progress.former_lines
    if former is None:
        return stop(f"our former lines on invoice {there.invoice.id} are not all known")
    old = [one.id for one in there.invoice.lines if one.id in former]
    if not old:
        return None
    request = wire.delete_lines(there.invoice.id, old, there.switches)
    return Step(DELETE, request, there.invoice.id, ids_on(there.invoice))


def _wait(until: datetime, why: str, there: StepReads) -> WaitForInvoice:
    return WaitForInvoice(min(until, there.now + there.pace.look_again), why)
