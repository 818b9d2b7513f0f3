"""Mapping rows from CSV (RFC 4180), strictly, with the line number of every row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.definitions.core.form_rules import (
    CSV_FORM,
    CSV_HEADER,
    CSV_LIMITS,
    CSV_MARK,
    CSV_RAGGED,
)
from reconciler.definitions.core.rule import Rule
from reconciler.definitions.model import CsvRow, CsvTable
from reconciler.kernel.problem import Origin, Problem
from reconciler.repository.yaml.source_text import SourceText, decode_text, line_breaks

CSV_BYTES_MAX = 50_000_000
"""The largest CSV file that is read."""
PROBLEMS_MAX = 1_000
"""After so many problems the rest of a file is not looked at."""

_OPEN = "a quote is not closed"
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file as read.

    Attributes:
        source: The text; ``None`` when it could not be decoded.
        table: Header and all rows that have as many cells; ``None`` without a header.
        problems: Everything wrong with its form, by line.
    """

    source: SourceText | None
    table: CsvTable | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    cells: tuple[str, ...] | None
    column: int = 0
    fault: str = ""


def read_csv(file: str, data: bytes) -> CsvFile:
    """Read a CSV file.

    Args:
        file: Relative to the repository; it is only quoted.
        data: The bytes of the file.
    """
    source = decode_text(file, data, limit=CSV_BYTES_MAX, too_large=CSV_LIMITS)
    if isinstance(source, Problem):
        return CsvFile(None, None, (source,))
    problems = [_marked(file)] if source.marked else []
    records = _records(source.text)
    header = next(records, None)
    if header is None or header.cells is None:
        fault = header.fault if header else "the file is empty; a header is needed"
        problems.append(_fault(CSV_HEADER, file, header or _Record(1, None, 1), fault))
        return CsvFile(source, None, tuple(problems))
    problems += _header_problems(file, header.cells)
    rows = tuple(_rows(file, records, len(header.cells), problems))
    return CsvFile(source, CsvTable(file, header.cells, rows), tuple(problems))


def _rows(
    file: str, records: Iterator[_Record], width: int, problems: list[Problem]
) -> Iterator[CsvRow]:
    for record in records:
        if record.cells is None:
            problems.append(_fault(CSV_FORM, file, record, record.fault))
        elif len(record.cells) != width:
            message = f"the row has {len(record.cells)} cells, the header {width}"
            problems.append(_fault(CSV_RAGGED, file, record, message))
        else:
            yield CsvRow(record.line, record.cells)
        if len(problems) >= PROBLEMS_MAX:
            message = f"more than {PROBLEMS_MAX:,} problems; the rest was not looked at"
            problems.append(CSV_LIMITS.broken(Origin(file), message, "Correct these first."))
            return


def _records(text: str) -> Iterator[_Record]:
    """Split a text into records; blank lines are none."""
    lines = enumerate(line_breaks(text), start=1)
    for number, line in lines:
        if '"' not in line:
            if line:
                yield _Record(number, tuple(line.split(",")))
            continue
        record = _quoted_record(number, line)
        if record.fault != _OPEN:
            yield record
            continue
        parts, quotes = [line], line.count('"')
        while quotes % 2 and (following := next(lines, None)) is not None:
            parts.append(following[1])
            quotes += following[1].count('"')
        yield record if quotes % 2 else _placed(_quoted_record(number, "\n".join(parts)), parts)


def _placed(record: _Record, lines: list[str]) -> _Record:
    """Give a fault in a record of several lines the line and column it stands in."""
    if record.cells is not None:
        return record
    before = "\n".join(lines)[: record.column - 1]
    column = len(before) - before.rfind("\n")
    return replace(record, line=record.line + before.count("\n"), column=column)


def _quoted_record(number: int, record: str) -> _Record:
    cells: list[str] = []
    at = 0
    while True:
        if record.startswith('"', at):
            found = _QUOTED.match(record, at)
            if found is None:
                return _Record(number, None, at + 1, _OPEN)
            end = found.end()
            cells.append(found[1].replace('""', '"'))
            if record[end : end + 1] not in {"", ","}:
                return _Record(number, None, end + 1, "text stands behind a closing quote")
        else:
            comma = record.find(",", at)
            end = comma if comma >= 0 else len(record)
            cells.append(record[at:end])
            if (quote := record.find('"', at, end)) >= 0:
                return _Record(number, None, quote + 1, "a quote stands inside an unquoted cell")
        if end >= len(record):
            return _Record(number, tuple(cells))
        at = end + 1


def _header_problems(file: str, header: tuple[str, ...]) -> Iterator[Problem]:
    column = 1
    for number, name in enumerate(header):
        record = _Record(1, None, column)
        if not name.strip():
            yield _fault(CSV_HEADER, file, record, f"column {number + 1} has no name")
        elif name in header[:number]:
            message = f"two columns are named `{name[:60]}`"
            yield _fault(CSV_HEADER, file, record, message)
        column += len(name) + 1


def _marked(file: str) -> Problem:
    return CSV_MARK.broken(Origin(file, 1, 1), "the file begins with a byte order mark")


def _fault(rule: Rule, file: str, record: _Record, message: str) -> Problem:
    return rule.broken(Origin(file, record.line, max(record.column, 1)), message)
