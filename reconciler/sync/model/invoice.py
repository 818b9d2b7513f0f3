"""An invoice as it was read back, how it was changed, and what one is estimated to become."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from reconciler.kernel.address import BillId
from reconciler.kernel.money import Money
from reconciler.sync.model.push import InvoiceId, InvoiceLineId

# Source: Chargebee OpenAPI 2026-09-24, invoice.status
InvoiceStatus = Literal["pending", "posted", "payment_due", "paid", "not_paid", "voided"]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of an invoice; amounts before tax.

    Attributes:
        price_id: Item price, or empty for an ad-hoc line.
        amount: What the destination computed, before discounts.
        discount: Discounts on this line, at least zero.
        quantity: As the destination shows it, decimal form first.
        unit_price: In major units, decimal form first.
    """

    id: InvoiceLineId
    price_id: str
    amount: Money
    discount: Money
    quantity: Decimal
    unit_price: Decimal
    date_from: datetime | None = None
    date_to: datetime | None = None
    description: str = ""
    subscription_id: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice.

    Attributes:
        stamp: The bill id it carries, or empty.
        paid: Payments and credits that count as payment.
        credited: Credit notes on it, before tax, as far as they are listed.
        deleted: Deleted at the destination, still visible there.
    """

    id: InvoiceId
    status: InvoiceStatus
    customer_id: str
    subscription_id: str
    currency: str
    date: datetime | None
    lines: tuple[InvoiceLine, ...]
    stamp: BillId | None = None
    paid: Money | None = None
    credited: Money | None = None
    deleted: bool = False
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InvoiceChange:
    """One change of an invoice, as the destination tells it afterwards.

    Attributes:
        user: Who did it; empty where the destination names nobody.
        source: Where it came from, in the destination's word, for example ``admin_console``.
        invoice: After the change; ``None`` when a credit note on it was made or changed.
    """

    invoice_id: InvoiceId
    at: datetime
    user: str
    source: str
    invoice: Invoice | None


Did = Literal["added", "changed", "taken off", "voided", "deleted", "credited"]


@dataclass(frozen=True, slots=True)
class ChangedBy:
    """Who made a difference.

    Attributes:
        did: What was done to the line or the invoice.
        user: Who; empty where the destination names nobody.
        source: Where it came from, in the destination's word.
    """

    did: Did
    user: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Estimated:
    """An invoice that was not made.

    Attributes:
        invoice: Its lines and discounts; ids, status and dates mean nothing.
        sub_total: Lines less discounts, before tax.
        tax: On top of them.
        total: With tax.
    """

    invoice: Invoice
    sub_total: Money
    tax: Money
    total: Money


@dataclass(frozen=True, slots=True)
class NotEstimated:
    """There is no estimate; ``why`` says it in words, a refusal of the destination's too."""

    why: str


Estimate = Estimated | NotEstimated
