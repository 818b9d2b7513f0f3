"""Closing the invoice that a bill was sent to as a whole, once it is as it was sent (pure)."""

from __future__ import annotations

from dataclasses import replace

from reconciler.chargebee import wire
from reconciler.chargebee.steps.progress import CLOSE, Progress
from reconciler.chargebee.steps.seen import There, ids_on, stop
from reconciler.sync.core.readback.invoice_lines import Sent, compare
from reconciler.sync.core.readback.sent import line_ids
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import PushState, Step
from reconciler.sync.model.reconciliation import DifferenceClass
from reconciler.sync.ports.destination import AlreadyClosed, Closing, Stop

_DIFFERS = "undo it in Chargebee and close again, or close the invoice in Chargebee"
_FOREIGN = "take them off in Chargebee, or close with them: `sync close --with-foreign-lines`"


def closing(progress: Progress, there: There, *, with_foreign_lines: bool) -> Closing:
    """Close an open invoice, or say why it must not be.

    Args:
        progress: The generation that was sent.
        there: With the invoice as it is now.
        with_foreign_lines: Whether a person lets lines that are not ours be closed with it.
    """
    invoice = there.invoice
    if invoice is None:
        return stop("the invoice of the bill cannot be found", "look for it in Chargebee")
    if invoice.deleted or invoice.status == "voided":
        word = "deleted" if invoice.deleted else "voided"
        return stop(f"invoice {invoice.id} was {word}", "`sync reconcile` shows what is missing")
    if invoice.status != "pending":
        return AlreadyClosed(invoice)
    if refused := _refusal(progress, invoice, with_foreign_lines=with_foreign_lines):
        return refused
    request = wire.close_invoice(invoice.id, progress.draft.bill_id, there.switches)
    return Step(CLOSE, request, invoice.id, ids_on(invoice))


def _refusal(progress: Progress, invoice: Invoice, *, with_foreign_lines: bool) -> Stop | None:
    """Compare the invoice with what was sent; credits come after it is closed."""
    draft = progress.draft
    if invoice.currency != draft.currency.code:
        return stop(
            f"invoice {invoice.id} is in {invoice.currency}, not {draft.currency}", _DIFFERS
        )
    done = [one for one in progress.mine if one.state is PushState.DONE]
    found = compare(Sent(replace(draft, credits=()), line_ids(done)), invoice).findings
    changed = [one.text for one in found if one.kind is not DifferenceClass.EXTRA]
    foreign = [one.text for one in found if one.kind is DifferenceClass.EXTRA]
    if changed:
        return stop("it is not as it was sent: " + "; ".join(changed), _DIFFERS)
    if foreign and not with_foreign_lines:
        return stop("; ".join(foreign), _FOREIGN)
    return None
