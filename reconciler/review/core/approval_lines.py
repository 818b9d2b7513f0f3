"""The lines of a review that approve or revoke, and nothing that only looks like one.

A line counts where it stands by itself at the left margin, as people see it: after the start, after
an empty line, or below another such line. Quotes, lists and paragraphs run on without an empty line
between, so a line inside one of them is theirs. A code block, a suggestion or HTML ends the
reading: what stands after it counts for nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, get_args

from reconciler.definitions.kinds.project import GuardName

PLAN_DIGITS_MIN: Final = 12
_LINE: Final = re.compile(
    r"/(?P<verb>approve|revoke) (?P<guard>[a-z-]+)@(?P<plan>[0-9a-f]{12,64})"
    r"(?: (?P<address>[^\s#]+)#(?P<field>\S*))?(?: -- (?P<reason>.*))?"
)
# every mark that can stand before the content of a line: quotes and lists
_CONTAINERS: Final = re.compile(r"(?:[\s>*+-]|\d+[.)])*")
_ENDS_READING: Final = ("```", "~~~", "<", "$$")
# Source: CommonMark 0.31, "blank line": only spaces and tabs, no other white space
_BLANK: Final = " \t"
_GUARDS: Final = frozenset(get_args(GuardName))


@dataclass(frozen=True, slots=True)
class ApprovalLine:
    """``/approve GUARD@PLANID [ADDRESS#FIELD] -- reason``, or ``/revoke`` of the same form.

    Attributes:
        plan: At least 12 digits of a plan's id.
        address: Empty for every item of the guard.
        field: What stands after the ``#``.
    """

    is_approval: bool
    guard: GuardName
    plan: str
    address: str = ""
    field: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """What a review says.

    Attributes:
        unread: Lines that begin like one and are none, in the reader's words why.
    """

    lines: tuple[ApprovalLine, ...]
    unread: tuple[str, ...]


def lines_of(words: str) -> Lines:
    """Read the body of a review."""
    lines: list[ApprovalLine] = []
    unread: list[str] = []
    free, reading = True, True
    for text in words.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        reading = reading and not text[_start(text) :].startswith(_ENDS_READING)
        line = _line(text) if free and reading else None
        if line is not None:
            lines.append(line)
        elif text.lstrip().startswith(("/approve", "/revoke")):
            unread.append(_why(text, reading=reading, free=free))
        # a code span may run on into the next line, and would hold it
        free = not text.strip(_BLANK) or (line is not None and "`" not in text)
    return Lines(tuple(lines), tuple(unread))


def _start(text: str) -> int:
    found = _CONTAINERS.match(text)
    return found.end() if found else 0


def _line(text: str) -> ApprovalLine | None:
    found = _LINE.fullmatch(text.rstrip(_BLANK))
    if found is None:
        return None
    guard: GuardName | None = next((name for name in _GUARDS if name == found["guard"]), None)
    if guard is None:
        return None
    return ApprovalLine(
        found["verb"] == "approve",
        guard,
        found["plan"],
        found["address"] or "",
        found["field"] or "",
        (found["reason"] or "").strip(),
    )


def _why(text: str, *, reading: bool, free: bool) -> str:
    shown = text.strip()[:80]
    if not reading:
        return f"`{shown}` stands after a code block or HTML; write it before"
    if not free:
        return f"`{shown}` is part of the lines above it; leave an empty line before it"
    return f"`{shown}` is not `/approve GUARD@PLANID`, with at least {PLAN_DIGITS_MIN} digits"
