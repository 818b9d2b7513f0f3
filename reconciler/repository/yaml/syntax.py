"""What libyaml says about broken syntax, in words for the person who wrote the file."""

from __future__ import annotations

from reconciler.definitions.core.form_rules import SYNTAX
from reconciler.kernel.problem import Problem
from reconciler.repository.yaml.events import BrokenSyntax
from reconciler.repository.yaml.source_text import SourceText

_TAB = ("a tab cannot indent or separate here", "Use spaces.")
# The parser's words -> ours and what to do; the first that is contained wins.
_WORDS = (
    (
        "mapping values are not allowed",
        "a `:` that cannot stand here",
        "Put text that holds `: ` in quotes, and check the indentation of this line.",
    ),
    (
        "did not find expected ',' or",
        "a `[` or `{` is not closed, or a comma is missing",
        "Close it, or put the text in quotes.",
    ),
    (
        "while scanning a quoted scalar",
        "a quote is not closed",
        "Close the quote that begins here or in a line above.",
    ),
    (
        "while parsing a quoted scalar",
        "an unknown escape in double quotes",
        "Write `\\\\` for a backslash, or use single quotes.",
    ),
    (
        "while scanning a double-quoted scalar",
        "an unknown escape, or a quote that is not closed",
        "Write `\\\\` for a backslash, or use single quotes.",
    ),
    (
        "could not find expected ':'",
        "a key without `:`",
        "Write `key: value`; check the indentation of this line and the one before.",
    ),
    (
        "while parsing a block mapping",
        "this does not continue the mapping it stands in",
        "Check the indentation of this line and the one before.",
    ),
    (
        "while parsing a block collection",
        "this does not continue the list it stands in",
        "Check the indentation of this line and the one before.",
    ),
    (
        "cannot start any token",
        "this character cannot begin a value",
        "Put the value in quotes.",
    ),
    (
        "while parsing a flow node",
        "a value is missing inside `[` or `{`",
        "Write the value, or close the bracket.",
    ),
    (
        "sequence entries are not allowed",
        "a list item cannot stand here",
        "Begin the list in a line of its own, or put the text in quotes.",
    ),
    (
        "document start",
        "a new document begins without `---`",
        "Write `---` between documents, or check the indentation of this line.",
    ),
    (
        "scanning a directive",
        "a line that begins with `%` is a directive, and this one is unknown",
        "Remove it, or put text that begins with `%` in quotes.",
    ),
    (
        "undefined tag handle",
        "a tag that is not allowed",
        "Remove the tag; put text that begins with `!` in quotes.",
    ),
)


def syntax_problem(source: SourceText, broken: BrokenSyntax) -> Problem:
    """Describe where and why a text cannot be read further."""
    what, hint = _meaning(source.text, broken)
    at = source.origin(min(broken.offset, len(source.text)))
    return SYNTAX.broken(at, f"this is not YAML: {what}", hint)


def _meaning(text: str, broken: BrokenSyntax) -> tuple[str, str]:
    if text[broken.offset : broken.offset + 1] == "\t" or "tab character" in broken.what:
        return _TAB
    for words, what, hint in _WORDS:
        if words in broken.what:
            return what, hint
    return broken.what or "it cannot be read further", ""
