"""What a document breaks of its schema, in words for the person who wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal

from reconciler.definitions.core.form_rules import MISSING, SHAPE, TYPE, UNKNOWN, VALUE
from reconciler.definitions.core.rule import Rule
from reconciler.definitions.model import DocumentPath, KindName
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.repository.schema.errors import Fault, faults, meant_branches, other_tag
from reconciler.repository.schema.form import Schema
from reconciler.repository.schema.schema import Form, schema_of
from reconciler.repository.schema.words import (
    choices,
    cut_for_quote,
    dereferenced,
    described,
    last_name,
    listed_choices,
    nearest_name,
    places_of,
    said,
)

SECRET_FIELDS: Final = frozenset({"accessKey", "apiSecret", "apiKey", "postgresql", "url"})
"""Fields that refer to secrets: what stands there by mistake is never quoted."""

_YES = frozenset({"yes", "on", "y", "no", "off", "n"})
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")
_LIMITS: Final[Mapping[str, str]] = {
    "minLength": "`{name}` must not be empty",
    "maxLength": "`{name}` is longer than {wanted} characters",
    "minItems": "`{name}` must not be an empty list",
    "minimum": "`{name}` is {value}, below {wanted}",
    "maximum": "`{name}` is {value}, above {wanted}",
    "pattern": "`{name}` is {value}, which does not have the right form",
}


@dataclass(frozen=True, slots=True)
class SchemaFinding:
    """One broken requirement.

    Attributes:
        rule: Which rule of form it breaks.
        path: From the root of the document to the field that is meant.
        at: Whether the reader should look at the field's key, its value, or what it belongs in.
        message: What is wrong.
        hint: What to do; empty for the rule's own advice.
        meant: The name that an unknown key was taken for.
    """

    rule: Rule
    path: DocumentPath
    at: Literal["key", "value", "parent"]
    message: str
    hint: str = ""
    meant: str | None = None


def findings(kind: KindName, form: Form, body: JsonObject) -> tuple[SchemaFinding, ...]:
    """Find everything that a document breaks of its schema."""
    schema = schema_of(kind, form)
    reading = _Reading(schema.get("$defs", {}), schema)
    findings = [finding for fault in faults(kind, form, body) for finding in reading.of(fault)]
    meant = {
        (*finding.path[:-1], finding.meant) for finding in findings if finding.meant is not None
    }
    return tuple(
        finding for finding in findings if finding.rule is not MISSING or finding.path not in meant
    )


def is_secret(path: DocumentPath) -> bool:
    """Say whether a field refers to a secret."""
    return any(step in SECRET_FIELDS for step in path)


class _Reading:
    """Turns faults into findings."""

    def __init__(self, definitions: Schema, root: Schema) -> None:
        self._definitions = definitions
        self._root = root
        self._readers: Mapping[str, Callable[[Fault], Iterator[SchemaFinding]]] = {
            "propertyNames": self._of_name,
            "required": self._missing,
            "additionalProperties": self._unknown,
            "type": self._of_choice,
            "enum": self._of_choice,
            "const": self._of_choice,
        }

    def of(self, fault: Fault) -> Iterator[SchemaFinding]:
        """Read one fault; a union's fault leads to the alternative that was meant."""
        if not fault.branches:
            yield from self._readers.get(fault.keyword, self._of_limit)(fault)
            return
        meant = meant_branches(fault.branches)
        if (tag := other_tag(meant)) is not None:
            yield self._of_tag(tag, fault)
        elif len(meant) == 1:
            for cause in meant[0]:
                yield from self._of_alternative(cause, fault)
        elif meant:
            yield self._shape(fault)
        else:
            yield from self._of_choice(fault)

    def _of_alternative(self, fault: Fault, union: Fault) -> Iterator[SchemaFinding]:
        for finding in self.of(fault):
            if finding.rule is VALUE and fault.path == union.path and fault.keyword == "pattern":
                wanted = described(union.schema, self._definitions)
                yield replace(finding, hint=f"{finding.hint} It must be {wanted}.")
            else:
                yield finding

    def _of_tag(self, tag: Fault, union: Fault) -> SchemaFinding:
        """All alternatives say what they are in one field, and none is what stands there."""
        name = tag.path[-1]
        alternatives = [
            dereferenced(alternative, self._definitions) for alternative in union.wanted
        ]
        fields = [alternative["properties"][name] for alternative in alternatives]
        return next(self._of_choice(replace(tag, schema={"anyOf": fields})))

    def _of_choice(self, fault: Fault) -> Iterator[SchemaFinding]:
        wanted = described(fault.schema, self._definitions)
        allowed = self._allowed(fault.schema)
        if isinstance(fault.value, str) and allowed:
            yield _not_allowed(fault.path, fault.value, allowed, wanted)
        else:
            yield _wrong_type(fault.path, fault.value, wanted)

    def _allowed(self, schema: Schema) -> list[str]:
        schema = dereferenced(schema, self._definitions)
        alternatives = schema.get("anyOf") or schema.get("oneOf")
        if alternatives:
            return [name for alternative in alternatives for name in self._allowed(alternative)]
        texts = isinstance(schema.get("const", schema.get("enum", [""])[0]), str)
        return (choices(schema) or []) if texts else []

    def _shape(self, fault: Fault) -> SchemaFinding:
        alternatives = [
            dereferenced(alternative, self._definitions) for alternative in fault.wanted
        ]
        known = [name for alternative in alternatives for name in alternative.get("properties", {})]
        given = fault.value if isinstance(fault.value, Mapping) else {}
        unknown = [key for key in given if key not in known]
        near = nearest_name(unknown[0], known) if unknown else None
        wanted = described(fault.schema, self._definitions)
        message = f"`{last_name(fault.path)}` must be {wanted}"
        hint = f"Did you mean `{near}`?" if near else "Write exactly one of them."
        return SchemaFinding(SHAPE, fault.path, "value", message, hint)

    def _of_name(self, fault: Fault) -> Iterator[SchemaFinding]:
        key = str(fault.value)
        path, name = (*fault.path, key), last_name(fault.path)
        if (allowed := choices(fault.schema)) is not None:
            near = nearest_name(key, allowed)
            hint = f"Did you mean `{near}`?" if near else f"Known are {listed_choices(allowed)}."
            message = f"`{cut_for_quote(key)}` is not a known key of `{name}`"
            yield SchemaFinding(UNKNOWN, path, "key", message, hint)
            return
        hint = fault.schema.get("$comment", "Keys have 1 to 1,000 characters.")
        yield SchemaFinding(
            VALUE, path, "key", f"`{cut_for_quote(key)}` cannot be a key of `{name}`", hint
        )

    def _missing(self, fault: Fault) -> Iterator[SchemaFinding]:
        name = next(
            alternative
            for alternative in fault.wanted
            if fault.message.startswith(repr(alternative))
        )
        field = fault.schema.get("properties", {}).get(name, {})
        wanted = described(field, self._definitions)
        place = f" in `{last_name(fault.path)}`" if fault.path else ""
        hint = f"Add `{name}:` with {wanted}. {field.get('description', '')}".strip()
        yield SchemaFinding(
            MISSING, (*fault.path, name), "parent", f"`{name}` is missing{place}", hint
        )

    def _unknown(self, fault: Fault) -> Iterator[SchemaFinding]:
        known = list(fault.schema.get("properties", {}))
        given = fault.value if isinstance(fault.value, Mapping) else {}
        for key in given:
            if key in known:
                continue
            near = nearest_name(key, known)
            message = f"unknown setting `{cut_for_quote(key)}`"
            hint = f"Did you mean `{near}`?" if near else self._advice(key, known)
            yield SchemaFinding(UNKNOWN, (*fault.path, key), "key", message, hint, near)

    def _advice(self, key: str, known: list[str]) -> str:
        for place in places_of(key, self._root, self._definitions):
            return f"It belongs in `{place}`."
        return f"Known here are {listed_choices(known)}."

    def _of_limit(self, fault: Fault) -> Iterator[SchemaFinding]:
        value = said(fault.value, secret=is_secret(fault.path))
        words = _LIMITS.get(fault.keyword, "`{name}` is {value}, which is not allowed")
        message = words.format(name=last_name(fault.path), value=value, wanted=fault.wanted)
        hint = "List at least one." if fault.keyword == "minItems" else self._form(fault.schema)
        yield SchemaFinding(VALUE, fault.path, "value", message, hint)

    def _form(self, schema: Schema) -> str:
        parts = [str(schema["$comment"])] if "$comment" in schema else []
        if examples := schema.get("examples"):
            parts.append("For example " + " or ".join(f"`{example}`" for example in examples) + ".")
        return " ".join(parts) or f"It must be {described(schema, self._definitions)}."


def _not_allowed(path: DocumentPath, value: str, allowed: list[str], wanted: str) -> SchemaFinding:
    shown = said(value, secret=is_secret(path))
    near = nearest_name(value, allowed)
    hint = f"Did you mean `{near}`?" if near else f"It must be {wanted}."
    return SchemaFinding(
        VALUE, path, "value", f"`{last_name(path)}` is {shown}, not {wanted}", hint
    )


def _wrong_type(path: DocumentPath, value: JsonValue, wanted: str) -> SchemaFinding:
    shown = said(value, secret=is_secret(path))
    message = f"`{last_name(path)}` must be {wanted}, not {shown}"
    return SchemaFinding(TYPE, path, "value", message, _type_hint(value, wanted))


def _type_hint(value: JsonValue, wanted: str) -> str:
    if value is None:
        return "Write a value, or remove the key."
    if isinstance(value, str) and wanted.startswith("true") and value.casefold() in _YES:
        return "YAML 1.2 reads this as text; write `true` or `false`."
    if isinstance(value, str) and "number" in wanted and _NUMBER.fullmatch(value):
        return "Remove the quotes."
    if isinstance(value, bool | int | Decimal) and "text" in wanted:
        return "Put it in quotes."
    return ""
