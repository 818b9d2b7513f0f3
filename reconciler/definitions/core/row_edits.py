"""One mapping of one environment into the row that holds it: inline, or in a CSV file."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler.definitions.core.edits import Edit, RemoveRow, RemoveValue, SetRows, SetValue
from reconciler.definitions.core.placement import Layers, at
from reconciler.definitions.model import CsvTable, Definitions, Document
from reconciler.kernel.value import ABSENT, Absent, JsonObject, JsonValue

NewId = str | Absent
"""The external id that a row shall have; ``ABSENT`` when the mapping goes."""


def row_edits(
    definitions: Definitions,
    layers: Layers,
    wanted: Mapping[str, NewId],
    by: Literal["code", "id"] = "code",
) -> tuple[Edit, ...]:
    """Give the edits that make rows hold in one environment and in no other.

    Args:
        definitions: For the CSV tables.
        layers: The documents of the mapping set.
        wanted: External ids by the key of the row; rows that git does not have are added.
        by: How added inline rows name their object.
    """
    document = layers.setter(("rows",))
    sharers = layers.sharers(("rows",)) if document is layers.base else ()
    rows = at(document.body["spec"], ("rows",))
    if isinstance(rows, Mapping):
        return tuple(_in_csv(_Table.of(definitions, document, rows, layers, sharers), wanted))
    assert isinstance(rows, Sequence)
    known = {_key(row) for row in rows if isinstance(row, Mapping)}
    added = {key: value for key, value in wanted.items() if key not in known}
    return (
        *_added(document, len(rows), layers, added, by),
        *_inline(document, rows, layers.environment, sharers, wanted),
    )


def _added(
    document: Document, count: int, layers: Layers, wanted: Mapping[str, NewId], by: str
) -> Iterator[Edit]:
    plain = document is not layers.base or not layers.others
    for index, (key, new) in enumerate(sorted(wanted.items()), count):
        if not isinstance(new, Absent):
            value: JsonValue = new if plain else {layers.environment: new}
            row: JsonObject = {"m3ter": {by: key}, "externalId": value}
            yield SetValue(document.file, document.index, ("spec", "rows", index), row)


def _inline(
    document: Document,
    rows: Sequence[JsonValue],
    environment: str,
    sharers: tuple[str, ...],
    wanted: Mapping[str, NewId],
) -> Iterator[Edit]:
    """Go from the last row to the first, so that a removed row moves no other."""
    for index, row in reversed(list(enumerate(rows))):
        if not isinstance(row, Mapping) or (new := wanted.get(_key(row))) is None:
            continue
        path = ("spec", "rows", index)
        value = _external_id(row.get("externalId"), environment, sharers, new)
        if isinstance(value, Absent):
            yield RemoveValue(document.file, document.index, path)
        else:
            yield SetValue(document.file, document.index, (*path, "externalId"), value)


def _external_id(
    old: JsonValue, environment: str, sharers: tuple[str, ...], new: NewId
) -> JsonValue | Absent:
    if not isinstance(old, Mapping):
        if not sharers:
            return new
        old = dict.fromkeys(sharers, old)
    kept = {name: value for name, value in old.items() if name != environment}
    if isinstance(new, Absent):
        return kept or ABSENT
    return {**old, environment: new}


def _key(row: JsonObject) -> str:
    named = row.get("m3ter")
    return str(next(iter(named.values()))) if isinstance(named, Mapping) and named else ""


@dataclass(frozen=True, slots=True)
class _Table:
    """A CSV file as a mapping set reads it.

    Attributes:
        columns: Of the external ids, by environment.
        sharers: Other environments that read this document's rows.
    """

    document: Document
    file: str
    table: CsvTable
    key: str
    columns: Mapping[str, str]
    environment: str

    @classmethod
    def of(
        cls,
        definitions: Definitions,
        document: Document,
        rows: JsonObject,
        layers: Layers,
        sharers: tuple[str, ...],
    ) -> _Table:
        folder = posixpath.dirname(document.file)
        file = posixpath.normpath(posixpath.join(folder, str(rows["csv"])))
        named, external = rows["m3ter"], rows["externalId"]
        key = str(next(iter(named.values()))) if isinstance(named, Mapping) else ""
        if isinstance(external, Mapping):
            columns = {name: str(value) for name, value in external.items()}
        else:
            columns = dict.fromkeys((*sharers, layers.environment), str(external))
        return cls(document, file, definitions.tables[file], key, columns, layers.environment)

    @property
    def column(self) -> str:
        """The environment's column; empty when it has none."""
        return self.columns.get(self.environment, "")

    @property
    def is_own(self) -> bool:
        """Whether no other environment reads the column."""
        return bool(self.column) and list(self.columns.values()).count(self.column) == 1

    def new_column(self) -> str:
        """Name a column that the file does not have."""
        taken = set(self.table.header)
        names = (self.environment, *(f"{self.environment}-{number}" for number in range(2, 100)))
        return next(name for name in names if name not in taken)

    def cells(self, column: str) -> dict[str, str]:
        """Give the cells of a column, by key; empty ones too."""
        header = self.table.header
        key, value = header.index(self.key), header.index(column) if column else -1
        return {row.cells[key]: row.cells[value] if column else "" for row in self.table.rows}

    def elsewhere(self, row: str) -> bool:
        """Tell whether another environment has the row."""
        others = [column for name, column in self.columns.items() if name != self.environment]
        return any(self.cells(other).get(row) for other in others)


def _in_csv(table: _Table, wanted: Mapping[str, NewId]) -> Iterator[Edit]:
    column = table.column
    rows: dict[str, str] = {}
    if not table.is_own:
        rows, column = table.cells(column), table.new_column()
        columns: JsonObject = {**table.columns, table.environment: column}
        path = ("spec", "rows", "externalId")
        yield SetValue(table.document.file, table.document.index, path, columns)
    for key, new in wanted.items():
        if not isinstance(new, Absent):
            rows[key] = new
        elif table.elsewhere(key):
            rows[key] = ""
        else:
            rows.pop(key, None)
            yield RemoveRow(table.file, key)
    if rows:
        cells = {key: (key, row) for key, row in rows.items()}
        yield SetRows(table.file, (table.key, column), cells)
