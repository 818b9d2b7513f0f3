"""The memory of pushes: effects, exact requests, leases with fences, stamps, who decided what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Money
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import (
    Effect,
    InvoiceLineId,
    LookUp,
    Mark,
    PushKey,
    PushStatus,
    Resolved,
    SiteName,
    Step,
    StepOutcome,
)
from reconciler.sync.model.standing import Decision


@dataclass(frozen=True, slots=True)
class LedgerIdentity:
    """Which ledger this is, and how far it has come; compared with what the chain knows.

    Attributes:
        sequence: Rises with everything that is recorded about an effect.
        rebuilt_at: When it was re-learnt from stamps after a loss. A bill that m3ter made before
            and that it has no effect of may have been sent without a stamp: a person decides.
    """

    id: str
    sequence: int
    rebuilt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LedgerNote:
    """How far a ledger had come, small enough to be kept anywhere outside of it.

    Attributes:
        id: Which ledger.
        sequence: Of its newest record that may have sent something, or of a later one.
        newest: Names the newest request that it held. A restored copy that others took further has
            the sequence, but not the request; empty before the first.
    """

    id: str
    sequence: int
    newest: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """In whose name something is sent: recorded beside an effect, never part of its identity.

    Attributes:
        run: Id of the sync run.
        integration: Name of the definition.
        record: Number of the applied record in force.
        commit: Its source commit.
        bill_version: m3ter's version of the bill.
        input_hash: SHA-256 of the canonical draft input.
    """

    run: str
    integration: str
    record: int
    commit: str
    bill_version: int
    input_hash: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one bill until a time; ``fence`` rises with every holder."""

    site: SiteName
    bill_id: BillId
    worker: str
    fence: int
    until: datetime


class LeaseLostError(ReconcilerError):
    """The time of a lease is over, or another worker took the bill; nothing was recorded."""

    exit_code = ExitCode.PARTLY_DONE

    def __init__(self, lease: Lease) -> None:
        super().__init__(
            f"worker {lease.worker} lost its right to bill {lease.bill_id}: its lease ended at "
            f"{lease.until:%H:%M:%S} UTC.\nNothing was recorded or sent after that; another worker "
            "goes on with the bill."
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that was sent, and what became of it; no credentials.

    Attributes:
        vendor_at: When, not before, by the destination's own clock; ``None``: not known.
    """

    key: PushKey
    number: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    message: str
    worker: str
    vendor_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BillRow:
    """Where one bill stands; the newest generation.

    Attributes:
        input_hash: What was sent, or is being sent.
        draft: The canonical JSON of the draft that is being sent, as recorded with the intent.
        expected: What the destination was to compute, per bill.
        next_at: When to look at the bill again, or ``None``.
        message: Why it stands there, in one sentence.
    """

    site: SiteName
    bill_id: BillId
    account_id: AccountId
    integration: str
    generation: int
    status: PushStatus
    input_hash: str
    draft: bytes
    billed: Money | None
    expected: Money | None
    period_end: date
    next_at: datetime | None
    changed_at: datetime
    message: str


class Ledger(Protocol):
    """The one truth about what was sent. Every method is one transaction.

    Methods that take a ``Lease`` raise ``LeaseLostError`` when a newer fence exists or the time is
    over; nothing was recorded then and nothing may be sent. ``ended`` alone records what it hears
    also then, as far as it is a fact: that the request made something.
    """

    @property
    def identity(self) -> LedgerIdentity:
        """Id and sequence; the sequence rises with everything recorded about an effect."""
        ...

    def claim(self, site: SiteName, bill: BillId, worker: str, seconds: float) -> Lease | None:
        """Take the lease of a bill; ``None`` when another worker holds it."""
        ...

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Hold the lease longer."""
        ...

    def release(self, lease: Lease) -> None:
        """Give the lease back; a lost one is no error."""
        ...

    def bill(self, site: SiteName, bill: BillId) -> BillRow | None:
        """Give the row of a bill."""
        ...

    def bills(
        self, site: SiteName, statuses: Iterable[PushStatus] | None = None
    ) -> Iterator[BillRow]:
        """Stream the bills of a site, by period end and id."""
        ...

    def put_bill(self, lease: Lease, row: BillRow) -> None:
        """Insert or replace the row of a bill."""
        ...

    def effects(self, site: SiteName, bill: BillId) -> tuple[Effect, ...]:
        """Give every effect of a bill, by generation and in the order of intent."""
        ...

    def lines_known(
        self, site: SiteName, lines: Collection[InvoiceLineId]
    ) -> frozenset[InvoiceLineId]:
        """Give those of some lines that steps of any bill made; every effect is searched."""
        ...

    def intend(self, lease: Lease, key: PushKey, step: Step, why: Provenance) -> Effect:
        """Store an effect before its first attempt; an existing one is returned as it stands."""
        ...

    def redraft(self, lease: Lease, key: PushKey, step: Step, why: Provenance) -> Effect:
        """Replace the request of an effect that was refused; any other state is an error."""
        ...

    def now(self) -> datetime:
        """Give the time by which attempts are recorded: of a shared database, its own."""
        ...

    def sending(self, lease: Lease, key: PushKey, vendor_at: datetime | None = None) -> Effect:
        """Record that a request is about to be sent, before it is, also outside of the ledger.

        Args:
            lease: Of the bill.
            key: The effect.
            vendor_at: The destination's own time, if it is known.
        """
        ...

    def ended(self, lease: Lease, key: PushKey, outcome: StepOutcome, mark: Mark | None) -> Effect:
        """Record what an attempt ended in; the state follows ``sync/core/effect_states.py``."""
        ...

    def looked(self, lease: Lease, key: PushKey, found: LookUp) -> Effect:
        """Record a look-up."""
        ...

    def resolved(self, lease: Lease, key: PushKey, decision: Resolved, actor: str) -> Effect:
        """Record a person's decision; the lease proves that nothing is in flight."""
        ...

    def attempts(self, site: SiteName, bill: BillId) -> tuple[Attempt, ...]:
        """Give the attempts of a bill, oldest first."""
        ...

    def marks(self, site: SiteName, integration: str, newest: int) -> tuple[Mark, ...]:
        """Give the newest marks since the last enabling, oldest first."""
        ...

    def disabled(self, site: SiteName, integration: str) -> str | None:
        """Say why a push is disabled; ``None`` when it is not."""
        ...

    def disable(self, site: SiteName, integration: str, why: str) -> None:
        """Disable a push until ``enable``."""
        ...

    def enable(self, site: SiteName, integration: str, actor: str) -> None:
        """Enable a push again, and forget its marks."""
        ...

    def paused(self, site: SiteName) -> str | None:
        """Say who paused the site and why; read before every write."""
        ...

    def pause(self, site: SiteName, actor: str, why: str) -> None:
        """Stop all writes of the site."""
        ...

    def resume(self, site: SiteName, actor: str) -> None:
        """Let writes go on."""
        ...

    def put_stamps(self, site: SiteName, invoices: Iterable[Invoice]) -> int:
        """Add read invoices to the stamp index; gives how many were new."""
        ...

    def stamps(self, site: SiteName, bill: BillId) -> tuple[Invoice, ...]:
        """Give the invoices that the stamp index holds for a bill, without their lines."""
        ...


class LedgerWatch(Protocol):
    """What is remembered of each environment's ledger outside of it, beside the applied chain.

    A ledger that is missing, another one, or behind what was seen was lost or restored.
    """

    def seen(self, environment: str) -> LedgerNote | None:
        """Give what was noted last; ``None`` before the first."""
        ...

    def note(self, environment: str, note: LedgerNote) -> None:
        """Keep a note, for good when it returns; the sequence of the same ledger never falls."""
        ...


class PushHistory(Protocol):
    """Read by people; nothing in it decides whether anything is sent."""

    def provenance(self, site: SiteName, bill: BillId) -> Mapping[PushKey, Provenance]:
        """Give in whose name each effect of a bill was recorded."""
        ...

    def decisions(self, site: SiteName, subject: str) -> tuple[Decision, ...]:
        """Give the decisions about a subject and what lies below it, oldest first.

        Args:
            site: The site.
            subject: Itself, and everything that starts with it and a ``/``.
        """
        ...

    def decide(self, site: SiteName, subject: str, what: str, actor: str, why: str) -> Decision:
        """Record a decision."""
        ...
