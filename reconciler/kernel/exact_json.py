"""The one JSON codec: numbers are int or Decimal both ways, and one canonical form for hashes.

Canonical form: keys by code point, no spaces, UTF-8, numbers without trailing zeros.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal, InvalidOperation

from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.value import JsonValue


class NotJsonError(ReconcilerError):
    """The text is not JSON."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"this is not JSON: {reason}")


class NotExactError(ReconcilerError):
    """A value has no exact JSON form: a float, NaN, an infinity, or an unknown type."""

    exit_code = ExitCode.UNEXPECTED

    def __init__(self, value: object) -> None:
        super().__init__(f"a value of type {type(value).__name__} has no exact JSON form")


# No amount, rate or quantity comes near: 10^±400. A number beyond is an attack or an accident, and
# writing it out in plain digits would fill the memory.
MAX_DIGITS = 400


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
    writer = _Writer(" " * (indent or 0), list, number_text)
    return writer.text(value, "\n" if indent else "")


def canonical(value: JsonValue) -> bytes:
    """Write the canonical form, equal for values that are equal as JSON."""
    return _Writer("", sorted, _normal).text(value, "").encode()


def digest(value: JsonValue) -> str:
    """Give the SHA-256 of the canonical form, 64 hexadecimal digits."""
    found = hashlib.sha256()
    writer = _Writer("", sorted, _normal, lambda text: found.update(text.encode()))
    found.update(writer.text(value, "").encode())
    return found.hexdigest()


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


def _normal(number: int | Decimal) -> str:
    digits = number_text(number)
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


class _Writer:
    """Appends pieces of text; thousands of objects go through it, so it avoids every detour."""

    def __init__(
        self,
        step: str,
        order: Callable[[Iterable[str]], list[str]],
        number: Callable[[int | Decimal], str],
        spill: Callable[[str], None] | None = None,
    ) -> None:
        self._step = step
        self._colon = ": " if step else ":"
        self._order = order
        self._number = number
        self._spill = spill
        self._pieces: list[str] = []

    def text(self, value: JsonValue, line: str) -> str:
        """Write a value; ``line`` begins each line, and is empty to put all on one."""
        self._write(value, line)
        return "".join(self._pieces)

    def _write(self, value: JsonValue, line: str) -> None:
        if isinstance(value, str):
            self._pieces.append(_quoted(value))
        elif isinstance(value, dict | Mapping):
            self._object(value, line)
        elif isinstance(value, list | tuple):
            self._array(value, line)
        elif value is None or isinstance(value, bool):
            self._pieces.append(_WORDS[value])
        elif isinstance(value, int | Decimal):
            self._pieces.append(self._number(value))
        else:
            raise NotExactError(value)

    def _drain(self) -> None:
        """Hand over what is written so far: the text of a large record is never held whole."""
        if self._spill is not None:
            self._spill("".join(self._pieces))
            self._pieces.clear()

    def _object(self, value: Mapping[str, JsonValue], line: str) -> None:
        inner, mark = line and line + self._step, "{"
        for key in self._order(value):
            self._pieces.append(f"{mark}{inner}{_quoted(key)}{self._colon}")
            self._write(value[key], inner)
            mark = ","
        self._pieces.append("{}" if mark == "{" else line + "}")

    def _array(self, value: Sequence[JsonValue], line: str) -> None:
        inner, mark = line and line + self._step, "["
        if len(self._pieces) > _HELD:
            self._drain()
        for element in value:
            self._pieces.append(mark + inner)
            self._write(element, inner)
            mark = ","
        self._pieces.append("[]" if mark == "[" else line + "]")


_HELD = 10_000
"""Pieces after which a digest takes them in."""
_quoted = json.encoder.encode_basestring
_WORDS = {None: "null", True: "true", False: "false"}

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
        return {str(key): as_json(member) for key, member in value.items()}
    if isinstance(value, list | tuple | Sequence):
        return [as_json(element) for element in value]
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
