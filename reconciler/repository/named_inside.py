"""Names in a text that could not be read as YAML, so that nobody says they are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, get_args

from reconciler.definitions.model import KindName

_KINDS: Final[dict[str, KindName]] = {kind: kind for kind in get_args(KindName)}
_DIVIDER: Final = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_KIND: Final = re.compile(rf"^kind:[ \t]*['\"]?({'|'.join(_KINDS)})\b", re.MULTILINE)
_NAME: Final = re.compile(
    r"^(?:metadata:[^\n]*?[{ ,]|[ \t]+)name:[ \t]*['\"]?([a-z0-9-]+)", re.MULTILINE
)


def named_inside(text: str) -> Iterator[tuple[KindName, str]]:
    """Guess kind and name of every document in a text."""
    for part in _DIVIDER.split(text):
        kind, name = _KIND.search(part), _NAME.search(part)
        if kind and name:
            yield _KINDS[kind[1]], name[1]
