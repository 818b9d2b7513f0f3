from __future__ import annotations

import pytest

from reconciler.account_filter.check import check
from reconciler.account_filter.parser import parse

GUARD = "customFields != null AND "


def _found(text: str) -> list[tuple[str, int, str]]:
    return [(finding.code, finding.column, finding.suggestion) for finding in check(parse(text))]


@pytest.mark.parametrize(
    "text",
    [
        "true",
        'currency == "GBP"',
        'address != null AND address.postCode == "N1"',
        GUARD + "customFields.tier > 2",
        "null != customFields AND customFields.tier > 2",
        'currency == "GBP" AND (' + GUARD + "true) AND customFields.tier == 1",
        GUARD + "(customFields.a == 1 OR customFields.b == 2)",
        GUARD + "(customFields.a == 1 ? customFields.b == 2 : customFields.c == 3)",
        GUARD + "Math.max(customFields.a, 1) ^ -customFields.b == 2",
        GUARD + "customFields.flag",
        GUARD + "isnull(customFields.flag, true)",
        "isnull(null, true)",
        "Math.PI > 3 AND DateTime.TS_FMT != currency",
        'currency < "H"',
        "currency == null",
        "(currency == null ? 1 : 2) == 2",
        GUARD + '(currency == null ? "a" : customFields.b) == 2',
    ],
)
def test_a_sound_filter_has_no_findings(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("address.country == UK", [("bare-word", 20, '"UK"')]),
        ("UK == address.country", [("bare-word", 1, '"UK"')]),
        (GUARD + "customFields.tier > LOW", [("bare-word", 46, '"LOW"')]),
        ("isnull(currency, null) == GBP", [("bare-word", 27, '"GBP"')]),
        ("currncy == GBP", [("unknown-field", 1, "currency"), ("bare-word", 12, '"GBP"')]),
        ("UK == IE", [("unknown-field", 1, ""), ("bare-word", 7, '"IE"')]),
        ('UK == "UK"', [("unknown-field", 1, "")]),
        ("currency == name", [("unknown-field", 13, "accountName")]),
        ("UK", [("unknown-field", 1, "")]),
        ('Currency == "GBP"', [("unknown-field", 1, "currency")]),
        ('accountId == "a"', [("unknown-field", 1, "id")]),
        ("Math.abs(UK) == 1", [("unknown-field", 10, "")]),
        ('address.contry == "UK"', [("unknown-field", 9, "country")]),
        ('address.country.code == "UK"', [("unknown-field", 17, "")]),
        ('currency.code == "GBP"', [("unknown-field", 10, "")]),
        (GUARD + "customFields.a.b == 1", [("unknown-field", 41, "")]),
        ("account.address.country == 1", [("unknown-field", 1, "")]),
        ('currency = = "GBP"', [("split-operator", 1, "==")]),
        ("Math.sqrt(UK) == 2", [("unknown-function", 1, "")]),
        ("math.Abs(1) == 2", [("unknown-function", 1, "Math.abs")]),
        ("max(1, 2) == 2", [("unknown-function", 1, "Math.max")]),
        ("isNull(currency, true)", [("unknown-function", 1, "isnull")]),
        ("Math.max(1) == 2", [("argument-count", 1, "")]),
        ("Math.abs(1, 2) == 2", [("argument-count", 1, "")]),
        ("isnull() == 2", [("argument-count", 1, "")]),
        (
            'IN(currency, "GBP", "EUR")',
            [("undocumented-function", 1, "comparisons joined with OR")],
        ),
        ("currency + 1 == 2", [("not-a-number", 1, "")]),
        ("1 - true == 2", [("not-a-number", 5, "")]),
        ("-null == 2", [("not-a-number", 2, "")]),
        ("Math.abs(address) == 2", [("not-a-number", 10, "")]),
        ("1", [("not-boolean", 1, "")]),
        ("address", [("not-boolean", 1, "")]),
        ("currency AND true", [("not-boolean", 1, "")]),
        ("true OR null", [("not-boolean", 9, "")]),
        ("1 ? true : false", [("not-boolean", 1, "")]),
        ("true ? 1 : 2", [("not-boolean", 1, "")]),
        ("isnull(currency, 1) == 1 AND isnull(null, 5)", [("not-boolean", 30, "")]),
        ("currency == 5", [("type-mismatch", 1, "")]),
        ("address == customFields", [("type-mismatch", 1, "")]),
        ("true = = 1", [("split-operator", 1, "=="), ("type-mismatch", 1, "")]),
        ("currency < 5", [("ordering-mismatch", 1, "")]),
        ("true < false", [("ordering-mismatch", 1, "")]),
        ("currency > null", [("ordering-mismatch", 1, "")]),
    ],
)
def test_a_finding_has_its_code_its_column_and_what_to_write_instead(
    text: str, findings: list[tuple[str, int, str]]
) -> None:
    assert _found(text) == findings


@pytest.mark.parametrize(
    "text",
    [
        "customFields.tier == 1 AND customFields != null",
        "customFields != null OR customFields.tier == 1",
        "customFields == null OR customFields.tier == 1",
        "(customFields != null OR true) AND customFields.tier == 1",
        "customFields != null ? customFields.tier == 1 : false",
        "address != null AND customFields.tier == 1",
        "customFields != 1 AND customFields.tier == 1",
    ],
)
def test_a_guard_counts_only_before_the_read_and_on_its_own_chain(text: str) -> None:
    assert "unguarded-custom-fields" in {code for code, _, _ in _found(text)}


def test_every_custom_field_is_reported_where_it_is_read() -> None:
    unguarded = [
        column
        for code, column, _ in _found("customFields.a == 1 OR customFields.b == 2")
        if code == "unguarded-custom-fields"
    ]
    assert unguarded == [1, 24]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('nam == "x"', "known are id, accountName, accountCode, currency, address, customFields"),
        ('address.x == "x"', "there is no field `x` in `address`; known are addressLine1"),
        ("currency.x == 1", "there is no field `x` in `currency`; it is a single value"),
        ("address.country.x == 1", "no field `x` in `address.country`; it is a single value"),
        ("customFields.x.y == 1", "in `customFields.x`; custom fields have no parts"),
        ("Math.abs(1, 2) == 2", "`Math.abs` takes 1 argument, not 2"),
        ("Math.round() == 2", "`Math.round` takes 1 or 2 arguments, not 0"),
        ("Math.pow(1) == 2", "`Math.pow` takes 2 arguments, not 1"),
        ("Math.min(1) == 2", "`Math.min` takes 2 or more arguments, not 1"),
        ("currency == curency", "or write `currency` if that field is meant"),
        ("currency", "true or false is needed here, this is text"),
        ("-true == 1", "a number is needed here, this is true or false"),
        ("address == 1", "a group of fields and a number are never equal"),
        ("null < 1", "null and a number have no order"),
    ],
)
def test_a_message_says_what_is_wrong_in_words(text: str, message: str) -> None:
    assert any(message in finding.message for finding in check(parse(text)))


def test_errors_and_warnings_are_told_apart() -> None:
    severities = {
        finding.code: finding.severity for finding in check(parse("name = = currency + UK"))
    }
    assert severities == {
        "unknown-field": "error",
        "split-operator": "warning",
        "not-a-number": "error",
    }
