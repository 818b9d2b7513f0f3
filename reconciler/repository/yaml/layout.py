"""How one YAML document is laid out: marks, lines, indentation, comments. Splices stand on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.definitions.model import DocumentPath
from reconciler.repository.yaml.comments import comments
from reconciler.repository.yaml.nodes import Node, YamlDocument

BLOCK_SCALARS = frozenset({"literal", "folded"})

_LINE_END = re.compile(r"\r\n|\n|\r")
_REST = re.compile(r"[ \t]*(?:#[^\r\n]*)?(\r\n|\n|\r|\Z)")
_COLON = re.compile(r"[ \t]*:")
_DASH = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\n|\r))*[ \t]*-(?=[ \t\r\n]|\Z)")


class NotSpliceableError(Exception):
    """The text is written in a way that edits in place do not handle; carries the reason."""


@dataclass(frozen=True, slots=True)
class Splice:
    """Characters ``start`` to ``end`` become ``text``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
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


def spliced(text: str, splices: Sequence[Splice]) -> str:
    """Carry out splices; they do not overlap, and insertions at one place keep their order."""
    for one in sorted(splices, key=lambda splice: splice.start, reverse=True):
        text = text[: one.start] + one.text + text[one.end :]
    return text


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

    def mark(self, path: DocumentPath) -> Mark:
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

    def _mark(self, start: int, end: int) -> Mark:
        begin = self.line_start(start)
        return Mark(start, end, start - begin, leads=not self.text[begin:start].strip(" \t"))

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
        inside = [one for one in self._comments if start <= one.start < end]
        return [" " * indent + one.text for one in inside]

    def lines(self, lines: Sequence[str]) -> str:
        """Join lines with the file's own line ends, the last one included."""
        return "".join(line + self.line_end for line in lines)

    def inserted(self, at: int, lines: Sequence[str]) -> Splice:
        """Put whole lines at the start of a line, or at the end of the text."""
        unended = at == len(self.text) and not self.text.endswith(("\n", "\r"))
        before = self.line_end if unended and lines else ""
        return Splice(at, at, before + self.lines(lines))


def line_end_of(text: str) -> str:
    """Give the line end of a text: that of its first line, or a line feed."""
    found = _LINE_END.search(text)
    return found[0] if found else "\n"
