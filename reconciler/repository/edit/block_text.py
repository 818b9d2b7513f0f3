"""Plain data -> YAML text: block style, two spaces, lists indented below their key.

Scalars are quoted only where needed, and never become a text that reads as another value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal
from unicodedata import category

from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.exact_json import number_text
from reconciler.kernel.value import JsonValue

Quotes = Literal["", "'", '"']


class NotWritableError(ReconcilerError):
    """A value has no YAML form."""

    exit_code = ExitCode.UNEXPECTED

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} cannot be written as YAML; nothing was written")


STEP: Final = 2
"""Spaces per level."""


def collection_lines(value: JsonValue, indent: int) -> list[str]:
    """Write the lines of a mapping or list that is not empty.

    Args:
        value: Plain data; its order is kept.
        indent: Spaces before every line.
    """
    if isinstance(value, Mapping):
        return [line for key, member in value.items() for line in entry_lines(key, member, indent)]
    assert isinstance(value, Sequence), "a scalar has no lines of its own"
    return [line for element in value for line in item_lines(element, indent)]


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
            return "{" + ", ".join(flow_entry(key, member) for key, member in value.items()) + "}"
        case Sequence():
            return "[" + ", ".join(flow_text(element) for element in value) + "]"
        case _:
            return scalar_text(value, flow=True)


def flow_entry(key: str, value: JsonValue) -> str:
    """Write one key of a mapping in braces."""
    return f"{key_text(key, flow=True)}: {flow_text(value)}"


KEY_LENGTH_MAX: Final = 1_000
"""Characters of a written key; YAML lets a key on one line have 1,024."""
# Words and numbers of YAML 1.1 that other tools would not read as text.
# Source: yaml.org/type, bool, int, float, null, timestamp, merge and value
_OTHER_TYPES = re.compile(
    r"""
      y | n | yes | no | on | off | true | false | null | ~ | = | <<
    | [-+]?[0-9][0-9_,]*(?:\.[0-9_]*)?(?:e[-+]?[0-9]*)?
    | [-+]?\.[0-9_]+(?:e[-+]?[0-9]+)?
    | [-+]?\.(?:inf|nan)
    | [-+]?0[box][0-9a-f_]*
    | [-+]?[0-9][0-9_]*(?::[0-9]{1,2})+(?:\.[0-9_]*)?
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Source: YAML 1.2.2, section 7.3.3, plain style; a little stricter than it allows.
_PLAIN = re.compile(r"(?![-?:,\[\]{}#&*!|>'\"%@`]|---|\.\.\.)[^\x00-\x1f\x7f]+")
_NOT_PLAIN_INSIDE = re.compile(r": |:$| #|^\s|\s$")
_NOT_IN_FLOW = re.compile(r"[,\[\]{}]|:(?=[\"'])")
# What stands in quotes as it is; the rest is escaped.
_PRINTABLE = re.compile(
    "[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*"
)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def scalar_text(value: JsonValue, *, flow: bool = False, quotes: Quotes = "") -> str:
    """Write a scalar on one line.

    Args:
        value: Text, number, truth value or null.
        flow: Whether it stands inside ``[]`` or ``{}``.
        quotes: The quotes a text should keep where they can hold it.

    Raises:
        NotWritableError: For a text that UTF-8 cannot encode.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return number_text(value)
        case str():
            return _text(value, flow=flow, quotes=quotes)
        case _:
            raise NotWritableError(f"a value of type {type(value).__name__}")


def key_text(key: str, *, flow: bool = False) -> str:
    """Write a key on one line."""
    text = _text(key, flow=flow, quotes="")
    if len(text) > KEY_LENGTH_MAX:
        raise NotWritableError(f"a key of {len(key):,} characters")
    return text


def is_scalar(value: JsonValue) -> bool:
    """Tell whether a value is written as a scalar; empty collections are, as ``[]`` and ``{}``."""
    return isinstance(value, str) or not (isinstance(value, Mapping | Sequence) and value)


def literal_lines(text: str) -> list[str] | None:
    """Write text of several lines as ``|`` and its lines, where that keeps every character.

    Returns:
        The indicator and the lines without indentation, or ``None`` when quotes are needed.
    """
    body = text.removesuffix("\n")
    lines = body.split("\n")
    plain = all(_PRINTABLE.fullmatch(line) and line == line.rstrip() for line in lines)
    if len(lines) == 1 or not plain or not lines[0] or not lines[-1] or lines[0][0] == " ":
        return None
    return ["|" if text.endswith("\n") else "|-", *lines]


def _text(text: str, *, flow: bool, quotes: Quotes) -> str:
    if not quotes and _is_plain(text, flow=flow):
        return text
    printable = _PRINTABLE.fullmatch(text) is not None
    single = quotes == "'" or (not quotes and ('"' in text or "\\" in text))
    if single and printable:
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _is_plain(text: str, *, flow: bool) -> bool:
    if not _PLAIN.fullmatch(text) or not _PRINTABLE.fullmatch(text):
        return False
    if _NOT_PLAIN_INSIDE.search(text) or (flow and _NOT_IN_FLOW.search(text)):
        return False
    return not _OTHER_TYPES.fullmatch(text)


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if _PRINTABLE.fullmatch(character):
        return character
    if category(character) == "Cs":
        raise NotWritableError("a text with half of a surrogate pair")
    return f"\\u{ord(character):04X}"
