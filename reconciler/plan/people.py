"""Who changed what: ids of users become the names that people know."""

from __future__ import annotations

from dataclasses import replace

from reconciler.m3ter.ports import People
from reconciler.plan.model.change import Keep
from reconciler.plan.model.plan import Plan


def with_people(plan: Plan, people: People) -> Plan:
    """Add the names of everyone who changed something; the plan's identity stays."""
    who = {
        field.by
        for change in plan.body.changes
        if not isinstance(change, Keep)
        for field in change.fields
        if field.by
    }
    if not who:
        return plan
    found = {str(one.id): one.name or one.email for one in people.users() if one.id in who}
    names: dict[str, str] = {**plan.head.names, **found}
    return replace(plan, head=replace(plan.head, names=names))
