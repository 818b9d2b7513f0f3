"""Filters with what must come of them: the documented forms first, then one line per rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pytest

from reconciler.account_filter.answer import NoAnswer
from reconciler.account_filter.check import check
from reconciler.account_filter.evaluate import evaluate
from reconciler.account_filter.fields import FilterAccount
from reconciler.account_filter.parser import parse
from reconciler.account_filter.tokens import FilterSyntaxError

BRITISH: Final[FilterAccount] = {
    "id": "a-1",
    "accountName": "Acme UK",
    "accountCode": "acme-uk",
    "currency": "GBP",
    "address": {
        "addressLine1": "1 High St",
        "locality": "London",
        "country": "UK",
        "postCode": "N1",
    },
    "customFields": {
        "country": "UK",
        "tier": 3,
        "segment": "enterprise plus",
        "beta": "true",
    },
}
EMPTY: Final[FilterAccount] = {
    "id": "a-2",
    "accountName": "Globex",
    "accountCode": "globex",
    "currency": "USD",
    "address": None,
    "customFields": None,
}

BARE = "bare-word"
SPLIT = "split-operator"
UNGUARDED = "unguarded-custom-fields"
MISMATCH = "type-mismatch"


@dataclass(frozen=True)
class Answer:
    text: str
    account: FilterAccount
    result: bool
    warnings: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Failure:
    text: str
    code: str
    column: int | None = None
    suggestion: str | None = None


def yes(text: str, *warnings: str, of: FilterAccount = BRITISH) -> Answer:
    return Answer(text, of, result=True, warnings=frozenset(warnings))


def no(text: str, *warnings: str, of: FilterAccount = BRITISH) -> Answer:
    return Answer(text, of, result=False, warnings=frozenset(warnings))


ANSWERS = (
    yes('address.country == "UK"'),
    yes("address.country == UK", BARE),
    no("address.country == US", BARE),
    yes('customFields != null AND customFields.country == "UK"'),
    yes("customFields != null AND customFields.country = = UK", BARE, SPLIT),
    no("customFields != null AND customFields.country == UK", BARE, of=EMPTY),
    no('customFields.country == "UK"', UNGUARDED, of=EMPTY),
    yes("customFields == null", of=EMPTY),
    no("customFields == null"),
    yes("customFields.missing == null", UNGUARDED),
    yes('address.country != "UK"', of=EMPTY),
    yes("customFields.tier >= 3", UNGUARDED),
    no("customFields.tier > 3", UNGUARDED),
    no("customFields.tier > 1", UNGUARDED, of=EMPTY),
    yes("customFields.tier + 2 * 3 == 9", UNGUARDED),
    yes("(customFields.tier + 2) * 3 == 15", UNGUARDED),
    yes("2 ^ 3 ^ 2 == 512"),
    yes("7 % 4 == 3"),
    yes("-2 ^ 2 == 4"),
    yes("0.1 + 0.2 == 0.3"),
    yes('currency == "GBP" OR currency == "EUR"'),
    no('currency == "USD" OR currency == "GBP" AND address.country == "US"'),
    yes('(currency == "USD" OR currency == "GBP") AND address.country == "UK"'),
    yes('currency == "GBP" ? customFields.tier == 3 : false', UNGUARDED),
    yes('accountCode == "acme-uk"'),
    yes('accountName == "Acme UK"'),
    yes('id == "a-1"'),
    yes("Math.max(1, customFields.tier, 2) == 3", UNGUARDED),
    yes("Math.round(2.5) == 3"),
    yes("Math.round(1.2345, 2) == 1.23"),
    yes("Math.round(1250, -2) == 1300"),
    yes("Math.floor(-1.5) == -2"),
    yes("Math.abs(-4) == 4"),
    yes("isnull(customFields.missing, 5) == 5", UNGUARDED),
    yes('customFields.segment == "enterprise plus"', UNGUARDED),
    no("customFields.beta == true", UNGUARDED, MISMATCH),
    no('"3" == 3', MISMATCH),
    yes("true"),
    no("false"),
    yes('  currency=="GBP"  '),
    no(r'currency == "a \"quoted\" word"'),
)

FAILURES = (
    Failure("", "empty"),
    Failure("currency ==", "syntax", 12),
    Failure('currency == "GBP', "unterminated-string", 13),
    Failure('(currency == "GBP"', "syntax", 19),
    Failure('name == "Acme UK"', "unknown-field", 1, "accountName"),
    Failure('code == "acme-uk"', "unknown-field", 1, "accountCode"),
    Failure('address.town == "London"', "unknown-field", 9, "locality"),
    Failure('emailAddress == "x"', "unknown-field", 1),
    Failure('currency == "GBP" && true', "syntax", 19),
    Failure("currency", "not-boolean"),
    Failure("1 / 0 == 1", "division-by-zero"),
    Failure("Math.sqrt(4) == 2", "unknown-function", 1),
    Failure('currency == "GBP" AND', "syntax", 22),
)


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case.text)
def test_a_filter_answers_as_the_documentation_and_our_readings_say(case: Answer) -> None:
    assert evaluate(parse(case.text), case.account).result is case.result


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case.text)
def test_a_filter_is_warned_of_exactly_what_is_doubtful(case: Answer) -> None:
    tree = parse(case.text)
    met = {assumption.code for assumption in evaluate(tree, case.account).assumptions}
    found = check(tree)
    assert {finding.code for finding in found} | (met & {MISMATCH}) == case.warnings
    assert {finding.severity for finding in found} <= {"warning"}


@pytest.mark.parametrize("case", FAILURES, ids=lambda case: case.text)
def test_a_wrong_filter_fails_with_its_code_and_column(case: Failure) -> None:
    code, column, suggestion = _failure(case.text)
    assert code == case.code
    assert case.column in {None, column}
    assert case.suggestion in {None, suggestion}


def _failure(text: str) -> tuple[str, int, str]:
    try:
        tree = parse(text)
    except FilterSyntaxError as error:
        return error.code, error.column, error.hint
    result = evaluate(tree, BRITISH).result
    assert isinstance(result, NoAnswer)
    findings = [finding for finding in check(tree) if finding.severity == "error"]
    if findings:
        assert result.code == "invalid-filter"
        return findings[0].code, findings[0].column, findings[0].suggestion
    return result.code, result.column, ""
