"""Bills that changed after they were sent: what the policy does, by the state of the invoice.

policy            | pending | posted, payment due, not paid | paid   | voided, deleted, gone
------------------+---------+-------------------------------+--------+----------------------
refuse            | refuse  | refuse                        | refuse | refuse
replace           | replace | refuse                        | refuse | refuse
credit-and-rebill | replace | credit, then send again       | refuse | refuse
void-and-recreate | replace | void, then send again         | refuse | refuse

"Paid" includes paid in part. A bill for which a promotional credit was given is always left to a
person: nothing takes that credit back. Voiding needs an invoice without foreign lines. Replacing
adds the new lines first and deletes the old ones afterwards, so that an open invoice never is
without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import InvoiceLineId

RecalculatedPolicy = Literal["refuse", "replace", "credit-and-rebill", "void-and-recreate"]
_PAID = "is paid, at least in part"


@dataclass(frozen=True, slots=True)
class Unchanged:
    """What was sent is what m3ter bills."""


@dataclass(frozen=True, slots=True)
class Reopened:
    """The bill was sent and is no longer approved; it is listed with its money."""

    changed: bool


@dataclass(frozen=True, slots=True)
class ReplaceLines:
    """Add the new lines to the open invoice, then delete ours of before."""

    invoice: Invoice
    delete: tuple[InvoiceLineId, ...]


@dataclass(frozen=True, slots=True)
class CreditAndRebill:
    """Credit our lines on the invoice in full, then send the bill anew."""

    invoice: Invoice
    lines: tuple[InvoiceLineId, ...]


@dataclass(frozen=True, slots=True)
class VoidAndRecreate:
    """Void the invoice, then send the bill anew."""

    invoice: Invoice


@dataclass(frozen=True, slots=True)
class LeaveToPerson:
    """Nothing is sent; a person reads why; ``paid`` when the invoice is, at least in part."""

    why: str
    paid: bool = False


Recalculated = (
    Unchanged | Reopened | ReplaceLines | CreditAndRebill | VoidAndRecreate | LeaveToPerson
)


@dataclass(frozen=True, slots=True)
class SentBill:
    """What is known of a bill that was sent.

    Attributes:
        input_hash: Of the draft input that was sent.
        invoice: As read back now; ``None`` when it cannot be found.
        our_lines: The ids of our lines on it.
        promotional: A promotional credit that was, or may have been, given for it; or empty.
    """

    input_hash: str
    invoice: Invoice | None
    our_lines: frozenset[InvoiceLineId]
    promotional: str = ""


def recalculated(
    sent: SentBill, input_hash: str, policy: RecalculatedPolicy, *, approved: bool
) -> Recalculated:
    """Decide what becomes of a bill that was sent already.

    Args:
        sent: What was sent.
        input_hash: Of the bill as it is now.
        policy: ``push.recalculated``.
        approved: Whether the bill is approved, or need not be.
    """
    changed = sent.input_hash != input_hash
    if not approved:
        return Reopened(changed)
    if not changed:
        return Unchanged()
    why = _untouchable(sent)
    if why or sent.invoice is None:
        paid = why.endswith(_PAID)
        return LeaveToPerson(f"m3ter recalculated the bill after it was sent, and {why}", paid)
    if policy == "refuse":
        return LeaveToPerson("m3ter recalculated the bill after it was sent")
    return _apply(sent, sent.invoice, policy)


def _untouchable(sent: SentBill) -> str:
    if sent.promotional:
        # it may be used up at once, and voiding an invoice does not take it back
        return f"promotional credit {sent.promotional} was given for it, which cannot be taken back"
    invoice = sent.invoice
    if invoice is None:
        return "its invoice cannot be found"
    if invoice.deleted or invoice.status == "voided":
        return f"its invoice {invoice.id} was {'deleted' if invoice.deleted else 'voided'}"
    if invoice.status == "paid" or (invoice.paid is not None and invoice.paid.minor):
        return f"its invoice {invoice.id} {_PAID}"
    return ""


def _apply(sent: SentBill, invoice: Invoice, policy: RecalculatedPolicy) -> Recalculated:
    ours = tuple(line.id for line in invoice.lines if line.id in sent.our_lines)
    if len(ours) < len(sent.our_lines):
        return LeaveToPerson(f"some of our lines are no longer on its invoice {invoice.id}")
    if invoice.status == "pending":
        return ReplaceLines(invoice, ours)
    if policy == "credit-and-rebill":
        return CreditAndRebill(invoice, ours)
    if policy == "replace":
        return LeaveToPerson(f"its invoice {invoice.id} is closed; its lines cannot be replaced")
    if len(ours) < len(invoice.lines):
        return LeaveToPerson(f"its invoice {invoice.id} holds lines that are not ours")
    return VoidAndRecreate(invoice)
