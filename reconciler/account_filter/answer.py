"""The answer of a filter for one account, and the undocumented rules it may rest on.

Every rule that m3ter does not document stands here with our reading of it. An answer that rests
on one carries it, so that a person can decide whether to trust it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from reconciler.account_filter.syntax import Span

UnknownCode = Literal[
    "invalid-filter",
    "division-by-zero",
    "number-out-of-range",
    "not-a-number",
    "not-boolean",
]


class UndocumentedRule(StrEnum):
    """A rule we had to choose."""

    BARE_WORD = "bare-word"
    SPLIT_OPERATOR = "split-operator"
    NULL_PATH = "null-path"
    MISSING_FIELD = "missing-field"
    NULL_COMPARISON = "null-comparison"
    NULL_ORDERING = "null-ordering"
    TYPE_MISMATCH = "type-mismatch"
    ORDERING_MISMATCH = "ordering-mismatch"
    TEXT_ORDERING = "text-ordering"
    TEXT_CASE = "text-case"
    SIGN_BEFORE_POWER = "sign-before-power"
    POWER_TO_THE_RIGHT = "power-to-the-right"
    AND_BEFORE_OR = "and-before-or"
    MODULO_SIGN = "modulo-sign"
    DECIMAL_ARITHMETIC = "decimal-arithmetic"
    NEGATIVE_TIE = "negative-tie"
    IN_FUNCTION = "in-function"


READINGS: Final[dict[UndocumentedRule, str]] = {
    UndocumentedRule.BARE_WORD: "a word without quotes that names no field is text",
    UndocumentedRule.SPLIT_OPERATOR: "`= =` is `==`",
    UndocumentedRule.NULL_PATH: "a path through null is null",
    UndocumentedRule.MISSING_FIELD: "a field that the account does not have is null",
    UndocumentedRule.NULL_COMPARISON: "null is equal to null and to nothing else",
    UndocumentedRule.NULL_ORDERING: "null is neither before nor after anything",
    UndocumentedRule.TYPE_MISMATCH: "values of different types are never equal",
    UndocumentedRule.ORDERING_MISMATCH: "only two numbers or two texts have an order",
    UndocumentedRule.TEXT_ORDERING: "texts are ordered by code point",
    UndocumentedRule.TEXT_CASE: "texts that differ only in case or outer spaces are different",
    UndocumentedRule.SIGN_BEFORE_POWER: "a sign binds tighter than `^`: -2 ^ 2 is 4",
    UndocumentedRule.POWER_TO_THE_RIGHT: "`^` binds to the right: 2 ^ 3 ^ 2 is 512",
    UndocumentedRule.AND_BEFORE_OR: "AND binds tighter than OR",
    UndocumentedRule.MODULO_SIGN: "the remainder has the sign of the dividend: -7 % 4 is -3",
    UndocumentedRule.DECIMAL_ARITHMETIC: "fractions are calculated in decimals: 0.1 + 0.2 is 0.3",
    UndocumentedRule.NEGATIVE_TIE: "halves are rounded away from zero: -2.5 becomes -3",
    UndocumentedRule.IN_FUNCTION: "IN asks whether its first value is one of the others",
}


@dataclass(frozen=True, slots=True, order=True)
class Assumption:
    """One undocumented rule that an answer rests on.

    Attributes:
        span: Where in the filter it was needed.
        rule: Which rule.
    """

    span: Span
    rule: UndocumentedRule

    @property
    def code(self) -> str:
        """The rule's name, for programs."""
        return self.rule.value

    @property
    def reading(self) -> str:
        """How we read the rule, in one sentence without a full stop."""
        return READINGS[self.rule]


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The filter has no answer for this account: it is then neither in nor out.

    Attributes:
        code: Which fact, for programs.
        column: Where in the filter, from 1.
        message: Why, in one line.
    """

    code: UnknownCode
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a filter says of one account.

    Attributes:
        result: Whether the account is selected, or why that is not known.
        assumptions: The undocumented rules it rests on, in source order, each place once.
    """

    result: bool | NoAnswer
    assumptions: tuple[Assumption, ...] = ()


class UndecidedError(Exception):
    """Ends an evaluation without an answer; it never leaves ``evaluate``."""

    def __init__(self, code: UnknownCode, span: Span, message: str) -> None:
        super().__init__(message)
        self.unknown = NoAnswer(code, span.column, message)


class Notes(dict[Assumption, None]):
    """The assumptions met in one evaluation, each place once."""

    __slots__ = ()

    def add(self, rule: UndocumentedRule, span: Span) -> None:
        """Remember that the rule was needed at a place."""
        self[Assumption(span, rule)] = None
