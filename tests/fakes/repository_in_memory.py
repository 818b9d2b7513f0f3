"""A repository of plain data: a `DefinitionSource` without files, one line for every value."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.definitions.kinds.integration import CodeReference, IntegrationSpec
from reconciler.definitions.kinds.mapping_set import CsvRows, KeyColumn, MappingSetSpec
from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.definitions.model import (
    CsvRow,
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
from reconciler.definitions.ports import Loaded
from reconciler.kernel.problem import Origin, Problem

SPECS: Mapping[KindName, Any] = {
    "Project": ProjectSpec,
    "Environment": EnvironmentSpec,
    "Integration": IntegrationSpec,
    "MappingSet": MappingSetSpec,
    "Dialect": DialectSpec,
}


@dataclass
class RepositoryInMemory:
    """Documents by (kind, name, environment); change them, then `load`.

    Attributes:
        specs: Every document's spec.
        extras: Documents that break the table: duplicates, patches with odd metadata.
        csv: Header and rows by file name.
        texts: Source text by origin, for problems inside a value.
        problems: What the form check is said to have found.
        broken: Kind and name of documents that did not pass the form check.
    """

    specs: dict[tuple[KindName, str, str | None], dict[str, Any]] = field(default_factory=dict)
    extras: list[Document] = field(default_factory=list)
    csv: dict[str, list[list[str]]] = field(default_factory=dict)
    texts: dict[Origin, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    broken: tuple[tuple[KindName, str], ...] = ()

    def load(self) -> Loaded:
        documents = [document(*key, spec) for key, spec in self.specs.items()]
        tables = {file: _table(file, rows) for file, rows in self.csv.items()}
        definitions = Definitions((*documents, *self.extras), tables, len(documents) + len(tables))
        return Loaded(definitions, self.problems, self.broken)

    def effective(self, definitions: Definitions, environment: str) -> Effective:
        merged = {
            (kind, name): defined
            for kind in SPECS
            for name, defined in _merged(definitions, kind, environment)
        }
        of = {
            kind: [definition for (k, _), definition in merged.items() if k == kind]
            for kind in SPECS
        }
        sets = [
            DefinedSet(definition, _rows(definition, environment, definitions))
            for definition in of["MappingSet"]
        ]
        return Effective(
            of["Project"][0],
            merged["Environment", environment],
            tuple(of["Integration"]),
            tuple(sets),
            tuple(
                definition
                for definition in of["Dialect"]
                if definition.spec.environment == environment
            ),
        )

    def excerpts(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        return tuple(problems)

    def text_from(self, origin: Origin, length: int) -> str:
        return self.texts.get(origin, "")[:length]


def document(
    kind: KindName, name: str, environment: str | None, spec: Mapping[str, Any], **metadata: Any
) -> Document:
    """Make a document; every value stands in a line of its own."""
    file = f"integrations.d/{name}{'-' + environment if environment else ''}-{kind.lower()}.yaml"
    patched = {"environment": environment} if environment else {}
    body: dict[str, Any] = {
        "apiVersion": "m3ter-reconciler/v1",
        "kind": kind,
        "metadata": {"name": name, **patched, **metadata},
        "spec": copy.deepcopy(spec),
    }
    origins = {path: Origin(file, line, 1) for line, path in enumerate(_paths(body, ()), 1)}
    return Document(kind, name, environment, file, 0, body, origins)


def _paths(value: Any, path: DocumentPath) -> Iterator[DocumentPath]:
    yield path
    steps: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict | list):
        steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, below in steps:
        yield from _paths(below, (*path, step))


def _table(file: str, rows: list[list[str]]) -> CsvTable:
    cells = tuple(CsvRow(line, tuple(row)) for line, row in enumerate(rows[1:], 2))
    return CsvTable(file, tuple(rows[0]), cells)


def _merged(
    definitions: Definitions, kind: KindName, environment: str
) -> Iterator[tuple[str, Defined[Any]]]:
    for document in sorted(definitions.documents, key=lambda two: two.name):
        if document.kind != kind or document.environment is not None:
            continue
        spec: Any = document.body["spec"]
        origins = {path[1:]: at for path, at in document.origins.items() if path[:1] == ("spec",)}
        for patch in definitions.documents:
            if (patch.kind, patch.name, patch.environment) == (kind, document.name, environment):
                spec = _patched(spec, patch.body["spec"])
                origins |= {
                    path[1:]: at for path, at in patch.origins.items() if path[:1] == ("spec",)
                }
        parsed = SPECS[kind].model_validate(spec, strict=False)
        yield (
            document.name,
            Defined(document.name, parsed, document.origin(("metadata", "name")), origins),
        )


def _patched(spec: Any, patch: Any) -> Any:
    if not isinstance(spec, dict) or not isinstance(patch, dict):
        return patch
    merged = spec | {key: _patched(spec.get(key), value) for key, value in patch.items()}
    return {key: value for key, value in merged.items() if value is not None}


def _rows(
    mapping_set: Defined[MappingSetSpec], environment: str, definitions: Definitions
) -> tuple[MappingRow, ...]:
    rows = mapping_set.spec.rows
    if isinstance(rows, CsvRows):
        table = definitions.tables[f"integrations.d/{rows.csv}"]
        return tuple(_csv_rows(rows, table, environment))
    found = []
    for number, row in enumerate(rows):
        ids = row.external_id
        external = ids if isinstance(ids, str) else ids.get(environment, "")
        by_code = isinstance(row.m3ter, CodeReference)
        key = row.m3ter.code if isinstance(row.m3ter, CodeReference) else row.m3ter.id
        if external:
            named = M3terKey("code" if by_code else "id", key)
            found.append(MappingRow(named, external, mapping_set.at("rows", number)))
    return tuple(found)


def _csv_rows(rows: CsvRows, table: CsvTable, environment: str) -> Iterator[MappingRow]:
    ids = rows.external_id
    column = ids if isinstance(ids, str) else ids.get(environment, "")
    key = rows.m3ter.code if isinstance(rows.m3ter, KeyColumn) else rows.m3ter.id
    if column not in table.header or key not in table.header:
        return
    for row in table.rows:
        if len(row.cells) != len(table.header):
            continue
        external = row.cells[table.header.index(column)].strip()
        by = "code" if isinstance(rows.m3ter, KeyColumn) else "id"
        if external:
            named = M3terKey(by, row.cells[table.header.index(key)].strip())  # type: ignore[arg-type]
            yield MappingRow(named, external, Origin(table.file, row.line, 1))
