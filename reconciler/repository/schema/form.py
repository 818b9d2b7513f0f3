"""Pydantic's JSON Schema in our form: no nulls, closed maps, exact numbers, one-line texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema: free JSON by nature, so its values are not typed further."""

_REFERENCE = "#/$defs/"
_DROPPED = frozenset({"discriminator"})


def plain_schema(raw: Schema) -> Schema:
    """Bring a generated schema into our form."""
    definitions = {name: _formed(one) for name, one in raw.get("$defs", {}).items()}
    formed: Schema = _formed({key: one for key, one in raw.items() if key != "$defs"})
    whole = {**formed, "$defs": definitions}
    for holder in (whole, *definitions.values()):
        if "properties" in holder:
            holder["properties"] = {
                name: _described(one, definitions) for name, one in holder["properties"].items()
            }
    return whole


def target(reference: str) -> str:
    """Give the name that a ``$ref`` points at."""
    return reference.removeprefix(_REFERENCE)


def reference(name: str) -> Schema:
    """Point at a definition."""
    return {"$ref": _REFERENCE + name}


def reachable(schema: Schema) -> Schema:
    """Give the definitions that a schema needs, sorted by name."""
    definitions = schema.get("$defs", {})
    found: dict[str, Schema] = {}
    waiting: list[Any] = [{key: one for key, one in schema.items() if key != "$defs"}]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            name = target(one["$ref"]) if isinstance(one.get("$ref"), str) else None
            if name is not None and name not in found:
                found[name] = definitions[name]
                waiting.append(definitions[name])
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return dict(sorted(found.items()))


def _formed(one: Any) -> Any:  # noqa: ANN401  free JSON
    if isinstance(one, list):
        return [_formed(each) for each in one]
    if isinstance(one, str):
        return " ".join(one.split()) if "\n" in one else one
    if not isinstance(one, dict):
        return one
    formed = {key: _formed(each) for key, each in one.items() if key not in _DROPPED}
    return _without_null(_closed_map(formed))


def _closed_map(schema: Schema) -> Schema:
    """Say a map's key pattern by ``propertyNames``, so that no other key is let through."""
    patterns = schema.get("patternProperties")
    if not isinstance(patterns, dict) or schema.get("type") != "object":
        return schema
    [(pattern, values)] = patterns.items()
    names = {**schema.get("propertyNames", {}), "pattern": pattern}
    kept = {key: one for key, one in schema.items() if key != "patternProperties"}
    return {**kept, "additionalProperties": values, "propertyNames": names}


def _without_null(schema: Schema) -> Schema:
    """A setting is left out, never null; null belongs to patches."""
    schema = {key: one for key, one in schema.items() if (key, one) != ("default", None)}
    union = schema.get("anyOf")
    if not isinstance(union, list) or {"type": "null"} not in union:
        return schema
    others = [one for one in union if one != {"type": "null"}]
    if len(others) > 1:
        return {**schema, "anyOf": others}
    kept = {key: one for key, one in schema.items() if key != "anyOf"}
    return {**others[0], **kept}


def _described(schema: Schema, definitions: Schema) -> Schema:
    """Repeat what a referenced definition says, and leave its defaults to its own fields."""
    if "$ref" in schema:
        there = definitions[target(schema["$ref"])]
        described = {"description": there.get("description", ""), **schema}
        return {k: one for k, one in described.items() if k != "default" or "enum" in there}
    if "$comment" in schema:
        schema = {**schema, "description": f"{schema['description']} {schema['$comment']}"}
    if schema.get("type") == "number" and isinstance(schema.get("default"), str):
        return {**schema, "default": Decimal(schema["default"])}
    return schema
