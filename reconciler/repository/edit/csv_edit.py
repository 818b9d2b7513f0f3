"""Edits one CSV file as bytes: rows by the key in their first column, sorted by it.

Rows that are not touched keep their characters; new ones get quotes only where needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.repository.edit.writer import csv_line, csv_text
from reconciler.repository.edit.yaml_edit import EditRefusedError
from reconciler.repository.yaml.layout import line_end_of

_MARK = "\ufeff"
_CELL = re.compile(r'"((?:[^"]|"")*)"|([^,"\r\n]*)')
_LINE_END = re.compile(r"\r\n|\n|\r|\Z")


@dataclass(frozen=True, slots=True)
class _Record:
    """One row with the characters it was written in, its line end left out."""

    cells: tuple[str, ...]
    text: str


def with_rows(
    file: str, data: bytes | None, header: tuple[str, ...], rows: Mapping[str, tuple[str, ...]]
) -> bytes:
    """Write rows by key into a new or an existing file.

    Args:
        file: Its name, for messages.
        data: What stands in it; ``None`` for a new file.
        header: Column names; the first column holds the key. Columns that an existing file
            does not have are added at its right.
        rows: Cells in the order of ``header``, by key.

    Raises:
        EditRefusedError: When the file or the rows do not fit together.
    """
    for key, cells in rows.items():
        if len(cells) != len(header) or cells[0] != key:
            raise EditRefusedError(file, f"row `{key}`", "its cells do not fit the header")
    if data is None:
        return csv_text(header, rows).encode()
    return _Table(file, data).with_rows(header, rows)


def without_row(file: str, data: bytes, key: str) -> bytes:
    """Remove the row of a key; a missing one stays missing.

    Raises:
        EditRefusedError: When the file cannot be read, or has the key twice.
    """
    return _Table(file, data).without_row(key)


class _Table:
    """An existing file, cut into records."""

    __slots__ = ("_file", "_header", "_line_end", "_mark", "_records")

    def __init__(self, file: str, data: bytes) -> None:
        self._file = file
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise self._refused("the file is not UTF-8") from None
        self._mark = _MARK if text.startswith(_MARK) else ""
        text = text.removeprefix(_MARK)
        self._line_end = line_end_of(text)
        records = [record for record in self._cut(text) if record.text]
        if not records:
            raise self._refused("it has no header")
        self._header, *self._records = records

    def _refused(self, reason: str, what: str = "the table") -> EditRefusedError:
        return EditRefusedError(self._file, what, reason)

    def _cut(self, text: str) -> Iterator[_Record]:
        position = 0
        while position < len(text):
            start, cells = position, []
            while True:
                cell = _CELL.match(text, position)
                assert cell is not None, "an empty cell always matches"
                position = cell.end()
                quoted = cell[1]
                cells.append(cell[2] if quoted is None else quoted.replace('""', '"'))
                if text[position : position + 1] != ",":
                    break
                position += 1
            line_end = _LINE_END.match(text, position)
            if line_end is None:
                raise self._refused("a quote stands where none may stand")
            yield _Record(tuple(cells), text[start:position])
            position = line_end.end()

    def with_rows(self, header: tuple[str, ...], rows: Mapping[str, tuple[str, ...]]) -> bytes:
        """Merge rows in, cell by cell under the names of the columns."""
        columns = self._header.cells
        if columns[0] != header[0]:
            raise self._refused(f"its first column is `{columns[0]}`, not `{header[0]}`")
        added = tuple(name for name in header if name not in columns)
        first = self._widened(self._header, added)
        others = [record for record in self._records if record.cells[0] not in rows]
        records = [self._widened(other, ("",) * len(added)) for other in others]
        for key, cells in rows.items():
            old = self._found(key)
            known = dict(zip(columns, old.cells if old else (), strict=False))
            known.update(zip(header, cells, strict=True))
            line = tuple(known.get(name, "") for name in (*columns, *added))
            same = old is not None and old.cells == line
            records.append(old if old is not None and same else _Record(line, csv_line(line)))
        return self._encoded(first, records)

    def without_row(self, key: str) -> bytes:
        """Leave the row of a key out."""
        gone = self._found(key)
        return self._encoded(
            self._header, [record for record in self._records if record is not gone]
        )

    def _found(self, key: str) -> _Record | None:
        records = [record for record in self._records if record.cells[0] == key]
        if len(records) > 1:
            raise self._refused("it stands there twice", f"row `{key}`")
        return records[0] if records else None

    def _widened(self, record: _Record, added: tuple[str, ...]) -> _Record:
        """Add cells at the right of a row and keep its other characters."""
        if added and len(record.cells) != len(self._header.cells):
            raise self._refused(
                "it has not as many cells as the header", f"row `{record.cells[0]}`"
            )
        text = record.text + "".join(f",{csv_line([cell])}" if cell else "," for cell in added)
        return _Record(record.cells + added, text)

    def _encoded(self, header: _Record, records: Sequence[_Record]) -> bytes:
        lines = [header, *sorted(records, key=lambda record: record.cells[0])]
        return (self._mark + "".join(line.text + self._line_end for line in lines)).encode()
