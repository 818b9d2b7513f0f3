"""Form bodies and queries in Chargebee's notation, read into a tree of text.

``a=1`` is a leaf, ``a[b]=1`` a branch, ``a[b][0]=1`` one cell of parallel arrays, ``a[0]=1`` one
element of a list. Source: Chargebee API, deepObject parameters (field first, index last).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

from reconciler.emulator.chargebee.parameters.refusals import invalid, wrong_value

Tree = dict[str, "str | Tree"]

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART = re.compile(r"\[([^\[\]]*)\]")


def read_form(body: bytes) -> Tree:
    """The tree of a urlencoded body.

    Raises:
        RefusalError: The body is not UTF-8 or contradicts itself.
    """
    try:
        text = body.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", strict_parsing=bool(text))
    except ValueError as error:
        raise invalid("The request body is not application/x-www-form-urlencoded.") from error
    return read_pairs(pairs)


def read_pairs(pairs: Iterable[tuple[str, str]]) -> Tree:
    """The tree of decoded pairs; a repeated key keeps its last value."""
    tree: Tree = {}
    for key, value in pairs:
        _insert(tree, key, _path(key), value)
    return tree


def _path(key: str) -> list[str]:
    match = _KEY.match(key)
    if match is None:
        raise wrong_value(key, "is not a parameter name")
    return [match.group(1), *_PART.findall(match.group(2))]


def _insert(tree: Tree, key: str, path: list[str], value: str) -> None:
    *branches, leaf = path
    for name in branches:
        below = tree.setdefault(name, {})
        if isinstance(below, str):
            raise wrong_value(key, "is given both as a value and as an object")
        tree = below
    if isinstance(tree.get(leaf), dict):
        raise wrong_value(key, "is given both as a value and as an object")
    tree[leaf] = value
