"""Where something stands in a file, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a text; line and column count from 1, in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    r"""The place that set a value: ``file:line:column``.

    Attributes:
        file: Relative to the repository, ``/``-separated, undecodable bytes as ``\xNN``.
        line: Counts from 1; 0 stands for the whole file.
        column: Counts from 1; 0 stands for the whole line.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}" + (f":{self.column}" if self.column else "")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The source lines shown under a problem, secrets already blanked.

    Attributes:
        first_line: Number of the first line shown.
        lines: The text, without line ends.
        column: Where the caret starts in the last line, from 1.
        width: How many characters the caret underlines, at least 1.
    """

    first_line: int
    lines: tuple[str, ...]
    column: int
    width: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and what to do about it.

    Attributes:
        rule: ``R`` and three digits; ``docs/rules.md`` has a page for each.
        severity: An ``error`` ends the run with exit 10; a ``warning`` does not.
        origin: Where; ``None`` for a problem of the whole repository.
        message: What is wrong, in one line.
        hint: What to do, or empty.
        path: Dotted path of the field inside the document, or empty.
        excerpt: The source around it, when there is any to show.
    """

    rule: str
    severity: Severity
    origin: Origin | None
    message: str
    hint: str = ""
    path: str = ""
    excerpt: Excerpt | None = None
