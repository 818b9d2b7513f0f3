"""YAML documents -> definitions: kind and form are checked, and every fault is located."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import cast

import jsonschema_rs

from reconciler.definitions.core.form_rules import KIND
from reconciler.definitions.core.paths import dotted, meant
from reconciler.definitions.kinds.envelope import API_VERSION
from reconciler.definitions.model import Document, DocumentPath, KindName
from reconciler.kernel.problem import Problem
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.repository.schema.schema import KINDS, Form, schema_of
from reconciler.repository.yaml.nodes import Origins, YamlDocument, offset_of
from reconciler.repository.yaml.source_text import SourceText


def fits(kind: KindName, form: Form, body: JsonObject) -> bool:
    """Say whether data fits a kind's schema; fast."""
    return bool(_gate(kind, form).is_valid(body))


def checked(source: SourceText, document: YamlDocument) -> Document | tuple[Problem, ...]:
    """Check one document.

    Returns:
        The definition, or everything that is wrong with its kind and form. A document that
        was not sound as YAML gives problems only, perhaps none beyond those of its YAML.
    """
    body = document.value
    if not isinstance(body, Mapping):
        place = source.origin(document.root.start)
        return (KIND.broken(place, "a document must be a mapping with `kind` and `spec`"),)
    kind = _kind(source, document, body)
    if not isinstance(kind, str):
        return kind
    metadata = body.get("metadata")
    patch = isinstance(metadata, Mapping) and "environment" in metadata
    form: Form = "patch" if patch else "full"
    if not fits(kind, form, body):
        return tuple(_located(source, document, kind, form, body))
    return _definition(source, document, kind, body) if document.sound else ()


def _definition(
    source: SourceText, document: YamlDocument, kind: KindName, body: JsonObject
) -> Document:
    metadata = cast("Mapping[str, str]", body["metadata"])
    return Document(
        kind=kind,
        name=metadata["name"],
        environment=metadata.get("environment"),
        file=source.file,
        index=document.index,
        body=body,
        origins=Origins(source, document),
    )


@cache
def _gate(kind: KindName, form: Form) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema_of(kind, form))


def _kind(
    source: SourceText, document: YamlDocument, body: JsonObject
) -> KindName | tuple[Problem, ...]:
    """Tell the kind, or why the document has none; the rest cannot be checked without it."""
    problems: list[Problem] = []
    version, kind = body.get("apiVersion"), body.get("kind")
    if version != API_VERSION:
        problems.append(_word(source, document, "apiVersion", version, (API_VERSION,)))
    if not isinstance(kind, str) or kind not in KINDS:
        problems.append(_word(source, document, "kind", kind, tuple(KINDS)))
    return tuple(problems) if problems else cast("KindName", kind)


def _word(
    source: SourceText, document: YamlDocument, key: str, value: JsonValue, known: tuple[str, ...]
) -> Problem:
    if value is None:
        place = source.origin(document.root.start)
        choice = ", ".join(f"`{name}`" for name in known)
        return KIND.broken(place, f"`{key}` is missing", f"Add `{key}:` with {choice}.", key)
    node = document.node((key,))
    place = source.origin(offset_of(node) if node else document.root.start)
    shown = f"`{value[:60]}`" if isinstance(value, str) else "no text"
    hint = meant(value if isinstance(value, str) else "", known)
    if hint.startswith("Known"):
        hint = f"Use {', '.join(f'`{name}`' for name in known)}."
    return KIND.broken(place, f"`{key}` is {shown}, which is not known", hint, key)


def _located(
    source: SourceText, document: YamlDocument, kind: KindName, form: Form, body: JsonObject
) -> Iterator[Problem]:
    # jsonschema takes longer to import than a whole good run takes.
    from reconciler.repository.schema.findings import findings

    for finding in findings(kind, form, body):
        path = finding.path[:-1] if finding.at == "parent" else finding.path
        place = source.origin(_offset(document, path, of_key=finding.at == "key"))
        yield finding.rule.broken(place, finding.message, finding.hint, dotted(finding.path))


def _offset(document: YamlDocument, path: DocumentPath, *, of_key: bool) -> int:
    """Find where to point: a path may lead below an alias, where nothing is written."""
    while (node := document.node(path)) is None:
        path, of_key = path[:-1], False
    return node.key_start if of_key and node.key_start >= 0 else offset_of(node)


def patch_problems(patch: Document, body: JsonObject) -> tuple[Problem, ...]:
    """Check what a patch makes of its object, as a whole document.

    Args:
        patch: The patch, which fits the schema of patches.
        body: The object with the patch applied.
    """
    if fits(patch.kind, "full", body):
        return ()
    from reconciler.repository.schema.findings import findings

    return tuple(
        finding.rule.broken(
            patch.origin(finding.path),
            f"with this patch, {finding.message}",
            finding.hint,
            dotted(finding.path),
        )
        for finding in findings(patch.kind, "full", body)
    )
