"""A filter asked about accounts: closures over the tree, built once.

Total for every account: an evaluation answers true or false, or says why it cannot, and lists
the undocumented rules that it rests on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, assert_never

from reconciler.account_filter.answer import (
    Assumption,
    Evaluation,
    NoAnswer,
    Notes,
    UndecidedError,
    UndocumentedRule,
)
from reconciler.account_filter.check import check
from reconciler.account_filter.fields import CONSTANTS, FilterAccount, kind_of
from reconciler.account_filter.functions import FUNCTIONS
from reconciler.account_filter.syntax import (
    Arithmetic,
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
from reconciler.account_filter.values import as_number, calculate, ordered, values_equal
from reconciler.account_filter.words import bare_word
from reconciler.kernel.value import JsonValue

Predicate: TypeAlias = Callable[[FilterAccount], Evaluation]
_Reader: TypeAlias = Callable[[FilterAccount, Notes], JsonValue]

_YES: Final = Evaluation(result=True)
_NO: Final = Evaluation(result=False)


def evaluate(expression: Expression, account: FilterAccount) -> Evaluation:
    """Ask a filter about one account; never raises."""
    return compiled(expression)(account)


def compiled(expression: Expression) -> Predicate:
    """Turn a filter into a function that is fast over many accounts.

    A filter with an error among its findings is unknown for every account.
    """
    errors = [finding for finding in check(expression) if finding.severity == "error"]
    if errors:
        first = errors[0]
        invalid = Evaluation(NoAnswer("invalid-filter", first.column, first.message))
        return lambda _account: invalid
    reader = _reader(expression)

    def predicate(account: FilterAccount) -> Evaluation:
        notes = Notes()
        try:
            result: bool | NoAnswer = _truth(reader(account, notes), expression)
        except UndecidedError as error:
            result = error.unknown
        if notes or isinstance(result, NoAnswer):
            return Evaluation(result, tuple(sorted(notes)))
        return _YES if result else _NO

    return predicate


def _truth(value: JsonValue, node: Expression) -> bool:
    if value is True or value is False:
        return value
    raise UndecidedError(
        "not-boolean", node.span, f"true or false is needed here, this is {kind_of(value)}"
    )


def _reader(node: Expression) -> _Reader:
    match node:
        case Null():
            return lambda _account, _notes: None
        case Boolean(value=value) | Number(value=value) | Text(value=value):
            return lambda _account, _notes: value
        case Path():
            return _path(node)
        case Relation():
            return _comparison(node)
        case Logic():
            return _logic(node)
        case _:
            return _calculation(node)


def _calculation(node: FunctionCall | Signed | Arithmetic | Conditional) -> _Reader:
    match node:
        case FunctionCall():
            return _call(node)
        case Signed():
            return _signed(node)
        case Arithmetic():
            return _arithmetic(node)
        case Conditional():
            return _conditional(node)
    assert_never(node)


def _path(node: Path) -> _Reader:
    if node.parts in CONSTANTS:
        constant = CONSTANTS[node.parts]
        return lambda _account, _notes: constant
    if len(node.parts) == 1:
        (name,) = node.parts
        return lambda account, _notes: account.get(name)
    owner, name = node.parts
    through_null = Assumption(node.span, UndocumentedRule.NULL_PATH)
    missing = Assumption(node.span, UndocumentedRule.MISSING_FIELD)

    def read(account: FilterAccount, notes: Notes) -> JsonValue:
        group = account.get(owner)
        if not isinstance(group, Mapping):
            notes[through_null] = None
            return None
        if name not in group:
            notes[missing] = None
            return None
        return group[name]

    return read


def _comparison(node: Relation) -> _Reader:
    word = bare_word(node)
    left = _quoted(word) if word is not None and node.left is word else _reader(node.left)
    right = _quoted(word) if word is not None and node.right is word else _reader(node.right)
    span, operator = node.span, node.operator
    if operator == "= =":
        return _noted(_equality(node, left, right), node, UndocumentedRule.SPLIT_OPERATOR)
    if operator in {"==", "!="}:
        return _equality(node, left, right)
    return lambda account, notes: ordered(
        operator, left(account, notes), right(account, notes), notes, span
    )


def _equality(node: Relation, left: _Reader, right: _Reader) -> _Reader:
    """Compare for equality; with the word ``null`` that rests on nothing undocumented."""
    wanted, span = node.operator != "!=", node.span
    if isinstance(node.right, Null):
        return lambda account, notes: (left(account, notes) is None) is wanted
    if isinstance(node.left, Null):
        return lambda account, notes: (right(account, notes) is None) is wanted
    return lambda account, notes: (
        values_equal(left(account, notes), right(account, notes), notes, span) is wanted
    )


def _quoted(word: Path) -> _Reader:
    (text,) = word.parts
    return _noted(lambda _account, _notes: text, word, UndocumentedRule.BARE_WORD)


def _noted(reader: _Reader, node: Expression, rule: UndocumentedRule) -> _Reader:
    assumption = Assumption(node.span, rule)

    def read(account: FilterAccount, notes: Notes) -> JsonValue:
        notes[assumption] = None
        return reader(account, notes)

    return read


def _logic(node: Logic) -> _Reader:
    """Take terms from the left until one decides; the vendor's guard relies on it."""
    terms = tuple((term, _reader(term)) for term in node.terms)
    decisive = node.operator == "OR"

    def decide(account: FilterAccount, notes: Notes) -> JsonValue:
        for term, reader in terms:
            if _truth(reader(account, notes), term) is decisive:
                return decisive
        return not decisive

    mixed = any(isinstance(term, Logic) and not term.grouped for term in node.terms)
    return _noted(decide, node, UndocumentedRule.AND_BEFORE_OR) if mixed else decide


def _call(node: FunctionCall) -> _Reader:
    body, span = FUNCTIONS[node.name].body, node.span
    readers = tuple(_reader(argument) for argument in node.arguments)
    return lambda account, notes: body([reader(account, notes) for reader in readers], notes, span)


def _signed(node: Signed) -> _Reader:
    operand, span = _reader(node.operand), node.operand.span
    if node.operator == "+":
        return lambda account, notes: as_number(operand(account, notes), span)
    return lambda account, notes: as_number(operand(account, notes), span).copy_negate()


def _arithmetic(node: Arithmetic) -> _Reader:
    left, right, operator = _reader(node.left), _reader(node.right), node.operator

    def calculated(account: FilterAccount, notes: Notes) -> JsonValue:
        first = as_number(left(account, notes), node.left.span)
        second = as_number(right(account, notes), node.right.span)
        return calculate(operator, first, second, notes, node.span)

    return _with_power_rules(node, calculated) if operator == "^" else calculated


def _with_power_rules(node: Arithmetic, reader: _Reader) -> _Reader:
    if isinstance(node.left, Signed) and not node.left.grouped:
        reader = _noted(reader, node.left, UndocumentedRule.SIGN_BEFORE_POWER)
    if isinstance(node.right, Arithmetic) and not node.right.grouped:
        reader = _noted(reader, node.right, UndocumentedRule.POWER_TO_THE_RIGHT)
    return reader


def _conditional(node: Conditional) -> _Reader:
    condition, yes, no = _reader(node.condition), _reader(node.yes), _reader(node.no)

    def read(account: FilterAccount, notes: Notes) -> JsonValue:
        chosen = yes if _truth(condition(account, notes), node.condition) else no
        return chosen(account, notes)

    return read
