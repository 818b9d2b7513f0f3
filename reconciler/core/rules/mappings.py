"""Rows of mapping sets: keys that stand twice, ids that are missing in one environment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.rules.reach import listed, meant
from reconciler.core.rules.rule import Rule
from reconciler.domain.definitions import CsvTable, Defined, DefinedSet, Effective, MappingRow
from reconciler.domain.kinds.mapping_set import CsvRows, KeyColumn, MappingSetSpec
from reconciler.domain.problem import Origin, Problem

MAPPED_TWICE = Rule(
    "R061",
    "an m3ter object is mapped once to a table",
    "error",
    "With two external ids nobody can say which one m3ter or `reconciler sync` uses.",
    "Keep one row; the order of rows decides nothing.",
)
UNSORTED = Rule(
    "R062",
    "CSV rows are sorted by key",
    "error",
    "Sorted rows keep diffs small and let two people add rows without conflicts.",
    "Sort the rows below the header: `(head -1 f.csv; tail -n +2 f.csv | LC_ALL=C sort)`.",
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
EMPTY_HERE = Rule(
    "R065",
    "a mapping has an external id in every environment",
    "warning",
    "The object is not mapped in that environment, and its bills stop there.",
    "Add the id, or remove the row if the object is mapped nowhere.",
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

RULES = (MAPPED_TWICE, UNSORTED, SPACES, FORMULA, EMPTY_HERE, EMPTY_KEY, COLUMN)

# Source: OWASP "CSV Injection": characters that make a cell a formula
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def mapped_twice(view: Effective) -> Iterator[Problem]:
    """Find objects with two rows for one table and link, in one set or in several."""
    seen: dict[tuple[str, ...], tuple[MappingRow, str]] = {}
    for one in view.mapping_sets:
        spec = one.defined.spec
        table = (spec.external_system, spec.external_table, spec.m3ter_entity)
        for row in one.rows:
            key = (*table, spec.integration or "", row.key.by, row.key.value)
            first, name = seen.setdefault(key, (row, one.defined.name))
            if first is not row:
                yield _twice(spec, row, first, "" if name == one.defined.name else name)


def _twice(spec: MappingSetSpec, row: MappingRow, first: MappingRow, other_set: str) -> Problem:
    same_file = first.origin.file == row.origin.file
    where = f"line {first.origin.line}" if same_file else str(first.origin)
    within = f", set `{other_set}`" if other_set else ""
    entity = spec.m3ter_entity.lower()
    return MAPPED_TWICE.broken(
        row.origin, f"{entity} `{row.key}` is mapped twice (first in {where}{within})"
    )


def tables(view: Effective, files: Mapping[str, CsvTable]) -> Iterator[Problem]:
    """Check the columns and cells of every CSV file that a set reads.

    Args:
        view: One environment's definitions.
        files: All CSV files, by path relative to the repository.
    """
    for one in view.mapping_sets:
        rows = one.defined.spec.rows
        if isinstance(rows, CsvRows) and (table := _table(one.defined, rows, files)):
            columns = tuple(_columns(one.defined, rows, table))
            yield from (column for column in columns if isinstance(column, Problem))
            found = [column for column in columns if isinstance(column, _Column)]
            if len(found) == len(columns):
                yield from _cells(table, found[0], found[1:])


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that is used: its place in the header, and the environment of an external id."""

    index: int
    environment: str


def _table(
    one: Defined[MappingSetSpec], rows: CsvRows, files: Mapping[str, CsvTable]
) -> CsvTable | None:
    folder = one.at("rows", "csv").file.rpartition("/")[0]
    parts: list[str] = []
    for part in f"{folder}/{rows.csv}".split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return files.get("/".join(parts))


def _columns(
    one: Defined[MappingSetSpec], rows: CsvRows, table: CsvTable
) -> Iterator[_Column | Problem]:
    by = "code" if isinstance(rows.m3ter, KeyColumn) else "id"
    key = rows.m3ter.code if isinstance(rows.m3ter, KeyColumn) else rows.m3ter.id
    yield _column(one, table, key, "", ("rows", "m3ter", by))
    if isinstance(rows.external_id, str):
        yield _column(one, table, rows.external_id, "", ("rows", "externalId"))
        return
    for environment, name in rows.external_id.items():
        yield _column(one, table, name, environment, ("rows", "externalId", environment))


def _column(
    one: Defined[MappingSetSpec],
    table: CsvTable,
    name: str,
    environment: str,
    path: tuple[str, ...],
) -> _Column | Problem:
    if name in table.header:
        return _Column(table.header.index(name), environment)
    return COLUMN.broken(
        one.at(*path),
        f"{table.file} has no column `{name}`",
        meant(name, table.header),
        ".".join(("spec", *path)),
    )


def _cells(table: CsvTable, key: _Column, columns: list[_Column]) -> Iterator[Problem]:
    before = ""
    for row in table.rows:
        code = row.cells[key.index]
        if not code.strip():
            origin = Origin(table.file, row.line, 1)
            yield EMPTY_KEY.broken(origin, f"the cell `{table.header[key.index]}` is empty")
        elif code < before:
            yield UNSORTED.broken(
                Origin(table.file, row.line, 1), f"`{code}` stands after `{before}`"
            )
        before = max(before, code)
        filled = [column for column in columns if row.cells[column.index].strip()]
        if len(filled) < len(columns):
            yield _empty(table, row.line, code, columns, filled)


def _empty(
    table: CsvTable, line: int, code: str, columns: list[_Column], filled: list[_Column]
) -> Problem:
    names = [table.header[column.index] for column in columns if column not in filled]
    where = f"in {listed(names)}" if filled else "in any environment"
    return EMPTY_HERE.broken(Origin(table.file, line, 1), f"`{code}` has no external id {where}")


def strange_cells(table: CsvTable) -> Iterator[Problem]:
    """Find cells with stray spaces and cells that look like formulas."""
    for row in table.rows:
        for name, cell in zip(table.header, row.cells, strict=False):
            if cell.startswith(_FORMULA_STARTS):
                message = f"`{cell[:40]}` in column `{name}` looks like a formula"
                yield FORMULA.broken(Origin(table.file, row.line, 1), message)
            elif cell != cell.strip():
                message = f'"{cell[:40]}" in column `{name}` has spaces around it'
                yield SPACES.broken(Origin(table.file, row.line, 1), message)
    for name in table.header:
        if name != name.strip():
            message = f'the column name "{name[:40]}" has spaces around it'
            yield SPACES.broken(Origin(table.file, 1, 1), message)


def one_environment_only(view: Effective, environments: Collection[str]) -> Iterator[Problem]:
    """Find inline rows and column maps that leave an environment out."""
    for one in view.mapping_sets:
        rows = one.defined.spec.rows
        if isinstance(rows, CsvRows):
            if not isinstance(rows.external_id, str):
                yield from _left_out(one, ("rows",), "the rows", rows.external_id, environments)
            continue
        for number, row in enumerate(rows):
            if not isinstance(row.external_id, str):
                key = row.m3ter.model_dump(mode="json")
                name = f"`{next(iter(key.values()))}`"
                path = ("rows", number)
                yield from _left_out(one, path, name, row.external_id, environments)


def _left_out(
    one: DefinedSet,
    path: tuple[str | int, ...],
    name: str,
    ids: Mapping[str, str],
    environments: Collection[str],
) -> Iterator[Problem]:
    missing = sorted(set(environments) - set(ids))
    if missing:
        yield EMPTY_HERE.broken(
            one.defined.at(*path, "externalId"),
            f"{name} of set `{one.defined.name}` name no external id for {listed(missing)}"
            if path == ("rows",)
            else f"{name} has no external id for {listed(missing)}",
        )
