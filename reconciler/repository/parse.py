"""Checked documents -> one environment's view: patches applied, rows resolved, kinds typed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar, cast

from reconciler.definitions.core.overlay import Layer, overlaid
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.envelope import DefinitionPart
from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.definitions.kinds.integration import CodeReference, IntegrationSpec
from reconciler.definitions.kinds.mapping_set import CsvRows, InlineRow, KeyColumn, MappingSetSpec
from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.definitions.model import (
    CsvTable,
    Defined,
    DefinedSet,
    Definitions,
    Document,
    DocumentPath,
    Effective,
    KindName,
    M3terKey,
    MappingRow,
)
from reconciler.errors import InvalidError
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonObject

SpecT = TypeVar("SpecT", bound=DefinitionPart)


class UnknownEnvironmentError(InvalidError):
    """No Environment bears the name that was asked for."""

    def __init__(self, asked: str, known: Sequence[str]) -> None:
        names = ", ".join(f"`{name}`" for name in known) or "none"
        super().__init__(
            f"there is no environment `{asked}` under integrations.d; there are: {names}. "
            "Nothing was read from m3ter and nothing was changed. Choose one of them with --env"
        )


class MissingProjectError(InvalidError):
    """The repository has no Project."""

    def __init__(self) -> None:
        super().__init__(
            "no document of kind Project stands under integrations.d, so it is not known how "
            "careful to be. Nothing was changed. Add one, or run `reconciler init`"
        )


def effective_view(definitions: Definitions, environment: str) -> Effective:
    """Give one environment's view. The definitions have no errors.

    Raises:
        UnknownEnvironmentError: When no Environment bears the name.
        MissingProjectError: When there is no Project.
    """
    environments = _defined(definitions, "Environment", environment, EnvironmentSpec)
    here = next((defined for defined in environments if defined.name == environment), None)
    if here is None:
        raise UnknownEnvironmentError(environment, [defined.name for defined in environments])
    projects = _defined(definitions, "Project", environment, ProjectSpec)
    if not projects:
        raise MissingProjectError
    sets = _defined(definitions, "MappingSet", environment, MappingSetSpec)
    dialects = _defined(definitions, "Dialect", environment, DialectSpec)
    return Effective(
        project=projects[0],
        environment=here,
        integrations=_defined(definitions, "Integration", environment, IntegrationSpec),
        mapping_sets=tuple(
            DefinedSet(mapping_set, tuple(_rows(mapping_set, definitions.tables, environment)))
            for mapping_set in sets
        ),
        dialects=tuple(dialect for dialect in dialects if dialect.spec.environment == environment),
    )


def patches(definitions: Definitions) -> Iterator[tuple[Document, Layer]]:
    """Give every patch that has an object, with what it makes of the whole document."""
    for group in _by_object(definitions.documents):
        whole = next((document for document in group if document.environment is None), None)
        for document in group:
            if whole is not None and document.environment is not None:
                yield document, _patched(whole, [document])


def _defined(
    definitions: Definitions, kind: KindName, environment: str, spec: type[SpecT]
) -> tuple[Defined[SpecT], ...]:
    found: list[Defined[SpecT]] = []
    for group in _by_object(
        definition for definition in definitions.documents if definition.kind == kind
    ):
        whole = next((document for document in group if document.environment is None), None)
        if whole is None:
            continue
        layer = _patched(
            whole, [document for document in group if document.environment == environment]
        )
        found.append(
            Defined(
                name=whole.name,
                spec=_typed(spec, cast("JsonObject", layer.value["spec"])),
                origin=whole.origin(("metadata", "name")),
                origins=_BelowSpec(layer.origins),
            )
        )
    return tuple(found)


def _by_object(documents: Iterator[Document] | Sequence[Document]) -> Iterator[list[Document]]:
    """Group documents of one kind and name; by kind, then by name."""
    ordered = sorted(documents, key=lambda document: (document.kind, document.name))
    for _, group in groupby(ordered, key=lambda document: (document.kind, document.name)):
        yield list(group)


def _patched(whole: Document, changes: Sequence[Document]) -> Layer:
    """Apply patches to ``spec``; the rest of the document stays."""
    layers = [Layer({"spec": planned.body["spec"]}, planned.origins) for planned in changes]
    return overlaid(Layer(whole.body, whole.origins), layers)


def _typed(spec: type[SpecT], data: JsonObject) -> SpecT:
    """Build a kind from plain data that its schema has passed.

    The schema has checked every type, so lists may become tuples and texts enumerations.
    """
    return spec.model_validate(data, strict=False)


class _BelowSpec(Mapping[DocumentPath, Origin]):
    """The origins of a document, by path below its ``spec``."""

    __slots__ = ("_origins",)

    def __init__(self, origins: Mapping[DocumentPath, Origin]) -> None:
        self._origins = origins

    def __getitem__(self, path: DocumentPath) -> Origin:
        return self._origins["spec", *path]

    def __iter__(self) -> Iterator[DocumentPath]:
        return (path[1:] for path in self._origins if path[:1] == ("spec",))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _rows(
    defined: Defined[MappingSetSpec], tables: Mapping[str, CsvTable], environment: str
) -> Iterator[MappingRow]:
    rows = defined.spec.rows
    if isinstance(rows, CsvRows):
        folder = posixpath.dirname(defined.at("rows", "csv").file)
        table = tables.get(posixpath.normpath(posixpath.join(folder, rows.csv)))
        if table is not None:
            yield from _csv_rows(rows, table, environment)
        return
    for number, row in enumerate(rows):
        external_id = _inline_id(row, environment)
        if external_id is not None:
            yield MappingRow(_inline_key(row), external_id, defined.at("rows", number))


def _inline_id(row: InlineRow, environment: str) -> str | None:
    if isinstance(row.external_id, str):
        return row.external_id
    return row.external_id.get(environment)


def _inline_key(row: InlineRow) -> M3terKey:
    if isinstance(row.m3ter, CodeReference):
        return M3terKey("code", row.m3ter.code)
    return M3terKey("id", row.m3ter.id)


def _csv_rows(rows: CsvRows, table: CsvTable, environment: str) -> Iterator[MappingRow]:
    """Give the rows that have a key and a value for the environment."""
    external = rows.external_id
    wanted = external if isinstance(external, str) else external.get(environment, "")
    by_code = isinstance(rows.m3ter, KeyColumn)
    named = rows.m3ter.code if isinstance(rows.m3ter, KeyColumn) else rows.m3ter.id
    if wanted not in table.header or named not in table.header:
        return
    key, value = table.header.index(named), table.header.index(wanted)
    for row in table.rows:
        if row.cells[key] and row.cells[value]:
            found = M3terKey("code" if by_code else "id", row.cells[key])
            yield MappingRow(found, row.cells[value], Origin(table.file, row.line))
