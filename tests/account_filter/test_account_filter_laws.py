"""Laws over generated trees, texts and accounts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from fakes.filter_text import to_text
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from reconciler.account_filter.answer import Evaluation, NoAnswer
from reconciler.account_filter.check import check
from reconciler.account_filter.evaluate import compiled, evaluate
from reconciler.account_filter.fields import ADDRESS_FIELDS, FIELDS, FilterAccount
from reconciler.account_filter.functions import FUNCTIONS
from reconciler.account_filter.parser import DEPTH_MAX, LENGTH_MAX, parse
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
    children,
)
from reconciler.account_filter.tokens import FilterSyntaxError

# A hang fails, a busy machine does not.
bounded = settings(deadline=2_000)
KEYWORDS = {"null", "true", "false", "AND", "OR"}
grouped = st.booleans()
names = st.from_regex(r"[^\W\d]\w{0,6}", fullmatch=True)
known_paths = st.sampled_from(
    [
        *((name,) for name in FIELDS),
        *(("address", name) for name in ADDRESS_FIELDS),
        ("customFields", "tier"),
        ("customFields", "segment"),
        ("Math", "PI"),
    ]
)
paths = known_paths | st.lists(names, min_size=1, max_size=3).map(tuple).filter(
    lambda parts: len(parts) > 1 or parts[0] not in KEYWORDS
)
numbers = st.integers(0, 10**12).map(Decimal) | st.decimals(
    0, 10**6, places=4, allow_nan=False, allow_infinity=False
).map(Decimal.copy_abs)
leaves: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Null, grouped=grouped),
    st.builds(Boolean, st.booleans(), grouped=grouped),
    st.builds(Number, numbers, grouped=grouped),
    st.builds(Text, st.text(max_size=8), grouped=grouped),
    st.builds(Path, paths, grouped=grouped),
)


def _compound(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.builds(
            FunctionCall,
            st.sampled_from(sorted(FUNCTIONS)) | paths.map(".".join),
            st.lists(inner, max_size=3).map(tuple),
            grouped=grouped,
        ),
        st.builds(Signed, st.sampled_from(["+", "-"]), inner, grouped=grouped),
        st.builds(Arithmetic, st.sampled_from(list("+-*/%^")), inner, inner, grouped=grouped),
        st.builds(
            Relation,
            st.sampled_from(["==", "!=", "<=", ">=", "<", ">", "= ="]),
            inner,
            inner,
            grouped=grouped,
        ),
        st.builds(
            Logic,
            st.sampled_from(["AND", "OR"]),
            st.lists(inner, min_size=2, max_size=3).map(tuple),
            grouped=grouped,
        ),
        st.builds(Conditional, inner, inner, inner, grouped=grouped),
    )


trees = st.recursive(leaves, _compound, max_leaves=12)

# Words that a filter is made of, so that most texts get past the first token.
pieces = st.lists(
    st.sampled_from(
        [
            *FIELDS,
            *FUNCTIONS,
            *"()+-*/%^,?:.&|=!<>'\"\\ \n\t\x00\u201c\xa0",
            "==",
            "!=",
            "= =",
            " AND ",
            " OR ",
            "null",
            "true",
            "customFields.tier",
            "address.country",
            "UK",
            '"x"',
            "0",
            "2.5",
            "999999999999999999999",
        ]
    ),
    max_size=25,
).map("".join)

values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=5),
    st.decimals(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
accounts = st.fixed_dictionaries(
    {},
    optional={
        "id": values,
        "accountName": values,
        "accountCode": values,
        "currency": values,
        "address": values | st.dictionaries(st.sampled_from(ADDRESS_FIELDS), values),
        "customFields": values
        | st.dictionaries(st.sampled_from(["tier", "segment"]), values, max_size=2),
    },
)


def _depth(node: Expression) -> int:
    return 1 + max((_depth(child) for child in children(node)), default=0)


def _all_grouped(node: Expression) -> Expression:
    """Give the same tree with parentheses around every operand."""
    match node:
        case FunctionCall():
            return replace(node, arguments=tuple(map(_all_grouped, node.arguments)), grouped=True)
        case Signed():
            return replace(node, operand=_all_grouped(node.operand), grouped=True)
        case Arithmetic() | Relation():
            return replace(
                node, left=_all_grouped(node.left), right=_all_grouped(node.right), grouped=True
            )
        case Logic():
            return replace(node, terms=tuple(map(_all_grouped, node.terms)), grouped=True)
        case Conditional():
            return replace(
                node,
                condition=_all_grouped(node.condition),
                yes=_all_grouped(node.yes),
                no=_all_grouped(node.no),
                grouped=True,
            )
        case _:
            return replace(node, grouped=True)


@bounded
@given(trees)
def test_a_tree_written_and_read_again_is_the_same_tree(tree: Expression) -> None:
    text = to_text(tree)
    assume(len(text.encode()) <= LENGTH_MAX)
    assert parse(text) == tree
    assert to_text(parse(text)) == text


@bounded
@given(trees)
def test_every_span_holds_the_text_of_its_node(tree: Expression) -> None:
    text = to_text(tree)
    assume(len(text.encode()) <= LENGTH_MAX)
    waiting = [parse(text)]
    while waiting:
        node = waiting.pop()
        assert parse(text[node.span.start : node.span.end]) == node
        waiting.extend(children(node))


@bounded
@given(pieces | st.text(max_size=60), accounts)
@example('customFields.tier == "', {})
@example("9 ^ 9 ^ 9 ^ 9 == 1", {})
@example("0 ^ 0 == 1 OR 0 ^ -1 == 1", {})
def test_no_text_and_no_account_crashes_or_hangs(text: str, account: dict[str, Any]) -> None:
    try:
        tree = parse(text)
    except FilterSyntaxError as error:
        column = error.column
    else:
        column = _asked(tree, text, account)
    assert 1 <= column <= len(text) + 1


def _asked(tree: Expression, text: str, account: dict[str, Any]) -> int:
    for finding in check(tree):
        assert 1 <= finding.column <= len(text)
    result = evaluate(tree, account).result
    return result.column if isinstance(result, NoAnswer) else 1


@bounded
@given(trees, accounts)
def test_every_tree_has_an_answer_for_every_account(
    tree: Expression, account: dict[str, Any]
) -> None:
    evaluation = evaluate(tree, account)
    assert list(evaluation.assumptions) == sorted(set(evaluation.assumptions))
    assert evaluation == compiled(tree)(account)


@bounded
@given(trees, accounts)
def test_parentheses_that_the_grammar_implies_change_no_answer(
    tree: Expression, account: dict[str, Any]
) -> None:
    text = to_text(_all_grouped(tree))
    assume(len(text.encode()) <= LENGTH_MAX and _depth(tree) <= DEPTH_MAX)
    plain = evaluate(parse(to_text(tree)), account).result
    spelled_out = evaluate(parse(text), account).result
    assert plain is spelled_out or (
        isinstance(plain, NoAnswer) and isinstance(spelled_out, NoAnswer)
    )


@bounded
@given(st.sampled_from("+-*/%^"), st.integers(-(10**60), 10**60), st.decimals())
def test_arithmetic_over_any_numbers_ends(operator: str, left: int, right: Decimal) -> None:
    tree = parse(f"customFields != null AND customFields.tier {operator} customFields.segment == 0")
    account: FilterAccount = {"customFields": {"tier": left, "segment": right}}
    assert isinstance(evaluate(tree, account), Evaluation)
