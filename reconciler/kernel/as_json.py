"""Frozen values as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal

from reconciler.kernel.exact_json import NotExactError
from reconciler.kernel.value import JsonValue

LATER = {"later": True}
"""Metadata of a field that came after the first documents were written: while it is empty it is
left out of them, so that an old document keeps its digest."""


def as_json(value: object) -> JsonValue:
    """Give a frozen value as JSON: dataclasses by field name, tuples as lists."""
    if isinstance(value, str):
        return value if type(value) is str else str(value)
    if value is None or isinstance(value, bool | int | Decimal):
        return value
    if names := _names(type(value)):
        later = _LATER[type(value)]
        return {
            name: as_json(held)
            for name in names
            if (held := getattr(value, name)) or name not in later
        }
    if isinstance(value, dict | Mapping):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple | Sequence):
        return [as_json(one) for one in value]
    raise NotExactError(value)


def _names(kind: type[object]) -> tuple[str, ...]:
    """Name the fields of a dataclass, once for each: plans and records hold thousands."""
    if kind not in _FIELDS:
        known = fields(kind) if is_dataclass(kind) else ()
        _LATER[kind] = frozenset(field.name for field in known if "later" in field.metadata)
        _FIELDS[kind] = tuple(field.name for field in known)
    return _FIELDS[kind]


_FIELDS: dict[type[object], tuple[str, ...]] = {}
_LATER: dict[type[object], frozenset[str]] = {}
"""Fields that are left out while empty, see ``LATER``."""
