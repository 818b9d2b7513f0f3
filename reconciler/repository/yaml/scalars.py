"""Scalars by the YAML 1.2 core schema: exact numbers, and no word that is secretly a value."""

from __future__ import annotations

import re
from decimal import Decimal

from reconciler.kernel.value import JsonValue

DIGITS_MAX = 1000
"""Digits that a number may have when it is written out."""

# Source: YAML 1.2.2, section 10.3.2, tag resolution of the core schema
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_A_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER_STARTS = frozenset("0123456789+-.")
_TAG = "tag:yaml.org,2002:"
CORE_TAGS = frozenset({"str", "null", "bool", "int", "float", "map", "seq"})


class ScalarRefusedError(ValueError):
    """A scalar that has no exact value; the message says why."""


def plain_value(text: str) -> JsonValue:
    """Read an unquoted scalar: int, Decimal, bool, null, or else the text itself.

    Raises:
        ScalarRefusedError: For infinities, NaN and numbers with too many digits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        return _whole(text, 10)
    if _OTHER_BASE.fullmatch(text):
        return _whole(text[2:], 8 if text[1] == "o" else 16)
    if _NUMBER.fullmatch(text):
        return _decimal(text)
    if _NOT_A_NUMBER.fullmatch(text):
        message = f"`{text}` is not a number that can be sent"
        raise ScalarRefusedError(message)
    return text


def tagged_value(tag: str, text: str) -> JsonValue:
    """Read a scalar whose tag is written out.

    Raises:
        ScalarRefusedError: When the tag is not of the core schema, or the text does not fit it.
    """
    name = core_name(tag)
    if name is None or name in {"map", "seq"}:
        raise ScalarRefusedError(refused_tag(tag))
    if name == "str":
        return text
    value = plain_value(text)
    if name != _name_of(value) and not (name == "float" and type(value) is int):
        message = f"`!!{name}` does not fit the text after it"
        raise ScalarRefusedError(message)
    return Decimal(value) if name == "float" and isinstance(value, int) else value


def core_name(tag: str) -> str | None:
    """Give the short name of a tag of the core schema; ``!`` means text."""
    if tag == "!":
        return "str"
    name = tag.removeprefix(_TAG)
    return name if name != tag and name in CORE_TAGS else None


def refused_tag(tag: str) -> str:
    """Say that a tag is refused, in the short spelling people write."""
    shown = "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag
    return f"the tag `{shown[:80]}` is not allowed"


def _name_of(value: JsonValue) -> str:
    if value is None:
        return "null"
    names = {bool: "bool", int: "int", Decimal: "float"}
    return names.get(type(value), "str")


def _whole(digits: str, radix: int) -> int:
    _refuse_long(len(digits))
    return int(digits, radix)


def _decimal(text: str) -> Decimal:
    _refuse_long(len(text))
    power = re.split("[eE]", text)[1:]
    if power:
        _refuse_long(abs(int(power[0])) + len(text))
    return Decimal(text)


def _refuse_long(digits: int) -> None:
    if digits > DIGITS_MAX:
        message = f"a number with more than {DIGITS_MAX:,} digits is not allowed"
        raise ScalarRefusedError(message)
