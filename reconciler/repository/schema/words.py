"""Schemas and values in words, for messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches

from reconciler.definitions.core.paths import dotted
from reconciler.definitions.model import DocumentPath
from reconciler.kernel.value import JsonValue
from reconciler.repository.schema.form import Schema, target

_LISTED_MAX = 20
_QUOTED_MAX = 60
_SIMPLE = {"boolean": "true or false", "string": "text", "array": "a list", "null": "null"}
_NUMBERS = {"integer": "a whole number", "number": "a number"}


def dereferenced(schema: Schema, definitions: Schema) -> Schema:
    """Follow a ``$ref``."""
    while "$ref" in schema:
        schema = definitions[target(schema["$ref"])]
    return schema


def described(schema: Schema, definitions: Schema) -> str:
    """Say what a schema asks for, for example ``a whole number from 1 to 50``."""
    schema = dereferenced(schema, definitions)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            wanted = [
                alternative for alternative in schema[union] if alternative != {"type": "null"}
            ]
            return " or ".join(
                dict.fromkeys(described(alternative, definitions) for alternative in wanted)
            )
    if (allowed := choices(schema)) is not None:
        return ("one of " if len(allowed) > 1 else "") + listed_choices(allowed)
    kind = schema.get("type", "")
    if kind in _NUMBERS:
        return _NUMBERS[kind] + _bounds(schema)
    if kind == "object":
        required = schema.get("required", [])
        return f"a mapping with {listed_choices(required)}" if required else "a mapping"
    if kind == "string" and schema.get("$comment") == "A UUID.":
        return "a UUID"
    return _SIMPLE.get(kind, "another value")


def choices(schema: Schema) -> list[str] | None:
    """Give the values that an enumeration allows, as they are written."""
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    return None if values is None else [_literal(value) for value in values]


def listed_choices(names: Sequence[str]) -> str:
    """List names in backticks, with a count of those left out."""
    text = ", ".join(f"`{name}`" for name in names[:_LISTED_MAX])
    return text + (f" and {len(names) - _LISTED_MAX} more" if len(names) > _LISTED_MAX else "")


def said(value: JsonValue, *, secret: bool) -> str:
    """Say what a value is; short ones are quoted unless they stand where a secret would."""
    if value is None:
        return "empty"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    if secret:
        return "text" if isinstance(value, str) else "a value"
    if isinstance(value, str):
        return f"the text `{cut_for_quote(value)}`"
    return f"`{_literal(value)}`"


def cut_for_quote(text: str) -> str:
    """Cut a long text for quoting."""
    text = " ".join(text.split())
    return text if len(text) <= _QUOTED_MAX else text[: _QUOTED_MAX - 1] + "…"


def nearest_name(name: str, known: Sequence[str]) -> str | None:
    """Find the known name that was most likely meant; case, ``-`` and ``_`` do not count."""
    by_folded = {_folded(word): word for word in reversed(known)}
    found = get_close_matches(_folded(name[:200]), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def last_name(path: DocumentPath) -> str:
    """Give the last key of a path with what follows it, for quoting: ``rows[2]``."""
    keys = [number for number, step in enumerate(path) if isinstance(step, str)]
    return cut_for_quote(dotted(path[keys[-1] :])) if keys else "document"


def places_of(
    key: str, schema: Schema, definitions: Schema, above: tuple[str, ...] = ()
) -> Iterator[str]:
    """Give the dotted paths of the objects that have a setting of this name."""
    for name, value in schema.get("properties", {}).items():
        if name == key and above:
            yield ".".join(above)
        shape = dereferenced(value, definitions)
        for alternative in shape.get("anyOf") or shape.get("oneOf") or [shape]:
            yield from places_of(
                key, dereferenced(alternative, definitions), definitions, (*above, name)
            )


def _folded(name: str) -> str:
    return name.replace("-", "").replace("_", "").casefold()


def _literal(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None:
        return f" of at least {low}"
    return f" of at most {high}" if high is not None else ""
