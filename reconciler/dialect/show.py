"""What discover found: which settings can be written, and what a person must still decide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from reconciler.dialect.core.discovery import DialectFinding, FindingKind, Proposal, WrittenDialect
from reconciler.dialect.core.published import IllegalName
from reconciler.kernel.text import counted

WIDTH = 100
_DEEDS = {"new": "wrote", "changed": "edited", "same": "nothing new for", "none": ""}
_HEADINGS: Mapping[FindingKind, str] = {
    "ambiguous": "A person must choose:",
    "missing": "Not published, so it cannot be written until a person confirms its name:",
    "unknown-value": "Values that are not published:",
    "changed": "Published under another name than before:",
    "kept": "Kept as a person wrote it:",
    "unknown-key": "Published, and not modelled here:",
    "unreadable": "Not understood:",
}


def discover_text(
    environment: str,
    written: Sequence[WrittenDialect],
    illegal: Sequence[IllegalName],
    *,
    tables_known: bool,
) -> str:
    """Render what discover found.

    Args:
        environment: Its name.
        written: What became of each proposal.
        illegal: Names in mapping sets that the organisation does not know.
        tables_known: Whether the organisation says what may be mapped at all.
    """
    lines: list[str] = []
    for dialect in written:
        lines += [*_dialect(environment, dialect), ""]
    lines += _mappings(illegal, known=tables_known)
    lines.append("Nothing was written to m3ter.")
    if any(dialect.outcome in {"new", "changed"} for dialect in written):
        lines.append(f"Review and commit it, then:  reconciler plan --env {environment}")
    return "\n".join(lines) + "\n"


def _dialect(environment: str, dialect: WrittenDialect) -> Iterator[str]:
    proposal = dialect.proposal
    place = f"{proposal.destination} {proposal.entity_type}s"
    if dialect.outcome == "none":
        yield f"{environment} · {place}: this organisation publishes nothing about them"
        yield "    Their settings cannot be written until someone confirms their wire names:"
        yield "    `reconciler import` reads them from a live configuration, or a person writes a"
        yield "    Dialect with `evidence: {source: person, …}`."
        return
    keys = _size(proposal, "keys")
    yield (
        f"{environment} · {place}: {counted(keys, 'setting', 'settings')} confirmed; "
        f"{_DEEDS[dialect.outcome]} {dialect.file}"
    )
    for kind, heading in _HEADINGS.items():
        findings = [finding for finding in proposal.findings if finding.kind == kind]
        if findings:
            yield f"  {heading}"
            yield from _findings(findings)


def _findings(findings: Sequence[DialectFinding]) -> Iterator[str]:
    for finding in findings:
        yield from textwrap.wrap(
            finding.message,
            WIDTH,
            initial_indent="    ",
            subsequent_indent="      ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def _mappings(illegal: Sequence[IllegalName], *, known: bool) -> Iterator[str]:
    if not known:
        yield "The organisation does not say which tables may be mapped; nothing was checked there."
    elif not illegal:
        yield "All mapping sets use entities and tables that the organisation knows."
    for illegal_name in illegal:
        listed = ", ".join(f"`{name}`" for name in illegal_name.known)
        yield (
            f"! {illegal_name.origin}  {illegal_name.setting} `{illegal_name.name}` of "
            f"{illegal_name.set_name} is not known there"
        )
        yield f"    known: {listed or 'none'}"


def _size(proposal: Proposal, name: str) -> int:
    found = (proposal.spec or {}).get(name)
    return len(found) if isinstance(found, Mapping) else 0
