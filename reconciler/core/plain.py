"""Frozen values to plain JSON data, and the digests that name plans and applied records."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum

from reconciler.core import exact_json
from reconciler.domain.address import PlanId
from reconciler.domain.applied import AppliedRecord
from reconciler.domain.plan import PlanBody, RecordId
from reconciler.domain.value import JsonValue
from reconciler.errors import ReconcilerError


class NotPlainError(ReconcilerError):
    """A value that no document may hold, such as a secret or a callable."""

    def __init__(self, value: object) -> None:
        super().__init__(f"a value of type {type(value).__name__} cannot be stored")


def to_plain(value: object) -> JsonValue:
    """Turn dataclasses into objects, tuples into arrays, and enums into their values.

    Raises:
        NotPlainError: For anything else; a secret never gets into a document.
    """
    if value is None or isinstance(value, Enum):
        return None if value is None else to_plain(value.value)
    if isinstance(value, str | bool | int | Decimal):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_plain(one) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [to_plain(one) for one in value]
    if dataclasses.is_dataclass(value):
        return {one.name: to_plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    raise NotPlainError(value)


def plan_id(body: PlanBody) -> PlanId:
    """Name a plan: SHA-256 of its canonical body."""
    return PlanId(exact_json.digest(to_plain(body)))


def record_id(record: AppliedRecord) -> RecordId:
    """Name an applied record: SHA-256 of it without its id."""
    return RecordId(exact_json.digest(to_plain(dataclasses.replace(record, id=None))))
