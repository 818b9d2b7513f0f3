"""A plan as versioned JSON: what ``plan -o`` saves, too."""

from __future__ import annotations

from reconciler.core import exact_json
from reconciler.core.plan_identity import as_json
from reconciler.domain.plan import PLAN_SCHEMA, Plan


def plan_json(plan: Plan) -> str:
    """Render a plan as one JSON document."""
    document = {"schema": PLAN_SCHEMA, "id": plan.id}
    return exact_json.encode(
        {**document, "head": as_json(plan.head), "body": as_json(plan.body)}, indent=2
    )
