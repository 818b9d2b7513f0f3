"""Chargebee's form encoding: fields first, index last, holes stay holes.

Source: Chargebee OpenAPI 2026-09-24, ``deepObject`` parameters; wire captures of its Python client.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, quote, urlencode

Pairs = Sequence[tuple[str, str]]
Row = Mapping[str, str]


def form_body(pairs: Pairs) -> bytes:
    """Write a body; the order of the pairs is kept."""
    return urlencode(list(pairs)).encode("ascii")


def form_pairs(body: bytes) -> tuple[tuple[str, str], ...]:
    """Read a body that ``form_body`` wrote."""
    return tuple(parse_qsl(body.decode("ascii"), keep_blank_values=True))


def rows(name: str, items: Iterable[Row]) -> tuple[tuple[str, str], ...]:
    """Write an array of objects as parallel arrays; an empty value is a hole.

    Source: Chargebee's Python client sends ``None`` as an empty value, which means something else
    than an absent parameter, so "not set" is never sent.
    """
    return tuple(
        (f"{name}[{field}][{index}]", value)
        for index, item in enumerate(items)
        for field, value in item.items()
        if value
    )


def group(name: str, item: Row) -> tuple[tuple[str, str], ...]:
    """Write one object."""
    return tuple((f"{name}[{field}]", value) for field, value in item.items() if value)


def read_rows(pairs: Pairs, name: str) -> tuple[Row, ...]:
    """Join parallel arrays by index; ``group`` counts as one row."""
    found: dict[int, dict[str, str]] = {}
    for key, value in pairs:
        if key.startswith(f"{name}[") and key.endswith("]"):
            field, _, index = key[len(name) + 1 : -1].partition("][")
            found.setdefault(int(index or 0), {})[field] = value
    return tuple(found[index] for index in sorted(found))


def value_of(pairs: Pairs, name: str) -> str:
    """Give one plain parameter, or the empty text."""
    return next((value for key, value in pairs if key == name), "")


def segment(text: str) -> str:
    """Quote one segment of a path."""
    return quote(text, safe="")
