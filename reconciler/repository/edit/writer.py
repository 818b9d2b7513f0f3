"""New files: YAML documents, keys in the schema's order, and CSV rows sorted by first column.

Everything is fixed, so the same data always gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from reconciler.definitions.kinds.envelope import DefinitionPart
from reconciler.definitions.model import DocumentPath
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.repository.edit.block_text import collection_lines
from reconciler.repository.schema.schema import KINDS

_QUOTED_CELL = re.compile(r'[,"\r\n]')


def yaml_text(documents: Iterable[JsonObject], *, line_end: str = "\n") -> str:
    """Write YAML documents, ``---`` between them.

    Raises:
        NotWritableError: For what YAML cannot hold.
    """
    lines: list[str] = []
    for document in documents:
        if lines:
            lines.append("---")
        lines += collection_lines(document, 0) if document else ["{}"]
    return "".join(line + line_end for line in lines)


def csv_text(header: tuple[str, ...], rows: Mapping[str, tuple[str, ...]]) -> str:
    """Write a CSV file.

    Args:
        header: Column names; the first column holds the key.
        rows: Cells in header order, by key; written in the order of the keys' code points.
    """
    lines = [header, *(rows[key] for key in sorted(rows))]
    return "".join(csv_line(cells) + "\n" for cells in lines)


def csv_line(cells: Iterable[str]) -> str:
    """Write one row without its line end, quotes only where needed."""
    line = ",".join(_cell(cell) for cell in cells)
    # A line with nothing in it would be no row at all.
    return line or '""'


def _cell(cell: str) -> str:
    if not _QUOTED_CELL.search(cell):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def field_order(document: JsonValue, path: DocumentPath) -> tuple[str, ...]:
    """Give the keys that the mapping at a path may have, in the order of the schema.

    Args:
        document: The whole document; its ``kind`` decides.
        path: Of the mapping, from the root of the document.

    Returns:
        Nothing where any key is allowed, or the kind is unknown.
    """
    kind = document.get("kind") if isinstance(document, Mapping) else None
    found = [model for name, model in KINDS.items() if name == kind]
    parts: list[type[DefinitionPart]] = list(found)
    for step in path:
        parts = [below for part in parts for below in _below(part, step)]
    return tuple(name for part in parts for name in _fields(part))


def _fields(part: type[DefinitionPart]) -> dict[str, object]:
    """Give the annotations of a model under their names in YAML."""
    return {field.alias or name: field.annotation for name, field in part.model_fields.items()}


def _below(part: type[DefinitionPart], step: str | int) -> Iterator[type[DefinitionPart]]:
    """Give what may stand under a key; the items of a list and of a free mapping count as it."""
    fields = _fields(part)
    if step in fields:
        yield from _models(fields[str(step)])
    else:
        yield part


def _models(annotation: object) -> Iterator[type[DefinitionPart]]:
    if isinstance(annotation, type) and issubclass(annotation, DefinitionPart):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
