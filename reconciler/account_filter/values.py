"""Comparing and calculating with values, total: an answer, or ``UndecidedError`` with a reason."""

from __future__ import annotations

from collections.abc import Callable
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Final

from reconciler.account_filter.answer import Notes, UndecidedError, UndocumentedRule
from reconciler.account_filter.fields import kind_of
from reconciler.account_filter.syntax import ArithmeticOperator, ComparisonOperator, Span
from reconciler.kernel.value import JsonValue

CONTEXT: Final = Context(
    prec=50,
    rounding=ROUND_HALF_EVEN,
    Emin=-9_999,
    Emax=9_999,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
# Beyond this a double no longer holds every whole number.
_EXACT_MAX = Decimal(2) ** 53


def values_equal(left: JsonValue, right: JsonValue, notes: Notes, span: Span) -> bool:
    """Compare two values; of different types, or with parts of their own, they are never equal."""
    if type(left) is str and type(right) is str:
        return left == right or _noted_case(left, right, notes, span)
    kinds = (kind_of(left), kind_of(right))
    if "null" in kinds:
        notes.add(UndocumentedRule.NULL_COMPARISON, span)
        return kinds == ("null", "null")
    if kinds[0] != kinds[1] or kinds[0] in {"map", "other"}:
        notes.add(UndocumentedRule.TYPE_MISMATCH, span)
        return False
    return left == right


def _noted_case(left: str, right: str, notes: Notes, span: Span) -> bool:
    """Say no, and remember when another reading of text would say yes."""
    if left.strip().casefold() == right.strip().casefold():
        notes.add(UndocumentedRule.TEXT_CASE, span)
    return False


def ordered(
    operator: ComparisonOperator, left: JsonValue, right: JsonValue, notes: Notes, span: Span
) -> bool:
    """Order two values; what has no order is neither before nor after."""
    if isinstance(left, str) and isinstance(right, str):
        notes.add(UndocumentedRule.TEXT_ORDERING, span)
        return _in_order(operator, (left > right) - (left < right))
    kinds = (kind_of(left), kind_of(right))
    if kinds == ("number", "number"):
        first, second = _exact(left), _exact(right)
        return _in_order(operator, (first > second) - (first < second))
    null = "null" in kinds
    notes.add(UndocumentedRule.NULL_ORDERING if null else UndocumentedRule.ORDERING_MISMATCH, span)
    return False


def _in_order(operator: ComparisonOperator, sign: int) -> bool:
    return (
        (sign < 0 and "<" in operator)
        or (sign > 0 and ">" in operator)
        or (sign == 0 and "=" in operator)
    )


def as_number(value: JsonValue, span: Span) -> Decimal:
    """Give the number that an operator or function needs.

    Raises:
        UndecidedError: For anything else, null included.
    """
    kind = kind_of(value)
    if kind != "number":
        shown = "null" if kind == "null" else f"a value of type {kind}"
        raise UndecidedError("not-a-number", span, f"a number is needed here, this is {shown}")
    return _exact(value)


def _exact(value: JsonValue) -> Decimal:
    assert isinstance(value, int | Decimal), "the kind was checked"
    return Decimal(value)


_OPERATIONS: Final[dict[ArithmeticOperator, Callable[[Decimal, Decimal], Decimal]]] = {
    "+": CONTEXT.add,
    "-": CONTEXT.subtract,
    "*": CONTEXT.multiply,
    "/": CONTEXT.divide,
    "%": CONTEXT.remainder,
    "^": CONTEXT.power,
}


def calculate(
    operator: ArithmeticOperator, left: Decimal, right: Decimal, notes: Notes, span: Span
) -> Decimal:
    """Calculate in decimals with 50 digits.

    Raises:
        UndecidedError: For a division by zero and for what has no such result.
    """
    if (operator == "%" and not right) or (operator == "^" and not left and right < 0):
        raise _by_zero(span)
    if operator == "%" and (left < 0 or right < 0):
        notes.add(UndocumentedRule.MODULO_SIGN, span)
    result = settled(lambda: _OPERATIONS[operator](left, right), span)
    if not all(_whole(number) for number in (left, right, result)):
        notes.add(UndocumentedRule.DECIMAL_ARITHMETIC, span)
    return result


def settled(calculation: Callable[[], Decimal], span: Span) -> Decimal:
    """Run a calculation and name its failure."""
    try:
        return calculation()
    except DivisionByZero:
        raise _by_zero(span) from None
    except DecimalException:
        raise UndecidedError(
            "number-out-of-range", span, "this calculation has no result in 50 digits"
        ) from None


def _by_zero(span: Span) -> UndecidedError:
    return UndecidedError("division-by-zero", span, "this divides by zero")


def _whole(value: Decimal) -> bool:
    return value.copy_abs() <= _EXACT_MAX and value == value.to_integral_value()
