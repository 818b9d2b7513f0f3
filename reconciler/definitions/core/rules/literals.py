"""Literal secrets in documents and CSV files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.definitions.core.paths import dotted, reach, strings
from reconciler.definitions.core.rule import Rule, TextFrom
from reconciler.definitions.core.rules.mapping_sets import Cells
from reconciler.definitions.core.secrets import looks_like_secret
from reconciler.definitions.model import CsvRow, CsvTable, Document, DocumentPath
from reconciler.kernel.problem import Origin, Problem

LITERAL_SECRET = Rule(
    "R130",
    "no secrets in files",
    "error",
    "Whatever is in git is read by everybody who can read git, for ever. Treat it as leaked.",
    "Revoke it, keep the new one outside git, and write `{env: NAME}` or `{file: PATH}`.",
)

RULES = (LITERAL_SECRET,)
_FREE_KEYS: DocumentPath = ("spec", "configData")
_BREAK = re.compile(r"\r\n|\n|\r")
_SECRET_NAME = re.compile(r"(?i)(?:password|passwd|secret|api_?key|private_?key|access_?token)$")


def in_text(file: str, text: str) -> Iterator[Problem]:
    """Find literal secrets in the text of a YAML file: comments and broken documents included.

    Args:
        file: Relative to the repository.
        text: All of it, or as much as there is to see.
    """
    if looks_like_secret(text) is None:
        return
    for number, line in enumerate(_BREAK.split(text), 1):
        if (span := looks_like_secret(line)) is not None:
            origin = Origin(file, number, span[0] + 1)
            yield LITERAL_SECRET.broken(origin, "a secret stands here")


def in_document(document: Document, clean_text: str) -> Iterator[Problem]:
    """Find literal secrets in one document; each place once.

    Args:
        document: The document.
        clean_text: The file's text when it holds no secret, or empty. What is written in it
            without escapes needs no second look; only free wire keys may still tell a secret.
    """
    path: DocumentPath = _FREE_KEYS if clean_text and "\\" not in clean_text else ()
    for at, found in strings(reach(document.body, *path), path):
        if looks_like_secret(found) is not None or _is_named_secret(at, found):
            name = dotted(at) if at[-1] != found else dotted(at[:-1])
            yield LITERAL_SECRET.broken(
                document.origin(at),
                f"a secret stands in `{name}`",
                path="" if at[-1] == found else dotted(at),
            )


def in_table(table: CsvTable, text_from: TextFrom) -> Iterator[Problem]:
    """Find literal secrets in the cells of a CSV file."""
    rows = (CsvRow(1, table.header), *table.rows)
    if looks_like_secret("\n".join(" ".join(row.cells) for row in rows)) is None:
        return
    cells = Cells(table, text_from)
    for row in rows:
        for number, content in enumerate(row.cells):
            if looks_like_secret(content):
                name = "the header" if row is rows[0] else f"column `{table.header[number]}`"
                message = f"a secret stands in {name}"
                yield LITERAL_SECRET.broken(cells.origin(row.line, number), message)


def _is_named_secret(path: DocumentPath, found: str) -> bool:
    """Tell a value whose wire key says that it is secret."""
    name = path[-1]
    return (
        path[:2] == _FREE_KEYS
        and isinstance(name, str)
        and name != found
        and _SECRET_NAME.search(name) is not None
    )
