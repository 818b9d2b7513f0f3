"""Pydantic's JSON Schema in our form, and the schema of a patch derived from it.

Our form has no nulls, closed maps, exact numbers, one-line texts. In a patch nothing below ``spec``
is required, and null takes an optional setting back to its default. What stands in a list is whole,
because RFC 7396 replaces lists.
"""

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


def schema_reference(name: str) -> Schema:
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


_NULL: Schema = {"type": "null"}
_TEXTS = ("description", "examples", "deprecated")


def patch_of(whole: Schema) -> Schema:
    """Derive the schema of patches from a whole schema, definitions included."""
    patching = _Patching(whole["$defs"])
    metadata = whole["$defs"]["Metadata"]
    properties = {**whole["properties"], "metadata": schema_reference("MetadataPatch")}
    properties["metadata"]["description"] = metadata["description"]
    properties["spec"] = patching.of(whole["properties"]["spec"])
    patched_metadata = {**metadata, "required": ["name", "environment"]}
    return {
        **whole,
        "description": f"Changes to {whole['description'][0].lower()}{whole['description'][1:]}",
        "properties": properties,
        "$defs": {**whole["$defs"], **patching.made, "MetadataPatch": patched_metadata},
    }


class _Patching:
    """Derives patch forms, one definition at a time, and keeps those it made."""

    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions
        self.made: dict[str, Schema] = {}

    def of(self, schema: Schema) -> Schema:
        """Give the patch form of any schema."""
        if "$ref" in schema:
            return self._of_reference(schema)
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return self._of_union(schema, union)
        if isinstance(schema.get("additionalProperties"), dict):
            values = _nullable(self.of(schema["additionalProperties"]))
            return {**_without(schema, "default"), "additionalProperties": values}
        return _without(schema, "default")

    def _of_reference(self, schema: Schema) -> Schema:
        name = target(schema["$ref"])
        there = self._definitions[name]
        if "properties" not in there:
            return _without(schema, "default")
        made = name + "Patch"
        self.made[made] = self._of_object(there)
        return {**schema, **schema_reference(made)}

    def _of_object(self, schema: Schema) -> Schema:
        required = schema.get("required", [])
        properties = {
            name: self.of(one) if name in required else _nullable(self.of(one))
            for name, one in schema["properties"].items()
        }
        return {**_without(schema, "required"), "properties": properties}

    def _of_union(self, schema: Schema, union: str) -> Schema:
        """One alternative may be patched into another, so objects share all their keys."""
        objects = [one for one in map(self._resolved, schema[union]) if "properties" in one]
        if len(objects) < 2:  # noqa: PLR2004  one object needs no partner
            alternatives = [self.of(one) for one in schema[union]]
        else:
            rest = [one for one in schema[union] if "properties" not in self._resolved(one)]
            alternatives = [self._together(objects), *map(self.of, rest)]
        kept = _without(schema, "default", union)
        return (
            {**alternatives[0], **kept}
            if len(alternatives) == 1
            else {**kept, "anyOf": alternatives}
        )

    def _together(self, objects: list[Schema]) -> Schema:
        properties: Schema = {}
        for name in dict.fromkeys(key for one in objects for key in one["properties"]):
            forms = [
                self.of(one["properties"][name]) for one in objects if name in one["properties"]
            ]
            properties[name] = _nullable(_any_of(forms))
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def _resolved(self, schema: Schema) -> Schema:
        found: Schema = self._definitions[target(schema["$ref"])] if "$ref" in schema else schema
        return found


def _any_of(forms: list[Schema]) -> Schema:
    distinct = [one for number, one in enumerate(forms) if one not in forms[:number]]
    if len(distinct) == 1:
        return distinct[0]
    texts = {key: distinct[0][key] for key in _TEXTS if key in distinct[0]}
    return {**texts, "anyOf": [_without(one, *_TEXTS) for one in distinct]}


def _nullable(schema: Schema) -> Schema:
    texts = {key: schema[key] for key in _TEXTS if key in schema}
    rest = _without(schema, *_TEXTS)
    if set(rest) == {"anyOf"}:
        return {**texts, "anyOf": [*rest["anyOf"], _NULL]}
    return {**texts, "anyOf": [rest, _NULL]}


def _without(schema: Schema, *keys: str) -> dict[str, Any]:
    return {key: one for key, one in schema.items() if key not in keys}
