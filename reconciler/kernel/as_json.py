"""Frozen values as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal

from reconciler.kernel.exact_json import NotExactError
from reconciler.kernel.value import JsonValue


def as_json(value: object) -> JsonValue:
    """Give a frozen value as JSON: dataclasses by field name, tuples as lists."""
    if isinstance(value, str):
        return value if type(value) is str else str(value)
    if value is None or isinstance(value, bool | int | Decimal):
        return value
    if names := _names(type(value)):
        return {name: as_json(getattr(value, name)) for name in names}
    if isinstance(value, dict | Mapping):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple | Sequence):
        return [as_json(one) for one in value]
    raise NotExactError(value)


def _names(kind: type[object]) -> tuple[str, ...]:
    """Name the fields of a dataclass, once for each: plans and records hold thousands."""
    if kind not in _FIELDS:
        _FIELDS[kind] = tuple(one.name for one in fields(kind)) if is_dataclass(kind) else ()
    return _FIELDS[kind]


_FIELDS: dict[type[object], tuple[str, ...]] = {}
