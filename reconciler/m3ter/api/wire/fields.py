"""Reads single fields of an answer, tolerant of what m3ter leaves out, strict about the rest.

Source: m3ter OpenAPI 2026-08-03, RecalculateBillJob: "response schema is dynamic", null parameters
are hidden. So a missing key and a null are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.api.errors import UnreadableAnswerError


class FieldError(UnreadableAnswerError):
    """A field is missing or of another type than published."""

    def __init__(self, found: JsonObject, key: str, wanted: str) -> None:
        identity = found.get("id")
        subject = f"the object {identity}" if isinstance(identity, str) else "an object without id"
        super().__init__(subject, f"`{key}` is not {wanted}")


def required(found: JsonObject, key: str) -> str:
    """Read a text that must be there and not be empty."""
    value = text(found, key)
    if not value:
        raise FieldError(found, key, "a text")
    return value


def text(found: JsonObject, key: str) -> str:
    """Read a text; empty when it is not there."""
    value = found.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FieldError(found, key, "a text")
    return value


def whole(found: JsonObject, key: str) -> int | None:
    """Read a whole number, also one written as ``3.0``."""
    value = found.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value != int(value):
        raise FieldError(found, key, "a whole number")
    return int(value)


def version_of(found: JsonObject) -> int:
    """Read the version, which every stored object has."""
    value = whole(found, "version")
    if value is None:
        raise FieldError(found, "version", "a whole number")
    return value


def number(found: JsonObject, key: str) -> Decimal | None:
    """Read an exact number; one in quotes is read as well."""
    value = found.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise FieldError(found, key, "a number")
    try:
        exact = Decimal(value)
    except InvalidOperation:
        raise FieldError(found, key, "a number") from None
    if not exact.is_finite():
        raise FieldError(found, key, "a number")
    return exact


def flag(found: JsonObject, key: str) -> bool | None:
    """Read a truth value."""
    value = found.get(key)
    if value is not None and not isinstance(value, bool):
        raise FieldError(found, key, "true or false")
    return value


def json_object(found: JsonObject, key: str) -> JsonObject | None:
    """Read an object."""
    value = found.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise FieldError(found, key, "an object")
    return value


def objects(found: JsonObject, key: str) -> tuple[JsonObject, ...]:
    """Read a list of objects; empty when it is not there."""
    value = found.get(key)
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise FieldError(found, key, "a list")
    many = tuple(element for element in value if isinstance(element, Mapping))
    if len(many) != len(value):
        raise FieldError(found, key, "a list of objects")
    return many


def texts(found: JsonObject, key: str) -> dict[str, str]:
    """Read an object of texts; other scalars become text as JSON writes them."""
    return {name: _as_text(value) for name, value in (json_object(found, key) or {}).items()}


def calendar_date(found: JsonObject, key: str) -> date | None:
    """Read a calendar date; of a date with time, the date as written."""
    value = text(found, key)
    if not value:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise FieldError(found, key, "a date") from None


def date_time(found: JsonObject, key: str) -> datetime | None:
    """Read a date with time; without a zone it is UTC, as m3ter's ``date-time`` is."""
    value = text(found, key)
    if not value:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise FieldError(found, key, "a date with time") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def when(found: JsonObject, key: str) -> date | datetime | None:
    """Read a date, or a date with time as written: without a zone it stays without."""
    value = text(found, key)
    if not value:
        return None
    try:
        return date.fromisoformat(value) if "T" not in value else datetime.fromisoformat(value)
    except ValueError:
        raise FieldError(found, key, "a date") from None


def _as_text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
