"""Credits: negative lines of a bill, and what a former sending billed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from reconciler.chargebee.form import rows
from reconciler.chargebee.steps.progress import CREDIT, CREDIT_FORMER, PROMOTE, BillProgress
from reconciler.chargebee.steps.seen import StepReads, ids_on, stop
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.chargebee.wire import (
    COMMENT_LENGTH_MAX,
    given,
    recalculated_comment,
    request_of,
    seconds,
)
from reconciler.drafting.draft import InvoiceDraft
from reconciler.drafting.draft_line import fit
from reconciler.kernel.money import Money
from reconciler.kernel.rounding import plain
from reconciler.sync.model.invoice import Invoice, InvoiceLine
from reconciler.sync.model.push import InvoiceId, InvoiceLineId, Step, StepName, StoredRequest
from reconciler.sync.model.recalculation import CreditAndRebill, ReplaceLines
from reconciler.sync.ports.destination import NextStep, WaitForInvoice

CreditType = Literal["adjustment", "refundable"]


@dataclass(frozen=True, slots=True)
class CreditOn:
    """What a credit note is for.

    Attributes:
        invoice_id: The invoice; ``None`` for one that stands alone.
        type: ``refundable`` once the invoice is paid, or without one.
        customer_id: Needed when it stands alone.
    """

    invoice_id: InvoiceId | None
    type: CreditType
    customer_id: str = ""


def credit(progress: BillProgress, name: StepName, reads: StepReads) -> NextStep:
    """Credit what a former sending billed, or the negative lines of this one."""
    if name == CREDIT_FORMER:
        return _former(progress, reads)
    change = progress.sending.change
    if isinstance(change, ReplaceLines) and not progress.draft.lines:
        text = (
            f"only credits are left of the bill, and its lines are on invoice {change.invoice.id}"
        )
        return stop(
            text, "take the lines off in Chargebee and credit the rest, then `sync decide --skip`"
        )
    return _promote(progress, reads) if name == PROMOTE else _negative(progress, reads)


def _former(progress: BillProgress, reads: StepReads) -> NextStep:
    """Take back what a former sending billed."""
    change = progress.sending.change
    if not isinstance(change, CreditAndRebill):
        return stop("the credit note for the former invoice was refused")
    ours = _not_credited(change.invoice, change.lines)
    if not ours:
        return stop(f"invoice {change.invoice.id} is credited in full already")
    on = _credit_on(change.invoice)
    request = credit_lines(progress.draft, on, ours, reads.switches)
    return Step(CREDIT_FORMER, request, change.invoice.id, ids_on(change.invoice))


def _not_credited(invoice: Invoice, ours: Sequence[InvoiceLineId]) -> list[InvoiceLine]:
    """Give our lines with what no credit note took back yet; notes count from the last line on."""
    credited = invoice.credited.minor if invoice.credited is not None else 0
    lines: list[InvoiceLine] = []
    for line in reversed([line for line in invoice.lines if line.id in ours]):
        worth = (line.amount - line.discount).minor
        taken = min(credited, worth)
        credited -= taken
        if worth > taken:
            amount = Money(line.amount.minor - taken, line.amount.currency)
            lines.insert(0, replace(line, amount=amount))
    return lines


def _negative(progress: BillProgress, reads: StepReads) -> NextStep:
    """Credit negative lines once their invoice is closed; alone where there is none."""
    invoice = reads.invoice
    if progress.billed_on is None:
        on = CreditOn(None, "refundable", reads.customer_id)
        return Step(CREDIT, credit_negative(progress.draft, on, reads.switches))
    if invoice is None:
        return stop(f"invoice {progress.billed_on} cannot be found to be credited")
    if invoice.deleted or invoice.status == "voided":
        return stop(f"invoice {invoice.id} was deleted or voided before it was credited")
    if invoice.status == "pending":
        # Source: Chargebee API docs, create a credit note: pending is not among the states allowed
        why = f"invoice {invoice.id} can be credited once it is closed"
        if progress.draft.way == "create-open":
            why += f": `reconciler sync close {progress.draft.bill_id}`"
        return WaitForInvoice(reads.now + reads.pace.look_again, why)
    request = credit_negative(progress.draft, _credit_on(invoice), reads.switches)
    return Step(CREDIT, request, invoice.id, ids_on(invoice))


def _promote(progress: BillProgress, reads: StepReads) -> NextStep:
    """Give the negative lines as a balance of whoever pays; no invoice has to be closed for it."""
    effects = [
        effect for effect in progress.former if effect.key.step == PROMOTE and effect.attempts
    ]
    if effects:
        known = effects[-1].object_id or "of unknown outcome"
        text = f"a promotional credit {known} was given before"
        return stop(text, "correct the customer's balance in Chargebee, then `sync decide --skip`")
    if not reads.customer_id:
        return stop("nobody is known whom a promotional credit could be given to")
    request = promotional_credit(progress.draft, reads.customer_id, reads.switches)
    return Step(PROMOTE, request)


def _credit_on(invoice: Invoice) -> CreditOn:
    """Choose the type: what is paid is given back, what is due is adjusted."""
    return CreditOn(invoice.id, "refundable" if invoice.status == "paid" else "adjustment")


CREDIT_PATH = "/credit_notes"
PROMOTE_PATH = "/promotional_credits/add"
# Source: Chargebee request schemas, npm package chargebee 3.33.0: promotional_credits add
_DESCRIPTION_LENGTH_MAX = 250


def credit_negative(
    draft: InvoiceDraft, on: CreditOn, switches: ChargebeeSwitches
) -> StoredRequest:
    """Write the credit note for the negative lines of a bill."""
    lines = [
        {
            "entity_type": "charge_item_price",
            "entity_id": held_credit.price_id,
            "unit_amount": str(held_credit.amount.minor),
            "quantity": "1",
            "date_from": seconds(held_credit.period.start),
            "date_to": seconds(held_credit.period.end),
            "description": held_credit.description,
        }
        for held_credit in draft.credits
    ]
    return _credit(draft, on, lines, f"m3ter bill {draft.bill_id}, credits", switches)


def credit_lines(
    draft: InvoiceDraft, on: CreditOn, lines: Sequence[InvoiceLine], switches: ChargebeeSwitches
) -> StoredRequest:
    """Write the credit note that takes back lines of a former sending, discounts taken off."""
    items = [
        {
            "reference_line_item_id": line.id,
            "unit_amount": str((line.amount - line.discount).minor),
            "quantity": "1",
            "description": line.description,
        }
        for line in lines
        if (line.amount - line.discount).minor > 0
    ]
    return _credit(draft, on, items, recalculated_comment(draft.bill_id), switches)


def promotional_credit(
    draft: InvoiceDraft, customer_id: str, switches: ChargebeeSwitches
) -> StoredRequest:
    """Write the one credit for all negative lines of a bill.

    Source: Chargebee request schemas, npm package chargebee 3.33.0: no custom fields here, so
    ``reference`` (at most 500 characters) carries the bill id.
    """
    amount = Money(sum(held_credit.amount.minor for held_credit in draft.credits), draft.currency)
    lines = "; ".join(held_credit.description for held_credit in draft.credits)
    decimal = switches.promotional_amount == "decimal"
    body = {
        "customer_id": customer_id,
        "amount": "" if decimal else str(amount.minor),
        "amount_in_decimal": plain(amount.major) if decimal else "",
        "currency_code": draft.currency.code,
        "description": fit(f"m3ter bill {draft.bill_id}: {lines}", _DESCRIPTION_LENGTH_MAX),
        "reference": draft.bill_id,
    }
    return request_of(PROMOTE_PATH, given(body), switches)


def _credit(
    draft: InvoiceDraft,
    on: CreditOn,
    lines: Sequence[Mapping[str, str]],
    comment: str,
    switches: ChargebeeSwitches,
) -> StoredRequest:
    """Write a credit note.

    Source: Chargebee API docs, create a credit note: either ``total`` or ``line_items``; without a
    reference it needs the customer and is refundable.
    """
    alone = on.invoice_id is None
    head = {
        "reference_invoice_id": on.invoice_id or "",
        "customer_id": on.customer_id if alone else "",
        "currency_code": draft.currency.code if alone else "",
        "type": on.type,
        "create_reason_code": switches.credit_reason,
        "comment": comment[:COMMENT_LENGTH_MAX],
        draft.stamp_field: draft.bill_id,
    }
    return request_of(CREDIT_PATH, (*given(head), *rows("line_items", lines)), switches)
