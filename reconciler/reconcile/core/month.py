"""The result of a reconciliation: every bill as it comes, and the sums that stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from reconciler.errors import ExitCode
from reconciler.kernel.address import BillId
from reconciler.kernel.money import Money
from reconciler.reconcile.core.unsent import Held
from reconciler.sync.core.billing_month import BillingMonth
from reconciler.sync.core.readback.case import CaseResult
from reconciler.sync.core.tally import Purse
from reconciler.sync.model.push import InvoiceId
from reconciler.sync.model.reconciliation import Difference, Totals


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


class Left(StrEnum):
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
    result: CaseResult | None = None
    differences: tuple[Difference, ...] = ()
    left: Left | None = None
    money: Money | None = None
    why: str = ""
    held: Held | None = None
    former: tuple[InvoiceId, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsent:
    """A bill that is knowingly not sent, as far as a list shows it.

    Attributes:
        money: What of it is not sent.
    """

    bill_id: BillId
    account: str
    integration: str
    money: Money
    held: Held


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
    unsent: list[Unsent] = field(default_factory=list)
    left: dict[Left, Purse] = field(default_factory=dict)
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
