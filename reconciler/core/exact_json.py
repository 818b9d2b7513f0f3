"""The one JSON codec: numbers are int or Decimal both ways, and one canonical form for hashes.

Canonical form: keys by code point, no spaces, UTF-8, numbers without trailing zeros.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from reconciler.domain.value import JsonValue
from reconciler.errors import ExitCode, ReconcilerError

# No amount, rate or quantity comes near: 10^±400. A number beyond is an attack or an accident, and
# writing it out in plain digits would fill the memory.
MAX_DIGITS = 400


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
        NotJsonError: For anything that is not one JSON value; NaN, infinities and numbers of more
            than 400 digits included.
    """
    try:
        value: JsonValue = json.loads(  # noqa: TID251  this is the one place that may
            data, parse_float=_decimal, parse_int=_whole, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise NotJsonError(str(error)) from None
    return value


def encode(value: JsonValue, *, indent: int | None = None) -> str:
    """Write JSON in the given key order; decimals as numbers, without loss."""
    return "".join(_Layout(indent or 0, ": " if indent else ":").pieces(value, 0))


def canonical(value: JsonValue) -> bytes:
    """Write the canonical form, equal for values that are equal as JSON."""
    return encode(_canonical(value)).encode()


def digest(value: JsonValue) -> str:
    """Give the SHA-256 of the canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def number_text(number: int | Decimal) -> str:
    """Write a number as plain digits, never with an exponent."""
    if isinstance(number, Decimal):
        if not number.is_finite() or _too_long(number):
            raise NotExactError(number)
        return format(number, "f")
    return str(number)


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:  # the exponent is beyond what a Decimal can hold
        number = Decimal("Infinity")
    if not number.is_finite() or _too_long(number):
        message = f"a number of more than {MAX_DIGITS} digits: {text:.40}"
        raise ValueError(message)
    return number


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        message = f"a number of more than {MAX_DIGITS} digits: {text:.40}"
        raise ValueError(message)
    return int(text)


def _too_long(number: Decimal) -> bool:
    _, digits, exponent = number.as_tuple()
    return isinstance(exponent, int) and len(digits) + abs(exponent) > MAX_DIGITS


def _refuse_constant(text: str) -> JsonValue:
    message = f"{text} is not a number"
    raise ValueError(message)


def _canonical(value: JsonValue) -> JsonValue:
    if isinstance(value, Mapping):
        return {key: _canonical(value[key]) for key in sorted(value)}
    if isinstance(value, Decimal):
        return _normal(value)
    if isinstance(value, list | tuple):
        return [_canonical(one) for one in value]
    return value


def _normal(number: Decimal) -> int | Decimal:
    digits = number_text(number)
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return Decimal(digits) if "." in digits else int(digits)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How values are set apart; ``indent`` 0 puts all on one line."""

    indent: int
    colon: str

    def pieces(self, value: JsonValue, depth: int) -> Iterable[str]:
        if isinstance(value, Mapping):
            items = [(_text(key) + self.colon, one) for key, one in value.items()]
            yield from self._many("{}", items, depth)
        elif isinstance(value, str) or value is None or isinstance(value, bool):
            yield _text(value)
        elif isinstance(value, int | Decimal):
            yield number_text(value)
        elif isinstance(value, list | tuple):
            yield from self._many("[]", [("", one) for one in value], depth)
        else:
            raise NotExactError(value)

    def _many(
        self, brackets: str, items: Sequence[tuple[str, JsonValue]], depth: int
    ) -> Iterable[str]:
        line = "\n" + " " * (self.indent * (depth + 1)) if self.indent and items else ""
        yield brackets[0]
        for number, (key, one) in enumerate(items):
            yield ("," if number else "") + line + key
            yield from self.pieces(one, depth + 1)
        yield (line and "\n" + " " * (self.indent * depth)) + brackets[1]


def _text(value: str | bool | None) -> str:
    return json.dumps(value, ensure_ascii=False)  # noqa: TID251  holds no number
