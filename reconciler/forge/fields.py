"""Reads single fields of a forge's answers; what is missing is empty, and nobody is somebody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.kernel.value import JsonValue
from reconciler.review.model.pull_request import Login, login


def at(value: JsonValue, *path: str) -> Any:  # noqa: ANN401  free JSON
    """Follow keys into an answer; ``None`` where one is missing."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def text(value: JsonValue, *path: str) -> str:
    """Read a text; empty when it is not there."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def number(value: JsonValue, *path: str) -> int:
    """Read a whole number, also one that is written as a text; 0 when it is not there."""
    found = at(value, *path)
    if isinstance(found, str) and found.isascii() and found.isdigit():
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def person(value: JsonValue, *path: str) -> Login:
    """Read a login, as it is compared."""
    return login(text(value, *path, "login"))


def moment(value: JsonValue, *path: str) -> str:
    """Read a time, as ISO 8601 in UTC with whole seconds; empty when it is not there."""
    found = text(value, *path)
    if not found:
        return ""
    return datetime.fromisoformat(found).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
