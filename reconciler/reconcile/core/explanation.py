"""Everything that is known about one bill: what is billed, why, what became of it or would.

An estimate's lines are found as on a real invoice, because their order is not documented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.drafting.draft import BlockReason, InvoiceDraft, UnsentPart
from reconciler.kernel.address import BillId
from reconciler.kernel.money import Money
from reconciler.m3ter.bill import Bill
from reconciler.reconcile.core.month import InForce
from reconciler.sync.core.readback.invoice_lines import Recorded, match
from reconciler.sync.model.invoice import Estimate, Estimated, Invoice, InvoiceLine
from reconciler.sync.model.push import Effect, PushStatus, StepKind
from reconciler.sync.model.reconciliation import Difference
from reconciler.sync.model.standing import Decision, Tried


@dataclass(frozen=True, slots=True)
class Explanation:
    """One bill.

    Attributes:
        bill: As m3ter has it; ``None`` when it has it no longer.
        status: Where the ledger has it; ``None`` when it does not.
        draft: The draft that explains the lines; ``None`` when there is none.
        recorded: Whether that draft is the one that was recorded when it was sent.
        commit: Where its ``file:line`` stand; empty when it is not known.
        stands: Where the bill stands, in one sentence.
        why: Why it stands there, and nothing further; may be empty.
        page: The page of the runbook, or empty.
        reasons: What blocks it.
        unsent: What of it is not sent.
        invoices: As read back, ours first.
        lines: Our lines on the first invoice, by position in the draft.
        differences: What reconciling finds on it.
        notes: What could not be found out.
        integration: The push integration that takes the bill; empty when none does.
        estimate: What Chargebee would make of it, when that was asked.
    """

    bill_id: BillId
    account: str
    bill: Bill | None
    status: PushStatus | None
    draft: InvoiceDraft | None
    recorded: bool
    commit: str
    stands: str
    why: str
    page: str
    in_force: InForce
    money: Money | None = None
    reasons: tuple[BlockReason, ...] = ()
    unsent: tuple[UnsentPart, ...] = ()
    assumptions: tuple[str, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    lines: Mapping[int, InvoiceLine] | None = None
    effects: tuple[Effect, ...] = ()
    attempts: tuple[Tried, ...] = ()
    decisions: tuple[Decision, ...] = ()
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    integration: str = ""
    estimate: Estimate | None = None

    def effect_of(self, position: int) -> Effect | None:
        """Find the newest step that sends a line of the draft, by the line's position."""
        found = None
        for effect in self.effects:
            kind = effect.key.step.kind
            added = kind is StepKind.ADD_LINE and effect.draft_line == position
            if kind is StepKind.CREATE_INVOICE or added:
                found = effect
        return found

    def attempts_of(self, effect: Effect) -> tuple[Tried, ...]:
        """Give the requests of a step, oldest first."""
        return tuple(attempt for attempt in self.attempts if attempt.key == effect.key)


def predicted(draft: InvoiceDraft) -> Money:
    """Say what the invoice is predicted to be before tax; credits come after it and on their own.

    Lines at catalogue prices are not predicted, and not in it.
    """
    lines = sum(drafted.expected.minor for drafted in draft.lines if drafted.expected is not None)
    return Money(lines - sum(discount.amount.minor for discount in draft.discounts), draft.currency)


def deviations(draft: InvoiceDraft, estimate: Estimated) -> tuple[str, ...]:
    """Tell in words where an estimate is not as predicted, line by line and tax aside."""
    if estimate.invoice.currency != draft.currency.code:
        return (f"it is in {estimate.invoice.currency}, and the bill in {draft.currency}",)
    return tuple(_deviations(draft, estimate))


def _deviations(draft: InvoiceDraft, estimate: Estimated) -> Iterator[str]:
    ours = match(Recorded(draft, {}), estimate.invoice)
    for position, wanted in enumerate(draft.lines):
        name = f'line {position + 1}, "{wanted.description}"'
        line = ours.get(position)
        if line is None:
            yield f"{name}: not in it; {wanted.expected or 'the catalogue price'} is predicted"
        elif wanted.expected is not None and line.amount != wanted.expected:
            yield f"{name}: {line.amount}, and {wanted.expected} is predicted"
    line_ids = {our_line.id for our_line in ours.values()}
    for line in estimate.invoice.lines:
        if line.id not in line_ids:
            yield f'"{line.description}", {line.amount}: not of this bill'
    due = sum(discount.amount.minor for discount in draft.discounts)
    given = sum(invoice_line.discount.minor for invoice_line in estimate.invoice.lines)
    if due != given:
        amounts = (Money(minor, draft.currency) for minor in (given, due))
        yield "discounts: {}, and {} is predicted".format(*amounts)
