"""What a check of a filter can find, and how each finding is worded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from reconciler.account_filter.fields import (
    ADDRESS,
    ADDRESS_FIELDS,
    CUSTOM_FIELDS,
    FIELDS,
    Kind,
    suggestion,
)
from reconciler.account_filter.functions import Function, nearest_function
from reconciler.account_filter.syntax import Expression, FunctionCall, Path, Relation, Span
from reconciler.kernel.problem import Severity

FindingCode = Literal[
    "unknown-field",
    "unknown-function",
    "argument-count",
    "not-a-number",
    "not-boolean",
    "bare-word",
    "split-operator",
    "type-mismatch",
    "ordering-mismatch",
    "unguarded-custom-fields",
    "undocumented-function",
]
StaticKind: TypeAlias = Kind | None
"""``None``: only an account can tell."""

_WARNINGS: frozenset[FindingCode] = frozenset(
    {
        "bare-word",
        "split-operator",
        "type-mismatch",
        "ordering-mismatch",
        "unguarded-custom-fields",
        "undocumented-function",
    }
)
_KIND_WORDS: Final[dict[Kind, str]] = {
    "null": "null",
    "boolean": "true or false",
    "number": "a number",
    "text": "text",
    "map": "a group of fields",
    "other": "something else",
}


@dataclass(frozen=True, slots=True)
class FilterFinding:
    """One thing that is wrong or doubtful.

    Attributes:
        code: Which fact, for programs.
        severity: An ``error`` makes the filter invalid.
        span: Where it stands.
        message: What is wrong, in one line.
        suggestion: What to write instead, or empty.
    """

    code: FindingCode
    severity: Severity
    span: Span
    message: str
    suggestion: str = ""

    @property
    def column(self) -> int:
        """Where it starts, counted from 1 over the whole text."""
        return self.span.column


def _finding(code: FindingCode, span: Span, message: str, meant: str = "") -> FilterFinding:
    return FilterFinding(code, "warning" if code in _WARNINGS else "error", span, message, meant)


def unknown_field(path: Path, part: int) -> FilterFinding:
    """Refuse a path at the name that leads nowhere."""
    owner, name = ".".join(path.parts[:part]), path.parts[part]
    meant = suggestion(path.parts, part)
    within = f" in `{owner}`" if owner else ""
    message = f"there is no field `{name}`{within}; {_choices(path.parts[:part])}"
    return _finding("unknown-field", path.part_span(part), message, meant)


def _choices(owner: tuple[str, ...]) -> str:
    if owner == (ADDRESS,):
        return "known are " + ", ".join(ADDRESS_FIELDS)
    if not owner:
        return "known are " + ", ".join(FIELDS) + "; text stands in double quotes"
    return "it is a single value" if owner[0] != CUSTOM_FIELDS else "custom fields have no parts"


def unguarded(path: Path) -> FilterFinding:
    """Warn of a custom field read from an account that may have none."""
    return _finding(
        "unguarded-custom-fields",
        path.span,
        "m3ter may fail here for an account without custom fields; put"
        " `customFields != null AND` before it",
        f"customFields != null AND ... {'.'.join(path.parts)}",
    )


def unknown_function(call: FunctionCall) -> FilterFinding:
    """Refuse a function that does not exist."""
    meant = nearest_function(call.name)
    return _finding("unknown-function", call.span, f"there is no function `{call.name}`", meant)


def argument_count(call: FunctionCall, function: Function) -> FilterFinding:
    """Refuse too many or too few arguments."""
    count = len(call.arguments)
    message = f"`{call.name}` takes {function.arity}, not {count}"
    return _finding("argument-count", call.span, message)


def undocumented_function(call: FunctionCall) -> FilterFinding:
    """Warn of a function whose meaning m3ter leaves open."""
    return _finding(
        "undocumented-function",
        call.span,
        f"m3ter does not say what `{call.name}` compares its arguments with; it is read as"
        " `is the first one of the others`",
        "comparisons joined with OR",
    )


def wrong_kind(wanted: Literal["number", "boolean"], node: Expression, kind: Kind) -> FilterFinding:
    """Refuse an operand, or a whole filter, of the wrong kind."""
    code: FindingCode = "not-a-number" if wanted == "number" else "not-boolean"
    message = f"{_KIND_WORDS[wanted]} is needed here, this is {_KIND_WORDS[kind]}"
    return _finding(code, node.span, message)


def split_operator(comparison: Relation) -> FilterFinding:
    """Warn of ``= =``."""
    return _finding("split-operator", comparison.span, "`= =` is read as `==`", "==")


def unquoted(word: Path) -> FilterFinding:
    """Warn of a text without quotes."""
    name, meant = word.parts[0], suggestion(word.parts, 0)
    message = f"`{name}` names no field and is read as text; put it in quotes"
    return _finding(
        "bare-word",
        word.span,
        message + (f", or write `{meant}` if that field is meant" if meant else ""),
        f'"{name}"',
    )


def never_equal(comparison: Relation, left: Kind, right: Kind) -> FilterFinding:
    """Warn of a comparison whose sides can never be equal."""
    message = f"{_KIND_WORDS[left]} and {_KIND_WORDS[right]} are never equal"
    return _finding("type-mismatch", comparison.span, message)


def never_ordered(comparison: Relation, left: Kind, right: Kind) -> FilterFinding:
    """Warn of an order that can never hold."""
    message = f"{_KIND_WORDS[left]} and {_KIND_WORDS[right]} have no order, so this is never true"
    return _finding("ordering-mismatch", comparison.span, message)
