"""Text that may be shown anywhere: no control characters, counted nouns."""

from __future__ import annotations

import re

# Control characters move a terminal's cursor or colour; surrogates cannot be encoded; the
# last two are not allowed in XML.
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff￾￿]")


def printable(text: str) -> str:
    """Write control characters as escapes; tabs and line ends stay."""
    return _UNSHOWABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def counted(count: int, one: str, many: str) -> str:
    """Write a number with its noun."""
    return f"{count:,} {one if count == 1 else many}"
