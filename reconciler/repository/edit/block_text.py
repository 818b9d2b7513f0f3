"""Plain data -> lines of YAML: block style, two spaces, lists indented below their key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.kernel.value import JsonValue
from reconciler.repository.edit.scalar_text import (
    Quotes,
    is_scalar,
    key_text,
    literal_lines,
    scalar_text,
)

STEP: Final = 2
"""Spaces per level."""


def collection_lines(value: JsonValue, indent: int) -> list[str]:
    """Write the lines of a mapping or list that is not empty.

    Args:
        value: Plain data; its order is kept.
        indent: Spaces before every line.
    """
    if isinstance(value, Mapping):
        return [line for key, one in value.items() for line in entry_lines(key, one, indent)]
    assert isinstance(value, Sequence), "a scalar has no lines of its own"
    return [line for one in value for line in item_lines(one, indent)]


def entry_lines(key: str, value: JsonValue, indent: int) -> list[str]:
    """Write one key of a mapping with its value."""
    start = " " * indent + key_text(key) + ":"
    if not is_scalar(value):
        return [start, *collection_lines(value, indent + STEP)]
    first, *rest = value_lines(value, indent + STEP)
    return [f"{start} {first}", *rest]


def item_lines(value: JsonValue, indent: int) -> list[str]:
    """Write one element of a list."""
    start = " " * indent + "- "
    if not is_scalar(value):
        first, *rest = collection_lines(value, indent + STEP)
        return [start + first[indent + STEP :], *rest]
    first, *rest = value_lines(value, indent + STEP)
    return [start + first, *rest]


def value_lines(value: JsonValue, indent: int, quotes: Quotes = "") -> list[str]:
    """Write a scalar or an empty collection.

    Args:
        value: Not a collection with something in it.
        indent: Spaces before every line but the first.
        quotes: The quotes a text should keep where they can hold it.

    Returns:
        What stands behind the key or dash; further lines only for text of several lines.
    """
    if isinstance(value, str):
        if not quotes and (literal := literal_lines(value)) is not None:
            first, *rest = literal
            return [first, *(" " * indent + line if line else "" for line in rest)]
        return [scalar_text(value, quotes=quotes)]
    return [flow_text(value)]


def flow_text(value: JsonValue, quotes: Quotes = "") -> str:
    """Write any value on one line, collections in ``[]`` and ``{}``."""
    match value:
        case str():
            return scalar_text(value, flow=True, quotes=quotes)
        case Mapping():
            return "{" + ", ".join(flow_entry(key, one) for key, one in value.items()) + "}"
        case Sequence():
            return "[" + ", ".join(flow_text(one) for one in value) + "]"
        case _:
            return scalar_text(value, flow=True)


def flow_entry(key: str, value: JsonValue) -> str:
    """Write one key of a mapping in braces."""
    return f"{key_text(key, flow=True)}: {flow_text(value)}"
