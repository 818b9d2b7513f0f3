r"""Bytes of a file -> text that a position can be told of.

Only ``\n``, ``\r\n`` and ``\r`` end a line; a byte order mark is no column.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from reconciler.definitions.core.form_rules import ENCODING, LIMITS
from reconciler.definitions.core.rule import Rule
from reconciler.kernel.problem import Origin, Position, Problem

BYTES_MAX = 10 * 1024 * 1024
"""The largest definition file that is read."""

_BREAK = re.compile(r"\r\n|\n|\r")
# Source: YAML 1.2.2, production c-printable, less the byte order mark inside a file
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(frozen=True)
class SourceText:
    """A decoded file, its byte order mark taken off.

    Attributes:
        file: Relative to the repository.
        text: All characters; offsets count from 0 here.
        marked: Whether the file began with a byte order mark.
    """

    file: str
    text: str
    marked: bool = False

    @cached_property
    def line_starts(self) -> Sequence[int]:
        """The offset of the first character of every line."""
        return [0, *(found.end() for found in _BREAK.finditer(self.text))]

    def position(self, offset: int) -> Position:
        """Give the line and column of an offset."""
        line = bisect_right(self.line_starts, offset)
        return Position(line, offset - self.line_starts[line - 1] + 1)

    def origin(self, offset: int) -> Origin:
        """Give the place of an offset with the file's name."""
        at = self.position(offset)
        return Origin(self.file, at.line, at.column)

    def offset(self, line: int, column: int) -> int:
        """Give the offset of a place; places outside the text are moved to its edge."""
        start = self.line_starts[min(line, len(self.line_starts)) - 1]
        return min(start + max(column, 1) - 1, len(self.text))

    def line(self, number: int) -> str:
        """Give one line without its end; empty when there is no such line."""
        if not 1 <= number <= len(self.line_starts):
            return ""
        start = self.line_starts[number - 1]
        after = _BREAK.search(self.text, start)
        return self.text[start : after.start() if after else len(self.text)]


def line_breaks(text: str) -> list[str]:
    """Split a text into lines, their ends left out."""
    if "\r" in text:
        return _BREAK.split(text)
    return text.split("\n")


def decode_text(
    file: str, data: bytes, *, limit: int = BYTES_MAX, too_large: Rule = LIMITS
) -> SourceText | Problem:
    """Decode a file, or say why it cannot be read as text.

    Args:
        file: Relative to the repository; it is only quoted.
        data: The bytes; one more than ``limit`` is enough to refuse them.
        limit: How many bytes the file may have.
        too_large: The rule that a larger file breaks.
    """
    if len(data) > limit:
        return too_large.broken(Origin(file), f"the file has more than {limit:,} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return _not_utf8(file, data, error.start)
    marked = text.startswith("\ufeff")
    source = SourceText(file, text[1:] if marked else text, marked)
    if (strange := _UNPRINTABLE.search(source.text)) is not None:
        return _unprintable(source, strange.start())
    return source


def _not_utf8(file: str, data: bytes, at: int) -> Problem:
    before = SourceText(file, data[:at].decode().removeprefix("\ufeff"))
    return ENCODING.broken(
        before.origin(len(before.text)),
        f"the byte \\x{data[at]:02X} is not UTF-8",
        "Save the file as UTF-8.",
    )


def _unprintable(source: SourceText, at: int) -> Problem:
    code = ord(source.text[at])
    names = {0: "a NUL character", 0xFEFF: "a byte order mark inside the file"}
    return ENCODING.broken(
        source.origin(at),
        f"{names.get(code, 'a control character')} (U+{code:04X}) cannot stand here",
        "Remove it.",
    )
