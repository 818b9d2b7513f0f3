"""YAML events of a text, from libyaml or from the pure parser: both give the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import ScalarEvent

# Source: YAML 1.2.2, section 5.4: these are no line breaks; libyaml, by YAML 1.1, says they are.
_SEPARATORS = ("\x85", "\u2028", "\u2029")
# Source: YAML 1.2.2, section 7.3.3: a colon is part of a plain text when more text follows. Behind
# a quote or a bracket it may separate a key from its value.
_INNER_COLON = re.compile(r"""!<[^>\s]*>|(?<=[^\s,\[\]{}"']):(?=[^\s,\[\]{}])""")


class TextPlace(Protocol):
    """A place in the text, in characters from 0."""

    index: int


class Event(Protocol):
    """What both parsers give."""

    start_mark: TextPlace
    end_mark: TextPlace
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


def events(text: str, *, pure: bool = False, hide_colons: bool = False) -> Iterator[Event]:
    """Give the events of a text.

    Args:
        text: Printable characters, without a byte order mark.
        pure: Use the parser written in Python even where libyaml is installed.
        hide_colons: Keep libyaml from seeing the colons it refuses; see ``refuses_colon``.

    Raises:
        SYNTAX_ERRORS: When asked for the event after the last readable one.
    """
    free = (chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
    stand_ins = {char: next(free) for char in _SEPARATORS if char in text}
    for char, stand_in in stand_ins.items():
        text = text.replace(char, stand_in)
    if hide_colons:
        stand_ins[":"] = next(free)
        text = _INNER_COLON.sub(lambda found: stand_ins.get(found[0], found[0]), text)
    events = _pure(text) if pure else _compiled(text)
    return _restored(events, stand_ins) if stand_ins else events


def refuses_colon(broken: BrokenSyntax) -> bool:
    """Say whether libyaml stopped at a colon that YAML 1.2 allows: ``{at: 10:00, url: a://b}``."""
    return "unexpected ':'" in broken.what


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


def _restored(events: Iterator[Event], stand_ins: dict[str, str]) -> Iterator[Event]:
    back = {ord(stand_in): char for char, stand_in in stand_ins.items()}
    for event in events:
        if isinstance(event, ScalarEvent):
            event.value = event.value.translate(back)
        if (tag := getattr(event, "tag", None)) is not None:
            event.tag = str(tag).translate(back)
        yield event
