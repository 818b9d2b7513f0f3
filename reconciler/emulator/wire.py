"""The emulator's own JSON codec: numbers are int or Decimal in both directions, never float.

The emulator shares no code with the client it tests, so that one mistake cannot hide in both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, NoReturn

JsonObject = dict[str, Any]


class MalformedJsonError(ValueError):
    """The bytes are not one JSON document."""


def decode(body: bytes) -> Any:
    """Read one JSON document; fractions become Decimal with every digit kept.

    Raises:
        MalformedJsonError: On bad UTF-8, bad syntax, NaN, Infinity or absurd nesting.
    """
    try:
        return json.loads(  # noqa: TID251 - the emulator's codec; it keeps every digit
            body.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise MalformedJsonError(str(error)) from error


def encode(value: Any) -> bytes:
    """Write a value as compact UTF-8 JSON; a Decimal becomes a number with the digits it has.

    Raises:
        TypeError: On a float or anything else that JSON has no exact form for.
    """
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode("utf-8")


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJsonError(f"{name} is not a JSON number")


def _write(value: Any, parts: list[str]) -> None:
    kind = type(value)
    if kind is str:
        parts.append(encode_basestring(value))
    elif kind is dict:
        _write_object(value, parts)
    elif kind is int:
        parts.append(str(value))
    elif kind is bool:
        parts.append("true" if value else "false")
    elif value is None:
        parts.append("null")
    elif kind is list or kind is tuple:
        _write_array(value, parts)
    elif kind is Decimal and value.is_finite():
        parts.append(str(value))
    else:
        raise TypeError(f"{value!r} has no exact JSON form")


def _write_object(value: Mapping[str, Any], parts: list[str]) -> None:
    before = "{"
    for key, member in value.items():
        parts.append(before + encode_basestring(key) + ":")
        _write(member, parts)
        before = ","
    parts.append("{}" if before == "{" else "}")


def _write_array(value: list[Any] | tuple[Any, ...], parts: list[str]) -> None:
    before = "["
    for element in value:
        parts.append(before)
        _write(element, parts)
        before = ","
    parts.append("[]" if before == "[" else "]")
