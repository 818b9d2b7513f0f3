"""Account filter text -> tokens, and the error of a text that is no filter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from reconciler.account_filter.syntax import Span
from reconciler.errors import InvalidError

SyntaxCode = Literal[
    "empty", "syntax", "unterminated-string", "unknown-escape", "too-long", "too-deep"
]
TokenKind = Literal["number", "text", "word", "operator", "end"]


class FilterSyntaxError(InvalidError):
    """The text of an account filter cannot be read.

    Attributes:
        code: Which fact, for programs.
        column: Where, in characters from 1 over the whole text.
        message: What is wrong, in one line.
        hint: What to do, or empty.
    """

    def __init__(self, code: SyntaxCode, column: int, message: str, hint: str = "") -> None:
        super().__init__(
            f"account filter, column {column}: {message}" + (f"; {hint}" if hint else "")
        )
        self.code = code
        self.column = column
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number, text or sign.

    Attributes:
        kind: ``end`` stands once, after the last character that counts.
        text: As written; for a text without its quotes and escapes.
        span: Where it stands.
    """

    kind: TokenKind
    text: str
    span: Span


# A name starts with a letter or underscore; a path is names and dots without spaces.
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
      (?P<number>[0-9]+(?:\.[0-9]+)?)
    | (?P<word>[^\W\d]\w*(?:\.[^\W\d]\w*)*)
    | (?P<split>=[ \t\r\n]+=(?!=))
    | (?P<operator>==|!=|<=|>=|[-+*/%^<>(),?:])
    | (?P<quote>")
    | (?P<end>\Z)
    | (?P<other>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r'\\(["\\])')
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BAD_ESCAPE = re.compile(r'(?:[^\\]|\\["\\])*?(?=\\[^"\\])', re.DOTALL)

_SIGN_HINTS = {
    "&": "write `AND`",
    "|": "write `OR`",
    "=": "write `==` to compare",
    "!": "there is no NOT; compare with `!=` or `== false`",
    "'": 'write text in double quotes: "UK"',
    "\u201c": 'write text in straight double quotes: "UK"',
    "\u201d": 'write text in straight double quotes: "UK"',
    ".": "write a path without spaces around its dots, and a number with a digit before its dot",
}


def tokens(text: str) -> tuple[Token, ...]:
    """Cut a text into tokens; the last one is the end.

    Raises:
        FilterSyntaxError: At the first character that starts no token.
    """
    tokens: list[Token] = []
    position = 0
    while not tokens or tokens[-1].kind != "end":
        token, position = _next(text, position, tokens)
        tokens.append(token)
    return tuple(tokens)


def _next(text: str, position: int, before: list[Token]) -> tuple[Token, int]:
    match = _TOKEN.match(text, position)
    assert match is not None, "the pattern ends with any character and the end"
    kind = match.lastgroup or "other"
    span = Span(*match.span(kind))
    if kind == "quote":
        return _text(text, span.start)
    if kind == "end":
        last = before[-1].span.end if before else 0
        return Token("end", "", Span(last, last)), span.end
    if kind == "other":
        raise _refused_character(match["other"], span.column)
    if kind == "split":
        return Token("operator", "= =", span), span.end
    literal: TokenKind = "number" if kind == "number" else "word" if kind == "word" else "operator"
    return Token(literal, text[span.start : span.end], span), span.end


def _text(text: str, start: int) -> tuple[Token, int]:
    match = _TEXT.match(text, start)
    if match is None:
        raise FilterSyntaxError(
            "unterminated-string",
            start + 1,
            "this text has no closing quote",
            'end it with `"`, and write a quote inside it as `\\"`',
        )
    bad = _BAD_ESCAPE.match(match[1])
    if bad is not None:
        column = match.start(1) + bad.end() + 1
        escape = match[1][bad.end() : bad.end() + 2]
        raise FilterSyntaxError(
            "unknown-escape",
            column,
            f"`{escape}` is no escape",
            'a backslash stands only before `"` and before another backslash',
        )
    span = Span(start, match.end())
    return Token("text", _ESCAPED.sub(r"\1", match[1]), span), span.end


def _refused_character(character: str, column: int) -> FilterSyntaxError:
    shown = f"`{character}`" if character.isprintable() else f"character U+{ord(character):04X}"
    hint = _SIGN_HINTS.get(character, "")
    return FilterSyntaxError("syntax", column, f"{shown} has no meaning in a filter", hint)
