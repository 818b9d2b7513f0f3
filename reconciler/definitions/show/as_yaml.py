"""One environment's definitions as YAML or JSON, each leaf with the place that set it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.definitions.core.paths import dotted
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.envelope import API_VERSION
from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.definitions.kinds.integration import IntegrationSpec
from reconciler.definitions.kinds.mapping_set import MappingSetSpec
from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.definitions.model import (
    Defined,
    DefinedSet,
    DocumentPath,
    Effective,
    KindName,
    nearest,
)
from reconciler.kernel.exact_json import encode
from reconciler.kernel.problem import Origin
from reconciler.kernel.text import printable
from reconciler.kernel.value import JsonObject, JsonValue

Spec = ProjectSpec | EnvironmentSpec | IntegrationSpec | MappingSetSpec | DialectSpec
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@-]*(?: [A-Za-z0-9_./@()-]+)*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


@dataclass(frozen=True, slots=True)
class _Shown:
    """One document, and where each value below ``spec`` comes from."""

    kind: KindName
    name: str
    spec: JsonObject
    origin: Origin
    origins: Mapping[DocumentPath, Origin]

    @property
    def body(self) -> JsonObject:
        return {
            "apiVersion": API_VERSION,
            "kind": self.kind,
            "metadata": {"name": self.name},
            "spec": self.spec,
        }

    def place(self, path: DocumentPath) -> str:
        """Give ``file:line`` of a leaf; the envelope has none but the name's."""
        if path == ("metadata", "name"):
            return printable(f"{self.origin.file}:{self.origin.line}")
        if path[:1] != ("spec",):
            return ""
        at = nearest(self.origins, path[1:], self.origin)
        return printable(f"{at.file}:{at.line}")


def definitions_yaml(view: Effective, *, origins: bool) -> str:
    """Write the documents as YAML; with origins, a comment behind each leaf says what set it."""
    blocks = []
    for document in _documents(view):
        lines = list(_lines(document.body, (), 0, document))
        width = min(max(len(text) for text, _ in lines), 60) + 2
        blocks.append(
            "\n".join(
                f"{text + '  ':<{width}}# {place}" if origins and place else text
                for text, place in lines
            )
        )
    return "\n---\n".join(blocks)


def definitions_json(view: Effective, *, origins: bool) -> str:
    """Write the documents as one JSON document."""
    documents: list[JsonValue] = [
        {**document.body, "origins": dict(_leaf_places(document.body, (), document))}
        if origins
        else document.body
        for document in _documents(view)
    ]
    return encode(
        {
            "schema": "m3ter-reconciler/render/v1",
            "environment": view.environment.name,
            "documents": documents,
        },
        indent=2,
    )


def _documents(view: Effective) -> Iterator[_Shown]:
    yield _shown("Project", view.project)
    yield _shown("Environment", view.environment)
    for integration in view.integrations:
        yield _shown("Integration", integration)
    for mapping_set in view.mapping_sets:
        yield _shown_set(mapping_set)
    for dialect in view.dialects:
        yield _shown("Dialect", dialect)


def _shown(
    kind: KindName,
    defined: Defined[ProjectSpec]
    | Defined[EnvironmentSpec]
    | Defined[IntegrationSpec]
    | Defined[MappingSetSpec]
    | Defined[DialectSpec],
) -> _Shown:
    return _Shown(kind, defined.name, _set_values(defined.spec), defined.origin, defined.origins)


def _shown_set(mapping_set: DefinedSet) -> _Shown:
    """Show the rows as they hold here, wherever they were written."""
    rows: list[JsonValue] = [
        {"m3ter": {row.key.by: row.key.value}, "externalId": row.external_id}
        for row in mapping_set.rows
    ]
    defined = mapping_set.defined
    origins = {path: at for path, at in defined.origins.items() if path[:1] != ("rows",)}
    origins |= {("rows", number): row.origin for number, row in enumerate(mapping_set.rows)}
    spec: JsonObject = {**_set_values(defined.spec), "rows": rows}
    return _Shown("MappingSet", defined.name, spec, defined.origin, origins)


def _set_values(spec: Spec) -> JsonObject:
    """Give what the files set; defaults have no place to name."""
    values: JsonObject = spec.model_dump(mode="python", by_alias=True, exclude_unset=True)
    return values


def _lines(
    value: JsonValue, path: DocumentPath, depth: int, shown: _Shown, lead: str = ""
) -> Iterator[tuple[str, str]]:
    """Give lines and places; ``lead`` is the ``- `` of a list, written once."""
    indent = "  " * depth
    for step, below in _members(value):
        key = f"{_scalar(step)}:" if isinstance(step, str) else "-"
        start = f"{indent}{lead}{key}" if lead else f"{indent}{key}"
        inner = (*path, step)
        if not _members(below):
            yield f"{start} {_scalar(below)}", shown.place(inner)
        elif isinstance(step, int) and isinstance(below, Mapping):
            yield from _item(below, inner, depth, shown)
        else:
            yield start, ""
            yield from _lines(below, inner, depth + 1, shown)


def _item(
    value: JsonValue, path: DocumentPath, depth: int, shown: _Shown
) -> Iterator[tuple[str, str]]:
    """Write a mapping inside a list: its first line begins with a dash."""
    lines = _lines(value, path, depth + 1, shown)
    indent = "  " * depth
    for number, (text, place) in enumerate(lines):
        yield (f"{indent}- {text[len(indent) + 2 :]}" if number == 0 else text), place


def _leaf_places(value: JsonValue, path: DocumentPath, shown: _Shown) -> Iterator[tuple[str, str]]:
    for step, below in _members(value):
        inner = (*path, step)
        if _members(below):
            yield from _leaf_places(below, inner, shown)
        elif path[:1] == ("spec",):
            yield dotted(inner), shown.place(inner)


def _members(value: JsonValue) -> Sequence[tuple[str | int, JsonValue]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(enumerate(value))
    return ()


def _scalar(value: JsonValue) -> str:
    """Write a leaf; JSON's quoted form is YAML, too."""
    if isinstance(value, str):
        text = str(value)
        plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
        return text if plain else encode(text)
    return encode(value)
