"""Rows and CSV cells, each at its line and column."""

from __future__ import annotations

import pytest
from fakes.broken_repository import problems_of, with_rows, with_value
from fakes.repository_in_memory import RepositoryInMemory
from fakes.sound_repository import ACCOUNTS, CSV, PRICES, SANDBOX, sound_repository

from reconciler.definitions.core.allowance import Allowance
from reconciler.kernel.problem import Origin


def _with(*rows: list[str]) -> RepositoryInMemory:
    repository = sound_repository()
    with_rows(*rows)(repository)
    for line, row in enumerate(rows, 2):
        repository.texts[Origin(CSV, line, 1)] = ",".join(row) + "\n"
    return repository


def _found(repository: RepositoryInMemory) -> list[tuple[str, str, str]]:
    return [
        (problem.rule, str(problem.origin), problem.message) for problem in problems_of(repository)
    ]


def test_a_key_that_stands_twice_names_the_first_line() -> None:
    repository = _with(["acme-uk", "a", "b"], ["acme-uk", "c", "d"])

    assert _found(repository) == [
        ("R061", f"{CSV}:3:1", "account `acme-uk` is mapped twice (first in line 2)")
    ]


def test_an_object_in_two_sets_names_the_other_set() -> None:
    repository = sound_repository()
    repository.specs["MappingSet", "more", None] = {
        **repository.specs[ACCOUNTS],  # type: ignore[index]
        "rows": [{"m3ter": {"code": "acme-uk"}, "externalId": "x"}],
    }

    found = _found(repository)

    assert {rule for rule, _, _ in found} == {"R061"}
    (message,) = {message for _, _, message in found}
    assert message.startswith("account `acme-uk` is mapped twice (first in integrations.d/more-map")
    assert message.endswith(", set `more`)")


def test_one_object_may_be_mapped_to_two_tables() -> None:
    repository = sound_repository()
    repository.specs["MappingSet", "customers", None] = {
        **repository.specs[ACCOUNTS],  # type: ignore[index]
        "externalTable": "Customer",
    }

    assert _found(repository) == []


@pytest.mark.parametrize(
    ("rows", "rule", "place", "message"),
    [
        ([["b", "1", "2"], ["a", "3", "4"]], "R062", "3:1", "`a` stands after `b`"),
        (
            [["c", "1", "2"], ["b", "3", "4"], ["a", "5", "6"]],
            "R062",
            "3:1",
            "`b` stands after `c`; 2 rows are out of order",
        ),
        ([["a", "1 ", "2"]], "R063", "2:3", '"1 " in column `sandbox` has spaces around it'),
        ([["a", "=1", "2"]], "R064", "2:3", '"=1" in column `sandbox` looks like a formula'),
        ([["@a", "1", "2"]], "R064", "2:1", '"@a" in column `account_code` looks like a formula'),
        ([["a", "1", ""]], "R065", "2:5", "`a` has no external id in `production`"),
        ([["a", "", ""]], "R065", "2:3", "`a` has no external id in any environment"),
        ([["", "1", "2"]], "R066", "2:1", "the cell `account_code` is empty"),
        (
            [["a", "live_1234567890abcdefABCD", "2"]],
            "R130",
            "2:3",
            "a secret stands in column `sandbox`",
        ),
    ],
)
def test_a_strange_cell_is_found_at_its_column(
    rows: list[list[str]], rule: str, place: str, message: str
) -> None:
    assert _found(_with(*rows)) == [(rule, f"{CSV}:{place}", message)]


def test_an_empty_cell_is_a_warning_and_the_rest_are_errors() -> None:
    problems = problems_of(_with(["a", "1", ""], ["b", " 1", "2"]))

    assert [problem.severity for problem in problems] == ["warning", "error"]


def test_a_row_of_another_length_is_left_to_the_form_check() -> None:
    assert _found(_with(["a", "1"])) == []


def test_spaces_and_secrets_in_the_header_are_found() -> None:
    repository = sound_repository()
    repository.csv[CSV][0] = ["account_code", "sandbox ", "live_1234567890abcdefABCD"]
    with_value(ACCOUNTS, "rows", "externalId", "account_code")(repository)

    assert [(rule, place) for rule, place, _ in _found(repository)] == [
        ("R063", f"{CSV}:1:1"),
        ("R130", f"{CSV}:1:1"),
    ]


def test_no_message_shows_a_secret() -> None:
    secret = "live_1234567890abcdefABCD"
    problems = problems_of(_with([f" {secret}", "1", ""], [f"={secret}", "1", "2"]))

    assert len(problems) > 3
    assert not any(secret in f"{problem.message}{problem.hint}" for problem in problems)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("m3ter",), {"code": "account_cod"}),
        (("externalId",), "sandbx"),
        (("externalId", "sandbox"), "sandbx"),
    ],
)
def test_a_column_that_is_not_in_the_header_suggests_one_that_is(
    path: tuple[str, ...], name: object
) -> None:
    repository = sound_repository()
    with_value(ACCOUNTS, "rows", *path, name)(repository)

    (problem,) = problems_of(repository)

    assert problem.rule == "R067"
    assert problem.message.startswith("integrations.d/accounts.csv has no column `")
    assert problem.hint in {"Did you mean `account_code`?", "Did you mean `sandbox`?"}


def test_a_csv_file_is_found_relative_to_its_document() -> None:
    repository = sound_repository()
    with_value(ACCOUNTS, "rows", "csv", "./deeper/../accounts.csv")(repository)
    repository.csv["integrations.d/./deeper/../accounts.csv"] = repository.csv[CSV]
    repository.csv[CSV] = [["account_code", "sandbox", "production"], ["a", "1", ""]]

    assert [rule for rule, _, _ in _found(repository)] == ["R065"]


def test_a_csv_file_that_was_not_read_is_left_to_the_form_check() -> None:
    repository = sound_repository()
    with_value(ACCOUNTS, "rows", "csv", "../../other.csv")(repository)
    repository.csv["integrations.d/../../other.csv"] = [["account_code"]]

    assert _found(repository) == []


def test_an_environment_without_a_column_is_a_warning_for_the_whole_set() -> None:
    repository = sound_repository()
    with_value(ACCOUNTS, "rows", "externalId", {"sandbox": "sandbox"})(repository)

    (problem,) = problems_of(repository)

    assert (problem.rule, problem.severity) == ("R065", "warning")
    assert problem.message == ("the rows of set `uk-accounts` name no external id for `production`")


def test_an_environment_without_an_inline_id_is_a_warning() -> None:
    repository = sound_repository()
    row = {"m3ter": {"code": "api-calls"}, "externalId": {"production": "x"}}
    with_value(PRICES, "rows", [row])(repository)

    (problem,) = problems_of(repository)

    assert (problem.rule, problem.severity) == ("R065", "warning")
    assert problem.message == "`api-calls` has no external id for `sandbox`"


def test_what_the_job_allows_is_no_problem() -> None:
    repository = sound_repository()
    with_value(SANDBOX, "m3ter", "baseUrl", "https://m3ter.example.com")(repository)
    with_value(SANDBOX, "m3ter", "accessKey", {"env": "ACME_KEY"})(repository)
    with_value(SANDBOX, "m3ter", "apiSecret", {"file": "/vault/secret"})(repository)
    with_value(SANDBOX, "chargebee", "baseUrl", "http://127.0.0.1:8080")(repository)
    allowance = Allowance(("m3ter.example.com",), ("ACME_*",), ("/vault/*",))

    assert problems_of(repository, allowance) == ()


def test_an_environment_needs_no_chargebee() -> None:
    repository = sound_repository()
    del repository.specs[SANDBOX]["chargebee"]  # type: ignore[index]
    del repository.specs[SANDBOX]["ledger"]  # type: ignore[index]

    assert _found(repository) == []
