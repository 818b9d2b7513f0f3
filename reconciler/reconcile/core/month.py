"""A month reconciled: every bill as it comes, the sums that stay, and what is knowingly not sent.

A bill counts as held back only where nothing of it can stand at the destination. One whose request
may have arrived, or that nothing holds back, is missing instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from reconciler.drafting.block_words import in_short
from reconciler.drafting.draft import BlockReason, InvoiceDraft
from reconciler.errors import ExitCode
from reconciler.kernel.address import BillId
from reconciler.kernel.money import Money
from reconciler.kernel.runbook import Page, page
from reconciler.sync.core.billing_month import BillingMonth
from reconciler.sync.core.readback.compare import BillComparison
from reconciler.sync.core.tally import Purse
from reconciler.sync.model.push import Effect, InvoiceId, PushState, PushStatus, StepKind
from reconciler.sync.model.reconciliation import Difference, Totals
from reconciler.sync.model.statuses import bill_page, meaning


@dataclass(frozen=True, slots=True)
class InForce:
    """The applied record that ``sync`` obeys.

    Attributes:
        past: Whether nothing is pushed any more, and this record was the last to push.
    """

    environment: str
    record: int
    commit: str
    past: bool = False


class OutsideTable(StrEnum):
    """Why a bill is in no row of the table."""

    NOT_OURS = "not ours"
    NOT_YET = "not due yet"
    NOTHING_TO_SEND = "adds up to nothing to send"
    BY_M3TER = "sent by m3ter itself, or by hand"
    OTHER = "of another integration"


@dataclass(frozen=True, slots=True)
class BillSides:
    """What became of one bill.

    Attributes:
        account: Code of the account, or its id.
        status: Where the ledger has it; empty when it does not.
        invoices: That carry it.
        result: ``None`` when it is in no row of the table.
        differences: In the result, or about a bill whose money cannot be counted.
        left: Why it is in no row; ``None`` when it is.
        money: What m3ter bills, as far as known.
        why: In words, for a bill that is in no row.
        held: Why it, or the rest of it, is knowingly not sent; ``None`` when it is not held back.
        former: Ids that its invoices had before, or have in the ledger.
    """

    bill_id: BillId
    account: str
    integration: str
    status: str
    invoices: tuple[InvoiceId, ...] = ()
    result: BillComparison | None = None
    differences: tuple[Difference, ...] = ()
    left: OutsideTable | None = None
    money: Money | None = None
    why: str = ""
    held: NotSent | None = None
    former: tuple[InvoiceId, ...] = ()


@dataclass(frozen=True, slots=True)
class UnsentBill:
    """A bill that is knowingly not sent, as far as a list shows it.

    Attributes:
        money: What of it is not sent.
    """

    bill_id: BillId
    account: str
    integration: str
    money: Money
    held: NotSent


@dataclass(frozen=True, slots=True)
class Question:
    """What to reconcile.

    Attributes:
        integration: Only this one; ``None`` takes all.
        tolerances: In major units by currency; over the integration's own.
        complete: Whether a bill that is not sent yet is as bad as a difference.
    """

    month: BillingMonth
    integration: str | None = None
    tolerances: Mapping[str, Decimal] = field(default_factory=dict)
    complete: bool = False


@dataclass(slots=True)
class Reconciled:
    """The sums of a month.

    Attributes:
        not_yet: Bills that are knowingly not sent yet, and what of them is not.
        never: Those that a person decided not to send.
        unsent: The first of both, each with its reason.
        left: Bills in no row of the table, by reason.
        differences: How many there are.
        outside: How many of them the tolerance does not let pass.
        shown: The first of those outside, each with its account.
        notes: What could not be found out, and does not change the figures.
    """

    question: Question
    in_force: InForce
    site: str
    totals: tuple[Totals, ...] = ()
    not_yet: Purse = field(default_factory=Purse)
    never: Purse = field(default_factory=Purse)
    unsent: list[UnsentBill] = field(default_factory=list)
    left: dict[OutsideTable, Purse] = field(default_factory=dict)
    differences: int = 0
    outside: int = 0
    shown: list[tuple[Difference, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every bill is sent, or was decided not to be."""
        return not self.not_yet.bills

    @property
    def exit_code(self) -> ExitCode:
        """17 when anything is outside the tolerance, or is not sent where it must be."""
        bad = self.outside or (self.question.complete and not self.complete)
        return ExitCode.OUTSIDE_TOLERANCE if bad else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class NotSent:
    """Why something is not sent.

    Attributes:
        short: In a few words, the same for every bill of its kind.
        why: In one sentence, with the objects it is about.
        page: Of the runbook.
        settled: Whether a person decided that it stays so.
    """

    short: str
    why: str
    page: str
    settled: bool = False


_CREDITS: Final = frozenset({StepKind.CREDIT_NOTE, StepKind.PROMOTIONAL_CREDIT})
_IN_DOUBT: Final = frozenset({PushState.SENDING, PushState.IN_DOUBT, PushState.PERSON})
_MAY_STAND: Final = _IN_DOUBT | {PushState.DONE}
_FINISHED: Final = frozenset(
    {PushStatus.COMPLETE, PushStatus.REOPENED, PushStatus.INVOICE_ALREADY_PAID}
)


def not_sent_by_row(
    status: PushStatus, message: str, effects: Sequence[Effect] = (), *, again: bool = True
) -> NotSent | None:
    """Read from the ledger why a bill is not sent.

    Args:
        status: Of its row.
        message: Of its row.
        effects: Of the bill.
        again: Whether a moment is set at which it is tried again.

    Returns:
        ``None`` when something of it may stand at the destination, or nothing holds it back.
    """
    short = meaning(status, again=again).not_sent
    if not short or any(effect.state in _MAY_STAND for effect in effects):
        return None
    if status is PushStatus.STARTED:
        return NotSent(short, "the next `sync run` goes on with it", bill_page(status))
    return NotSent(short, message or short, bill_page(status), status is PushStatus.DISABLED)


def not_sent_by_reasons(reasons: Sequence[BlockReason]) -> NotSent:
    """Say why a bill that cannot be drafted is not sent."""
    why = "; ".join(f"{reason.text} ({reason.hint})" for reason in reasons)
    return NotSent(in_short(reasons), why, bill_page(reasons[0].code))


def not_sent_by_switch(paused: str | None, disabled: str | None) -> NotSent | None:
    """Say who stopped all pushes, or why one integration's is disabled; ``None`` when neither."""
    if paused is not None:
        return NotSent("the site is paused", f"the site is paused by {paused}", page(Page.PAUSED))
    if disabled is not None:
        why = f"the push is disabled: {disabled}"
        return NotSent("the push is disabled", why, page(Page.DISABLED))
    return None


def part_not_sent(status: PushStatus, message: str) -> NotSent:
    """Say why the rest of a bill is not sent, of which a part was."""
    why = message or "some of its lines were sent, and some were not yet"
    return NotSent("the rest of a bill that was sent in part", why, bill_page(status))


def lines_not_sent(
    draft: InvoiceDraft, effects: Sequence[Effect], generation: int, status: PushStatus
) -> tuple[frozenset[int], bool]:
    """Tell what of a bill was provably not sent, while it is unfinished.

    Args:
        draft: Of the newest generation.
        effects: Every effect of the bill.
        generation: The newest one.
        status: Where the ledger has the bill; of a finished one everything was sent.

    Returns:
        Positions of lines in the draft, and whether its credits were not sent.
    """
    mine = [effect for effect in effects if effect.key.generation == generation]
    if status in _FINISHED:
        return frozenset(), False
    if any(effect.state in _IN_DOUBT for effect in mine):
        return _never_begun(draft, mine), False
    done = [effect for effect in mine if effect.state is PushState.DONE]
    created = any(effect.key.step.kind is StepKind.CREATE_INVOICE for effect in done)
    added = {effect.draft_line for effect in done if effect.key.step.kind is StepKind.ADD_LINE}
    lines = (
        ()
        if created
        else (position for position in range(len(draft.lines)) if position not in added)
    )
    credited = any(
        effect.key.step.kind in _CREDITS and not effect.key.step.number for effect in done
    )
    return frozenset(lines), bool(draft.credits) and not credited


def _never_begun(draft: InvoiceDraft, mine: Sequence[Effect]) -> frozenset[int]:
    """Give the lines after one in doubt: they are added one by one, and have no step yet."""
    steps = {effect.draft_line for effect in mine if effect.key.step.kind is StepKind.ADD_LINE}
    return frozenset(range(len(draft.lines))) - steps if steps else frozenset()
