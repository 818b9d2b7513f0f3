"""Plans and records as JSON, and the hashes that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal

from reconciler.core.exact_json import NotExactError, digest
from reconciler.domain.address import PlanId
from reconciler.domain.applied import AppliedRecord
from reconciler.domain.plan import Plan, PlanBody, PlanHead, RecordId
from reconciler.domain.value import JsonValue


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


def plan_id(body: PlanBody) -> PlanId:
    """Give the SHA-256 of the canonical body."""
    return PlanId(digest(as_json(body)))


def named(head: PlanHead, body: PlanBody) -> Plan:
    """Make a plan of head and body, under the name that its body earns."""
    return Plan(plan_id(body), head, body)


def record_id(record: AppliedRecord) -> RecordId:
    """Give the SHA-256 of a record without its own id."""
    content = as_json(record)
    assert isinstance(content, Mapping)
    return RecordId(digest({key: one for key, one in content.items() if key != "id"}))
