"""How one YAML document is laid out: marks, lines, indentation, comments. Splices stand on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.definitions.model import DocumentPath
from reconciler.repository.yaml.nodes import Node, YamlDocument


class NotSpliceableError(Exception):
    """The text is written in a way that edits in place do not handle; carries the reason."""


@dataclass(frozen=True, slots=True)
class Splice:
    """Characters ``start`` to ``end`` become ``text``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class ValueMark:
    """The key with its ``:``, or the ``-``, before a value in block style.

    Attributes:
        start: First character of the key or the dash.
        end: After the colon or the dash.
        column: Characters before it in its line.
        leads: Whether nothing but spaces stands before it in its line.
    """

    start: int
    end: int
    column: int
    leads: bool


class Layout:
    """One document of a text, with what edits need to know of its form."""

    __slots__ = ("_comments", "document", "line_end", "text")

    def __init__(self, text: str, document: YamlDocument) -> None:
        self.text = text
        self.document = document
        self._comments = comments(text, [document])
        self.line_end = line_end_of(text)

    def node(self, path: DocumentPath) -> Node:
        """Give the node at a path that is known to exist."""
        found = self.document.node(path)
        if found is None:
            raise NotSpliceableError("the value stands behind an alias (`*name`)")
        return found

    def in_flow(self, path: DocumentPath) -> bool:
        """Tell whether a path stands inside ``[]`` or ``{}``."""
        return any(self.node(path[:depth]).style == "flow" for depth in range(len(path)))

    def mark(self, path: DocumentPath) -> ValueMark:
        """Find the key or dash before the value at a path, which is not in flow style."""
        node = self.node(path)
        if node.key_start >= 0:
            colon = _COLON.match(self.text, node.key_end)
            if colon is None or self.text[node.key_start - 1 : node.key_start] == "?":
                raise NotSpliceableError("a key is written with `?`")
            return self._mark(node.key_start, colon.end())
        dash = _DASH.match(self.text, self._before_dash(path))
        if dash is None:
            raise NotSpliceableError("the dash of a list item was not found")
        return self._mark(dash.end() - 1, dash.end())

    def _before_dash(self, path: DocumentPath) -> int:
        above, index = self.node(path[:-1]), path[-1]
        assert isinstance(index, int), "only list items have a dash"
        return above.children[index - 1].end if index else above.start

    def _mark(self, start: int, end: int) -> ValueMark:
        begin = self.line_start(start)
        return ValueMark(start, end, start - begin, leads=not self.text[begin:start].strip(" \t"))

    def line_start(self, offset: int) -> int:
        """Give the offset of the first character of the line."""
        before = max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset))
        return before + 1

    def after_lines(self, node: Node) -> int:
        """Give the offset after the last line that a value in block style stands in."""
        while node.style == "block" and node.children:
            node = max(node.children.values(), key=lambda child: child.end)
        if node.style in BLOCK_SCALARS:
            return node.end
        rest = _REST.match(self.text, node.end)
        if rest is None:
            raise NotSpliceableError("something else stands behind the value in its line")
        return rest.end()

    def kept(self, start: int, end: int, indent: int) -> list[str]:
        """Give the comments of a stretch as lines of their own."""
        inside = [comment for comment in self._comments if start <= comment.start < end]
        return [" " * indent + comment.text for comment in inside]

    def lines(self, lines: Sequence[str]) -> str:
        """Join lines with the file's own line ends, the last one included."""
        return "".join(line + self.line_end for line in lines)

    def inserted(self, at: int, lines: Sequence[str]) -> Splice:
        """Put whole lines at the start of a line, or at the end of the text."""
        unended = at == len(self.text) and not self.text.endswith(("\n", "\r"))
        before = self.line_end if unended and lines else ""
        return Splice(at, at, before + self.lines(lines))


class Comment(NamedTuple):
    """One comment: offsets of its ``#`` and of the end of its line."""

    start: int
    end: int
    text: str


BLOCK_SCALARS = frozenset({"literal", "folded"})
_LINE_END = re.compile(r"\r\n|\n|\r")
_REST = re.compile(r"[ \t]*(?:#[^\r\n]*)?(\r\n|\n|\r|\Z)")
_COLON = re.compile(r"[ \t]*:")
_DASH = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\n|\r))*[ \t]*-(?=[ \t\r\n]|\Z)")


def spliced(text: str, splices: Sequence[Splice]) -> str:
    """Carry out splices; they do not overlap, and insertions at one place keep their order."""
    for splice in sorted(splices, key=lambda splice: splice.start, reverse=True):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text


def line_end_of(text: str) -> str:
    """Give the line end of a text: that of its first line, or a line feed."""
    found = _LINE_END.search(text)
    return found[0] if found else "\n"


_COMMENT = re.compile(r"(?:(?<=[ \t\r\n])|\A)#[^\r\n]*")
_HEADER = re.compile(r"[^\r\n]*?[|>][-+0-9]*(?=[ \t\r\n]|\Z)")
_LITERAL = frozenset({"literal", "folded"})
_OPAQUE = frozenset({"plain", "single", "double"})


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
