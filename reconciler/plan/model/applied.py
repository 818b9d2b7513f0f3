"""One link of the applied chain: what git held, what it was bound to, and what became of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.kernel.address import Address, FieldPath, LiveId, PlanId
from reconciler.kernel.value import JsonObject
from reconciler.plan.model.change import ChangeId, FieldValue
from reconciler.plan.model.plan import Approval, Fingerprint, RecordId, References

RECORD_SCHEMA: Literal["m3ter-reconciler/applied/v1"] = "m3ter-reconciler/applied/v1"


@dataclass(frozen=True, slots=True)
class BaseField:
    """The base of one field: what we sent, and what we read back; ``None`` is not set.

    Desired = sent and live = read is no difference, whatever the server's spelling.
    """

    path: FieldPath
    sent: FieldValue | None
    read: FieldValue | None


@dataclass(frozen=True, slots=True)
class Binding:
    """Which live object an address stands for, and the base of its managed fields.

    Attributes:
        version: As read back.
        hash: As read back, like in ``LiveReference``.
        protect: Never deleted by this tool, also after it left git.
    """

    address: Address
    id: LiveId
    version: int
    hash: str
    fields: tuple[BaseField, ...]
    protect: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The change was made and read back."""

    id: LiveId
    version: int
    type: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class Already:
    """The object was as desired before anything was sent."""

    id: LiveId | None
    type: Literal["already"] = "already"


@dataclass(frozen=True, slots=True)
class Failed:
    """m3ter refused; nothing of this object was changed by this change."""

    reason: str
    type: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True)
class Blocked:
    """Not sent, because a change it depends on was not done."""

    by: ChangeId
    type: Literal["blocked"] = "blocked"


@dataclass(frozen=True, slots=True)
class NotAttempted:
    """Not sent, because the run ended before."""

    reason: str
    type: Literal["not-attempted"] = "not-attempted"


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """Sent, and nobody knows whether it arrived; the next plan reads what is there."""

    reason: str
    type: Literal["unknown"] = "unknown"


Outcome = Done | Already | Failed | Blocked | NotAttempted | OutcomeUnknown


@dataclass(frozen=True, slots=True)
class ChangeOutcome:
    """What became of one change."""

    change: ChangeId
    address: Address
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a plan, change by change in its order; times are ISO 8601, UTC.

    Attributes:
        notes: What a reader must know besides, for example bills approved while disconnected.
    """

    plan: PlanId
    started_at: str
    finished_at: str
    outcomes: tuple[ChangeOutcome, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AppliedRecord:
    """One link of an environment's chain; never holds a secret, and nothing about bills.

    Attributes:
        id: SHA-256 of the record without it; the chain fills it in on append.
        sequence: Counts from 1 without gaps.
        previous: The link before, ``None`` for the first.
        definitions: Rendered documents by kind and name; what ``sync`` obeys.
        plan: ``None`` for a record that decides without a plan, such as keep-git or adopt.
        action: What made the record: ``apply``, ``adopt``, ``keep-git``, ``accept-live`` …
    """

    environment: str
    sequence: int
    previous: RecordId | None
    at: str
    actor: str
    action: str
    fingerprint: Fingerprint
    source_commit: str
    plan: PlanId | None
    definitions: JsonObject
    references: References
    bindings: tuple[Binding, ...]
    receipt: Receipt | None
    approvals: tuple[Approval, ...]
    id: RecordId | None = None
    schema: Literal["m3ter-reconciler/applied/v1"] = RECORD_SCHEMA
