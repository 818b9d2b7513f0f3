"""Where the comments of a YAML text are: what an edit must never lose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from reconciler.repository.yaml.nodes import YamlDocument

_COMMENT = re.compile(r"(?:(?<=[ \t\r\n])|\A)#[^\r\n]*")
_HEADER = re.compile(r"[^\r\n]*?[|>][-+0-9]*(?=[ \t\r\n]|\Z)")
_LITERAL = frozenset({"literal", "folded"})
_OPAQUE = frozenset({"plain", "single", "double"})


class Comment(NamedTuple):
    """One comment: offsets of its ``#`` and of the end of its line."""

    start: int
    end: int
    text: str


def comments(text: str, documents: Iterable[YamlDocument]) -> tuple[Comment, ...]:
    """Find every comment of a file, in the order of the text.

    Args:
        text: The whole file.
        documents: All of its documents, without problems.
    """
    found: list[Comment] = []
    position = 0
    for start, end in [*sorted(_opaque(text, documents)), (len(text), len(text))]:
        found += (
            Comment(match.start(), match.end(), match[0].rstrip())
            for match in _COMMENT.finditer(text, position, start)
        )
        position = max(position, end)
    return tuple(found)


def header_end(text: str, start: int) -> int:
    """Find where the ``|`` or ``>`` of a block scalar ends, its indicators included."""
    match = _HEADER.match(text, start)
    return match.end() if match else start


def _opaque(text: str, documents: Iterable[YamlDocument]) -> Iterator[tuple[int, int]]:
    """Give the stretches in which ``#`` begins no comment."""
    for document in documents:
        for _, node in document.nodes():
            if node.key_start >= 0:
                yield node.key_start, node.key_end
            if node.style in _LITERAL:
                yield node.start, header_end(text, node.start)
                yield _next_line(text, node.start), node.end
            elif node.style in _OPAQUE:
                yield node.start, node.end


def _next_line(text: str, offset: int) -> int:
    match = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)").match(text, offset)
    assert match is not None, "every text has an end"
    return match.end()
