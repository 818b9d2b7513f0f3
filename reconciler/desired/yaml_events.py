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


def events(text: str, *, pure: bool = False) -> Iterator[Event | BrokenSyntax]:
    """Give the events of a text; at a syntax error the last one is ``BrokenSyntax``.

    Args:
        text: Printable characters, without a byte order mark.
        pure: Use the parser written in Python even where libyaml is installed.
    """
    stand_ins = _stand_ins(text)
    back = {ord(stand_in): char for char, stand_in in stand_ins.items()}
    for char, stand_in in stand_ins.items():
        text = text.replace(char, stand_in)
    try:
        for event in _pure(text) if pure else _compiled(text):
            if back and isinstance(event, ScalarEvent):
                event.value = event.value.translate(back)
            yield event
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(str(part) for part in (error.context, error.problem) if part)
        yield BrokenSyntax(mark.index if mark else len(text), what)
    except (YAMLError, ValueError, IndexError, AttributeError, AssertionError) as error:
        # The pure parser lets a few errors of its own escape on odd input.
        yield BrokenSyntax(len(text), f"unreadable ({type(error).__name__})")


def _stand_ins(text: str) -> dict[str, str]:
    """Choose a private character for each that YAML 1.1, but not 1.2, takes for a line end.

    Source: YAML 1.2.2, section 5.4: U+0085, U+2028 and U+2029 are no line breaks.
    """
    found = [char for char in ("\x85", "\u2028", "\u2029") if char in text]
    free = (chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
    return dict(zip(found, free, strict=False))


def _compiled(text: str) -> Iterator[Event]:
    try:
        from _ruamel_yaml import CParser
    except ImportError:
        yield from _pure(text)
        return
    parser = CParser(text)
    try:
        while (event := parser.get_event()) is not None:
            yield event
    finally:
        parser.dispose()


def _pure(text: str) -> Iterator[Event]:
    from ruamel.yaml import YAML

    return iter(YAML(typ="safe", pure=True).parse(text))
