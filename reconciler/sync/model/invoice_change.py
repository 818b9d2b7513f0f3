"""What a destination remembers of an invoice's changes: when, by whom, and how it looked then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import InvoiceId


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
