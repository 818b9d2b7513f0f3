"""The one JSON codec: numbers are int or Decimal both ways, and one canonical form for hashes.

Canonical form: keys by code point, no spaces, UTF-8, numbers without trailing zeros.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

from reconciler.domain.value import JsonValue
from reconciler.errors import ExitCode, ReconcilerError


class NotJsonError(ReconcilerError):
    """The text is not JSON."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"this is not JSON: {reason}")


class NotExactError(ReconcilerError):
    """A value has no exact JSON form: a float, NaN, an infinity, or an unknown type."""

    exit_code = ExitCode.UNEXPECTED

    def __init__(self, value: object) -> None:
        super().__init__(f"a value of type {type(value).__name__} has no exact JSON form")


def decode(data: bytes | str) -> JsonValue:
    """Read JSON; whole numbers become int, others Decimal with every digit.

    Raises:
        NotJsonError: For anything that is not one JSON value, NaN and infinities included.
    """
    try:
        value: JsonValue = json.loads(  # noqa: TID251  this is the one place that may
            data, parse_float=Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise NotJsonError(str(error)) from None
    return value


def encode(value: JsonValue, *, indent: int | None = None) -> str:
    """Write JSON in the given key order; decimals as numbers, without loss."""
    separators = (",", ": ") if indent else (",", ":")
    parts: list[str] = []
    _write(value, parts, indent, 0, separators)
    return "".join(parts)


def canonical(value: JsonValue) -> bytes:
    """Write the canonical form, equal for values that are equal as JSON."""
    return encode(_canonical(value)).encode()


def digest(value: JsonValue) -> str:
    """Give the SHA-256 of the canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def number_text(number: int | Decimal) -> str:
    """Write a number as plain digits, never with an exponent."""
    if isinstance(number, Decimal):
        if not number.is_finite():
            raise NotExactError(number)
        return format(number, "f")
    return str(number)


def _refuse_constant(text: str) -> JsonValue:
    message = f"{text} is not a number"
    raise ValueError(message)


def _canonical(value: JsonValue) -> JsonValue:
    if isinstance(value, Mapping):
        return {key: _canonical(value[key]) for key in sorted(value)}
    if isinstance(value, Decimal):
        return _normal(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_canonical(one) for one in value]
    return value


def _normal(number: Decimal) -> int | Decimal:
    if not number.is_finite():
        raise NotExactError(number)
    if number == number.to_integral_value():
        return int(number)
    digits = format(number, "f").rstrip("0")
    return Decimal(digits)


def _write(
    value: JsonValue, parts: list[str], indent: int | None, depth: int, separators: tuple[str, str]
) -> None:
    if isinstance(value, Mapping):
        items = [(_key(key, separators[1]), one) for key, one in value.items()]
        _write_many("{", "}", items, parts, indent, depth, separators)
    elif isinstance(value, str) or value is None or isinstance(value, bool):
        parts.append(json.dumps(value, ensure_ascii=False))  # noqa: TID251  holds no number
    elif isinstance(value, int | Decimal):
        parts.append(number_text(value))
    elif isinstance(value, Sequence):
        _write_many("[", "]", [("", one) for one in value], parts, indent, depth, separators)
    else:
        raise NotExactError(value)


def _key(key: str, separator: str) -> str:
    return json.dumps(key, ensure_ascii=False) + separator  # noqa: TID251  holds no number


def _write_many(
    opening: str,
    closing: str,
    items: Sequence[tuple[str, JsonValue]],
    parts: list[str],
    indent: int | None,
    depth: int,
    separators: tuple[str, str],
) -> None:
    line = "\n" + " " * (indent * (depth + 1)) if indent and items else ""
    parts.append(opening)
    for number, (key, one) in enumerate(items):
        parts.append((separators[0] if number else "") + line + key)
        _write(one, parts, indent, depth + 1, separators)
    if line and indent:
        parts.append("\n" + " " * (indent * depth))
    parts.append(closing)
