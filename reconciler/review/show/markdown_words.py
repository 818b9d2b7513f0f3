"""Words in Markdown that stay words: values cannot become markup, HTML, a link or a mention."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

from reconciler.kernel.problem import Origin
from reconciler.kernel.text import printable

VALUE_MAX: Final = 120
"""Characters of a value; the report kept with the run has all."""
PROSE_MAX: Final = 300
_BREAK: Final = "\u200b"
"""An invisible space: it keeps an ``@`` or ``#`` from becoming a mention or a reference."""
_URL: Final = re.compile(r"https?://[A-Za-z0-9._~:/?#%&=@+,;-]+")
# `-`, `+`, `>` and digits begin a block at the start of a line only, where no value stands
_MARKUP: Final = re.compile(r"([\\`*_\[\]<#!|~&$])")


def code(text: str, width_max: int = VALUE_MAX) -> str:
    """Show a value as it is, in a code span on one line."""
    shown = _clipped(_one_line(text), width_max) or '""'
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    space = " " if shown[0] in " `" or shown[-1] in " `" else ""
    return f"{fence}{space}{shown}{space}{fence}"


def prose(text: str, width_max: int = PROSE_MAX) -> str:
    """Show a sentence that may hold values."""
    shown = _MARKUP.sub(r"\\\1", _clipped(_one_line(text), width_max))
    for mark in ("@", "\\#", "://", "www."):
        shown = shown.replace(mark, mark + _BREAK)
    return shown


def linked(text: str, url: str) -> str:
    """Show a link; without a plain URL the text alone."""
    return f"[{prose(text)}]({url})" if _URL.fullmatch(url) else prose(text)


def file_link(origin: Origin, files: str) -> str:
    """Show a place with its whole path, linked into the tree that was planned.

    Args:
        origin: The place.
        files: URL of the tree; empty for none.
    """
    shown = f"{origin.file}:{origin.line}" if origin.line else origin.file
    if not files or "\\" in origin.file:
        return prose(shown)
    line = f"#L{origin.line}" if origin.line else ""
    return linked(shown, f"{files}/{quote(origin.file)}{line}")


def cut(lines: Iterable[str], count: int, bytes_max: int, what: str) -> Iterator[str]:
    """Give lines as long as they fit, and say how many did not.

    Args:
        lines: Each whole by itself.
        count: How many there are.
        bytes_max: For all of them, ends of lines included.
        what: What a line is about, in the plural.
    """
    left = bytes_max - len(_rest(count, what).encode()) - 1
    for number, line in enumerate(lines):
        left -= len(line.encode()) + 1
        if left < 0:
            yield _rest(count - number, what)
            return
        yield line


def _rest(count: int, what: str) -> str:
    return f"- … and {count:,} more {what}; the report that is kept with this run has all"


def _one_line(text: str) -> str:
    return printable(re.sub(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", "⏎", text).replace("\t", " "))


def _clipped(text: str, width_max: int) -> str:
    if len(text) <= width_max:
        return text
    return f"{text[:width_max]}… ({len(text):,} characters)"
