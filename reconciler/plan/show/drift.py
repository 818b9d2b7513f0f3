"""What was changed outside git: by whom, when, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.plan.model.change import FieldChange, Keep
from reconciler.plan.model.plan import Plan
from reconciler.plan.show.view import value_text


def drift_text(plan: Plan) -> str:
    """Render the part of a plan that m3ter moved."""
    lines: list[str] = []
    seen: set[tuple[str, str]] = set()
    for change in plan.body.changes:
        if isinstance(change, Keep):
            continue
        moved = [one for one in change.fields if one.verdict in {"theirs", "conflict"}]
        fresh = [one for one in moved if (str(change.address), one.path) not in seen]
        seen |= {(str(change.address), one.path) for one in fresh}
        if fresh:
            lines += [f"! {change.address}", *_fields(plan, fresh), ""]
    gone = [one.message for one in plan.body.hits if one.guard == "drift" and not one.field]
    lines += [f"! {message}" for message in gone]
    if not lines:
        return f"{plan.body.environment}: nothing was changed outside git.\n"
    env = plan.body.environment
    return "\n".join(
        [
            *lines,
            f"To keep a live value:         reconciler accept-live --env {env} 'ADDRESS#FIELD'",
            f"To return to what git says:   reconciler plan --env {env} -o plan.json",
            "",
        ]
    )


def _fields(plan: Plan, fields: list[FieldChange]) -> Iterator[str]:
    names = plan.head.names
    for one in fields:
        before = value_text(one.base, names)
        yield f"    {one.path}: {before} -> {value_text(one.live, names)}"
        who = names.get(one.by, one.by) or "someone"
        yield f"        by {who}" + (f", {one.at}" if one.at else "")
        if one.verdict == "conflict":
            wanted = value_text(one.desired, names, "m3ter's default")
            yield f"        git changed it too, to {wanted}: this needs a decision"
