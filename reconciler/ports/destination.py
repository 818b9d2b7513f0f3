"""What we need of a system that bills are sent to: find, next step, perform, read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from reconciler.domain.address import BillId
from reconciler.domain.draft import BlockReason, InvoiceDraft
from reconciler.domain.invoice import Invoice
from reconciler.domain.push import (
    Effect,
    InvoiceId,
    LookUp,
    PushKey,
    SiteName,
    Step,
    StepOutcome,
    StoredRequest,
)


@dataclass(frozen=True, slots=True)
class Complete:
    """Every effect of the generation is done."""


@dataclass(frozen=True, slots=True)
class WaitForInvoice:
    """There is no pending invoice to add to yet; ``until`` is when to look again."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing can be sent now; a person or a change must come first."""

    reason: BlockReason


NextStep = Step | Complete | WaitForInvoice | Stop


class Destination(Protocol):
    """One site. Nothing but ``perform`` writes."""

    @property
    def site(self) -> SiteName:
        """The site, checked against the key."""
        ...

    def check(self, draft: InvoiceDraft) -> tuple[BlockReason, ...]:
        """Preflight, from cached reads: everything that would be refused or billed wrongly."""
        ...

    def stamped(self, since: datetime) -> Iterator[Invoice]:
        """Stream the invoices that carry a stamp, deleted and voided ones included."""
        ...

    def next_step(self, draft: InvoiceDraft, done: Sequence[Effect]) -> NextStep:
        """Say what to do next, from the draft, the effects so far and what is there.

        Args:
            draft: Of the generation that is being sent.
            done: Every effect of the bill in the ledger, earlier generations included.
        """
        ...

    def perform(self, key: PushKey, request: StoredRequest, idempotency_key: str) -> StepOutcome:
        """Send exactly one stored request, once; never retried here and never raises for answers.

        Args:
            key: For serial order within a subscription or invoice, and for logs.
            request: Sent byte for byte.
            idempotency_key: 64 hexadecimal digits.
        """
        ...

    def look_up(self, effect: Effect, draft: InvoiceDraft) -> LookUp:
        """Look whether an effect with an unknown outcome arrived, by stamp or by new line ids."""
        ...

    def read(self, invoice: InvoiceId) -> Invoice | None:
        """Read an invoice back, with all of its lines; ``None`` when the id does not resolve."""
        ...

    def by_bill(self, bill: BillId, draft: InvoiceDraft) -> tuple[Invoice, ...]:
        """Find every invoice that carries the bill's stamp, or holds lines recorded for it."""
        ...
