"""Definitions: every document with its origins, and one environment's view of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.definitions.kinds.integration import IntegrationSpec
from reconciler.definitions.kinds.mapping_set import MappingSetSpec
from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonObject

KindName = Literal["Project", "Environment", "Integration", "MappingSet", "Dialect"]
DocumentPath = tuple[str | int, ...]
"""Keys and indexes from the root of a document, for example ``("spec", "rows", 0)``."""

Spec_co = TypeVar("Spec_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document that passed the schema of its kind.

    Attributes:
        kind: The document's kind.
        name: ``metadata.name``.
        environment: ``metadata.environment``; set for a patch.
        file: Relative to the repository.
        index: Position of the document in its file, from 0.
        body: The whole document as plain data; numbers are int or Decimal.
        origins: Where each value stands (keys of maps included), by path from the root.
    """

    kind: KindName
    name: str
    environment: str | None
    file: str
    index: int
    body: JsonObject
    origins: Mapping[DocumentPath, Origin]

    def origin(self, path: DocumentPath) -> Origin:
        """Give the place of a path, or of its nearest ancestor that has one."""
        return nearest(self.origins, path, Origin(self.file))


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row of a CSV file: its line number and its cells in header order."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file as read; ``file`` is relative to the repository."""

    file: str
    header: tuple[str, ...]
    rows: tuple[CsvRow, ...]


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything that stands in ``integrations.d``.

    Attributes:
        documents: All documents, patches included, by file and position.
        tables: CSV files by their path relative to the repository.
        file_count: YAML and CSV files read.
    """

    documents: tuple[Document, ...]
    tables: Mapping[str, CsvTable]
    file_count: int


@dataclass(frozen=True, slots=True)
class M3terKey:
    """How a row names its m3ter object: by code or by id."""

    by: Literal["code", "id"]
    value: str

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One mapping of one environment: m3ter object, external id, and where it stands."""

    key: M3terKey
    external_id: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Defined(Generic[Spec_co]):
    """One object as it holds in one environment, patches applied.

    Attributes:
        name: ``metadata.name``.
        spec: The parsed settings.
        origin: Where the object is defined.
        origins: Which place set each value, by path below ``spec`` (camelCase keys).
    """

    name: str
    spec: Spec_co
    origin: Origin
    origins: Mapping[DocumentPath, Origin]

    def at(self, *path: str | int) -> Origin:
        """Give the place that set a path below ``spec``, or its nearest ancestor."""
        return nearest(self.origins, path, self.origin)


@dataclass(frozen=True, slots=True)
class DefinedSet:
    """A mapping set with its rows for one environment."""

    defined: Defined[MappingSetSpec]
    rows: tuple[MappingRow, ...]


@dataclass(frozen=True, slots=True)
class Effective:
    """One environment's view of all definitions; everything sorted by name."""

    project: Defined[ProjectSpec]
    environment: Defined[EnvironmentSpec]
    integrations: tuple[Defined[IntegrationSpec], ...]
    mapping_sets: tuple[DefinedSet, ...]
    dialects: tuple[Defined[DialectSpec], ...]


def nearest(
    origins: Mapping[DocumentPath, Origin], path: DocumentPath, otherwise: Origin
) -> Origin:
    """Find the origin of a path or of its nearest ancestor."""
    for length in range(len(path), -1, -1):
        if (origin := origins.get(path[:length])) is not None:
            return origin
    return otherwise
