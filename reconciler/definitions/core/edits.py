"""Edits of definition files as values: what is written where, decided before anything is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.definitions.model import DocumentPath
from reconciler.kernel.value import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class SetValue:
    """One value of a document; ``document`` is its position in the file, from 0."""

    file: str
    document: int
    path: DocumentPath
    value: JsonValue


@dataclass(frozen=True, slots=True)
class RemoveValue:
    """One value of a document goes, with its key."""

    file: str
    document: int
    path: DocumentPath


@dataclass(frozen=True, slots=True)
class AddDocuments:
    """New documents, in a new file or behind those of an existing one."""

    file: str
    documents: tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True)
class SetRows:
    """CSV rows by key; the header names the key's column first."""

    file: str
    header: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class RemoveRow:
    """The CSV row of a key goes."""

    file: str
    key: str


Edit = SetValue | RemoveValue | AddDocuments | SetRows | RemoveRow


def files_of(edits: tuple[Edit, ...]) -> tuple[str, ...]:
    """Name the files that edits touch, each once, in order."""
    return tuple(dict.fromkeys(edit.file for edit in edits))
