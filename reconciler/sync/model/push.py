"""Pushing: effects and their identity, what a step may end in, and the states between."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NewType

from reconciler.kernel.address import BillId

SiteName = NewType("SiteName", str)
InvoiceId = NewType("InvoiceId", str)
"""Id of an invoice; a pending one may get another when it is closed."""
InvoiceLineId = NewType("InvoiceLineId", str)


class StepKind(StrEnum):
    """What one request does."""

    CREATE_INVOICE = "create-invoice"
    ADD_LINE = "add-line"
    DELETE_LINES = "delete-lines"
    CREDIT_NOTE = "credit-note"
    VOID_INVOICE = "void-invoice"
    CLOSE_INVOICE = "close-invoice"
    PROMOTIONAL_CREDIT = "promotional-credit"


@dataclass(frozen=True, slots=True, order=True)
class StepName:
    """One step of a generation: its kind, and a number where there are several of the kind."""

    kind: StepKind
    number: int = 0

    def __str__(self) -> str:
        return f"{self.kind}/{self.number}" if self.number else str(self.kind)

    @classmethod
    def parse(cls, text: str) -> StepName:
        """Read what ``str`` wrote."""
        kind, _, number = text.partition("/")
        return cls(StepKind(kind), int(number or 0))


@dataclass(frozen=True, slots=True, order=True)
class PushKey:
    """The identity of an effect; unique in the ledger.

    Versions and hashes are recorded beside it and are never part of it.

    Attributes:
        generation: 1 for the first sending; rises when a policy sends a recalculated bill again.
    """

    site: SiteName
    bill_id: BillId
    generation: int
    step: StepName

    def __str__(self) -> str:
        return f"{self.site}/{self.bill_id}/{self.generation}/{self.step}"


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """The exact request of an effect; sent again byte for byte, whatever changed since.

    Attributes:
        path: Below the API root, for example ``/invoices/create_for_charge_items_and_charges``.
        body: The bytes of the body.
        headers: Only the vendor's own headers, sorted; never credentials or the idempotency key.
    """

    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    method: Literal["POST"] = "POST"


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next for a bill.

    Attributes:
        name: Which step of the generation.
        request: What to send.
        invoice_id: The invoice it works on; ``None`` when it creates one.
        lines_before: Line ids on that invoice before the step; ``None`` when it creates one.
        draft_line: Position in the draft of the line it sends, from 0, for one-line steps.
        alike: Lines that are just like what is still to be sent, and that no step of the bill
            accounts for; not in ``lines_before``. One that no other bill's step made either stops
            the bill for a person.
        alike_on: The invoice that holds them: the one it works on, or one that closed before.
    """

    name: StepName
    request: StoredRequest
    invoice_id: InvoiceId | None = None
    lines_before: frozenset[InvoiceLineId] | None = None
    draft_line: int | None = None
    alike: tuple[InvoiceLineId, ...] = ()
    alike_on: InvoiceId | None = None


@dataclass(frozen=True, slots=True)
class Performed:
    """The step is done.

    Attributes:
        object_id: The invoice or credit that it made or changed; of a closing, its new id.
        line_ids: Our lines on it, in draft order, as far as the answer shows them.
        replayed: The destination repeated an earlier answer; nothing new was made.
    """

    object_id: str
    line_ids: tuple[InvoiceLineId, ...] = ()
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class NotPerformed:
    """Provably not done, and worth another try: a rate limit, a lock, no connection.

    Attributes:
        retry_after: Seconds the destination asks for, when it does.
    """

    code: str
    message: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Provably not done, and the same request would be refused again.

    Attributes:
        parameter: The field that was refused, or empty.
        about: The bill's data, or the set-up of the site, which no bill is to blame for.
    """

    code: str
    message: str
    parameter: str = ""
    about: Literal["bill", "site"] = "bill"


@dataclass(frozen=True, slots=True)
class KeyConflict:
    """The idempotency key is taken by other bytes: an earlier attempt arrived. Look it up."""

    message: str


@dataclass(frozen=True, slots=True)
class WindowClosed:
    """The pending invoice takes no lines any more."""

    message: str


@dataclass(frozen=True, slots=True)
class CredentialsRefused:
    """The destination refused the key; says nothing about the bill and ends the run."""

    message: str


@dataclass(frozen=True, slots=True)
class UnknownOutcome:
    """No proof of either: a cut connection, a 5xx, an answer that is not JSON."""

    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """A look-up found what the effect was to make."""

    object_id: str
    line_ids: tuple[InvoiceLineId, ...] = ()


@dataclass(frozen=True, slots=True)
class NotFound:
    """A look-up found nothing of it.

    Attributes:
        at: When, by the destination's clock; ``None`` when its answers bore no time.
    """

    at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Undecidable:
    """Something that only a person can judge was seen: voided, deleted, twice, different."""

    reason: str


StepOutcome = (
    Performed
    | NotPerformed
    | Refused
    | KeyConflict
    | WindowClosed
    | CredentialsRefused
    | UnknownOutcome
    | Undecidable
)
LookUp = Found | NotFound | Undecidable


@dataclass(frozen=True, slots=True)
class Attempted:
    """A request is about to be sent.

    Attributes:
        vendor_at: Not before when, by the destination's clock; ``None`` when it is not known.
    """

    vendor_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Redrafted:
    """Provably nothing arrived, and the step was made anew from corrected data."""

    step: Step


@dataclass(frozen=True, slots=True)
class Resolved:
    """A person decided: it was sent (as which object) or it was not.

    Attributes:
        line_ids: Our lines, as far as they are known; of what was not sent, the lines that stand
            there and are not ours.
    """

    object_id: str | None
    reason: str
    line_ids: tuple[InvoiceLineId, ...] = ()


Event = Attempted | StepOutcome | LookUp | Resolved | Redrafted
"""Everything that can happen to an effect."""


class PushState(StrEnum):
    """Where one effect stands; ``sync/core/effect_states.py`` holds the transitions."""

    INTENDED = "INTENDED"
    """The request is stored; nothing was ever sent."""
    SENDING = "SENDING"
    """The first request of a round is under way, or the process died under it."""
    IN_DOUBT = "IN_DOUBT"
    """A request may have arrived; repeat it or look before anything else."""
    RETRY = "RETRY"
    """Provably not done; will be sent again later."""
    DONE = "DONE"
    """Done, and known as which object."""
    REFUSED = "REFUSED"
    """Provably not done; needs a change of data or set-up, then `sync retry`."""
    CLOSED = "CLOSED"
    """Provably not done: the pending invoice closed first."""
    PERSON = "PERSON"
    """Stopped until a person resolves it."""


Doubt = Literal["", "open", "decided"]
"""Whether an attempt at an effect ever had an unknown outcome; a person's word closes the doubt."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect as the ledger knows it. Times are the ledger's, unless they are the vendor's.

    Attributes:
        request: The stored request.
        rejections: Definite rejections so far; part of the idempotency key.
        attempts: Requests sent so far.
        failures: Attempts in a row that did not end in ``DONE``; decides the next delay.
        round_started_at: First attempt since the last time nothing was found; the age of the key.
        last_attempt_at: Latest attempt.
        round_vendor_at: The vendor's time before the first attempt of the round, if it was known.
        last_vendor_at: The vendor's time before the latest attempt, if it was known.
        empty_looks: The vendor's times of the empty look-ups since the last attempt that count: the
            first of all, after which whatever was sent must become visible, and those late enough.
        doubt: Before an effect with one is sent again, it is looked for.
        key_conflict: Whether the destination ever said that the key is taken.
        failed_since: When the present series of failures began.
        object_id: What was made, when ``DONE``.
        line_ids: Our lines, when ``DONE``.
        lines_before: Line ids on the invoice before the step.
        draft_line: Position in the draft of the line it sends, from 0, for one-line steps.
        message: What was heard last, in one sentence.
    """

    key: PushKey
    state: PushState
    request: StoredRequest
    invoice_id: InvoiceId | None = None
    lines_before: frozenset[InvoiceLineId] | None = None
    draft_line: int | None = None
    rejections: int = 0
    attempts: int = 0
    failures: int = 0
    round_started_at: datetime | None = None
    last_attempt_at: datetime | None = None
    round_vendor_at: datetime | None = None
    last_vendor_at: datetime | None = None
    doubt: Doubt = ""
    empty_looks: tuple[datetime, ...] = ()
    key_conflict: bool = False
    failed_since: datetime | None = None
    object_id: str = ""
    line_ids: tuple[InvoiceLineId, ...] = ()
    message: str = ""


# Source: m3ter OpenAPI 2026-08-03, IntegrationRunResponse.status; the last five are ours.
class PushStatus(StrEnum):
    """Where a bill stands, in m3ter's words as far as it has one."""

    WAITING = "WAITING"
    STARTED = "STARTED"
    COMPLETE = "COMPLETE"
    ERROR = "ERROR"
    AWAITING_RETRY = "AWAITING_RETRY"
    AUTH_FAILED = "AUTH_FAILED"
    INVOICE_ALREADY_PAID = "INVOICE_ALREADY_PAID"
    ACCOUNTING_PERIOD_CLOSED = "ACCOUNTING_PERIOD_CLOSED"
    RATE_LIMIT_RETRY = "RATE_LIMIT_RETRY"
    TIMEOUT_LIMIT_EXCEEDED = "TIMEOUT_LIMIT_EXCEEDED"
    DISABLED = "DISABLED"
    UNKNOWN = "UNKNOWN"
    PARTIAL = "PARTIAL"
    REOPENED = "REOPENED"
    BLOCKED = "BLOCKED"
    NOTHING_TO_SEND = "NOTHING_TO_SEND"


Mark = Literal["success", "systemic", "bill", "transient", "credentials"]
"""How one attempt at a bill ended, for automatic disabling; see ``sync/core/disabling.py``."""
