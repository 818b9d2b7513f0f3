"""Finds a character of a YAML value, or a cell of a CSV row, in the text it was written as."""

from __future__ import annotations

import re

from reconciler.kernel.problem import Origin

# Source: YAML 1.2.2, section 5.7, escaped characters
_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[^\r\n])")
_CONTINUED = re.compile(r"(?:\\\r?\n[ \t]*)+")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(?:#[^\n]*)?\r?\n")
_PROPERTIES = re.compile(r"(?:[!&][^\s]*\s+)+")
_CELL = re.compile(r'(?:"(?:[^"]|"")*"|[^,\r\n"]*),')
_BREAK = re.compile(r"\r\n|\n|\r")


def inside(start: Origin, source: str, value: str, offset: int) -> Origin:
    """Give the place of one character of a scalar.

    Args:
        start: Where the scalar begins.
        source: The text of the file from there on.
        value: The scalar's value.
        offset: Which of its characters, from 0; the length stands for its end.

    Returns:
        The character's place, or ``start`` where value and text do not fit together.
    """
    at = _start(source)
    quote = source[at - 1] if at and source[at - 1] in "'\"" else ""
    for character in value[:offset]:
        found = _after(source, at, character, quote)
        if found is None:
            return start
        at = found
    if offset < len(value):
        at = _skipped(source, at, value[offset])
    return _place(start, source, at)


def cell(start: Origin, source: str, index: int) -> Origin:
    """Give the place of one cell of a CSV row.

    Args:
        start: Where the row begins.
        source: The text of the file from there on.
        index: Which cell, from 0.

    Returns:
        The cell's place, or ``start`` where the text has no such cell.
    """
    at = 0
    for _ in range(index):
        if (match := _CELL.match(source, at)) is None:
            return start
        at = match.end()
    return _place(start, source, at)


def _start(source: str) -> int:
    at = match.end() if (match := _PROPERTIES.match(source)) else 0
    if source[at : at + 1] in {'"', "'"}:
        return at + 1
    if match := _BLOCK_HEADER.match(source, at):
        return match.end()
    return at


def _after(source: str, at: int, character: str, quote: str) -> int | None:
    """Give the offset behind the next character of the value, or nothing when it does not fit."""
    if quote == '"' and (match := _CONTINUED.match(source, at)):
        at = match.end()
    if quote == '"' and (match := _ESCAPE.match(source, at)):
        return match.end()
    if quote == "'" and source.startswith("''", at):
        return at + 2
    if character.isspace():
        # folding makes one space of a line end and the indentation after it
        return at + 1 if source[at : at + 1] == character == " " else _past_space(source, at)
    at = _skipped(source, at, character)
    return at + 1 if source[at : at + 1] == character else None


def _skipped(source: str, at: int, character: str) -> int:
    """Pass over indentation that is no part of the value."""
    return at if character.isspace() else _past_space(source, at)


def _past_space(source: str, at: int) -> int:
    while source[at : at + 1].isspace():
        at += 1
    return at


def _place(start: Origin, source: str, at: int) -> Origin:
    breaks = [match.end() for match in _BREAK.finditer(source[:at])]
    if not breaks:
        return Origin(start.file, start.line, start.column + at)
    return Origin(start.file, start.line + len(breaks), at - breaks[-1] + 1)
