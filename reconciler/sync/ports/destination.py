"""What we need of a system that bills are sent to: find, next step, perform, read back, past."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from reconciler.definitions.kinds.integration import PendingPolicy
from reconciler.drafting.draft import BilledParty, BlockReason, InvoiceDraft
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.address import BillId
from reconciler.kernel.money import Money
from reconciler.sync.model.invoice import Estimate, Invoice, InvoiceChange
from reconciler.sync.model.push import (
    Effect,
    InvoiceId,
    InvoiceLineId,
    LookUp,
    PushKey,
    SiteName,
    Step,
    StepOutcome,
    StoredRequest,
)
from reconciler.sync.model.recalculation import CreditAndRebill, ReplaceLines, VoidAndRecreate


class DestinationError(ReconcilerError):
    """The destination could not be read; nothing was sent."""


class DestinationAccessError(DestinationError):
    """The key is refused, or belongs to another site; ends the run."""

    exit_code = ExitCode.REFUSED_IDENTITY
    anchor = "refused-key"


class DestinationUnreachableError(DestinationError):
    """No usable answer came to a read."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What decides about the next step beside the draft and the effects.

    Attributes:
        generation: Which one is being sent; 0 is the newest among the effects, or the first.
        change: What the policy does with what was sent before. Needed for the first step of a
            generation; afterwards its effects say it too.
        pending: ``push.pending``.
        waiting_since: When the bill was first ready; ``None`` is now.
    """

    generation: int = 0
    change: ReplaceLines | CreditAndRebill | VoidAndRecreate | None = None
    pending: PendingPolicy = field(default_factory=PendingPolicy)
    waiting_since: datetime | None = None


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


@dataclass(frozen=True, slots=True)
class AlreadyClosed:
    """The invoice that a bill was sent to is not pending any more."""

    invoice: Invoice


Closing = Step | AlreadyClosed | Stop
FIRST_SENDING = Sending()


class PushDestination(Protocol):
    """One site. Nothing but ``perform`` writes."""

    @property
    def site(self) -> SiteName:
        """The site, checked against the key."""
        ...

    def expect(self, targets: Sequence[BilledParty]) -> None:
        """Hear who is billed next: what ``check`` reads of them may be read together."""
        ...

    def check(self, draft: InvoiceDraft) -> tuple[BlockReason, ...]:
        """Preflight, from cached reads: everything that would be refused or billed wrongly."""
        ...

    def estimate(self, draft: InvoiceDraft) -> Estimate:
        """Ask what would be made of a draft that travels as one new invoice; nothing is written.

        A refusal is an answer. What would be added to a pending invoice is not to be asked about.
        """
        ...

    def stamped(self, since: datetime) -> Iterator[Invoice]:
        """Stream the invoices that carry a stamp, deleted and voided ones included."""
        ...

    def next_step(
        self, draft: InvoiceDraft, done: Sequence[Effect], sending: Sending = FIRST_SENDING
    ) -> NextStep:
        """Say what to do next, from the draft, the effects so far and what is there.

        It is the first step of the generation that is not ``DONE``: as it is stored, or made anew
        when it was refused or its invoice closed.

        Args:
            draft: Of the generation that is being sent.
            done: Every effect of the bill in the ledger, earlier generations included.
            sending: Generation, policies and since when the bill waits.
        """
        ...

    def closing(
        self,
        draft: InvoiceDraft,
        done: Sequence[Effect],
        generation: int,
        *,
        with_foreign_lines: bool,
    ) -> Closing:
        """Say how the open invoice of a bill that was sent is closed. Reads only.

        Args:
            draft: As it was sent.
            done: Every effect of the bill.
            generation: Which one was sent.
            with_foreign_lines: Whether lines that are not ours may be closed with it.

        Returns:
            The step that closes it; or ``Stop`` when it is not as it was sent.
        """
        ...

    def perform(
        self,
        key: PushKey,
        request: StoredRequest,
        idempotency_key: str,
        before: frozenset[InvoiceLineId] | None = None,
    ) -> StepOutcome:
        """Send exactly one stored request, once; never retried here and never raises for answers.

        Args:
            key: For serial order within a subscription or invoice, and for logs.
            request: Sent byte for byte.
            idempotency_key: 64 hexadecimal digits.
            before: The effect's ``lines_before``; tells the new line of an ``ADD_LINE`` step.
        """
        ...

    def look_up(self, effect: Effect, draft: InvoiceDraft, done: Sequence[Effect] = ()) -> LookUp:
        """Look whether an effect with an unknown outcome arrived, by stamp or by new line ids.

        What is not found says when, by the answers to this look.

        Args:
            effect: The effect in doubt.
            draft: Of its generation.
            done: Every effect of the bill: what earlier ones made is not taken for this one's.
        """
        ...

    def vendor_time(self) -> datetime | None:
        """Give the destination's own time, as its newest answer told it; ``None``: none did.

        It may be behind when this machine was paused meanwhile, and is never ahead.
        """
        ...

    def alike(
        self, effect: Effect, draft: InvoiceDraft, done: Sequence[Effect]
    ) -> tuple[InvoiceLineId, ...]:
        """Look, before a stored line is sent, for lines just like those still to be added.

        A step that was just made from what is there says them itself.

        Args:
            effect: The step that adds a line.
            draft: Of its generation.
            done: Every effect of the bill; lines that they account for are not given.
        """
        ...

    def read(self, invoice: InvoiceId) -> Invoice | None:
        """Read an invoice back, with all of its lines; ``None`` when the id does not resolve."""
        ...

    def given(self, draft: InvoiceDraft, done: Sequence[Effect]) -> Money | None:
        """Add up what stands in credits that effects gave beside an invoice; ``None`` without any.

        Args:
            draft: Of their generation.
            done: Its effects.
        """
        ...

    def by_bill(
        self, bill: BillId, draft: InvoiceDraft, done: Sequence[Effect] = ()
    ) -> tuple[Invoice, ...]:
        """Find every invoice that carries the bill's stamp, or holds lines recorded for it.

        Args:
            bill: The bill.
            draft: Says who is billed, and since when.
            done: Its effects, whose line ids are looked for.
        """
        ...


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


class SiteCatalogue(Protocol):
    """One site; nothing here writes."""

    def unfit_prices(self, ids: Collection[str]) -> Mapping[str, str]:
        """Say why some of these item prices can bill no line; those that fit are left out.

        Raises:
            DestinationError: When they cannot be read.
        """
        ...

    def custom_fields(self) -> Mapping[str, frozenset[str]] | None:
        """Give kinds of objects by custom field; ``None`` when the site does not tell.

        Raises:
            DestinationError: When they cannot be read.
        """
        ...
