"""The tree of an account filter, and the way back to text.

Every node knows its span in the source and whether its author put it in parentheses; neither
takes part in equality, so two trees are equal when they say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias, assert_never

SignOperator = Literal["+", "-"]
ArithmeticOperator = Literal["+", "-", "*", "/", "%", "^"]
ComparisonOperator = Literal["==", "!=", "<=", ">=", "<", ">", "= ="]
LogicOperator = Literal["AND", "OR"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of the source: offsets in characters from 0, the end exclusive."""

    start: int
    end: int

    @property
    def column(self) -> int:
        """Where it starts, counted from 1 over the whole text."""
        return self.start + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterNode:
    """What every node knows besides its meaning.

    Attributes:
        span: Where the node stands, its own parentheses left out.
        grouped: Whether it stands in parentheses of its own.
    """

    span: Span = field(default=Span(0, 0), compare=False)
    grouped: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Null(FilterNode):
    """The word ``null``."""


@dataclass(frozen=True, slots=True)
class Boolean(FilterNode):
    """The words ``true`` and ``false``."""

    value: bool


@dataclass(frozen=True, slots=True)
class Number(FilterNode):
    """A number; never negative, because a sign is a ``Signed`` around it."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Text(FilterNode):
    """A text in double quotes; the value is without quotes and escapes."""

    value: str


@dataclass(frozen=True, slots=True)
class Path(FilterNode):
    """Names joined by dots: a field of the account, a constant, or a bare word."""

    parts: tuple[str, ...]

    def part_span(self, index: int) -> Span:
        """Tell where one of the names stands."""
        start = self.span.start + sum(len(part) + 1 for part in self.parts[:index])
        return Span(start, start + len(self.parts[index]))


@dataclass(frozen=True, slots=True)
class FunctionCall(FilterNode):
    """A function with its arguments; whether it exists is the checker's question."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Signed(FilterNode):
    """A plus or minus before one operand."""

    operator: SignOperator
    operand: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic(FilterNode):
    """Two operands with ``+ - * / % ^`` between them."""

    operator: ArithmeticOperator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Relation(FilterNode):
    """Two operands compared; ``= =`` is ``==`` as the vendor's page happens to print it."""

    operator: ComparisonOperator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Logic(FilterNode):
    """Two or more terms in one chain of ``AND`` or of ``OR``."""

    operator: LogicOperator
    terms: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Conditional(FilterNode):
    """``condition ? yes : no``."""

    condition: Expression
    yes: Expression
    no: Expression


Expression: TypeAlias = (
    Null
    | Boolean
    | Number
    | Text
    | Path
    | FunctionCall
    | Signed
    | Arithmetic
    | Relation
    | Logic
    | Conditional
)

# How tightly an operator binds, from the loosest.
CONDITIONAL, OR, AND, COMPARISON, SUM, PRODUCT, POWER, SIGN, PRIMARY = range(1, 10)
STRENGTH: dict[str, int] = {
    "+": SUM,
    "-": SUM,
    "*": PRODUCT,
    "/": PRODUCT,
    "%": PRODUCT,
    "^": POWER,
    "AND": AND,
    "OR": OR,
}


def children(node: Expression) -> tuple[Expression, ...]:
    """Give the direct operands of a node, in source order."""
    match node:
        case Null() | Boolean() | Number() | Text() | Path():
            return ()
        case FunctionCall(arguments=many) | Logic(terms=many):
            return many
        case Signed(operand=operand):
            return (operand,)
        case Arithmetic(left=left, right=right) | Relation(left=left, right=right):
            return (left, right)
        case Conditional(condition=condition, yes=yes, no=no):
            return (condition, yes, no)
    assert_never(node)
