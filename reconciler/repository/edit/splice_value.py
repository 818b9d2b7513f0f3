"""Writes another value where one stands, and nothing else; comments inside it stay as lines."""

from __future__ import annotations

from reconciler.definitions.model import DocumentPath
from reconciler.kernel.value import JsonValue
from reconciler.repository.edit.block_text import (
    STEP,
    Quotes,
    collection_lines,
    flow_text,
    is_scalar,
    scalar_text,
    value_lines,
)
from reconciler.repository.yaml.layout import (
    BLOCK_SCALARS,
    Layout,
    NotSpliceableError,
    Splice,
    ValueMark,
    header_end,
)
from reconciler.repository.yaml.nodes import Node

_QUOTES: dict[str, Quotes] = {"single": "'", "double": '"'}


def replaced(layout: Layout, path: DocumentPath, value: JsonValue) -> list[Splice]:
    """Find the splices that put a value at an existing path.

    Raises:
        NotSpliceableError: When the place is written in a way that cannot be edited so.
    """
    if not path:
        raise NotSpliceableError("a whole document cannot be replaced in place")
    node = layout.node(path)
    if layout.in_flow(path):
        return [_in_flow(layout, node, value)]
    mark = layout.mark(path)
    if node.style == "block":
        return _block(layout, node, mark, value)
    if node.style in BLOCK_SCALARS:
        return _block_scalar(layout, node, mark, value)
    return _inline(layout, node, mark, value)


def _in_flow(layout: Layout, node: Node, value: JsonValue) -> Splice:
    if layout.kept(node.start, node.end, 0):
        raise NotSpliceableError("comments stand inside `[]` or `{}`")
    text = flow_text(value, _QUOTES.get(node.style, ""))
    if node.style == "empty":
        before = layout.text[node.start - 1]
        text = f" {text}" if before in ":-" else f": {text}"
    return Splice(node.start, node.end, text)


def _inline(layout: Layout, node: Node, mark: ValueMark, value: JsonValue) -> list[Splice]:
    """Replace what stands behind its mark in one piece."""
    first, rest = _written(node, mark, value)
    after = layout.after_lines(node)
    if first is None:
        kept = layout.kept(mark.end, node.end, mark.column + STEP)
        return [Splice(mark.end, node.end, ""), layout.inserted(after, [*kept, *rest])]
    space = " " if node.style == "empty" and node.start == mark.end else ""
    kept = layout.kept(node.start, node.end, mark.column)
    changed = Splice(node.start, node.end, space + first)
    return [changed, layout.inserted(after, [*rest, *kept])]


def _block_scalar(layout: Layout, node: Node, mark: ValueMark, value: JsonValue) -> list[Splice]:
    """Replace ``|`` and the lines below it; a comment behind ``|`` stays."""
    first, rest = _written(node, mark, value)
    header = header_end(layout.text, node.start)
    after_header = layout.text.find("\n", header) + 1 or layout.text.find("\r", header) + 1
    body = Splice(after_header or node.end, node.end, layout.lines(rest))
    if first is None:
        return [Splice(mark.end, header, ""), body]
    return [Splice(node.start, header, first), body]


def _block(layout: Layout, node: Node, mark: ValueMark, value: JsonValue) -> list[Splice]:
    """Replace the lines of a mapping or list by a value of another shape."""
    after = layout.after_lines(node)
    kept = layout.kept(node.start, after, mark.column)
    begin = layout.line_start(node.start)
    if begin <= mark.start:
        first, rest = _written(node, mark, value)
        if first is None:
            raise NotSpliceableError("an anchor or tag stands behind the key")
        return [Splice(node.start, after, layout.lines([first, *rest, *kept]))]
    if not is_scalar(value):
        lines = collection_lines(value, mark.column + STEP)
        return [Splice(begin, after, layout.lines([*lines, *kept]))]
    # Lines between the key and the old value would become part of a text of several lines.
    line = scalar_text(value) if isinstance(value, str) else flow_text(value)
    return [
        Splice(mark.end, mark.end, f" {line}"),
        Splice(begin, after, layout.lines(kept)),
    ]


def _written(node: Node, mark: ValueMark, value: JsonValue) -> tuple[str | None, list[str]]:
    """Write a value for behind its mark: the rest of that line, if any, and further lines."""
    indent = mark.column + STEP
    if is_scalar(value):
        first, *rest = value_lines(value, indent, _QUOTES.get(node.style, ""))
        return first, rest
    lines = collection_lines(value, indent)
    if node.key_start >= 0:
        return None, lines
    return lines[0][indent:], lines[1:]
