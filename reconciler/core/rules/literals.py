"""Literal secrets in documents and CSV files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.core.rules.reach import dotted, strings
from reconciler.core.rules.rule import Rule
from reconciler.core.rules.secrets import looks_like_secret
from reconciler.domain.definitions import CsvTable, Document, DocumentPath
from reconciler.domain.problem import Origin, Problem

LITERAL_SECRET = Rule(
    "R130",
    "no secrets in files",
    "error",
    "Whatever is in git is read by everybody who can read git, for ever. Treat it as leaked.",
    "Revoke it, keep the new one outside git, and write `{env: NAME}` or `{file: PATH}`.",
)

RULES = (LITERAL_SECRET,)
_SECRET_NAME = re.compile(r"(?i)(?:password|passwd|secret|api_?key|private_?key|access_?token)$")


def in_document(document: Document) -> Iterator[Problem]:
    """Find literal secrets in one document; each place once."""
    for path, found in strings(document):
        if looks_like_secret(found) or _is_named_secret(path, found):
            name = dotted(path) if path[-1] != found else dotted(path[:-1])
            yield LITERAL_SECRET.broken(
                document.origin(path),
                f"a secret stands in `{name}`" if name else "a secret stands here",
                path="" if path[-1] == found else dotted(path),
            )


def in_table(table: CsvTable) -> Iterator[Problem]:
    """Find literal secrets in the cells of a CSV file."""
    everything = "\n".join(" ".join(row.cells) for row in table.rows)
    if looks_like_secret(everything) is None and not looks_like_secret(" ".join(table.header)):
        return
    for line, cells in [(1, table.header), *((row.line, row.cells) for row in table.rows)]:
        for number, cell in enumerate(cells):
            if looks_like_secret(cell):
                column = table.header[number] if line > 1 else str(number + 1)
                message = f"a secret stands in column `{column}`"
                yield LITERAL_SECRET.broken(Origin(table.file, line, 1), message)


def _is_named_secret(path: DocumentPath, found: str) -> bool:
    """Tell a value whose wire key says that it is secret; only `configData` has free keys."""
    name = path[-1]
    return (
        "configData" in path
        and isinstance(name, str)
        and name != found
        and _SECRET_NAME.search(name) is not None
    )
