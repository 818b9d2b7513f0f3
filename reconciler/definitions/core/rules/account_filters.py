"""Account filters: what the small language finds, at the exact place inside the YAML value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from reconciler.account_filter.check import check
from reconciler.account_filter.findings import FilterFinding
from reconciler.account_filter.parser import LENGTH_MAX, parse
from reconciler.account_filter.tokens import FilterSyntaxError
from reconciler.definitions.core.place_inside import inside
from reconciler.definitions.core.rule import Rule, TextFrom
from reconciler.definitions.model import Effective
from reconciler.kernel.problem import Problem

SYNTAX = Rule(
    "R095",
    "an account filter can be read",
    "error",
    "m3ter would refuse it, or select accounts that nobody meant.",
    'Write conditions like `customFields != null AND customFields.country == "UK"`.',
)
MEANING = Rule(
    "R096",
    "an account filter uses fields and functions that exist",
    "error",
    "An account for which the filter fails is not billed.",
    "Use the fields of an account: id, code, name, currency, address, customFields and others.",
)
DOUBT = Rule(
    "R097",
    "an account filter rests on documented rules",
    "warning",
    "m3ter does not document how it reads this; it may select other accounts than you mean.",
    "Write it in the documented form.",
)

RULES = (SYNTAX, MEANING, DOUBT)
# The longest filter, every character of it escaped.
_TEXT_MAX = 10 * LENGTH_MAX
_PATH = "spec.entity.accountFilter"


def account_filters(view: Effective, text_from: TextFrom) -> Iterator[Problem]:
    """Check the filter of every integration.

    Args:
        view: One environment's definitions.
        text_from: Gives source text from a place on.
    """
    for integration in view.integrations:
        text = integration.spec.entity.account_filter
        if text is None:
            continue
        start = integration.at("entity", "accountFilter")
        for finding in _findings(text):
            at = inside(start, text_from(start, _TEXT_MAX), text, finding.offset)
            yield finding.rule.broken(at, f"account filter: {finding.message}", finding.hint, _PATH)


@dataclass(frozen=True, slots=True)
class _Found:
    """One thing about a filter, and at which character, from 0."""

    rule: Rule
    offset: int
    message: str
    hint: str


# Environments mostly share their filters.
@lru_cache(maxsize=4096)
def _findings(text: str) -> tuple[_Found, ...]:
    try:
        tree = parse(text)
    except FilterSyntaxError as error:
        return (_Found(SYNTAX, error.column - 1, error.message, _sentence(error.hint)),)
    return tuple(
        _Found(
            MEANING if finding.severity == "error" else DOUBT,
            finding.column - 1,
            finding.message,
            _hint(finding),
        )
        for finding in check(tree)
    )


def _hint(finding: FilterFinding) -> str:
    if not finding.suggestion:
        return ""
    if finding.code == "undocumented-function":
        return f"Write {finding.suggestion}."
    quoted = f"`{finding.suggestion}`"
    return f"Did you mean {quoted}?" if finding.severity == "error" else f"Write {quoted}."


def _sentence(hint: str) -> str:
    return f"{hint[:1].upper()}{hint[1:]}." if hint else ""
