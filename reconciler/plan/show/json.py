"""A plan as versioned JSON: what ``plan -o`` saves, too."""

from __future__ import annotations

from reconciler.kernel import exact_json
from reconciler.kernel.as_json import as_json
from reconciler.plan.model.plan import PLAN_SCHEMA, Plan


def plan_json(plan: Plan) -> str:
    """Render a plan as one JSON document."""
    document = {"schema": PLAN_SCHEMA, "id": plan.id}
    return exact_json.encode(
        {**document, "head": as_json(plan.head), "body": as_json(plan.body)}, indent=2
    )
