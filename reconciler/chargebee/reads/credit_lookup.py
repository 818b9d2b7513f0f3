"""Credits of a bill as they stand: found when nobody knows whether they arrived, and read back."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.chargebee import form
from reconciler.chargebee.invoice_json import number, stamp_of, text
from reconciler.chargebee.reads.invoices import CreditKind, Invoices, gone
from reconciler.chargebee.steps.progress import CREDIT
from reconciler.drafting.draft import InvoiceDraft
from reconciler.sync.model.push import Effect, Found, LookUp, NotFound, StepKind, Undecidable


def find_credit(
    effect: Effect, draft: InvoiceDraft, done: Sequence[Effect], invoices: Invoices
) -> LookUp:
    """Look whether a credit note, or a promotional credit, arrived."""
    if effect.key.step.kind is StepKind.PROMOTIONAL_CREDIT:
        return _promoted(effect, draft, invoices)
    return _note(effect, draft, done, invoices)


def gives(effect: Effect) -> bool:
    """Whether an effect credits beside an invoice: a balance, or a note that stands alone."""
    if effect.key.step.kind is StepKind.PROMOTIONAL_CREDIT:
        return True
    return effect.key.step == CREDIT and effect.invoice_id is None


def amount_of(effect: Effect, invoices: Invoices) -> int:
    """Read what a credit comes to before tax, in minor units; 0 once it is gone."""
    promotional = effect.key.step.kind is StepKind.PROMOTIONAL_CREDIT
    kind: CreditKind = "promotional_credit" if promotional else "credit_note"
    found = invoices.credit(kind, effect.object_id)
    if found is None or gone(found):
        return 0
    return number(found, "amount" if promotional else "sub_total")


def _note(
    effect: Effect, draft: InvoiceDraft, done: Sequence[Effect], invoices: Invoices
) -> LookUp:
    sent = form.decode(effect.request.body)
    names = ("reference_invoice_id", "customer_id")
    query = [(f"{name}[is]", one) for name in names if (one := form.value_of(sent, name))]
    others = {one.object_id for one in done if one.key != effect.key}
    amount = sum(
        int(row["unit_amount"]) * int(row["quantity"]) for row in form.read_rows(sent, "line_items")
    )
    found = [
        one
        for one in invoices.credit_notes(query)
        if stamp_of(one, (draft.stamp_field,)) == draft.bill_id and one.get("id") not in others
    ]
    if not found:
        return NotFound()
    only = found[0]
    if len(found) > 1 or gone(only) or number(only, "sub_total") != amount:
        shown = ", ".join(text(one, "id") for one in found)
        return Undecidable(f"credit notes of the bill do not fit what was sent: {shown}")
    return Found(text(only, "id"))


def _promoted(effect: Effect, draft: InvoiceDraft, invoices: Invoices) -> LookUp:
    """Find the credit by the bill id in its reference; custom fields it has none."""
    customer = form.value_of(form.decode(effect.request.body), "customer_id")
    amount = sum(one.amount.minor for one in draft.credits)
    found = [
        one
        for one in invoices.promotional_credits(customer)
        if text(one, "reference", "") == draft.bill_id
    ]
    if not found:
        return NotFound()
    only = found[0]
    same = text(only, "currency_code", "") == draft.currency.code
    if len(found) > 1 or number(only, "amount") != amount or not same:
        shown = ", ".join(text(one, "id") for one in found)
        return Undecidable(f"promotional credits of the bill do not fit what was sent: {shown}")
    return Found(text(only, "id"))
