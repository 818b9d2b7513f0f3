"""Differences between what was billed, what was sent and what stands on invoices."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Money
from reconciler.sync.model.invoice import ChangedBy
from reconciler.sync.model.push import InvoiceId, InvoiceLineId


class DifferenceClass(StrEnum):
    """What kind of difference."""

    MISSING = "missing"
    EXTRA = "extra"
    AMOUNT = "amount"
    CURRENCY = "currency"
    PERIOD = "period"
    CUSTOMER = "customer"
    EDITED = "edited in Chargebee"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, in words and money.

    Attributes:
        bill_id: ``None`` for an invoice that belongs to no bill we know.
        unexplained: The destination's amount beyond ours; ``None`` when no amount differs.
        text: What differs, in one sentence, with both values.
        line_id: The line on the invoice that differs, when it is one.
        by: Who made it differ, as far as the destination tells.
    """

    kind: DifferenceClass
    bill_id: BillId | None
    account_id: AccountId | None
    invoice_id: InvoiceId | None
    unexplained: Money | None
    text: str
    line_id: InvoiceLineId | None = None
    by: ChangedBy | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """One row of the reconciliation: a currency, its bills and its money.

    ``billed`` is ``sent`` less ``rounding``, and ``not_sent``, unless a bill changed after it was
    sent, which is unexplained.

    Attributes:
        billed: What m3ter billed, each line in minor units.
        sent: What our requests came to, as predicted.
        not_sent: What m3ter bills and we knowingly did not send, each bill with its reason.
        invoiced: What stands on the invoices for our lines.
        rounding: ``sent`` less ``billed``: announced before it was sent.
        unexplained: ``invoiced`` less what should stand there: ``billed`` without ``not_sent``,
            and ``rounding``. Foreign lines are in it. Must be zero.
        catalogue: Lines at the catalogue's price, for which m3ter gives no amount; in none of the
            other columns.
    """

    currency: str
    bills: int
    billed: Money
    sent: Money
    not_sent: Money
    invoiced: Money
    rounding: Money
    unexplained: Money
    catalogue: Money


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The result for a period."""

    totals: tuple[Totals, ...]
    differences: tuple[Difference, ...]
