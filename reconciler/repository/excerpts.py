"""The lines around a problem, with a caret, and never with a secret."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from reconciler.definitions.core.secrets import BLANK, looks_like_secret
from reconciler.kernel.problem import Excerpt, Problem
from reconciler.repository.yaml.source_text import SourceText

_WIDTH_MAX = 160
# Keys of several lines are only recognised together with their first line.
_CONTEXT = 20_000
_NAMED = re.compile(
    r"""(?ix) (?: secret | passw | token | api_?key | access_?key | \burl )
        [\w-]* ["']? \s* : [ \t]+ (?P<reference> [{] \s* (?: env | file ) \s* : [ \t]+ )?
        (?P<value> [^\s{}\[\],\#] [^\r\n{},]* )"""
)

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Shown:
    """One line as it may be shown, and which part of the text it shows."""

    text: str
    start: int
    secrets: Sequence[Span]

    def column(self, offset: int) -> int:
        """Give the column, from 0, at which an offset of the source is shown."""
        moved = offset - self.start
        for start, end in self.secrets:
            if offset >= end:
                moved += len(BLANK) - (end - start)
            elif offset > start:
                moved -= offset - start
        return moved


def with_excerpt(problem: Problem, source: SourceText, end: int) -> Problem:
    """Add the source lines to a problem whose origin lies in the text.

    Args:
        problem: It has a line.
        source: The text.
        end: Offset after what is to be underlined; a caret has one character at least.
    """
    assert problem.origin is not None
    line, column = problem.origin.line, max(problem.origin.column, 1)
    at = source.offset(line, column)
    near = at - source.offset(line, 1) <= _CONTEXT
    first = max(1, line - 1) if near else line
    secrets = secret_spans(source.text, source.offset(first, 1) if near else at, at)
    before = [_shown(source, number, secrets).text[:_WIDTH_MAX] for number in range(first, line)]
    shown = _shown(source, line, secrets)
    last = min(max(end, at + 1), shown.start + len(source.line(line)))
    text, begin = _cut(shown.text, shown.column(at))
    width = max(1, min(shown.column(last) - shown.column(at), len(text) - begin))
    excerpt = Excerpt(first, (*before, text), begin + 1, width)
    return replace(problem, excerpt=excerpt)


def secret_spans(text: str, start: int, end: int) -> list[Span]:
    """Find what must not be shown around a part of a text; sorted, none overlaps another."""
    at = max(0, start - _CONTEXT)
    window = text[at : end + _CONTEXT]
    found = [match.span("value") for match in _NAMED.finditer(window) if match["reference"] is None]
    from_ = 0
    while (span := looks_like_secret(window[from_:])) is not None:
        found.append((from_ + span[0], from_ + span[1]))
        from_ += span[1]
    return _joined([(first + at, other + at) for first, other in sorted(found)])


def _joined(spans: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _shown(source: SourceText, number: int, secrets: Sequence[Span]) -> _Shown:
    line, first = source.line(number), source.offset(number, 1)
    last = first + len(line)
    inside = [
        (max(start, first), min(end, last))
        for start, end in secrets
        if start < last and end > first
    ]
    parts, at = [], first
    for start, end in inside:
        parts += [source.text[at:start], BLANK]
        at = end
    return _Shown("".join([*parts, source.text[at:last]]), first, inside)


def _cut(text: str, column: int) -> tuple[str, int]:
    """Cut a long line around a column; give the column's new place."""
    if len(text) <= _WIDTH_MAX:
        return text, min(column, len(text))
    start = max(0, min(column - _WIDTH_MAX // 2, len(text) - _WIDTH_MAX))
    return text[start : start + _WIDTH_MAX], column - start
