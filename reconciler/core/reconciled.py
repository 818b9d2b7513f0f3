"""The result of a reconciliation: every bill as it comes, and the sums that stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from reconciler.core.billing_month import BillingMonth
from reconciler.core.reconciliation import CaseResult
from reconciler.core.tally import Purse
from reconciler.domain.address import BillId
from reconciler.domain.money import Money
from reconciler.domain.push import InvoiceId
from reconciler.domain.reconciliation import Difference, Totals
from reconciler.errors import ExitCode


@dataclass(frozen=True, slots=True)
class InForce:
    """The applied record that ``sync`` obeys."""

    environment: str
    record: int
    commit: str


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
        why: In words, for a bill that was not sent.
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


@dataclass(frozen=True, slots=True)
class Question:
    """What to reconcile.

    Attributes:
        integration: Only this one; ``None`` takes all.
        tolerances: In major units by currency; over the integration's own.
    """

    month: BillingMonth
    integration: str | None = None
    tolerances: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class Reconciled:
    """The sums of a month.

    Attributes:
        left: Bills in no row of the table, by reason.
        differences: How many there are.
        outside: How many of them the tolerance does not let pass.
        shown: The first of those outside, each with its account.
    """

    question: Question
    in_force: InForce
    site: str
    totals: tuple[Totals, ...] = ()
    left: dict[Left, Purse] = field(default_factory=dict)
    differences: int = 0
    outside: int = 0
    shown: list[tuple[Difference, str]] = field(default_factory=list)

    @property
    def exit_code(self) -> ExitCode:
        """17 when anything is outside the tolerance."""
        return ExitCode.OUTSIDE_TOLERANCE if self.outside else ExitCode.DONE
