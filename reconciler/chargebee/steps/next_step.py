"""Draft + effects so far + what is there -> the next step (pure).

What pends, what is replaced and how long to wait is decided in ``core``; here it becomes requests.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from reconciler.chargebee import wire
from reconciler.chargebee.steps.adding import add_line, create, delete_former
from reconciler.chargebee.steps.crediting import credit
from reconciler.chargebee.steps.progress import CLOSE, VOID, BillProgress
from reconciler.chargebee.steps.seen import StepReads, ids_on, stop
from reconciler.sync.core.readback.invoice_lines import Recorded, compare_lines
from reconciler.sync.core.readback.recorded import line_ids
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import PushState, Step, StepKind, StepName
from reconciler.sync.model.recalculation import VoidAndRecreate
from reconciler.sync.model.reconciliation import DifferenceClass
from reconciler.sync.ports.destination import AlreadyClosed, Closing, Complete, NextStep, Stop


def decide_step(progress: BillProgress, reads: StepReads) -> NextStep:
    """Decide the next step."""
    name = progress.missing
    if name is None:
        return Complete()
    stored = progress.stored(name)
    if stored is not None:
        return Step(name, stored.request, stored.invoice_id, stored.lines_before, stored.draft_line)
    return _made(progress, name, reads)


def _made(progress: BillProgress, name: StepName, reads: StepReads) -> NextStep:
    match name.kind:
        case StepKind.CREATE_INVOICE:
            return create(progress, reads)
        case StepKind.ADD_LINE:
            return add_line(progress, name, reads)
        case StepKind.DELETE_LINES:
            return delete_former(progress, reads) or _after_deleting(progress, reads)
        case StepKind.VOID_INVOICE:
            return _void(progress, reads)
        case StepKind.CREDIT_NOTE | StepKind.PROMOTIONAL_CREDIT:
            return credit(progress, name, reads)
        case StepKind.CLOSE_INVOICE:
            return _close_again(progress, reads)
        case _:
            assert_never(name.kind)


def _after_deleting(progress: BillProgress, reads: StepReads) -> NextStep:
    """Go on where a person took the former lines off already."""
    return Complete() if progress.credited else credit(progress, progress.crediting, reads)


def _close_again(progress: BillProgress, reads: StepReads) -> NextStep:
    """Make a refused closing anew; what a person let be closed with it must be said again."""
    found = closing(progress, reads, with_foreign_lines=False)
    if isinstance(found, AlreadyClosed):
        return stop(f"invoice {found.invoice.id} is closed", "`sync close` records that")
    return found


def _void(progress: BillProgress, reads: StepReads) -> NextStep:
    change, effect = progress.sending.change, progress.effect(VOID)
    if isinstance(change, VoidAndRecreate):
        key, before = change.invoice.id, ids_on(change.invoice)
    elif effect is not None and effect.invoice_id is not None:
        key, before = effect.invoice_id, effect.lines_before or frozenset()
    else:
        return stop("nobody says which invoice is to be voided")
    request = wire.void_invoice(key, progress.draft.bill_id, reads.switches)
    return Step(VOID, request, key, before)


_DIFFERS = "undo it in Chargebee and close again, or close the invoice in Chargebee"
_FOREIGN = "take them off in Chargebee, or close with them: `sync close --with-foreign-lines`"


def closing(progress: BillProgress, reads: StepReads, *, with_foreign_lines: bool) -> Closing:
    """Close an open invoice, or say why it must not be.

    Args:
        progress: The generation that was sent.
        reads: With the invoice as it is now.
        with_foreign_lines: Whether a person lets lines that are not ours be closed with it.
    """
    invoice = reads.invoice
    if invoice is None:
        return stop("the invoice of the bill cannot be found", "look for it in Chargebee")
    if invoice.deleted or invoice.status == "voided":
        word = "deleted" if invoice.deleted else "voided"
        return stop(f"invoice {invoice.id} was {word}", "`sync reconcile` shows what is missing")
    if invoice.status != "pending":
        return AlreadyClosed(invoice)
    if refused := _refusal(progress, invoice, with_foreign_lines=with_foreign_lines):
        return refused
    request = wire.close_invoice(invoice.id, progress.draft.bill_id, reads.switches)
    return Step(CLOSE, request, invoice.id, ids_on(invoice))


def _refusal(progress: BillProgress, invoice: Invoice, *, with_foreign_lines: bool) -> Stop | None:
    """Compare the invoice with what was sent; credits come after it is closed."""
    draft = progress.draft
    if invoice.currency != draft.currency.code:
        return stop(
            f"invoice {invoice.id} is in {invoice.currency}, not {draft.currency}", _DIFFERS
        )
    done = [effect for effect in progress.mine if effect.state is PushState.DONE]
    findings = compare_lines(Recorded(replace(draft, credits=()), line_ids(done)), invoice).findings
    changed = [finding.text for finding in findings if finding.kind is not DifferenceClass.EXTRA]
    foreign = [finding.text for finding in findings if finding.kind is DifferenceClass.EXTRA]
    if changed:
        return stop("it is not as it was sent: " + "; ".join(changed), _DIFFERS)
    if foreign and not with_foreign_lines:
        return stop("; ".join(foreign), _FOREIGN)
    return None
