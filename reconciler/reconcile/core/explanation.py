"""Everything that is known about one bill: what is billed, why, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.drafting.draft import BlockReason, InvoiceDraft, Unsent
from reconciler.kernel.address import BillId
from reconciler.kernel.money import Money
from reconciler.m3ter.bill import Bill
from reconciler.reconcile.core.month import InForce
from reconciler.sync.model.decision import Decision, Tried
from reconciler.sync.model.estimate import Estimate
from reconciler.sync.model.invoice import Invoice, InvoiceLine
from reconciler.sync.model.push import Effect, PushStatus, StepKind
from reconciler.sync.model.reconciliation import Difference


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
    unsent: tuple[Unsent, ...] = ()
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
        for one in self.effects:
            kind = one.key.step.kind
            added = kind is StepKind.ADD_LINE and one.draft_line == position
            if kind is StepKind.CREATE_INVOICE or added:
                found = one
        return found

    def attempts_of(self, effect: Effect) -> tuple[Tried, ...]:
        """Give the requests of a step, oldest first."""
        return tuple(one for one in self.attempts if one.key == effect.key)
