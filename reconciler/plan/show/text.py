"""A plan or drift for a terminal: the answer first, then what changes and why, what to type."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from reconciler.plan.model.change import FieldChange, Keep
from reconciler.plan.model.plan import GuardHit, Plan, Unplanned
from reconciler.plan.show.view import FieldRow, ObjectView, PlanView, approvals, value_text, view

# More mappings of one set than this are counted instead of listed.
LISTED_MAPPINGS_MAX = 20
WIDTH = 100


def plan_text(plan: Plan, *, full: bool = False, file: str | None = "plan.json") -> str:
    """Render a plan.

    Args:
        plan: The plan.
        full: List every mapping and every unchanged field.
        file: What the plan was saved as, for the line that says how to apply it; ``None`` when it
            was not saved, and empty when it is about to be applied anyway.
    """
    seen = view(plan, full=full)
    if not seen.objects and not plan.body.hits and not plan.body.unplanned:
        return _nothing(plan)
    lines = [_head(plan), "", *_summary(plan, seen), ""]
    for block in _listed(seen.objects, full=full):
        lines += block
    for hit in seen.hits:
        lines += _hit(hit)
    for wrong in plan.body.unplanned:
        lines += _unplanned(wrong)
    return "\n".join([*lines, "", *_what_next(plan, seen, file)]) + "\n"


def _nothing(plan: Plan) -> str:
    checked = plan.head.checked
    return (
        f"{plan.body.environment} is as git says: {checked.integrations:,} integrations, "
        f"{checked.mappings:,} mappings, checked in {checked.calls:,} calls "
        f"({checked.seconds:.1f} s).\n"
    )


def _head(plan: Plan) -> str:
    organisation = plan.body.fingerprint.organization_id
    commit = plan.head.source_commit[:7]
    clean = "with changes that are not committed" if plan.head.dirty else "clean"
    base = plan.body.base
    parts = [
        plan.body.environment,
        f"organisation {organisation[:4]}…{organisation[-4:]}",
        f"commit {commit} ({clean})" if commit else "no commit",
        f"compared with applied record {base.sequence}" if base else "nothing was applied before",
    ]
    return " · ".join(parts)


def _summary(plan: Plan, seen: PlanView) -> Iterator[str]:
    head = plan.head
    cost = ""
    if seen.writes:
        calls = "call" if head.estimated_calls == 1 else "calls"
        cost = f"about {head.estimated_calls:,} {calls}, {_seconds(plan)}"
    yield f"  {', '.join(seen.counts) or 'nothing to change'}      {cost}".rstrip()


def _seconds(plan: Plan) -> str:
    seconds = max(1, int(plan.head.estimated_seconds))
    minute = 60
    return f"{seconds} s" if seconds < minute else f"{seconds // minute} min"


def _listed(objects: Iterable[ObjectView], *, full: bool) -> Iterator[list[str]]:
    listed: dict[tuple[str, str], int] = {}
    for entry in objects:
        kind = (entry.address.name, entry.mark)
        if entry.address.kind == "mapping" and not entry.hits and not full:
            listed[kind] = listed.get(kind, 0) + 1
            if listed[kind] > LISTED_MAPPINGS_MAX:
                continue
        yield _object(entry)
    for (name, mark), count in listed.items():
        if count > LISTED_MAPPINGS_MAX:
            more = count - LISTED_MAPPINGS_MAX
            yield [f"{mark} mapping/{name}: {more:,} more of these; --full lists them all"]


def _object(entry: ObjectView) -> list[str]:
    title = f"{entry.mark} {entry.address}  {entry.label}".rstrip()
    if entry.origin and not entry.fields:
        title = f"{title:<{max(75, WIDTH - 2 - len(entry.origin))}}  {entry.origin}"
    lines = [title.rstrip()]
    if entry.address.kind == "integration" or entry.mark in {"-", "."}:
        lines += _wrapped(f"{', '.join(entry.steps)}: {entry.reason}", "    ")
    width = max((len(row.path) for row in entry.fields), default=0)
    for row in entry.fields:
        lines += _field(row, width)
    for hit in entry.hits:
        lines += _hit(hit)
    return lines


def _field(row: FieldRow, width: int) -> list[str]:
    change = f"{row.before} -> {row.after}"
    line = f"    {row.path:<{width}}  {change}"
    place = f"  {row.origin}" if row.origin else ""
    if len(line) + len(place) <= WIDTH:
        lines = [f"{line:<{WIDTH - len(place)}}{place}" if place else line]
    else:
        lines = [f"    {row.path}{place}", f"      {row.before}", f"      -> {row.after}"]
    return [*lines, f"      {row.remark}"] if row.remark else lines


def _hit(hit: GuardHit) -> list[str]:
    ending = {
        "approval": f"needs approval: {hit.guard}",
        "confirmation": f"asks first: {hit.guard}",
        "remedy": f"cannot be applied: {hit.guard}",
    }[hit.needs]
    return _wrapped(f"{hit.message}  ({ending})", "      ")


def _unplanned(wrong: Unplanned) -> list[str]:
    place = f"  {wrong.origin}" if wrong.origin else ""
    return [
        f"x {wrong.address}{place}",
        *_wrapped(f"nothing of it is planned: {wrong.message}", "    "),
        *_wrapped(wrong.hint, "    "),
    ]


def _what_next(plan: Plan, seen: PlanView, file: str | None) -> Iterator[str]:
    yield f"Plan {plan.id:.12}."
    if plan.body.unplanned:
        yield "Put the errors above right first. Nothing was sent to m3ter."
    elif any(hit.needs == "remedy" for hit in plan.body.hits):
        yield "It cannot be applied as it is; see above for what to do. Nothing was sent to m3ter."
    elif file != "" and (seen.writes or seen.objects):
        needed = "".join(f" --approve {approval}" for approval in approvals(plan))
        place = f"--env {plan.body.environment}" if file is None else file
        yield f"To apply it:  reconciler apply {place}{needed}"
    for hit in plan.body.hits:
        if hit.guard in {"drift", "conflict"} and hit.address and hit.field:
            yield f"To keep what m3ter has:  reconciler accept-live '{hit.address}#{hit.field}'"


def _wrapped(text: str, indent: str) -> list[str]:
    if not text:
        return []
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def drift_text(plan: Plan) -> str:
    """Render the part of a plan that m3ter moved."""
    lines: list[str] = []
    seen: set[tuple[str, str]] = set()
    for change in plan.body.changes:
        if isinstance(change, Keep):
            continue
        moved = [field for field in change.fields if field.verdict in {"theirs", "conflict"}]
        fresh = [field for field in moved if (str(change.address), field.path) not in seen]
        seen |= {(str(change.address), field.path) for field in fresh}
        if fresh:
            lines += [f"! {change.address}", *_fields(plan, fresh), ""]
    gone = [hit.message for hit in plan.body.hits if hit.guard == "drift" and not hit.field]
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
    for field in fields:
        before = value_text(field.base, names)
        yield f"    {field.path}: {before} -> {value_text(field.live, names)}"
        who = names.get(field.by, field.by) or "someone"
        yield f"        by {who}" + (f", {field.at}" if field.at else "")
        if field.verdict == "conflict":
            wanted = value_text(field.desired, names, "m3ter's default")
            yield f"        git changed it too, to {wanted}: this needs a decision"
