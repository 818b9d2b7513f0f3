"""What readers ask a destination about the past of its invoices."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Protocol

from reconciler.sync.model.invoice_change import InvoiceChange
from reconciler.sync.model.push import InvoiceId


class InvoiceHistory(Protocol):
    """Who changed what at one site; nothing is ever decided by it."""

    def changes(self, invoices: Collection[InvoiceId], since: datetime) -> Iterator[InvoiceChange]:
        """Stream the changes of some invoices, oldest first, as far as they are remembered.

        Args:
            invoices: By the ids that they have, or had.
            since: Nothing before it is asked for.

        Raises:
            DestinationError: When there is more than can be read, or nothing can; what was given
                until then counts.
        """
        ...
