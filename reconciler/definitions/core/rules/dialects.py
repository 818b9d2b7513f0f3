"""Dialects: one wire key per field, one dialect per place, evidence with a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from reconciler.definitions.core.paths import mapping_at, meant, text_at
from reconciler.definitions.core.rule import Rule
from reconciler.definitions.core.rules.environments import parsed_moment
from reconciler.definitions.core.settings import settings_of
from reconciler.definitions.model import Document
from reconciler.kernel.problem import Problem

ONE_WIRE_KEY = Rule(
    "R110",
    "every field has a wire key of its own",
    "error",
    "Two fields written under one key overwrite each other.",
    "Correct the wire key of one of them.",
)
ONE_DIALECT = Rule(
    "R111",
    "one dialect for an environment, destination and entity type",
    "error",
    "With two nobody can say which spelling the organisation confirmed.",
    "Remove the older one.",
)
VALUES_WITHOUT_KEY = Rule(
    "R112",
    "values stand for fields that have a key",
    "error",
    "Values of a field that is never written have no effect.",
    "Add the field under `keys`, or remove it from `values`.",
)
ONE_WIRE_VALUE = Rule(
    "R113",
    "every value has a wire value of its own",
    "error",
    "Two values with one spelling cannot be told apart when they are read back.",
    "Correct the wire value of one of them.",
)
UNKNOWN_FIELD = Rule(
    "R114",
    "dialects speak of fields that exist",
    "error",
    "A misspelt field keeps its setting from ever being written.",
    "Use the path of a setting below `spec`, for example `chargebee.createInvoice`.",
)
EVIDENCE = Rule(
    "R115",
    "evidence has a time with an offset",
    "error",
    "Whoever reviews a dialect must know how old the knowledge is.",
    "Write a time like 2026-11-22T10:00:00Z.",
)

RULES = (ONE_WIRE_KEY, ONE_DIALECT, VALUES_WITHOUT_KEY, ONE_WIRE_VALUE, UNKNOWN_FIELD, EVIDENCE)


def dialects(documents: Collection[Document]) -> Iterator[Problem]:
    """Check every dialect; a patch is checked by itself."""
    seen: dict[tuple[str, ...], Document] = {}
    for document in documents:
        if document.kind != "Dialect":
            continue
        yield from _keys(document)
        yield from _values(document)
        yield from _evidence(document)
        if document.environment is None:
            first = seen.setdefault(_place(document), document)
            if first is not document:
                yield _second(document, first)


def _place(document: Document) -> tuple[str, ...]:
    spec = mapping_at(document.body, "spec")
    return (
        text_at(spec, "environment"),
        text_at(spec, "destination"),
        text_at(spec, "entityType") or "Bill",
    )


def _second(document: Document, first: Document) -> Problem:
    environment, destination, entity = _place(document)
    return ONE_DIALECT.broken(
        document.origin(("metadata", "name")),
        f"`{first.name}` ({first.origin(('metadata', 'name'))}) already is the dialect of"
        f" {destination} {entity} in `{environment}`",
        path="metadata.name",
    )


def _keys(document: Document) -> Iterator[Problem]:
    by_wire: dict[str, str] = {}
    known = [str(two.path) for two in settings_of(text_at(document.body, "spec", "destination"))]
    if document.environment is not None and not text_at(document.body, "spec", "destination"):
        known = [str(two.path) for two in settings_of("Chargebee")]
    for field in mapping_at(document.body, "spec", "keys"):
        path = ("spec", "keys", field)
        wire = text_at(document.body, *path)
        if field not in known:
            message = f"there is no field `{field}`"
            hint = meant(field, known, UNKNOWN_FIELD.fix)
            yield UNKNOWN_FIELD.broken(document.origin(path), message, hint, f"spec.keys.{field}")
        first = by_wire.setdefault(wire, field)
        if wire and first != field:
            message = f"`{field}` and `{first}` have the same wire key `{wire}`"
            yield ONE_WIRE_KEY.broken(document.origin(path), message, path=f"spec.keys.{field}")


def _values(document: Document) -> Iterator[Problem]:
    keys = mapping_at(document.body, "spec", "keys")
    for field in mapping_at(document.body, "spec", "values"):
        path = ("spec", "values", field)
        if field not in keys and document.environment is None:
            message = f"`{field}` has values and no key"
            yield VALUES_WITHOUT_KEY.broken(
                document.origin(path), message, path=f"spec.values.{field}"
            )
        by_wire: dict[str, str] = {}
        for value in mapping_at(document.body, *path):
            wire = text_at(document.body, *path, value)
            first = by_wire.setdefault(wire, value)
            if wire and first != value:
                message = f"`{value}` and `{first}` of `{field}` have the same wire value `{wire}`"
                yield ONE_WIRE_VALUE.broken(
                    document.origin((*path, value)), message, path=f"spec.values.{field}.{value}"
                )


def _evidence(document: Document) -> Iterator[Problem]:
    at = text_at(document.body, "spec", "evidence", "at")
    if at and parsed_moment(at) is None:
        path = ("spec", "evidence", "at")
        message = f"`{at}` is no time with an offset"
        yield EVIDENCE.broken(document.origin(path), message, path="spec.evidence.at")
