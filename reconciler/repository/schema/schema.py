"""Kinds -> JSON Schema (draft 2020-12): whole documents, and patches for one environment.

The schema is built from the models at run time; ``schemas/`` holds copies for editors and reviews.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from reconciler.definitions.kinds.dialect import Dialect
from reconciler.definitions.kinds.envelope import API_VERSION, Envelope
from reconciler.definitions.kinds.environment import Environment
from reconciler.definitions.kinds.integration import Integration
from reconciler.definitions.kinds.mapping_set import MappingSet
from reconciler.definitions.kinds.project import Project
from reconciler.definitions.model import KindName
from reconciler.kernel.exact_json import encode
from reconciler.repository.schema.examples import EXAMPLES, PATCH_EXAMPLES
from reconciler.repository.schema.form import Schema, patch_of, plain_schema, reachable

Form: TypeAlias = Literal["full", "patch"]

KINDS: Final[dict[KindName, type[Envelope]]] = {
    "Project": Project,
    "Environment": Environment,
    "Integration": Integration,
    "MappingSet": MappingSet,
    "Dialect": Dialect,
}
FORMS: Final[tuple[Form, ...]] = get_args(Form)
_FILES: Final[dict[KindName, str]] = {
    "Project": "project",
    "Environment": "environment",
    "Integration": "integration",
    "MappingSet": "mapping-set",
    "Dialect": "dialect",
}


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with Decimals as the JSON numbers they are read from."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> dict[str, Any]:
        limits = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum"}
        bounds = dict(schema)
        found = {limit: bounds[here] for here, limit in limits.items() if here in bounds}
        return {"type": "number", **found}

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  pydantic's hook
        return False


@cache
def schema_of(kind: KindName, form: Form) -> Schema:
    """Give the schema of one kind: of whole documents, or of patches."""
    raw = KINDS[kind].model_json_schema(by_alias=True, schema_generator=_Generator)
    whole = plain_schema(raw)
    body = patch_of(whole) if form == "patch" else _without_environment(whole)
    examples = PATCH_EXAMPLES if form == "patch" else EXAMPLES
    suffix = ":patch" if form == "patch" else ""
    definitions = reachable(body)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{API_VERSION.replace('/', ':')}:{_FILES[kind]}{suffix}",
        "title": f"{kind} (patch)" if form == "patch" else kind,
        **{key: value for key, value in body.items() if key not in {"$defs", "title"}},
        "examples": [examples[kind]],
        **({"$defs": definitions} if definitions else {}),
    }


def definition_schema() -> Schema:
    """Give one schema for every document, for editors that cannot choose by kind."""
    branches: list[Schema] = []
    definitions: Schema = {}
    for kind in KINDS:
        for form in FORMS:
            schema = schema_of(kind, form)
            definitions |= schema.get("$defs", {})
            name = f"{kind}DocumentPatch" if form == "patch" else f"{kind}Document"
            definitions[name] = {
                key: value
                for key, value in schema.items()
                if key not in {"$schema", "$id", "$defs"}
            }
            branches.append(_when(kind, form, name))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{API_VERSION.replace('/', ':')}:definition",
        "title": "Definition",
        "description": "Any document under integrations.d.",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {"kind": {"description": "The kind.", "enum": list(KINDS)}},
        "allOf": branches,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_files() -> dict[str, str]:
    """Give every schema file: path below ``schemas/`` -> text."""
    files = {"definition.schema.json": definition_schema()}
    for kind, name in _FILES.items():
        files[f"{name}.schema.json"] = schema_of(kind, "full")
        files[f"patch/{name}.schema.json"] = schema_of(kind, "patch")
    return {path: encode(schema, indent=2) + "\n" for path, schema in sorted(files.items())}


def write_schemas(folder: Path) -> tuple[Path, ...]:
    """Write every schema file.

    Returns:
        The files whose text changed.
    """
    changed: list[Path] = []
    for name, text in schema_files().items():
        path = folder / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        changed.append(path)
    return tuple(changed)


def _without_environment(whole: Schema) -> Schema:
    """Take ``metadata.environment`` out of a whole schema: it is what makes a patch."""
    metadata = whole["$defs"]["Metadata"]
    kept = {key: value for key, value in metadata["properties"].items() if key != "environment"}
    definitions = {**whole["$defs"], "Metadata": {**metadata, "properties": kept}}
    return {**whole, "$defs": definitions}


def _when(kind: KindName, form: Form, name: str) -> Schema:
    patched: Schema = {"properties": {"metadata": {"required": ["environment"]}}}
    is_form = patched if form == "patch" else {"not": patched}
    return {
        "if": {
            "required": ["kind", "metadata"],
            "properties": {"kind": {"const": kind}, "metadata": {"type": "object"}},
            "allOf": [is_form],
        },
        "then": {"$ref": f"#/$defs/{name}"},
    }
