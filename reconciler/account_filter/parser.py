"""Account filter text -> tree.

The grammar, from the loosest binding to the tightest::

    expression := or [ "?" expression ":" expression ]
    or         := and { "OR" and }
    and        := compared { "AND" compared }
    compared   := sum [ ("==" | "!=" | "<=" | ">=" | "<" | ">" | "= =") sum ]
    sum        := product { ("+" | "-") product }
    product    := power { ("*" | "/" | "%") power }
    power      := sign [ "^" power ]
    sign       := ("+" | "-") sign | primary
    primary    := NUMBER | TEXT | "null" | "true" | "false" | path | call | "(" expression ")"
    call       := path "(" [ expression { "," expression } ] ")"
    path       := NAME { "." NAME }

Source: m3ter documentation, "m3ter Calculation Engine" names the operators and functions; which
operator binds tighter is inferred, and an evaluation that rests on it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Final, cast

from reconciler.account_filter.syntax import (
    COMPARISON,
    CONDITIONAL,
    POWER,
    PRODUCT,
    STRENGTH,
    SUM,
    Arithmetic,
    ArithmeticOperator,
    Boolean,
    ComparisonOperator,
    Conditional,
    Expression,
    FunctionCall,
    Logic,
    LogicOperator,
    Null,
    Number,
    Path,
    Relation,
    Signed,
    SignOperator,
    Span,
    Text,
    children,
)
from reconciler.account_filter.tokens import FilterSyntaxError, Token, tokens

LENGTH_MAX: Final = 4096
"""Bytes of UTF-8."""
DEPTH_MAX: Final = 50
"""Levels of parentheses, and of operators inside operators."""

_PRODUCTS = frozenset({"*", "/", "%"})
_SUMS = frozenset({"+", "-"})
_COMPARISONS = frozenset({"==", "!=", "<=", ">=", "<", ">", "= ="})
_LOGIC: tuple[LogicOperator, ...] = ("AND", "OR")
_KEYWORDS: dict[str, Callable[[Span], Expression]] = {
    "null": lambda span: Null(span=span),
    "true": lambda span: Boolean(value=True, span=span),
    "false": lambda span: Boolean(value=False, span=span),
}
_WORD_HINTS = {
    "NOT": "there is no NOT; compare with `!=` or `== false`",
    "IN": 'write `IN(field, "first", "second")`',
    "IS": "compare with `== null` or `!= null`",
}


def parse(text: str) -> Expression:
    """Read an account filter.

    Args:
        text: At most 4,096 bytes; spaces, tabs and line ends count as space.

    Raises:
        FilterSyntaxError: With the first thing that is wrong and its column.
    """
    _refuse_long(text)
    found = tokens(text)
    if len(found) == 1:
        raise FilterSyntaxError(
            "empty",
            1,
            "the filter is empty",
            "remove the setting to select every account, or write a condition",
        )
    tree = _Parser(found).whole()
    _refuse_deep(tree)
    return tree


def _refuse_long(text: str) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > LENGTH_MAX:
        raise FilterSyntaxError(
            "too-long",
            1,
            f"the filter has {size:,} bytes, the limit is {LENGTH_MAX:,}",
            "list the accounts in `accountIds` instead",
        )


def _refuse_deep(tree: Expression) -> None:
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEPTH_MAX:
            raise _too_deep(node.span.column)
        waiting.extend((child, depth + 1) for child in children(node))


def _too_deep(column: int) -> FilterSyntaxError:
    return FilterSyntaxError(
        "too-deep",
        column,
        f"the filter is nested deeper than {DEPTH_MAX} levels",
        "split it, or list the accounts in `accountIds` instead",
    )


class _Parser:
    """Recursive descent over tokens; where it stands is its only state."""

    __slots__ = ("_groups", "_index", "_nested", "_tokens")

    def __init__(self, found: tuple[Token, ...]) -> None:
        self._tokens = found
        self._index = 0
        self._groups = 0
        self._nested = 0

    def whole(self) -> Expression:
        """Read one expression and the end after it."""
        tree = self._expression(CONDITIONAL)
        if self._token.kind != "end":
            raise self._unexpected("an operator or the end")
        return tree

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _accept(self, texts: Collection[str]) -> str:
        """Step over an operator or keyword if one of them stands here, and say which."""
        here = self._token
        if here.kind not in {"operator", "word"} or here.text not in texts:
            return ""
        self._index += 1
        return here.text

    def _expect(self, text: str) -> None:
        if not self._accept({text}):
            raise self._unexpected(f"`{text}`")

    def _since(self, start: int) -> Span:
        return Span(start, self._tokens[self._index - 1].span.end)

    def _expression(self, floor: int) -> Expression:
        """Read an operand and every operator that binds at least as tightly as ``floor``."""
        self._nested += 1
        # An operand and its parentheses nest once each, so this never refuses an allowed depth.
        if self._nested > 2 * DEPTH_MAX:
            raise _too_deep(self._token.span.column)
        start = self._token.span.start
        left = self._power(self._signed(), start)
        for operators, strength in ((_PRODUCTS, PRODUCT), (_SUMS, SUM)):
            if strength >= floor:
                left = self._arithmetic(left, operators, strength, start)
        if floor <= COMPARISON:
            left = self._compared(left, start)
        for operator in _LOGIC:
            if STRENGTH[operator] >= floor:
                left = self._chain(left, operator, start)
        if floor <= CONDITIONAL:
            left = self._conditional(left, start)
        self._nested -= 1
        return left

    def _power(self, left: Expression, start: int) -> Expression:
        if not self._accept("^"):
            return left
        right = self._expression(POWER)
        return Arithmetic("^", left, right, span=self._since(start))

    def _arithmetic(
        self, left: Expression, operators: Collection[str], strength: int, start: int
    ) -> Expression:
        while operator := self._accept(operators):
            right = self._expression(strength + 1)
            left = Arithmetic(
                cast("ArithmeticOperator", operator), left, right, span=self._since(start)
            )
        return left

    def _compared(self, left: Expression, start: int) -> Expression:
        operator = self._accept(_COMPARISONS)
        if not operator:
            return left
        right = self._expression(SUM)
        if self._token.text in _COMPARISONS and self._token.kind == "operator":
            raise FilterSyntaxError(
                "syntax",
                self._token.span.column,
                "comparisons do not chain",
                "join two comparisons with `AND`",
            )
        return Relation(cast("ComparisonOperator", operator), left, right, span=self._since(start))

    def _chain(self, left: Expression, operator: LogicOperator, start: int) -> Expression:
        terms = [left]
        while self._accept({operator}):
            terms.append(self._expression(STRENGTH[operator] + 1))
        if len(terms) == 1:
            return left
        return Logic(operator, tuple(terms), span=self._since(start))

    def _conditional(self, condition: Expression, start: int) -> Expression:
        if not self._accept("?"):
            return condition
        yes = self._expression(CONDITIONAL)
        self._expect(":")
        no = self._expression(CONDITIONAL)
        return Conditional(condition, yes, no, span=self._since(start))

    def _signed(self) -> Expression:
        signs: list[tuple[SignOperator, int]] = []
        while sign := self._accept(_SUMS):
            signs.append((cast("SignOperator", sign), self._tokens[self._index - 1].span.start))
        operand = self._primary()
        for operator, start in reversed(signs):
            operand = Signed(operator, operand, span=self._since(start))
        return operand

    def _primary(self) -> Expression:
        token = self._token
        if token.kind == "operator" and token.text == "(":
            return self._group()
        if token.kind in {"operator", "end"} or token.text in _LOGIC:
            raise self._unexpected("a value")
        self._index += 1
        match token.kind:
            case "number":
                return Number(Decimal(token.text), span=token.span)
            case "text":
                return Text(token.text, span=token.span)
            case _:
                return self._word(token)

    def _word(self, token: Token) -> Expression:
        if token.text in _KEYWORDS:
            return _KEYWORDS[token.text](token.span)
        if self._accept("("):
            arguments = self._arguments()
            return FunctionCall(token.text, arguments, span=self._since(token.span.start))
        return Path(tuple(token.text.split(".")), span=token.span)

    def _group(self) -> Expression:
        self._index += 1
        with self._inside():
            inner = self._expression(CONDITIONAL)
        self._expect(")")
        return replace(inner, grouped=True)

    def _arguments(self) -> tuple[Expression, ...]:
        found: list[Expression] = []
        if self._accept(")"):
            return ()
        with self._inside():
            found.append(self._expression(CONDITIONAL))
            while self._accept(","):
                found.append(self._expression(CONDITIONAL))
        self._expect(")")
        return tuple(found)

    @contextmanager
    def _inside(self) -> Iterator[None]:
        self._groups += 1
        if self._groups > DEPTH_MAX:
            raise _too_deep(self._token.span.column)
        yield
        self._groups -= 1

    def _unexpected(self, wanted: str) -> FilterSyntaxError:
        here = self._token
        column = here.span.column
        after = f" after `{_shown(self._tokens[self._index - 1])}`" if self._index else ""
        found = "the filter ends" if here.kind == "end" else f"`{_shown(here)}` stands"
        hint = _hint(here)
        return FilterSyntaxError(
            "syntax", column, f"{found}{after} where {wanted} is expected", hint
        )


def _shown(token: Token) -> str:
    return f'"{token.text}"' if token.kind == "text" else token.text


def _hint(token: Token) -> str:
    word = token.text.upper() if token.kind == "word" else ""
    if word in _LOGIC and token.text != word:
        return f"write `{word}` in capitals"
    return _WORD_HINTS.get(word, "")
