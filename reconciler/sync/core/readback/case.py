"""One bill on all three sides, and what comparing them gives."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.drafting.draft import InvoiceDraft
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Currency, Money
from reconciler.sync.core.readback.invoice_lines import Sent
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.reconciliation import Difference


@dataclass(frozen=True, slots=True)
class Case:
    """One bill on all three sides.

    Attributes:
        due: What m3ter bills now, drafted now; ``None`` when nothing is due.
        sent: What was sent; ``None`` when nothing was.
        invoices: The invoices that carry the bill's stamp or hold its lines.
        why_not_sent: Why it was not sent, for a bill that is missing.
        held: Whether it is knowingly held back; then its money is not missing, but not sent.
    """

    bill_id: BillId
    account_id: AccountId
    due: InvoiceDraft | None
    sent: Sent | None
    invoices: tuple[Invoice, ...]
    why_not_sent: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One bill's money and differences; the columns of ``Totals``."""

    currency: Currency
    billed: Money
    sent: Money
    not_sent: Money
    invoiced: Money
    rounding: Money
    catalogue: Money
    differences: tuple[Difference, ...]

    @property
    def unexplained(self) -> Money:
        """What neither the bill, nor what is not sent, nor announced rounding accounts for."""
        return self.invoiced - self.billed + self.not_sent - self.rounding
