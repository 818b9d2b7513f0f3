"""What accept-live, keep-git and adopt decided, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.importing.core.edits import Accepted
from reconciler.kernel.problem import Origin
from reconciler.kernel.text import counted
from reconciler.plan.model.change import Adopt
from reconciler.plan.show.view import value_text


def accepted_text(
    environment: str,
    fields: Sequence[Accepted],
    origins: Sequence[Origin | None],
    names: Mapping[str, str],
    *,
    others: Sequence[str],
) -> str:
    """Render what git took over from m3ter.

    Args:
        environment: The environment in question.
        fields: What was taken over.
        origins: Where each stands in git now; ``None`` for what was removed.
        names: What people call ids.
        others: The other environments, which are as before.
    """
    if not fields:
        return "There is nothing to accept: m3ter moved none of it. No file was written.\n"
    lines: list[str] = []
    for field, origin in zip(fields, origins, strict=True):
        lines += _field(field, names, wanted="not in git")
        lines.append(f"    {f'now in {origin}' if origin else 'removed from git'}")
    unchanged = f"; {', '.join(others)} as before" if others else ""
    lines += [
        "",
        f"Only {environment} changes{unchanged}. Nothing was sent to m3ter. Review and commit it.",
    ]
    return "\n".join(lines) + "\n"


def kept_text(environment: str, fields: Sequence[Accepted], names: Mapping[str, str]) -> str:
    """Render what was decided for git."""
    if not fields:
        return "There is nothing to decide: m3ter moved none of it. Nothing was recorded.\n"
    lines = [line for field in fields for line in _field(field, names, wanted="m3ter's default")]
    lines += [
        "",
        "Decided for git. Nothing was sent to m3ter yet; the next apply does it:",
        f"    reconciler plan --env {environment} -o plan.json",
    ]
    return "\n".join(lines) + "\n"


def adopted_text(environment: str, objects: Sequence[Adopt], names: Mapping[str, str]) -> str:
    """Render what was taken over, and which fields wait for a decision."""
    if not objects:
        return "There is nothing to adopt: it is bound already. Nothing was recorded.\n"
    lines = [
        (
            f"{environment}: {counted(len(objects), 'object is', 'objects are')} managed from git "
            "now. Nothing was sent to m3ter."
        ),
        "",
    ]
    differs = False
    for adoption in objects:
        apart = [
            field for field in adoption.fields if field.verdict in {"ours", "theirs", "conflict"}
        ]
        differs = differs or bool(apart)
        lines.append(
            f"= {adoption.address} is {adoption.live.id}" + ("" if apart else ": as git says")
        )
        for field in apart:
            live = value_text(field.live, names)
            wanted = value_text(field.desired, names, "m3ter's default")
            lines.append(f"    {field.path}: m3ter has {live}, git wants {wanted}")
    return "\n".join([*lines, *_after_adopting(environment, differs=differs)]) + "\n"


def _after_adopting(environment: str, *, differs: bool) -> Iterator[str]:
    if not differs:
        return
    yield ""
    yield "Each difference is yours to decide:"
    yield f"    for m3ter:  reconciler accept-live --env {environment} 'ADDRESS#FIELD'"
    yield f"    for git:    reconciler keep-git --env {environment} 'ADDRESS#FIELD'"


def _field(field: Accepted, names: Mapping[str, str], *, wanted: str) -> Iterator[str]:
    before = value_text(field.before, names, "not set")
    after = value_text(field.after, names, wanted)
    yield f"{field.address}#{field.path}"
    yield f"    {before} -> {after}"
    if field.by:
        when = f", {field.at}" if field.at else ""
        yield f"    m3ter's value is by {names.get(field.by, field.by)}{when}"
