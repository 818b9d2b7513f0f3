"""A tree of the filter language back as text, so that laws can parse what they make."""

from __future__ import annotations

from typing import assert_never

from reconciler.account_filter.syntax import (
    COMPARISON,
    CONDITIONAL,
    OR,
    POWER,
    PRIMARY,
    SIGN,
    STRENGTH,
    SUM,
    Arithmetic,
    ArithmeticOperator,
    Boolean,
    Conditional,
    Expression,
    FunctionCall,
    Logic,
    Null,
    Number,
    Path,
    Relation,
    Signed,
    Text,
)


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
        case Relation():
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
    node: FunctionCall | Signed | Arithmetic | Relation | Logic | Conditional,
) -> str:
    match node:
        case FunctionCall(name=name, arguments=arguments):
            return f"{name}({', '.join(_written(argument, CONDITIONAL) for argument in arguments)})"
        case Signed(operator=sign, operand=operand):
            return sign + _written(operand, SIGN)
        case Arithmetic(operator=operator, left=left, right=right):
            return f"{_written(left, _left_floor(operator))} {operator} " + _written(
                right, _right_floor(operator)
            )
        case Relation(operator=comparison, left=left, right=right):
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
