"""What data breaks of its schema: jsonschema's error tree as plain values.

Imported only when the fast gate has refused a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from reconciler.definitions.model import DocumentPath, KindName
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.repository.schema.form import Schema
from reconciler.repository.schema.schema import Form, schema_of


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken requirement, and for a union what each alternative misses.

    Attributes:
        keyword: The schema keyword that is broken; ``propertyNames`` for a bad key.
        path: From the root of the data to the value.
        value: What stands there; the key itself for ``propertyNames``.
        wanted: What the keyword says.
        schema: The schema that holds the keyword.
        message: jsonschema's own words.
        depth: Steps below the union that this is an alternative of; 0 is the union's value.
        branches: Faults of each alternative; empty when this is no union.
    """

    keyword: str
    path: DocumentPath
    value: JsonValue
    wanted: Any
    schema: Schema
    message: str
    depth: int
    branches: tuple[tuple[Fault, ...], ...] = ()


def faults(kind: KindName, form: Form, body: JsonObject) -> tuple[Fault, ...]:
    """Find everything that a document breaks of its schema."""
    return tuple(_fault(error) for error in _validator(kind, form).iter_errors(body))


def is_valid(schema: Schema, body: JsonValue) -> bool:
    """Say what jsonschema, which is slow and decides, says."""
    return bool(_exact()(schema).is_valid(body))


def meant_branches(branches: tuple[tuple[Fault, ...], ...]) -> list[tuple[Fault, ...]]:
    """Choose the alternatives of a union that a value was probably meant as.

    None when the value is of another type than all of them; several when nothing decides.
    """
    fitting = [branch for branch in branches if not any(map(_of_other_type, branch))]
    likely = [faults for faults in fitting if not any(map(_with_other_tag, faults))] or fitting
    if likely and all(any(map(_with_other_tag, faults)) for faults in likely):
        return likely
    fewest = min(map(len, likely), default=0)
    return [faults for faults in likely if len(faults) == fewest]


def other_tag(branches: list[tuple[Fault, ...]]) -> Fault | None:
    """Find the field by which alternatives differ, when its value belongs to none of them."""
    tags = [next(filter(_with_other_tag, branch), None) for branch in branches]
    first = tags[0] if len(tags) > 1 else None
    same = first is not None and all(tag and tag.path == first.path for tag in tags)
    return first if same else None


@cache
def _validator(kind: KindName, form: Form) -> Any:  # noqa: ANN401  jsonschema's classes are built at run time
    return _exact()(schema_of(kind, form))


@cache
def _exact() -> Any:  # noqa: ANN401  as above
    checker = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    )
    extended: Any = extend  # jsonschema types it only in part
    return extended(Draft202012Validator, {"pattern": _pattern}, type_checker=checker)


def _of_other_type(fault: Fault) -> bool:
    return fault.depth == 0 and fault.keyword in {"type", "const", "enum"}


def _with_other_tag(fault: Fault) -> bool:
    return fault.depth == 1 and fault.keyword in {"const", "enum"}


def _is_number(_checker: object, value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_integer(checker: object, value: object) -> bool:
    whole = not isinstance(value, Decimal) or value == value.to_integral_value()
    return whole and _is_number(checker, value)


def _pattern(
    _validator: object, pattern: str, value: object, _schema: object
) -> Iterator[ValidationError]:
    """As in ECMA 262: ``$`` is the end of the text, not a line end before it."""
    if isinstance(value, str) and not re.search(pattern.removesuffix("$") + r"\Z", value):
        yield ValidationError("does not match")


def _fault(error: ValidationError) -> Fault:
    branches: dict[Any, list[Fault]] = {}
    for cause in error.context or ():
        branches.setdefault(cause.relative_schema_path[0], []).append(_fault(cause))
    # A key's fault is reported at the map; only the last steps of the schema's path tell.
    of_name = "propertyNames" in list(error.absolute_schema_path)[-3:-1]
    schema = error.schema if isinstance(error.schema, dict) else {}
    instance: Any = error.instance
    return Fault(
        keyword="propertyNames" if of_name else str(error.validator),
        path=tuple(error.absolute_path),
        value=instance,
        wanted=error.validator_value,
        schema=schema,
        message=error.message,
        depth=len(error.relative_path),
        branches=tuple(tuple(branch) for branch in branches.values()),
    )
