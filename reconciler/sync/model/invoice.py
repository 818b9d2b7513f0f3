"""An invoice as it was read back from the destination."""

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
