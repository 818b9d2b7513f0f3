"""Adds and removes keys of mappings and items of lists, each with the lines that are its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconciler.definitions.model import DocumentPath
from reconciler.kernel.value import JsonValue
from reconciler.repository.edit.block_text import entry_lines, flow_entry, flow_text, item_lines
from reconciler.repository.edit.splice_value import replaced
from reconciler.repository.yaml.layout import Layout, NotSpliceableError, Splice
from reconciler.repository.yaml.nodes import Node

_COMMENT_LINE = re.compile(r"[ \t]*#")
_COMMA = re.compile(r"(?:[ \t\r\n]|(?<=[ \t\r\n])#[^\r\n]*)*,")
_SPACES = re.compile(r"[ \t]*(?!#)")


def with_key(
    layout: Layout, path: DocumentPath, key: str, value: JsonValue, order: Sequence[str] = ()
) -> list[Splice]:
    """Find the splices that add a key to the mapping at a path.

    Args:
        layout: The document.
        path: Of the mapping.
        key: Not among its keys.
        value: Plain data.
        order: Keys in the order they should have; the new key goes behind the last one that
            comes before it, or else to the end.
    """
    above = layout.node(path)
    if not above.children:
        return replaced(layout, path, {key: value})
    keys = [str(child) for child in above.children]
    before = _before(keys, key, order)
    if above.style == "flow":
        return [_into_flow(above, before, flow_entry(key, value))]
    lead = layout.mark((*path, keys[0]))
    lines = entry_lines(key, value, lead.column)
    return [_into_block(layout, path, keys, before, lines)]


def with_item(layout: Layout, path: DocumentPath, index: int, value: JsonValue) -> list[Splice]:
    """Find the splices that add an item to the list at a path, before that index."""
    above = layout.node(path)
    if not above.children:
        return replaced(layout, path, [value])
    if above.style == "flow":
        return [_into_flow(above, index, flow_text(value))]
    lead = layout.mark((*path, 0))
    lines = item_lines(value, lead.column)
    return [_into_block(layout, path, range(len(above.children)), index, lines)]


def without(layout: Layout, path: DocumentPath) -> list[Splice]:
    """Find the splices that remove the value at a path with its key or dash."""
    if len(path) == 0:
        raise NotSpliceableError("a whole document cannot be removed in place")
    above = layout.node(path[:-1])
    node = layout.node(path)
    if len(above.children) == 1:
        return replaced(layout, path[:-1], {} if node.key_start >= 0 else [])
    if layout.in_flow(path):
        return _out_of_flow(layout, above, path[-1])
    mark = layout.mark(path)
    after = layout.after_lines(node)
    kept = layout.kept(mark.start, after, mark.column)
    if mark.leads:
        return [Splice(layout.line_start(mark.start), after, layout.lines(kept))]
    following = layout.mark((*path[:-1], _second(above)))
    if not layout.kept(mark.start, following.start, 0):
        return [Splice(mark.start, following.start, "")]
    behind_dash = len(layout.text[: mark.start].rstrip(" \t"))
    lines = [f" {kept[0].strip()}", *kept[1:]] if kept else [""]
    return [Splice(behind_dash, after, layout.lines(lines))]


def _second(above: Node) -> str | int:
    return list(above.children)[1]


def _before(keys: Sequence[str], key: str, order: Sequence[str]) -> int:
    """Give the position in ``keys`` that a new key goes to."""
    if key not in order:
        return len(keys)
    earlier = set(order[: order.index(key)])
    later = set(order[order.index(key) + 1 :])
    places = [place + 1 for place, present in enumerate(keys) if present in earlier]
    if places:
        return places[-1]
    return next((place for place, present in enumerate(keys) if present in later), len(keys))


def _into_block(
    layout: Layout,
    path: DocumentPath,
    steps: Sequence[str | int],
    before: int,
    lines: Sequence[str],
) -> Splice:
    if before:
        last = layout.node((*path, steps[before - 1]))
        return layout.inserted(layout.after_lines(last), lines)
    mark = layout.mark((*path, steps[0]))
    if mark.leads:
        begin = layout.line_start(mark.start)
        return layout.inserted(_above_comments(layout, begin) if path else begin, lines)
    # The first member stands behind a dash; the new one takes its place in that line.
    text = layout.lines(lines)[mark.column :] + " " * mark.column
    return Splice(mark.start, mark.start, text)


def _above_comments(layout: Layout, begin: int) -> int:
    """Go up over the comment lines that belong to the line at ``begin``."""
    while begin > 0:
        previous = layout.line_start(begin - 1 - (layout.text[begin - 2 : begin] == "\r\n"))
        if not _COMMENT_LINE.match(layout.text, previous, begin):
            return begin
        begin = previous
    return begin


def _into_flow(above: Node, before: int, text: str) -> Splice:
    members = list(above.children.values())
    if before:
        end = members[before - 1].end
        return Splice(end, end, f", {text}")
    first = members[0]
    start = first.key_start if first.key_start >= 0 else first.start
    return Splice(start, start, f"{text}, ")


def _out_of_flow(layout: Layout, above: Node, step: str | int) -> list[Splice]:
    """Remove a member with the comma before it; the first one with the comma behind it."""
    steps = list(above.children)
    place = steps.index(step)
    node = above.children[step]
    start = node.key_start if node.key_start >= 0 else node.start
    before = above.children[steps[place - 1]].end if place else node.end
    comma = _COMMA.match(layout.text, before)
    if comma is None:
        raise NotSpliceableError("no comma was found beside the value")
    if not place:
        spaces = _SPACES.match(layout.text, comma.end())
        return [Splice(start, spaces.end() if spaces else comma.end(), "")]
    if layout.text[comma.end() : start].strip(" \t"):
        return [Splice(comma.end() - 1, comma.end(), ""), Splice(start, node.end, "")]
    return [Splice(comma.end() - 1, node.end, "")]
