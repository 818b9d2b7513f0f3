"""Mapping sets: rows that stand twice or lack an id, and their CSV files cell by cell."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reconciler.definitions.core.paths import listed, meant
from reconciler.definitions.core.place_inside import cell
from reconciler.definitions.core.rule import Rule, TextFrom
from reconciler.definitions.core.secrets import blank_secrets
from reconciler.definitions.kinds.mapping_set import CsvRows, KeyColumn, MappingSetSpec
from reconciler.definitions.model import (
    CsvRow,
    CsvTable,
    Defined,
    DefinedSet,
    Effective,
    MappingRow,
)
from reconciler.kernel.problem import Origin, Problem


@dataclass(frozen=True, slots=True)
class Cells:
    """A table, and the text that its cells are found in."""

    table: CsvTable
    text_from: TextFrom

    def origin(self, line: int, index: int) -> Origin:
        """Give the place of a cell."""
        row = Origin(self.table.file, line, 1)
        return cell(row, self.text_from(row, _ROW_TEXT_MAX), index)


MAPPED_TWICE = Rule(
    "R061",
    "an m3ter object is mapped once to a table",
    "error",
    "With two external ids nobody can say which one m3ter or `reconciler sync` uses.",
    "Keep one row; the order of rows decides nothing.",
)
EMPTY_HERE = Rule(
    "R065",
    "a mapping has an external id in every environment",
    "warning",
    "The object is not mapped in that environment, and its bills stop there.",
    "Add the id, or remove the row if the object is mapped nowhere.",
)
ROW_RULES = (MAPPED_TWICE, EMPTY_HERE)


def mapped_twice(view: Effective) -> Iterator[Problem]:
    """Find objects with two rows for one table and link, in one set or in several."""
    seen: dict[tuple[str, ...], tuple[MappingRow, str]] = {}
    for mapping_set in view.mapping_sets:
        spec = mapping_set.defined.spec
        table = (spec.external_system, spec.external_table, spec.m3ter_entity)
        for row in mapping_set.rows:
            key = (*table, spec.integration or "", row.key.by, row.key.value)
            first, name = seen.setdefault(key, (row, mapping_set.defined.name))
            if first is not row:
                yield _twice(spec, row, first, "" if name == mapping_set.defined.name else name)


def _twice(spec: MappingSetSpec, row: MappingRow, first: MappingRow, other_set: str) -> Problem:
    same_file = first.origin.file == row.origin.file
    where = f"line {first.origin.line}" if same_file else str(first.origin)
    within = f", set `{other_set}`" if other_set else ""
    entity = spec.m3ter_entity.lower()
    return MAPPED_TWICE.broken(
        row.origin, f"{entity} `{row.key}` is mapped twice (first in {where}{within})"
    )


def one_environment_only(view: Effective, environments: Collection[str]) -> Iterator[Problem]:
    """Find inline rows and column maps that leave an environment out."""
    for mapping_set in view.mapping_sets:
        rows = mapping_set.defined.spec.rows
        if isinstance(rows, CsvRows):
            if not isinstance(rows.external_id, str):
                yield from _left_out(
                    mapping_set, ("rows",), "the rows", rows.external_id, environments
                )
            continue
        for number, row in enumerate(rows):
            if not isinstance(row.external_id, str):
                key = row.m3ter.model_dump(mode="json")
                name = f"`{next(iter(key.values()))}`"
                path = ("rows", number)
                yield from _left_out(mapping_set, path, name, row.external_id, environments)


def _left_out(
    mapping_set: DefinedSet,
    path: tuple[str | int, ...],
    name: str,
    ids: Mapping[str, str],
    environments: Collection[str],
) -> Iterator[Problem]:
    missing = sorted(set(environments) - set(ids))
    if missing:
        yield EMPTY_HERE.broken(
            mapping_set.defined.at(*path, "externalId"),
            f"{name} of set `{mapping_set.defined.name}` name no external id for {listed(missing)}"
            if path == ("rows",)
            else f"{name} has no external id for {listed(missing)}",
        )


UNSORTED = Rule(
    "R062",
    "CSV rows are sorted by key",
    "error",
    "Sorted rows keep diffs small and let two people add rows without conflicts.",
    "Sort the rows below the header by code point, as `LC_ALL=C sort` does.",
)
SPACES = Rule(
    "R063",
    "CSV cells have no stray spaces",
    "error",
    "A space becomes part of the id, and nothing is found under it.",
    "Remove the spaces around the value.",
)
FORMULA = Rule(
    "R064",
    "CSV cells do not look like formulas",
    "error",
    "A spreadsheet runs a cell that begins with =, +, - or @ for whoever opens the file.",
    "Remove the first character; no code or id needs it.",
)
EMPTY_KEY = Rule(
    "R066",
    "every CSV row has a key",
    "error",
    "A row without a code or id maps nothing.",
    "Fill the key in, or remove the row.",
)
COLUMN = Rule(
    "R067",
    "columns that are named stand in the CSV header",
    "error",
    "Without the column every row would be empty.",
    "Use a name from the header, exactly as it is written there.",
)
CSV_RULES = (UNSORTED, SPACES, FORMULA, EMPTY_KEY, COLUMN)
# Source: OWASP "CSV Injection": characters that make a cell a formula
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_ROW_TEXT_MAX = 2000


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that is used: its place in the header, and the environment of an external id."""

    index: int
    environment: str


def tables(
    view: Effective, files: Mapping[str, CsvTable], text_from: TextFrom
) -> Iterator[Problem]:
    """Check the columns and cells of every CSV file that a set reads.

    Args:
        view: One environment's definitions.
        files: All CSV files, by path relative to the repository.
        text_from: Gives source text from a place on.
    """
    for mapping_set in view.mapping_sets:
        rows = mapping_set.defined.spec.rows
        if isinstance(rows, CsvRows) and (table := _table(mapping_set.defined, rows, files)):
            columns = tuple(_columns(mapping_set.defined, rows, table))
            yield from (column for column in columns if isinstance(column, Problem))
            found = [column for column in columns if isinstance(column, _Column)]
            if len(found) == len(columns):
                yield from _cells(Cells(table, text_from), found[0].index, found[1:])


def _table(
    mapping_set: Defined[MappingSetSpec], rows: CsvRows, files: Mapping[str, CsvTable]
) -> CsvTable | None:
    folder = mapping_set.at("rows", "csv").file.rpartition("/")[0]
    parts: list[str] = []
    for part in f"{folder}/{rows.csv}".split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return files.get("/".join(parts))


def _columns(
    mapping_set: Defined[MappingSetSpec], rows: CsvRows, table: CsvTable
) -> Iterator[_Column | Problem]:
    by = "code" if isinstance(rows.m3ter, KeyColumn) else "id"
    key = rows.m3ter.code if isinstance(rows.m3ter, KeyColumn) else rows.m3ter.id
    yield _column(mapping_set, table, key, "", ("rows", "m3ter", by))
    if isinstance(rows.external_id, str):
        yield _column(mapping_set, table, rows.external_id, "", ("rows", "externalId"))
        return
    for environment, name in rows.external_id.items():
        yield _column(mapping_set, table, name, environment, ("rows", "externalId", environment))


def _column(
    mapping_set: Defined[MappingSetSpec],
    table: CsvTable,
    name: str,
    environment: str,
    path: tuple[str, ...],
) -> _Column | Problem:
    if name in table.header:
        return _Column(table.header.index(name), environment)
    return COLUMN.broken(
        mapping_set.at(*path),
        f"{table.file} has no column `{name}`",
        meant(name, table.header),
        ".".join(("spec", *path)),
    )


def _cells(cells: Cells, key: int, columns: list[_Column]) -> Iterator[Problem]:
    header = cells.table.header
    rows = [row for row in cells.table.rows if len(row.cells) == len(header)]
    yield from _unsorted(cells, rows, key)
    for row in rows:
        code = row.cells[key]
        if not code.strip():
            message = f"the cell `{header[key]}` is empty"
            yield EMPTY_KEY.broken(cells.origin(row.line, key), message)
        empty = [column.index for column in columns if not row.cells[column.index].strip()]
        if empty:
            everywhere = len(empty) == len(columns)
            where = "in any environment" if everywhere else f"in {listed(header[i] for i in empty)}"
            message = f"`{code}` has no external id {where}"
            yield EMPTY_HERE.broken(cells.origin(row.line, empty[0]), message)


def _unsorted(cells: Cells, rows: Sequence[CsvRow], key: int) -> Iterator[Problem]:
    """Report the first row out of order, and how many there are."""
    late = [(row, above) for above, row in pairwise(rows) if row.cells[key] < above.cells[key]]
    if late:
        row, above = late[0]
        more = f"; {len(late):,} rows are out of order" if len(late) > 1 else ""
        message = f"`{row.cells[key]}` stands after `{above.cells[key]}`{more}"
        yield UNSORTED.broken(cells.origin(row.line, key), message)


def strange_cells(table: CsvTable, text_from: TextFrom) -> Iterator[Problem]:
    """Find cells with stray spaces and cells that look like formulas."""
    cells = Cells(table, text_from)
    for row in (CsvRow(1, table.header), *table.rows):
        for number, content in enumerate(row.cells):
            if content.startswith(_FORMULA_STARTS):
                message = f"{_shown(table, row, number)} looks like a formula"
                yield FORMULA.broken(cells.origin(row.line, number), message)
            elif content != content.strip():
                message = f"{_shown(table, row, number)} has spaces around it"
                yield SPACES.broken(cells.origin(row.line, number), message)


def _shown(table: CsvTable, row: CsvRow, number: int) -> str:
    content = f'"{blank_secrets(row.cells[number])[:40]}"'
    if row.cells is table.header:
        return f"the column name {content}"
    return f"{content} in column `{table.header[number].strip()}`"
