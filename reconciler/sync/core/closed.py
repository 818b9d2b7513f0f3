"""What became of closing open invoices: bills, money by currency, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.errors import ExitCode
from reconciler.kernel.address import BillId
from reconciler.kernel.money import Money
from reconciler.sync.core.tally import Purse
from reconciler.sync.model.push import InvoiceId


class Fate(StrEnum):
    """How an invoice stands after somebody wanted it closed."""

    CLOSED = "closed"
    """By this call."""
    EARLIER = "closed earlier"
    """By an earlier call, by Chargebee or by a person there."""
    OPEN = "stays open"
    """Provably not closed by us."""
    UNKNOWN = "outcome unknown"
    """It may be closed; looked for before anything else."""


@dataclass(frozen=True, slots=True)
class Closed:
    """One bill.

    Attributes:
        why: Why its invoice stays open, or what else went wrong once it was closed.
        hint: What to do about that.
        account: Its code, or its id where it has none.
        money: What m3ter bills with it.
        invoice: The id that its invoice has now.
        page: Address of a page in the runbook.
    """

    bill_id: BillId
    fate: Fate
    why: str = ""
    hint: str = ""
    account: str = ""
    integration: str = ""
    money: Money | None = None
    invoice: InvoiceId | None = None
    page: str = ""


@dataclass(slots=True)
class ClosedTally:
    """All of them.

    Attributes:
        money: Bills and money by fate.
        listed: The bills one by one, without those that were closed earlier and need nothing.
    """

    money: dict[Fate, Purse] = field(default_factory=dict)
    listed: list[Closed] = field(default_factory=list)

    def add(self, closing: Closed) -> None:
        """Count one bill."""
        self.money.setdefault(closing.fate, Purse()).add(closing.money)
        if closing.fate is not Fate.EARLIER or closing.why:
            self.listed.append(closing)

    def bills(self, fate: Fate) -> int:
        """Count the bills of a fate."""
        return self.money[fate].bills if fate in self.money else 0

    def of(self, *fates: Fate) -> list[Closed]:
        """List the bills of some fates, by account and bill."""
        closings = [closing for closing in self.listed if closing.fate in fates]
        return sorted(closings, key=lambda closing: (closing.account, closing.bill_id))

    @property
    def exit_code(self) -> ExitCode:
        """16 for an unknown outcome, 14 when something stays open or went wrong afterwards."""
        if self.of(Fate.UNKNOWN):
            return ExitCode.UNKNOWN_OUTCOME
        partly = any(closing.fate is Fate.OPEN or closing.why for closing in self.listed)
        return ExitCode.PARTLY_DONE if partly else ExitCode.DONE
