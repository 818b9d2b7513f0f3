from __future__ import annotations

from decimal import Decimal

import pytest
from fakes.filter_text import to_text

from reconciler.account_filter.parser import DEPTH_MAX, LENGTH_MAX, parse
from reconciler.account_filter.syntax import (
    Arithmetic,
    Conditional,
    Expression,
    FunctionCall,
    Logic,
    Null,
    Number,
    Path,
    Relation,
    Signed,
    Span,
    Text,
)
from reconciler.account_filter.tokens import FilterSyntaxError
from reconciler.errors import ExitCode

A, B, C = Path(("a",)), Path(("b",)), Path(("c",))
ONE, TWO, THREE = Number(Decimal(1)), Number(Decimal(2)), Number(Decimal(3))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a OR b AND c", Logic("OR", (A, Logic("AND", (B, C))))),
        ("a AND b OR c", Logic("OR", (Logic("AND", (A, B)), C))),
        ("a AND b AND c", Logic("AND", (A, B, C))),
        ("(a AND b) AND c", Logic("AND", (Logic("AND", (A, B)), C))),
        ("a == b AND c", Logic("AND", (Relation("==", A, B), C))),
        ("1 - 2 - 3", Arithmetic("-", Arithmetic("-", ONE, TWO), THREE)),
        ("1 / 2 * 3", Arithmetic("*", Arithmetic("/", ONE, TWO), THREE)),
        ("1 + 2 * 3", Arithmetic("+", ONE, Arithmetic("*", TWO, THREE))),
        ("1 * 2 + 3", Arithmetic("+", Arithmetic("*", ONE, TWO), THREE)),
        ("1 ^ 2 ^ 3", Arithmetic("^", ONE, Arithmetic("^", TWO, THREE))),
        ("1 % 2 ^ 3", Arithmetic("%", ONE, Arithmetic("^", TWO, THREE))),
        ("-1 ^ 2", Arithmetic("^", Signed("-", ONE), TWO)),
        ("1 - -+2", Arithmetic("-", ONE, Signed("-", Signed("+", TWO)))),
        ("1 + 2 < 3", Relation("<", Arithmetic("+", ONE, TWO), THREE)),
        ("a ? b : c ? 1 : 2", Conditional(A, B, Conditional(C, ONE, TWO))),
        ("a OR b ? 1 : 2", Conditional(Logic("OR", (A, B)), ONE, TWO)),
        ("f.g(a, b == c)", FunctionCall("f.g", (A, Relation("==", B, C)))),
        ("f()", FunctionCall("f", ())),
        ("a =\n\t= null", Relation("= =", A, Null())),
        ('a == "x\\\\y\\"z"', Relation("==", A, Text('x\\y"z'))),
        ("customFields.AND.null", Path(("customFields", "AND", "null"))),
        ("größe", Path(("größe",))),
    ],
)
def test_operators_bind_as_the_grammar_says(text: str, tree: object) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Arithmetic("^", Arithmetic("^", ONE, TWO), THREE), "(1 ^ 2) ^ 3"),
        (Arithmetic("^", Signed("-", ONE), TWO), "-1 ^ 2"),
        (Signed("-", Arithmetic("^", ONE, TWO)), "-(1 ^ 2)"),
        (Arithmetic("-", ONE, Arithmetic("-", TWO, THREE)), "1 - (2 - 3)"),
        (Arithmetic("*", Arithmetic("+", ONE, TWO), THREE), "(1 + 2) * 3"),
        (Relation("==", Relation("==", A, B), C), "(a == b) == c"),
        (Logic("AND", (Logic("OR", (A, B)), C)), "(a OR b) AND c"),
        (Logic("OR", (Logic("OR", (A, B)), C)), "(a OR b) OR c"),
        (Conditional(Conditional(A, B, C), ONE, TWO), "(a ? b : c) ? 1 : 2"),
    ],
)
def test_parentheses_are_added_where_the_grammar_needs_them(tree: Expression, text: str) -> None:
    assert to_text(tree) == text
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("a==b", "a == b"),
        ("((a))", "(a)"),
        ("f( a,b )", "f(a, b)"),
        ("1.50 * (a+b)", "1.50 * (a + b)"),
        ("a?b:c", "a ? b : c"),
        ('a  ==\n"x"', 'a == "x"'),
    ],
)
def test_text_is_written_with_normal_spacing_and_the_authors_parentheses(
    text: str, normal: str
) -> None:
    assert to_text(parse(text)) == normal


@pytest.mark.parametrize(
    ("text", "code", "column", "message", "hint"),
    [
        (" \n ", "empty", 1, "the filter is empty", "remove the setting"),
        ('a == "x\\n"', "unknown-escape", 8, "`\\n` is no escape", "a backslash"),
        ('a == "x\\"', "unterminated-string", 6, "no closing quote", 'end it with `"`'),
        ("a = b", "syntax", 3, "`=` has no meaning", "write `==`"),
        ("a == = b", "syntax", 6, "`=` has no meaning", "write `==`"),
        ("a | b", "syntax", 3, "`|`", "write `OR`"),
        ("!a", "syntax", 1, "`!`", "there is no NOT"),
        ("a == 'x'", "syntax", 6, "`'`", "double quotes"),
        ("a == \u201cx\u201d", "syntax", 6, "\u201c", "straight double quotes"),
        ("a ==\xa0b", "syntax", 5, "character U+00A0", ""),
        ("a . b", "syntax", 3, "`.`", "without spaces"),
        ("a and b", "syntax", 3, "`and` stands after `a`", "write `AND` in capitals"),
        ("a NOT b", "syntax", 3, "`NOT`", "there is no NOT"),
        ('a in ("x")', "syntax", 3, "`in`", "write `IN(field"),
        ("a IS null", "syntax", 3, "`IS`", "compare with `== null`"),
        ("a b", "syntax", 3, "where an operator or the end is expected", ""),
        ('a "x"', "syntax", 3, '`"x"` stands', ""),
        ("AND a", "syntax", 1, "`AND` stands where a value is expected", ""),
        ("a == == b", "syntax", 6, "where a value is expected", ""),
        ("a == b == c", "syntax", 8, "comparisons do not chain", "join two comparisons"),
        ("a ? b", "syntax", 6, "`:` is expected", ""),
        ("f(a", "syntax", 4, "`)` is expected", ""),
        ("f(a,)", "syntax", 5, "a value is expected", ""),
        ("a == b  ", "", 0, "", ""),
        ("a ==  ", "syntax", 5, "the filter ends after `==`", ""),
        ("3a", "syntax", 2, "`a` stands after `3`", ""),
    ],
)
def test_a_text_that_is_no_filter_is_explained(
    text: str, code: str, column: int, message: str, hint: str
) -> None:
    if not code:
        parse(text)
        return
    with pytest.raises(FilterSyntaxError) as raised:
        parse(text)
    error = raised.value
    assert (error.code, error.column) == (code, column)
    assert message in error.message
    assert error.hint.startswith(hint) or hint in error.hint
    assert bool(hint) == bool(error.hint)
    assert error.exit_code is ExitCode.INVALID
    assert str(error).startswith(f"account filter, column {column}: {error.message}")


def test_a_filter_of_4096_bytes_is_read_and_one_more_is_refused() -> None:
    text = 'currency == "' + "é" * 2041
    assert len((text + '"').encode()) == LENGTH_MAX
    parse(text + '"')
    with pytest.raises(FilterSyntaxError, match=r"4,097 bytes, the limit is 4,096") as raised:
        parse(text + 'x"')
    assert raised.value.code == "too-long"


def test_a_lone_surrogate_is_text_like_any_other() -> None:
    assert parse('a == "\ud800"') == Relation("==", A, Text("\ud800"))


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("(", ")"), ("f(", ")"), ("-", ""), ("1 + (", ")"), ("a OR (b AND ", ")"), ("2 ^ ", "")],
)
def test_depth_is_limited_to_50_levels_however_it_is_made(opening: str, closing: str) -> None:
    levels = LENGTH_MAX // (len(opening) + len(closing)) - 1
    with pytest.raises(FilterSyntaxError) as raised:
        parse(opening * levels + "1" + closing * levels)
    assert raised.value.code == "too-deep"
    assert "50 levels" in raised.value.message


def test_fifty_parentheses_are_allowed_and_one_more_is_not() -> None:
    parse("(" * DEPTH_MAX + "true" + ")" * DEPTH_MAX)
    with pytest.raises(FilterSyntaxError) as raised:
        parse("(" * (DEPTH_MAX + 1) + "true" + ")" * (DEPTH_MAX + 1))
    assert (raised.value.code, raised.value.column) == ("too-deep", DEPTH_MAX + 2)


def test_fifty_levels_of_operators_are_allowed_and_one_more_is_not() -> None:
    parse("-" * (DEPTH_MAX - 1) + "1")
    with pytest.raises(FilterSyntaxError) as raised:
        parse("-" * DEPTH_MAX + "1")
    assert raised.value.code == "too-deep"


def test_a_long_chain_is_not_deep() -> None:
    text = " OR ".join(f'id == "a{number}"' for number in range(200))
    tree = parse(text)
    assert isinstance(tree, Logic)
    assert len(tree.terms) == 200


def test_every_part_of_a_path_knows_its_column() -> None:
    tree = parse("  address.country")
    assert isinstance(tree, Path)
    assert tree.span == Span(2, 17)
    assert [tree.part_span(index).column for index in (0, 1)] == [3, 11]
    assert tree.part_span(1) == Span(10, 17)
