"""Form and meaning are reported together; what needs valid definitions gets them or stops."""

from __future__ import annotations

import pytest
from fakes.sound_repository import PROJECT, UK, sound_repository

from reconciler.definitions.core.allowance import Allowance
from reconciler.definitions.validate import InvalidDefinitionsError, effective, validate
from reconciler.errors import ExitCode
from reconciler.kernel.problem import Origin, Problem

FORM = Problem("R014", "error", Origin("integrations.d/uk-integration.yaml", 2, 1), "unknown `x`")


def _any_zone(_name: str) -> bool:
    return True


def test_sound_definitions_are_valid() -> None:
    validated = validate(sound_repository(), Allowance(), _any_zone)

    assert validated.valid
    assert validated.problems == ()
    assert validated.file_count == 8


def test_form_and_meaning_are_reported_in_the_order_of_the_files() -> None:
    repository = sound_repository()
    repository.problems = (FORM,)
    repository.specs[UK]["entity"]["excludedLineItemTypes"] = ["USAGE"]  # type: ignore[index]
    repository.texts[Origin("integrations.d/uk-integration.yaml", 1, 1)] = (
        "live_abcdefgh12345678ABCD"
    )
    del repository.specs[PROJECT]  # type: ignore[arg-type]

    validated = validate(repository, Allowance(), _any_zone)

    assert [problem.rule for problem in validated.problems] == ["R050", "R130", "R014", "R073"]
    assert not validated.valid


def test_a_repository_that_cannot_be_read_has_no_missing_project() -> None:
    repository = sound_repository()
    repository.specs.clear()
    repository.csv.clear()
    repository.problems = (Problem("R030", "error", None, "there is no integrations.d"),)

    validated = validate(repository, Allowance(), _any_zone)

    assert [problem.rule for problem in validated.problems] == ["R030"]


def test_warnings_do_not_make_definitions_invalid() -> None:
    repository = sound_repository()
    repository.specs["Environment", "sandbox", None]["m3ter"]["accessKey"] = {"env": "X"}

    validated = validate(repository, Allowance(), _any_zone)

    assert [problem.rule for problem in validated.problems] == ["R105"]
    assert validated.valid
    assert effective(repository, "sandbox", Allowance(), _any_zone).project.name == "acme"


def test_a_command_that_needs_valid_definitions_lists_the_first_errors() -> None:
    repository = sound_repository()
    repository.problems = tuple(
        Problem("R014", "error", Origin("a.yaml", line, 1), f"unknown `{line}`")
        for line in range(1, 26)
    )

    with pytest.raises(InvalidDefinitionsError) as raised:
        effective(repository, "sandbox", Allowance(), _any_zone)

    text = str(raised.value)
    assert raised.value.exit_code is ExitCode.INVALID
    assert len(raised.value.problems) == 25
    assert text.startswith("the definitions have 25 errors.\n  a.yaml:1:1  R014  unknown `1`\n")
    assert "  and 5 more\n" in text
    assert "Nothing was sent to m3ter." in text


def test_one_error_of_the_whole_repository_is_told_in_the_singular() -> None:
    repository = sound_repository()
    del repository.specs[PROJECT]  # type: ignore[arg-type]

    with pytest.raises(InvalidDefinitionsError) as raised:
        effective(repository, "sandbox", Allowance(), _any_zone)

    assert str(raised.value).startswith(
        "the definitions have 1 error.\n  integrations.d  R050  there is no Project\n"
    )
