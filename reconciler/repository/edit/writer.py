"""New files: YAML documents, and CSV rows sorted by their first column.

The caller decides the order of documents and keys; everything else is fixed, so the same data
always gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from reconciler.kernel.value import JsonObject
from reconciler.repository.edit.block_text import collection_lines

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
