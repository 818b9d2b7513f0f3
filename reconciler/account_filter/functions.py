"""The functions a filter may call.

Source: m3ter documentation, "m3ter Calculation Engine", Functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from typing import Final, TypeAlias

from reconciler.account_filter.answer import Notes, UndecidedError, UndocumentedRule
from reconciler.account_filter.fields import Kind, nearest_field
from reconciler.account_filter.syntax import Span
from reconciler.account_filter.values import CONTEXT, as_number, calculate, settled, values_equal
from reconciler.kernel.value import JsonValue

Body: TypeAlias = Callable[[Sequence[JsonValue], Notes, Span], JsonValue]

# More places than any money or usage figure has; it also bounds the work.
_SCALE_MAX = 30


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        least: Fewest arguments.
        most: Most arguments; ``None`` for no limit.
        takes: Kind of every argument; ``None`` for any.
        gives: Kind of the result; ``None`` when it depends on the arguments.
        body: Values in, value out; raises ``UndecidedError`` when there is none.
    """

    least: int
    most: int | None
    takes: Kind | None
    gives: Kind | None
    body: Body

    def accepts(self, count: int) -> bool:
        """Tell whether it may be called with so many arguments."""
        return self.least <= count and (self.most is None or count <= self.most)

    @property
    def arity(self) -> str:
        """The allowed numbers of arguments, in words."""
        if self.most is None:
            return f"{self.least} or more arguments"
        if self.least != self.most:
            return f"{self.least} or {self.most} arguments"
        return f"{self.least} arguments" if self.least > 1 else "1 argument"


def nearest_function(name: str) -> str:
    """Propose the function that was probably meant, or nothing."""
    return nearest_field(name, FUNCTIONS) or nearest_field(f"Math.{name}", FUNCTIONS)


def _extreme(choose: Callable[[list[Decimal]], Decimal]) -> Body:
    def body(arguments: Sequence[JsonValue], _notes: Notes, span: Span) -> JsonValue:
        return choose([as_number(argument, span) for argument in arguments])

    return body


def _rounded(rounding: str) -> Body:
    def body(arguments: Sequence[JsonValue], notes: Notes, span: Span) -> JsonValue:
        value = as_number(arguments[0], span)
        step = _step(arguments, span)
        result = settled(lambda: value.quantize(step, rounding, CONTEXT), span)
        if rounding == ROUND_HALF_UP and value < 0:
            down = settled(lambda: value.quantize(step, ROUND_HALF_DOWN, CONTEXT), span)
            if down != result:
                notes.add(UndocumentedRule.NEGATIVE_TIE, span)
        return result

    return body


def _step(arguments: Sequence[JsonValue], span: Span) -> Decimal:
    """Give 0.01 for a scale of 2, 100 for a scale of -2."""
    scale = as_number(arguments[1], span) if len(arguments) > 1 else Decimal(0)
    if scale.copy_abs() > _SCALE_MAX or scale != scale.to_integral_value():
        raise UndecidedError(
            "number-out-of-range",
            span,
            f"the scale must be a whole number from -{_SCALE_MAX} to {_SCALE_MAX}",
        )
    return Decimal(1).scaleb(-int(scale))


def _power(arguments: Sequence[JsonValue], notes: Notes, span: Span) -> JsonValue:
    left, right = (as_number(argument, span) for argument in arguments)
    return calculate("^", left, right, notes, span)


def _absolute(arguments: Sequence[JsonValue], _notes: Notes, span: Span) -> JsonValue:
    return as_number(arguments[0], span).copy_abs()


def _first_unless_null(arguments: Sequence[JsonValue], _notes: Notes, _span: Span) -> JsonValue:
    first, second = arguments
    return second if first is None else first


def _is_one_of(arguments: Sequence[JsonValue], notes: Notes, span: Span) -> JsonValue:
    notes.add(UndocumentedRule.IN_FUNCTION, span)
    wanted, *others = arguments
    return any(values_equal(wanted, other, notes, span) for other in others)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "Math.max": Function(2, None, "number", "number", _extreme(max)),
    "Math.min": Function(2, None, "number", "number", _extreme(min)),
    "Math.floor": Function(1, 2, "number", "number", _rounded(ROUND_FLOOR)),
    "Math.ceil": Function(1, 2, "number", "number", _rounded(ROUND_CEILING)),
    "Math.round": Function(1, 2, "number", "number", _rounded(ROUND_HALF_UP)),
    "Math.pow": Function(2, 2, "number", "number", _power),
    "Math.abs": Function(1, 1, "number", "number", _absolute),
    "isnull": Function(2, 2, None, None, _first_unless_null),
    "IN": Function(2, None, None, "boolean", _is_one_of),
}
