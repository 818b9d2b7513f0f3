"""A plan for machines and pages: versioned JSON, a comment on a pull request, one HTML page.

JSON is what ``plan -o`` saves, too. A comment is cut to size with the head kept; the page has no
script and makes no request to anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.kernel import exact_json
from reconciler.kernel.exact_json import as_json
from reconciler.plan.model.plan import PLAN_SCHEMA, GuardHit, Plan, Unplanned
from reconciler.plan.show.view import FieldRow, ObjectView, PlanView, approvals, view


def plan_json(plan: Plan) -> str:
    """Render a plan as one JSON document."""
    document = {"schema": PLAN_SCHEMA, "id": plan.id}
    return exact_json.encode(
        {**document, "head": as_json(plan.head), "body": as_json(plan.body)}, indent=2
    )


# Source: GitHub's limit of a comment body, 65,536 characters; a step summary takes 1 MiB.
CHARACTERS_MAX = 65_000
LISTED_MAX = 20
"""Lines of one list: of guard hits, errors, or fields of one object."""
VALUE_MAX = 300


def plan_markdown(plan: Plan, *, full: bool = False, characters_max: int = CHARACTERS_MAX) -> str:
    """Render a plan.

    Args:
        plan: The plan.
        full: Show unchanged fields too.
        characters_max: Where to cut; the verdict and what to type always stand at the top.
    """
    seen = view(plan, full=full)
    lines = list(_top(plan, seen))
    size = _size(lines)
    for number, planned in enumerate(seen.objects):
        block = list(_object(planned))
        size += _size(block)
        if size > characters_max:
            lines += ["", f"*{len(seen.objects) - number:,} more objects; the saved plan has all.*"]
            break
        lines += block
    return "\n".join(lines) + "\n"


def _size(lines: Iterable[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _top(plan: Plan, seen: PlanView) -> Iterator[str]:
    commit = plan.head.source_commit[:7] or "no commit"
    yield f"### {plan.body.environment}: {', '.join(seen.counts) or 'nothing to change'}"
    yield ""
    yield f"Plan `{plan.id:.12}` of commit `{commit}`" + (" (dirty)" if plan.head.dirty else "")
    needed = approvals(plan)
    if needed:
        yield ""
        yield "Needs: " + " ".join(f"`--approve {approval}`" for approval in needed)
    yield from _hits(seen.hits)
    yield from (_wrong(unplanned) for unplanned in plan.body.unplanned[:LISTED_MAX])
    yield from _rest(len(plan.body.unplanned), "objects with errors")


def _object(planned: ObjectView) -> Iterator[str]:
    yield ""
    name = f"**`{planned.mark}` {_safe(str(planned.address))}** {_safe(planned.label)}"
    yield f"{name} — {', '.join(planned.steps)}"
    if planned.fields:
        yield ""
        yield "| field | live | git | set in |"
        yield "|---|---|---|---|"
    yield from (_row(row) for row in planned.fields[:LISTED_MAX])
    yield from _rest(len(planned.fields), "fields")
    yield from _hits(planned.hits)


def _row(row: FieldRow) -> str:
    before = _safe(row.before) + (f" ({_safe(row.remark)})" if row.remark else "")
    return f"| {_safe(row.path)} | {before} | {_safe(row.after)} | {_safe(row.origin)} |"


def _hits(hits: tuple[GuardHit, ...]) -> Iterator[str]:
    yield from (f"- **{hit.guard}**: {_safe(hit.message)}" for hit in hits[:LISTED_MAX])
    yield from _rest(len(hits), "guard hits")


def _wrong(unplanned: Unplanned) -> str:
    place = f" ({_safe(str(unplanned.origin))})" if unplanned.origin else ""
    address = _safe(str(unplanned.address))
    return f"- **nothing of {address} is planned**{place}: {_safe(unplanned.message)}"


def _rest(count: int, what: str) -> Iterator[str]:
    if count > LISTED_MAX:
        yield ""
        yield f"*{count - LISTED_MAX:,} more {what}; the saved plan has all.*"


def _safe(text: str) -> str:
    """Keep values from becoming Markdown, HTML or a mention of someone; cut very long ones."""
    shown = text if len(text) <= VALUE_MAX else f"{text[:VALUE_MAX]}… ({len(text):,} characters)"
    for character in "\\`*_[]<>|":
        shown = shown.replace(character, "\\" + character)
    return shown.replace("@", "@\u200b").replace("\n", " ")


def plan_html(plan: Plan, *, full: bool = False) -> str:
    """Render a plan; every value is escaped."""
    from jinja2 import Environment, PackageLoader

    pages = Environment(
        loader=PackageLoader("reconciler.plan.show"), autoescape=True, trim_blocks=True
    )
    page = pages.get_template("plan.html")
    return page.render(plan=plan, seen=view(plan, full=full), needed=approvals(plan)) + "\n"
