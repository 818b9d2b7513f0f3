from __future__ import annotations

from decimal import Decimal, localcontext

import pytest

from reconciler.account_filter.answer import READINGS, NoAnswer, UndocumentedRule
from reconciler.account_filter.evaluate import compiled, evaluate
from reconciler.account_filter.fields import FilterAccount, filter_account
from reconciler.account_filter.parser import parse
from reconciler.kernel.address import AccountId
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.live import Account


def _account(currency: JsonValue = "GBP", **custom: JsonValue) -> FilterAccount:
    return {"currency": currency, "address": {"country": "UK"}, "customFields": custom}


def _asked(text: str, account: FilterAccount) -> tuple[bool | NoAnswer, list[tuple[str, int]]]:
    evaluation = evaluate(parse(text), account)
    return evaluation.result, [
        (assumption.code, assumption.span.column) for assumption in evaluation.assumptions
    ]


@pytest.mark.parametrize(
    ("text", "result", "rules"),
    [
        ('currency == "GBP"', True, []),
        ('currency == "gbp"', False, [("text-case", 1)]),
        ('currency != " GBP "', True, [("text-case", 1)]),
        ("currency == GBP", True, [("bare-word", 13)]),
        ("GBP == currency", True, [("bare-word", 1)]),
        ("currency = = null", False, [("split-operator", 1)]),
        ("null == currency", False, []),
        ("null != customFields", True, []),
        ("customFields.none == null", True, [("missing-field", 1)]),
        ("customFields.null == null", True, []),
        (
            "customFields.null == customFields.none",
            True,
            [("null-comparison", 1), ("missing-field", 22)],
        ),
        ("customFields.null == 1", False, [("null-comparison", 1)]),
        ("customFields.null != 1", True, [("null-comparison", 1)]),
        ("customFields.null < 1", False, [("null-ordering", 1)]),
        ("customFields.null >= null", False, [("null-ordering", 1)]),
        ("customFields.two != currency", True, [("type-mismatch", 1)]),
        ("customFields.two < currency", False, [("ordering-mismatch", 1)]),
        ("customFields.yes > false", False, [("ordering-mismatch", 1)]),
        ("customFields.yes == 1", False, [("type-mismatch", 1)]),
        ("customFields.list == customFields.list", False, [("type-mismatch", 1)]),
        ("address == address", False, [("type-mismatch", 1)]),
        ("customFields.nan == customFields.nan", False, [("type-mismatch", 1)]),
        ("customFields.nan < 1", False, [("ordering-mismatch", 1)]),
        ('currency < "H"', True, [("text-ordering", 1)]),
        ('currency >= "H"', False, [("text-ordering", 1)]),
        ('currency <= "GBP"', True, [("text-ordering", 1)]),
        ("customFields.two == 2.00", True, []),
        ("customFields.two <= 2", True, []),
        ("customFields.two < 2", False, []),
        ("customFields.two >= 3", False, []),
        ("customFields.yes", True, []),
        ("customFields.yes AND true", True, []),
        ("false OR false", False, []),
        ("true OR customFields.two", True, []),
        ("true OR true AND true", True, [("and-before-or", 1)]),
        ("true OR (true AND true)", True, []),
        ("(true OR true) AND true", True, []),
        ("-2 ^ 2 == 4", True, [("sign-before-power", 1)]),
        ("(-2) ^ 2 == 4", True, []),
        ("2 ^ -1 == 0.5", True, [("decimal-arithmetic", 1)]),
        ("2 ^ 3 ^ 2 == 512", True, [("power-to-the-right", 5)]),
        ("2 ^ (3 ^ 2) == 512", True, []),
        ("(2 ^ 3) ^ 2 == 64", True, []),
        ("+customFields.two == --2", True, []),
        ("7 - 2 == 5", True, []),
        ("7 / 2 == 3.5", True, [("decimal-arithmetic", 1)]),
        ("1 / 3 * 3 == 1", False, [("decimal-arithmetic", 1), ("decimal-arithmetic", 1)]),
        ("9007199254740993 + 0 == 9007199254740993", True, [("decimal-arithmetic", 1)]),
        ("-7 % 4 == -3", True, [("modulo-sign", 1)]),
        ("7 % -4 == 3", True, [("modulo-sign", 1)]),
        ("Math.PI > 3.14", True, []),
        ("DateTime.TS_FMT == currency", False, []),
        ("Math.max(1, 3, 2) == 3", True, []),
        ("Math.min(2, 1, 3) == 1", True, []),
        ("Math.floor(2.5) == 2", True, []),
        ("Math.ceil(2.1) == 3", True, []),
        ("Math.ceil(-2.15, 1) == -2.1", True, []),
        ("Math.floor(1299, -2) == 1200", True, []),
        ("Math.round(2.4) == 2", True, []),
        ("Math.round(-2.5) == -3", True, [("negative-tie", 1)]),
        ("Math.round(-2.6) == -3", True, []),
        ("Math.pow(2, 10) == 1024", True, []),
        ("Math.abs(2) == 2", True, []),
        ("isnull(currency, 5) == 5", False, [("type-mismatch", 1)]),
        ("isnull(null, true)", True, []),
        ('IN(currency, "EUR", "GBP")', True, [("in-function", 1)]),
        ('IN(currency, "EUR")', False, [("in-function", 1)]),
        ("true ? false : true", False, []),
        ("false ? false : true", True, []),
    ],
)
def test_an_answer_says_on_which_undocumented_rules_it_rests(
    text: str, result: bool, rules: list[tuple[str, int]]
) -> None:
    account = _account(
        two=2, null=None, yes=True, list=[1], nan=Decimal("NaN"), unused=Decimal("1E+999999")
    )
    assert _asked(text, account) == (result, rules)


def test_a_path_through_null_rests_on_a_rule_and_a_guard_avoids_it() -> None:
    account: FilterAccount = {"customFields": None}
    assert _asked("customFields.a == null", account) == (True, [("null-path", 1)])
    assert _asked("customFields != null AND customFields.a == null", account) == (False, [])
    assert _asked("customFields == null", {}) == (True, [])


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("1 / 0 == 1", "division-by-zero", 1),
        ("true AND 1 % 0 == 1", "division-by-zero", 10),
        ("0 ^ -1 == 1", "division-by-zero", 1),
        ("0 / 0 == 1", "number-out-of-range", 1),
        ("0 ^ 0 == 1", "number-out-of-range", 1),
        ("(-8) ^ 0.5 == 1", "number-out-of-range", 1),
        ("9 ^ 9 ^ 9 ^ 9 == 1", "number-out-of-range", 5),
        ("customFields.huge * 1 == 1", "number-out-of-range", 1),
        ("Math.round(1, 31) == 1", "number-out-of-range", 1),
        ("Math.round(1, 0.5) == 1", "number-out-of-range", 1),
        ("Math.floor(customFields.huge) == 1", "number-out-of-range", 1),
        ("customFields.null + 1 == 1", "not-a-number", 1),
        ("1 + customFields.text == 1", "not-a-number", 5),
        ("-customFields.text == 1", "not-a-number", 2),
        ("Math.abs(customFields.nan) == 1", "not-a-number", 1),
        ("customFields.text", "not-boolean", 1),
        ("customFields.null OR true", "not-boolean", 1),
        ("true AND customFields.number", "not-boolean", 10),
        ("customFields.text ? true : false", "not-boolean", 1),
        ('name == "Acme"', "invalid-filter", 1),
        ('true OR address.town == "x"', "invalid-filter", 17),
    ],
)
def test_a_filter_without_an_answer_makes_the_account_unknown(
    text: str, code: str, column: int
) -> None:
    custom: dict[str, JsonValue] = {
        "null": None,
        "text": "true",
        "number": 1,
        "nan": Decimal("sNaN"),
        "huge": Decimal("1E+999999"),
    }
    result, _ = _asked(text, _account("GBP", **custom))
    assert isinstance(result, NoAnswer)
    assert (result.code, result.column) == (code, column)
    assert result.message


def test_an_unknown_account_still_carries_what_was_assumed_before_it_failed() -> None:
    result, rules = _asked("currency == GBP AND 1 / 0 == 1", _account())
    assert isinstance(result, NoAnswer)
    assert rules == [("bare-word", 13)]


def test_a_decided_chain_does_not_ask_its_other_terms() -> None:
    assert _asked("false AND 1 / 0 == 1", _account()) == (False, [])
    assert _asked("true OR 1 / 0 == 1", _account()) == (True, [])
    assert _asked("true ? true : 1 / 0 == 1", _account()) == (True, [])


def test_the_callers_decimal_context_decides_nothing() -> None:
    with localcontext() as context:
        context.prec = 1
        assert _asked("1234.5 + 1 == 1235.5", _account())[0] is True
        assert _asked("Math.abs(-1234.5) == -(-1234.5)", _account())[0] is True


def test_one_compiled_filter_answers_for_many_accounts() -> None:
    predicate = compiled(parse('currency == "GBP" AND customFields.tier > 1'))
    answers = [predicate(_account("GBP", tier=tier)).result for tier in range(4)]
    assert answers == [False, False, True, True]


def test_an_account_of_m3ter_is_read_under_the_names_of_filters() -> None:
    account = Account(
        id=AccountId("a-1"),
        code="acme",
        name="Acme",
        currency="",
        address={"country": "UK"},
        custom_fields={"tier": 3},
    )
    values = filter_account(account)
    text = (
        'id == "a-1" AND accountName == "Acme" AND accountCode == "acme" AND currency == null'
        ' AND address.country == "UK" AND customFields != null AND customFields.tier == 3'
    )
    assert _asked(text, values) == (True, [])


def test_every_undocumented_rule_has_a_reading() -> None:
    assert set(READINGS) == set(UndocumentedRule)
    (assumption,) = evaluate(parse("currency == GBP"), _account()).assumptions
    assert assumption.reading == "a word without quotes that names no field is text"
