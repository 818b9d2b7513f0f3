"""A plan as a pull request comment or step summary, cut to size with the head kept."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.plan.model.plan import GuardHit, Plan
from reconciler.plan.show.view import ObjectView, approvals, view

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
    for number, one in enumerate(seen.objects):
        block = list(_object(one))
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
        yield "Needs: " + " ".join(f"`--approve {one}`" for one in needed)
    for hit in seen.hits:
        yield _hit(hit)
    for wrong in plan.body.unplanned:
        place = f" ({wrong.origin})" if wrong.origin else ""
        yield f"- **nothing of {wrong.address} is planned**{place}: {_safe(wrong.message)}"


def _object(one: ObjectView) -> Iterator[str]:
    yield ""
    yield f"**`{one.mark}` {one.address}** {_safe(one.label)} — {', '.join(one.steps)}"
    if one.fields:
        yield ""
        yield "| field | live | git | set in |"
        yield "|---|---|---|---|"
    for row in one.fields:
        before = _safe(row.before) + (f" ({_safe(row.remark)})" if row.remark else "")
        yield f"| {_safe(row.path)} | {before} | {_safe(row.after)} | {row.origin} |"
    for hit in one.hits:
        yield _hit(hit)


def _hit(hit: GuardHit) -> str:
    return f"- **{hit.guard}**: {_safe(hit.message)}"


def _safe(text: str) -> str:
    """Keep values from becoming Markdown, HTML or a mention of someone."""
    for character in "\\`*_[]<>|":
        text = text.replace(character, "\\" + character)
    return text.replace("@", "@\u200b").replace("\n", " ")
