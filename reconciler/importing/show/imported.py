"""What import wrote into git, what it left out and why, and what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from reconciler.dialect.core.discovery import WrittenDialect
from reconciler.importing.core.new_documents import Imported, NewObject
from reconciler.kernel.text import counted
from reconciler.plan.show.view import value_text

WIDTH = 100
_LISTED_MAX = 20


def import_text(
    environment: str,
    done: Imported,
    dialects: Sequence[WrittenDialect],
    names: Mapping[str, str],
    *,
    others: Sequence[str],
) -> str:
    """Render an import.

    Args:
        environment: Whose organisation was read.
        done: What became definitions.
        dialects: What was learned about wire names on the way.
        names: What people call ids.
        others: The other environments.
    """
    lines = [_summary(environment, done), ""]
    for dialect in dialects:
        if dialect.file:
            source = (dialect.proposal.spec or {}).get("evidence")
            how = "a live configuration" if _from_import(source) else "what m3ter publishes"
            lines.append(f"+ dialect of {dialect.proposal.destination} from {how}: {dialect.file}")
    lines += [line for addition in done.new for line in _new(addition)]
    lines += _fields(done, names)
    if done.rows:
        count = counted(len(done.rows), "mapping", "mappings")
        lines.append(f"~ {count} added to sets that git has")
    if done.credentials:
        lines.append(f"~ credentials that the environment names now: {', '.join(done.credentials)}")
    for skipped in done.skipped:
        lines += textwrap.wrap(
            f"! {skipped.what} was left out: {skipped.reason}", WIDTH, subsequent_indent="    "
        )
    return "\n".join([*lines, *_after(environment, done, others)]) + "\n"


def _summary(environment: str, done: Imported) -> str:
    new = sum(addition.address.kind == "integration" for addition in done.new)
    rows = sum(addition.rows for addition in done.new) + len(done.rows)
    parts = [
        f"{environment}: {counted(done.looked, 'integration', 'integrations')} in m3ter looked at",
        f"{new:,} new in git",
        f"{counted(rows, 'mapping', 'mappings')} added",
        f"{counted(len(done.fields), 'value', 'values')} edited",
    ]
    if done.skipped:
        parts.append(f"{len(done.skipped):,} left out")
    return " · ".join(parts)


def _new(addition: NewObject) -> Iterator[str]:
    rows = f", {counted(addition.rows, 'row', 'rows')}" if addition.rows else ""
    yield f'+ {addition.address}  "{addition.label}"{rows}  {addition.file}'


def _fields(done: Imported, names: Mapping[str, str]) -> Iterator[str]:
    for field in done.fields[:_LISTED_MAX]:
        before = value_text(field.before, names)
        yield f"~ {field.address}#{field.path}"
        yield f"    {before} -> {value_text(field.after, names)}"
    if len(done.fields) > _LISTED_MAX:
        yield f"~ and {len(done.fields) - _LISTED_MAX:,} more values"


def _after(environment: str, done: Imported, others: Sequence[str]) -> Iterator[str]:
    yield ""
    if not (done.new or done.fields or done.rows):
        rest = "Git says the rest already." if done.skipped else "Git says all of it already."
        yield f"{rest} Nothing was sent to m3ter."
        return
    if others and any(addition.address.kind == "integration" for addition in done.new):
        yield from textwrap.wrap(
            f"A new integration holds in every environment: in {', '.join(others)} the next plan "
            "will want to create it.",
            WIDTH,
        )
    yield "Nothing was sent to m3ter. Review and commit it, then take it over:"
    yield f"    reconciler plan --env {environment} -o plan.json"


def _from_import(evidence: object) -> bool:
    return isinstance(evidence, Mapping) and evidence.get("source") == "import"
