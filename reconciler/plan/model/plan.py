"""The plan: what was reviewed. Its body decides what is written; its head only tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NewType

from reconciler.definitions.kinds.project import GuardName
from reconciler.kernel.address import Address, FieldPath, OrganizationId, PlanId
from reconciler.kernel.exact_json import LATER
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonObject
from reconciler.plan.model.change import Change, FieldValue

RecordId = NewType("RecordId", str)
"""SHA-256 of an applied record, 64 hexadecimal digits."""
ItemDigest = NewType("ItemDigest", str)
"""SHA-256 of (guard, address, field, base, live, desired) of one guard hit."""

PLAN_SCHEMA: Literal["m3ter-reconciler/plan/v1"] = "m3ter-reconciler/plan/v1"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Where a plan may be applied: organisation, hosts and site."""

    organization_id: OrganizationId
    m3ter_base_url: str
    chargebee_base_url: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True)
class ChainPosition:
    """The applied record a plan was made from."""

    sequence: int
    record: RecordId


@dataclass(frozen=True, slots=True)
class GuardHit:
    """One reason why a plan does not go through unasked.

    Attributes:
        address: ``None`` when it is about the plan as a whole.
        field: A path, or a word for what is counted; empty for the whole object.
        digest: Names the item; an approval of it outlives the plan.
        needs: ``approval`` names guard and plan; ``confirmation`` is asked on a terminal or given
            by ``--yes``; ``remedy`` cannot be approved at all.
    """

    guard: GuardName
    address: Address | None
    field: FieldPath
    base: FieldValue | None
    live: FieldValue | None
    desired: FieldValue | None
    message: str
    digest: ItemDigest
    needs: Literal["approval", "confirmation", "remedy"] = "approval"


@dataclass(frozen=True, slots=True)
class Approval:
    """Someone's consent to the items that one guard had in one plan.

    Attributes:
        forge: Where it was given; empty for one of the command line, as are the next two.
        url: The review.
        reason: The approver's words.
    """

    guard: GuardName
    plan: PlanId
    digests: tuple[ItemDigest, ...]
    by: str
    at: str
    forge: str = field(default="", metadata=LATER)
    url: str = field(default="", metadata=LATER)
    reason: str = field(default="", metadata=LATER)


@dataclass(frozen=True, slots=True)
class Unplanned:
    """An object of which nothing is planned because of an error; the run ends with exit 10."""

    address: Address
    message: str
    hint: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class References:
    """What names in git stand for in this organisation; trusted only where nothing is written."""

    accounts: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)
    entities: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """How much was compared, for the one line of an empty plan."""

    integrations: int
    mappings: int
    unmanaged: int
    calls: int
    seconds: Decimal


@dataclass(frozen=True, slots=True)
class PlanHead:
    """What surrounds a plan and is no part of its identity.

    Attributes:
        tool: Name and version.
        created_at: ISO 8601, UTC.
        source_commit: Empty outside a git checkout.
        dirty: Whether the checkout held changes that are not committed.
        estimated_calls: Requests that apply will send.
        estimated_seconds: At the environment's rate.
        names: What people call the ids in the body: account codes, addresses, credential names.
    """

    tool: str
    created_at: str
    source_commit: str
    dirty: bool
    estimated_calls: int
    estimated_seconds: Decimal
    checked: Checked
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PlanBody:
    """What a plan is: two plans with equal bodies are one plan.

    Attributes:
        base: ``None`` before the first apply.
        changes: In the order they are to be done.
        unplanned: Objects with errors; a plan that has any is never applied.
        definitions: The environment's rendered documents, by kind and name: what the applied
            record will hold.
        references: Resolved names, for the applied record.
    """

    environment: str
    fingerprint: Fingerprint
    base: ChainPosition | None
    changes: tuple[Change, ...]
    hits: tuple[GuardHit, ...]
    unplanned: tuple[Unplanned, ...]
    definitions: JsonObject
    references: References
    schema: Literal["m3ter-reconciler/plan/v1"] = PLAN_SCHEMA


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan; ``id`` is the SHA-256 of the canonical body."""

    id: PlanId
    head: PlanHead
    body: PlanBody
