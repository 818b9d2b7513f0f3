"""The hashes that name plans and records."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.kernel.address import PlanId
from reconciler.kernel.exact_json import as_json, digest
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.plan import Plan, PlanBody, PlanHead, RecordId


def plan_id(body: PlanBody) -> PlanId:
    """Give the SHA-256 of the canonical body."""
    return PlanId(digest(as_json(body)))


def named(head: PlanHead, body: PlanBody) -> Plan:
    """Make a plan of head and body, under the name that its body earns."""
    return Plan(plan_id(body), head, body)


def record_id(record: AppliedRecord) -> RecordId:
    """Give the SHA-256 of a record without its own id."""
    content = as_json(record)
    assert isinstance(content, Mapping)
    return RecordId(digest({key: value for key, value in content.items() if key != "id"}))
