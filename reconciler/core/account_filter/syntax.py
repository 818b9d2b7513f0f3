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
class Node:
    """What every node knows besides its meaning.

    Attributes:
        span: Where the node stands, its own parentheses left out.
        grouped: Whether it stands in parentheses of its own.
    """

    span: Span = field(default=Span(0, 0), compare=False)
    grouped: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Null(Node):
    """The word ``null``."""


@dataclass(frozen=True, slots=True)
class Boolean(Node):
    """The words ``true`` and ``false``."""

    value: bool


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number; never negative, because a sign is a ``Signed`` around it."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A text in double quotes; the value is without quotes and escapes."""

    value: str


@dataclass(frozen=True, slots=True)
class Path(Node):
    """Names joined by dots: a field of the account, a constant, or a bare word."""

    parts: tuple[str, ...]

    def part_span(self, index: int) -> Span:
        """Tell where one of the names stands."""
        start = self.span.start + sum(len(part) + 1 for part in self.parts[:index])
        return Span(start, start + len(self.parts[index]))


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function with its arguments; whether it exists is the checker's question."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Signed(Node):
    """A plus or minus before one operand."""

    operator: SignOperator
    operand: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """Two operands with ``+ - * / % ^`` between them."""

    operator: ArithmeticOperator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """Two operands compared; ``= =`` is ``==`` as the vendor's page happens to print it."""

    operator: ComparisonOperator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """Two or more terms in one chain of ``AND`` or of ``OR``."""

    operator: LogicOperator
    terms: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
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
    | Call
    | Signed
    | Arithmetic
    | Comparison
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
        case Call(arguments=many) | Logic(terms=many):
            return many
        case Signed(operand=one):
            return (one,)
        case Arithmetic(left=left, right=right) | Comparison(left=left, right=right):
            return (left, right)
        case Conditional(condition=condition, yes=yes, no=no):
            return (condition, yes, no)
    assert_never(node)


def to_text(expression: Expression) -> str:
    """Write a tree as text that parses to an equal tree.

    Parentheses stand where the author put them or the grammar needs them; spacing is normal.
    """
    return _written(expression, CONDITIONAL)


def _written(node: Expression, floor: int) -> str:
    """Write a node for a place that takes operands binding at least as tightly as ``floor``."""
    text = _bare(node)
    return f"({text})" if node.grouped or _strength(node) < floor else text


def _strength(node: Expression) -> int:
    match node:
        case Conditional():
            return CONDITIONAL
        case Comparison():
            return COMPARISON
        case Logic(operator=operator) | Arithmetic(operator=operator):
            return STRENGTH[operator]
        case Signed():
            return SIGN
        case _:
            return PRIMARY


def _bare(node: Expression) -> str:
    match node:
        case Null():
            return "null"
        case Boolean(value=truth):
            return "true" if truth else "false"
        case Number(value=number):
            return format(number, "f")
        case Text(value=text):
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case Path(parts=parts):
            return ".".join(parts)
        case _:
            return _compound(node)


def _compound(
    node: Call | Signed | Arithmetic | Comparison | Logic | Conditional,
) -> str:
    match node:
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(_written(one, CONDITIONAL) for one in arguments)})"
        case Signed(operator=sign, operand=operand):
            return sign + _written(operand, SIGN)
        case Arithmetic(operator=operator, left=left, right=right):
            return f"{_written(left, _left_floor(operator))} {operator} " + _written(
                right, _right_floor(operator)
            )
        case Comparison(operator=comparison, left=left, right=right):
            return f"{_written(left, SUM)} {comparison} {_written(right, SUM)}"
        case Logic(operator=logic, terms=terms):
            return f" {logic} ".join(_written(term, STRENGTH[logic] + 1) for term in terms)
        case Conditional(condition=condition, yes=yes, no=no):
            branches = f"{_written(yes, CONDITIONAL)} : {_written(no, CONDITIONAL)}"
            return f"{_written(condition, OR)} ? {branches}"
    assert_never(node)


def _left_floor(operator: ArithmeticOperator) -> int:
    """Power takes no power on its left; the others do take their own kind there."""
    return SIGN if operator == "^" else STRENGTH[operator]


def _right_floor(operator: ArithmeticOperator) -> int:
    """Only power takes its own kind on the right."""
    return POWER if operator == "^" else STRENGTH[operator] + 1
