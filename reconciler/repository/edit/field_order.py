"""The order in which the schema lists the keys of a mapping: where an edit puts new ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

from reconciler.definitions.kinds.envelope import Part
from reconciler.definitions.model import DocumentPath
from reconciler.kernel.value import JsonValue
from reconciler.repository.schema.schema import KINDS


def field_order(document: JsonValue, path: DocumentPath) -> tuple[str, ...]:
    """Give the keys that the mapping at a path may have, in the order of the schema.

    Args:
        document: The whole document; its ``kind`` decides.
        path: Of the mapping, from the root of the document.

    Returns:
        Nothing where any key is allowed, or the kind is unknown.
    """
    kind = document.get("kind") if isinstance(document, Mapping) else None
    found = [model for name, model in KINDS.items() if name == kind]
    parts: list[type[Part]] = list(found)
    for step in path:
        parts = [below for part in parts for below in _below(part, step)]
    return tuple(name for part in parts for name in _fields(part))


def _fields(part: type[Part]) -> dict[str, object]:
    """Give the annotations of a model under their names in YAML."""
    return {field.alias or name: field.annotation for name, field in part.model_fields.items()}


def _below(part: type[Part], step: str | int) -> Iterator[type[Part]]:
    """Give what may stand under a key; the items of a list and of a free mapping count as it."""
    fields = _fields(part)
    if step in fields:
        yield from _models(fields[str(step)])
    else:
        yield part


def _models(annotation: object) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
