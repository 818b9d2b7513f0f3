"""A cut of an API description: checks what is asked, and fills in what an answer must hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from reconciler.kernel import exact_json

DATA = Path(__file__).parent.parent / "forge/data"


class OpenApi:
    """The operations that the tests know; whatever is not among them was never asked for."""

    def __init__(self, name: str) -> None:
        document: Any = exact_json.decode((DATA / name).read_bytes())
        self.version = document["version"]
        self._operations = [
            (
                re.compile(re.sub(r"\\{[^}]*\\}", "([^/]+)", re.escape(path)) + "$"),
                method,
                operation,
            )
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]

    def operation(self, method: str, path: str) -> Any:
        """Find the operation of a request."""
        for pattern, known, operation in self._operations:
            if known == method.lower() and pattern.match(path):
                return operation
        message = f"{method} {path} is no operation of the API description {self.version}"
        raise AssertionError(message)

    def check_request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        """Check a request and give its operation."""
        operation = self.operation(method, path)
        for name, value in query.items():
            assert name in operation["query"], f"{method} {path} takes no `{name}`"
            number = value.isdigit() and operation["query"][name].get("type") == "integer"
            check(operation["query"][name], int(value) if number else value)
        if method != "GET":
            check(operation["body"], body)
        return operation


def check(schema: Any, value: Any) -> None:
    """Check one value."""
    _validator(exact_json.encode(schema)).validate(value)


@cache
def _validator(schema: str) -> Any:
    return jsonschema_rs.Draft202012Validator(schema)


def filled(schema: Any, given: Any) -> Any:
    """Give a value as an answer holds it: what is given, and something for what is required."""
    if isinstance(given, list):
        items = schema.get("items", True) if isinstance(schema, dict) else True
        return [filled(items, entry) for entry in given]
    if not isinstance(given, dict):
        return given
    known = _object(schema)
    properties = known.get("properties", {})
    whole = {
        name: _something(properties.get(name, True))
        for name in known.get("required", ())
        if name not in given
    }
    return whole | {
        name: filled(properties.get(name, True), value) for name, value in given.items()
    }


def _object(schema: Any) -> Any:
    """Find the part of a schema that speaks of an object."""
    if not isinstance(schema, dict):
        return {}
    for word in ("anyOf", "oneOf"):
        for entry in schema.get(word, ()):
            if _object(entry).get("properties"):
                return _object(entry)
    merged: dict[str, Any] = dict(schema)
    for entry in schema.get("allOf", ()):
        part = _object(entry)
        merged["properties"] = {**merged.get("properties", {}), **part.get("properties", {})}
        merged["required"] = [*merged.get("required", ()), *part.get("required", ())]
    return merged


def _something(schema: Any) -> Any:  # noqa: PLR0911  one line a type
    if not isinstance(schema, dict):
        return "x"
    if schema.get("enum"):
        return schema["enum"][0]
    for word in ("anyOf", "oneOf"):
        if word in schema:
            has_null = any(entry == {"type": "null"} for entry in schema[word])
            return None if has_null else _something(schema[word][0])
    known = _object(schema)
    kind = known.get("type")
    if "properties" in known or kind == "object":
        return filled(schema, {})
    if kind == "array":
        return []
    if kind in {"integer", "number"}:
        return 1
    if kind == "boolean":
        return False
    return "2026-12-01T00:00:00Z" if known.get("format") == "date-time" else "x"
