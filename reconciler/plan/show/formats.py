"""A plan for machines and pages: versioned JSON, a comment on a pull request, one HTML page.

JSON is what ``plan -o`` saves, too. A comment is cut to size with the head kept; the page has no
script and makes no request to anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kernel import exact_json
from reconciler.kernel.exact_json import as_json
from reconciler.plan.model.plan import PLAN_SCHEMA, GuardHit, Plan
from reconciler.plan.show.view import ObjectView, approvals, view


def plan_json(plan: Plan) -> str:
    """Render a plan as one JSON document."""
    document = {"schema": PLAN_SCHEMA, "id": plan.id}
    return exact_json.encode(
        {**document, "head": as_json(plan.head), "body": as_json(plan.body)}, indent=2
    )


# Source: GitHub's limit of a comment body, 65,536 characters; a step summary takes 1 MiB.
CHARACTERS_MAX = 65_000


def plan_markdown(plan: Plan, *, full: bool = False, characters_max: int = CHARACTERS_MAX) -> str:
    """Render a plan.

    Args:
        plan: The plan.
        full: Show unchanged fields too.
        characters_max: Where to cut; the verdict and what to type always stand at the top.
    """
    seen = view(plan, full=full)
    lines = list(_top(plan))
    size = sum(len(line) + 1 for line in lines)
    for number, entry in enumerate(seen.objects):
        block = list(_object(entry))
        size += sum(len(line) + 1 for line in block)
        if size > characters_max:
            lines += ["", f"*{len(seen.objects) - number:,} more objects; the saved plan has all.*"]
            break
        lines += block
    return "\n".join(lines) + "\n"


def _top(plan: Plan) -> Iterator[str]:
    seen = view(plan)
    commit = plan.head.source_commit[:7] or "no commit"
    yield f"### {plan.body.environment}: {', '.join(seen.counts) or 'nothing to change'}"
    yield ""
    yield f"Plan `{plan.id:.12}` of commit `{commit}`" + (" (dirty)" if plan.head.dirty else "")
    needed = approvals(plan)
    if needed:
        yield ""
        yield "Needs: " + " ".join(f"`--approve {guard}`" for guard in needed)
    for hit in seen.hits:
        yield _hit(hit)
    for wrong in plan.body.unplanned:
        place = f" ({wrong.origin})" if wrong.origin else ""
        yield f"- **nothing of {wrong.address} is planned**{place}: {_safe(wrong.message)}"


def _object(entry: ObjectView) -> Iterator[str]:
    yield ""
    yield f"**`{entry.mark}` {entry.address}** {_safe(entry.label)} — {', '.join(entry.steps)}"
    if entry.fields:
        yield ""
        yield "| field | live | git | set in |"
        yield "|---|---|---|---|"
    for row in entry.fields:
        before = _safe(row.before) + (f" ({_safe(row.remark)})" if row.remark else "")
        yield f"| {_safe(row.path)} | {before} | {_safe(row.after)} | {row.origin} |"
    for hit in entry.hits:
        yield _hit(hit)


def _hit(hit: GuardHit) -> str:
    return f"- **{hit.guard}**: {_safe(hit.message)}"


def _safe(text: str) -> str:
    """Keep values from becoming Markdown, HTML or a mention of someone."""
    for character in "\\`*_[]<>|":
        text = text.replace(character, "\\" + character)
    return text.replace("@", "@\u200b").replace("\n", " ")


def plan_html(plan: Plan, *, full: bool = False) -> str:
    """Render a plan; every value is escaped."""
    from jinja2 import Environment, PackageLoader

    pages = Environment(
        loader=PackageLoader("reconciler.plan.show"), autoescape=True, trim_blocks=True
    )
    page = pages.get_template("plan.html")
    return page.render(plan=plan, seen=view(plan, full=full), needed=approvals(plan)) + "\n"
