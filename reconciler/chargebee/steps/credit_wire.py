"""Credits as requests of Chargebee's API: credit notes, and credits for any later invoice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler.chargebee.form import rows
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.chargebee.wire import COMMENT_LENGTH_MAX, given, recalculated, request_of, seconds
from reconciler.drafting.draft import InvoiceDraft
from reconciler.drafting.wording import fit
from reconciler.kernel.money import Money
from reconciler.kernel.rounding import plain
from reconciler.sync.model.invoice import InvoiceLine
from reconciler.sync.model.push import InvoiceId, StoredRequest

CREDIT_PATH = "/credit_notes"
PROMOTE_PATH = "/promotional_credits/add"
# Source: Chargebee request schemas, npm package chargebee 3.33.0: promotional_credits add
_DESCRIPTION_LENGTH_MAX = 250
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


def credit_negative(
    draft: InvoiceDraft, on: CreditOn, switches: ChargebeeSwitches
) -> StoredRequest:
    """Write the credit note for the negative lines of a bill."""
    lines = [
        {
            "entity_type": "charge_item_price",
            "entity_id": one.price_id,
            "unit_amount": str(one.amount.minor),
            "quantity": "1",
            "date_from": seconds(one.period.start),
            "date_to": seconds(one.period.end),
            "description": one.description,
        }
        for one in draft.credits
    ]
    return _credit(draft, on, lines, f"m3ter bill {draft.bill_id}, credits", switches)


def credit_lines(
    draft: InvoiceDraft, on: CreditOn, lines: Sequence[InvoiceLine], switches: ChargebeeSwitches
) -> StoredRequest:
    """Write the credit note that takes back lines of a former sending, discounts taken off."""
    items = [
        {
            "reference_line_item_id": one.id,
            "unit_amount": str((one.amount - one.discount).minor),
            "quantity": "1",
            "description": one.description,
        }
        for one in lines
        if (one.amount - one.discount).minor > 0
    ]
    return _credit(draft, on, items, recalculated(draft.bill_id), switches)


def promotional_credit(
    draft: InvoiceDraft, customer_id: str, switches: ChargebeeSwitches
) -> StoredRequest:
    """Write the one credit for all negative lines of a bill.

    Source: Chargebee request schemas, npm package chargebee 3.33.0: no custom fields here, so
    ``reference`` (at most 500 characters) carries the bill id.
    """
    amount = Money(sum(one.amount.minor for one in draft.credits), draft.currency)
    lines = "; ".join(one.description for one in draft.credits)
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
