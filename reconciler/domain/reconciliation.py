"""Differences between what was billed, what was sent and what stands on invoices."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.domain.address import AccountId, BillId
from reconciler.domain.money import Money
from reconciler.domain.push import InvoiceId


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
    """

    kind: DifferenceClass
    bill_id: BillId | None
    account_id: AccountId | None
    invoice_id: InvoiceId | None
    unexplained: Money | None
    text: str


@dataclass(frozen=True, slots=True)
class Totals:
    """One row of the reconciliation: a currency, its bills and its money.

    Attributes:
        billed: What m3ter billed, each line in minor units.
        sent: What our requests came to, as predicted.
        invoiced: What stands on the invoices for our lines.
        rounding: ``sent`` less ``billed``: announced before it was sent.
        unexplained: ``invoiced`` less ``billed`` and ``rounding``, foreign lines included; must be
            zero.
        catalogue: Lines at the catalogue's price, for which m3ter gives no amount; in none of the
            other columns.
    """

    currency: str
    bills: int
    billed: Money
    sent: Money
    invoiced: Money
    rounding: Money
    unexplained: Money
    catalogue: Money


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The result for a period."""

    totals: tuple[Totals, ...]
    differences: tuple[Difference, ...]
