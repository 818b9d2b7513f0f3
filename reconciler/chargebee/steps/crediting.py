"""Credits: negative lines of a bill, and what a former sending billed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.chargebee.steps import credit_wire
from reconciler.chargebee.steps.progress import CREDIT, CREDIT_FORMER, PROMOTE, Progress
from reconciler.chargebee.steps.seen import There, ids_on, stop
from reconciler.kernel.money import Money
from reconciler.sync.model.invoice import Invoice, InvoiceLine
from reconciler.sync.model.push import InvoiceLineId, Step, StepName
from reconciler.sync.model.recalculation import CreditAndRebill, ReplaceLines
from reconciler.sync.ports.destination import NextStep, WaitForInvoice


def credit(progress: Progress, name: StepName, there: There) -> NextStep:
    """Credit what a former sending billed, or the negative lines of this one."""
    if name == CREDIT_FORMER:
        return _former(progress, there)
    change = progress.sending.change
    if isinstance(change, ReplaceLines) and not progress.draft.lines:
        text = (
            f"only credits are left of the bill, and its lines are on invoice {change.invoice.id}"
        )
        return stop(text, "take the lines off in Chargebee and credit the rest, then `sync skip`")
    return _promote(progress, there) if name == PROMOTE else _negative(progress, there)


def _former(progress: Progress, there: There) -> NextStep:
    """Take back what a former sending billed."""
    change = progress.sending.change
    if not isinstance(change, CreditAndRebill):
        return stop("the credit note for the former invoice was refused")
    ours = _not_credited(change.invoice, change.lines)
    if not ours:
        return stop(f"invoice {change.invoice.id} is credited in full already")
    on = _credit_on(change.invoice)
    request = credit_wire.credit_lines(progress.draft, on, ours, there.switches)
    return Step(CREDIT_FORMER, request, change.invoice.id, ids_on(change.invoice))


def _not_credited(invoice: Invoice, ours: Sequence[InvoiceLineId]) -> list[InvoiceLine]:
    """Give our lines with what no credit note took back yet; notes count from the last line on."""
    credited = invoice.credited.minor if invoice.credited is not None else 0
    lines: list[InvoiceLine] = []
    for one in reversed([line for line in invoice.lines if line.id in ours]):
        worth = (one.amount - one.discount).minor
        taken = min(credited, worth)
        credited -= taken
        if worth > taken:
            amount = Money(one.amount.minor - taken, one.amount.currency)
            lines.insert(0, replace(one, amount=amount))
    return lines


def _negative(progress: Progress, there: There) -> NextStep:
    """Credit negative lines once their invoice is closed; alone where there is none."""
    invoice = there.invoice
    if progress.billed_on is None:
        on = credit_wire.CreditOn(None, "refundable", there.customer_id)
        return Step(CREDIT, credit_wire.credit_negative(progress.draft, on, there.switches))
    if invoice is None:
        return stop(f"invoice {progress.billed_on} cannot be found to be credited")
    if invoice.deleted or invoice.status == "voided":
        return stop(f"invoice {invoice.id} was deleted or voided before it was credited")
    if invoice.status == "pending":
        # Source: Chargebee API docs, create a credit note: pending is not among the states allowed
        why = f"invoice {invoice.id} can be credited once it is closed"
        if progress.draft.way == "create-open":
            why += f": `reconciler sync close {progress.draft.bill_id}`"
        return WaitForInvoice(there.now + there.pace.look_again, why)
    request = credit_wire.credit_negative(progress.draft, _credit_on(invoice), there.switches)
    return Step(CREDIT, request, invoice.id, ids_on(invoice))


def _promote(progress: Progress, there: There) -> NextStep:
    """Give the negative lines as a balance of whoever pays; no invoice has to be closed for it."""
    given = [one for one in progress.former if one.key.step == PROMOTE and one.attempts]
    if given:
        known = given[-1].object_id or "of unknown outcome"
        text = f"a promotional credit {known} was given before"
        return stop(text, "correct the customer's balance in Chargebee, then `sync skip`")
    if not there.customer_id:
        return stop("nobody is known whom a promotional credit could be given to")
    request = credit_wire.promotional_credit(progress.draft, there.customer_id, there.switches)
    return Step(PROMOTE, request)


def _credit_on(invoice: Invoice) -> credit_wire.CreditOn:
    """Choose the type: what is paid is given back, what is due is adjusted."""
    return credit_wire.CreditOn(
        invoice.id, "refundable" if invoice.status == "paid" else "adjustment"
    )
