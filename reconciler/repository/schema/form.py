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
    definitions = {name: _formed(value) for name, value in raw.get("$defs", {}).items()}
    formed: Schema = _formed({key: value for key, value in raw.items() if key != "$defs"})
    whole = {**formed, "$defs": definitions}
    for holder in (whole, *definitions.values()):
        if "properties" in holder:
            holder["properties"] = {
                name: _described(value, definitions) for name, value in holder["properties"].items()
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
    waiting: list[Any] = [{key: value for key, value in schema.items() if key != "$defs"}]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            name = target(node["$ref"]) if isinstance(node.get("$ref"), str) else None
            if name is not None and name not in found:
                found[name] = definitions[name]
                waiting.append(definitions[name])
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return dict(sorted(found.items()))


def _formed(node: Any) -> Any:  # noqa: ANN401  free JSON
    if isinstance(node, list):
        return [_formed(element) for element in node]
    if isinstance(node, str):
        return " ".join(node.split()) if "\n" in node else node
    if not isinstance(node, dict):
        return node
    formed = {key: _formed(value) for key, value in node.items() if key not in _DROPPED}
    return _without_null(_closed_map(formed))


def _closed_map(schema: Schema) -> Schema:
    """Say a map's key pattern by ``propertyNames``, so that no other key is let through."""
    patterns = schema.get("patternProperties")
    if not isinstance(patterns, dict) or schema.get("type") != "object":
        return schema
    [(pattern, values)] = patterns.items()
    names = {**schema.get("propertyNames", {}), "pattern": pattern}
    kept = {key: value for key, value in schema.items() if key != "patternProperties"}
    return {**kept, "additionalProperties": values, "propertyNames": names}


def _without_null(schema: Schema) -> Schema:
    """A setting is left out, never null; null belongs to patches."""
    schema = {key: value for key, value in schema.items() if (key, value) != ("default", None)}
    union = schema.get("anyOf")
    if not isinstance(union, list) or {"type": "null"} not in union:
        return schema
    others = [alternative for alternative in union if alternative != {"type": "null"}]
    if len(others) > 1:
        return {**schema, "anyOf": others}
    kept = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**others[0], **kept}


def _described(schema: Schema, definitions: Schema) -> Schema:
    """Repeat what a referenced definition says, and leave its defaults to its own fields."""
    if "$ref" in schema:
        definition = definitions[target(schema["$ref"])]
        described = {"description": definition.get("description", ""), **schema}
        return {
            k: value for k, value in described.items() if k != "default" or "enum" in definition
        }
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
        definition = self._definitions[name]
        if "properties" not in definition:
            return _without(schema, "default")
        patch_name = name + "Patch"
        self.made[patch_name] = self._of_object(definition)
        return {**schema, **schema_reference(patch_name)}

    def _of_object(self, schema: Schema) -> Schema:
        required = schema.get("required", [])
        properties = {
            name: self.of(value) if name in required else _nullable(self.of(value))
            for name, value in schema["properties"].items()
        }
        return {**_without(schema, "required"), "properties": properties}

    def _of_union(self, schema: Schema, union: str) -> Schema:
        """One alternative may be patched into another, so objects share all their keys."""
        objects = [
            alternative
            for alternative in map(self._resolved, schema[union])
            if "properties" in alternative
        ]
        if len(objects) < 2:  # noqa: PLR2004  one object needs no partner
            alternatives = [self.of(alternative) for alternative in schema[union]]
        else:
            rest = [
                alternative
                for alternative in schema[union]
                if "properties" not in self._resolved(alternative)
            ]
            alternatives = [self._together(objects), *map(self.of, rest)]
        kept = _without(schema, "default", union)
        return (
            {**alternatives[0], **kept}
            if len(alternatives) == 1
            else {**kept, "anyOf": alternatives}
        )

    def _together(self, objects: list[Schema]) -> Schema:
        properties: Schema = {}
        for name in dict.fromkeys(key for shape in objects for key in shape["properties"]):
            forms = [
                self.of(shape["properties"][name])
                for shape in objects
                if name in shape["properties"]
            ]
            properties[name] = _nullable(_any_of(forms))
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def _resolved(self, schema: Schema) -> Schema:
        found: Schema = self._definitions[target(schema["$ref"])] if "$ref" in schema else schema
        return found


def _any_of(forms: list[Schema]) -> Schema:
    distinct = [form for number, form in enumerate(forms) if form not in forms[:number]]
    if len(distinct) == 1:
        return distinct[0]
    texts = {key: distinct[0][key] for key in _TEXTS if key in distinct[0]}
    return {**texts, "anyOf": [_without(alternative, *_TEXTS) for alternative in distinct]}


def _nullable(schema: Schema) -> Schema:
    texts = {key: schema[key] for key in _TEXTS if key in schema}
    rest = _without(schema, *_TEXTS)
    if set(rest) == {"anyOf"}:
        return {**texts, "anyOf": [*rest["anyOf"], _NULL]}
    return {**texts, "anyOf": [rest, _NULL]}


def _without(schema: Schema, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in keys}
