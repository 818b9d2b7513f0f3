"""YAML events of a text, from libyaml or from the pure parser: both give the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import ScalarEvent


class Mark(Protocol):
    """A place in the text, in characters from 0."""

    index: int


class Event(Protocol):
    """What both parsers give."""

    start_mark: Mark
    end_mark: Mark
    anchor: str | None
    tag: str | None
    value: str
    style: str | None
    implicit: Any
    flow_style: bool | None
    version: Any


class BrokenSyntax(NamedTuple):
    """Why the text cannot be read further, and where."""

    offset: int
    what: str


# The pure parser lets the last four escape on odd input.
SYNTAX_ERRORS = (YAMLError, ValueError, IndexError, AttributeError, AssertionError)
"""What iterating over events may raise for broken syntax."""


def events(text: str, *, pure: bool = False) -> Iterator[Event]:
    """Give the events of a text.

    Args:
        text: Printable characters, without a byte order mark.
        pure: Use the parser written in Python even where libyaml is installed.

    Raises:
        SYNTAX_ERRORS: When asked for the event after the last readable one.
    """
    stand_ins = _stand_ins(text)
    for char, stand_in in stand_ins.items():
        text = text.replace(char, stand_in)
    found = _pure(text) if pure else _compiled(text)
    return _restored(found, stand_ins) if stand_ins else found


def broken_syntax(error: Exception, text: str) -> BrokenSyntax:
    """Say where one of ``SYNTAX_ERRORS`` happened."""
    if not isinstance(error, MarkedYAMLError):
        return BrokenSyntax(len(text), f"unreadable ({type(error).__name__})")
    mark = error.problem_mark or error.context_mark
    what = ", ".join(str(part) for part in (error.context, error.problem) if part)
    return BrokenSyntax(mark.index if mark else len(text), what)


def _compiled(text: str) -> Iterator[Event]:
    try:
        from _ruamel_yaml import CParser
    except ImportError:
        return _pure(text)
    return iter(CParser(text).get_event, None)


def _pure(text: str) -> Iterator[Event]:
    from ruamel.yaml import YAML

    return iter(YAML(typ="safe", pure=True).parse(text))


def _stand_ins(text: str) -> dict[str, str]:
    """Choose a private character for each that YAML 1.1, but not 1.2, takes for a line end.

    Source: YAML 1.2.2, section 5.4: U+0085, U+2028 and U+2029 are no line breaks.
    """
    found = [char for char in ("\x85", "\u2028", "\u2029") if char in text]
    free = (chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
    return dict(zip(found, free, strict=False))


def _restored(found: Iterator[Event], stand_ins: dict[str, str]) -> Iterator[Event]:
    back = {ord(stand_in): char for char, stand_in in stand_ins.items()}
    for event in found:
        if isinstance(event, ScalarEvent):
            event.value = event.value.translate(back)
        yield event
