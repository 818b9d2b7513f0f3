"""One list of problems in five formats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from reconciler.definitions.show import problems as render
from reconciler.kernel.exact_json import decode
from reconciler.kernel.problem import Excerpt, Origin, Problem

FILE = "integrations.d/chargebee-uk/integration.yaml"
TYPO = Problem(
    "R014",
    "error",
    Origin(FILE, 31, 5),
    "unknown setting `multiDecimalPriceDecimalPlace`",
    "Did you mean `multiDecimalPriceDecimalPlaces`?",
    "spec.chargebee.multiDecimalPriceDecimalPlace",
    Excerpt(
        30,
        ("    useMultidecimal: true", "    multiDecimalPriceDecimalPlace: 3"),
        5,
        29,
    ),
)
WARNING = Problem("R065", "warning", Origin("integrations.d/a, b%.csv", 3), "empty\ncell")
NO_PROJECT = Problem("R050", "error", None, "there is no Project", "Add one.")


def _as_they_are(problems: Sequence[Problem]) -> Sequence[Problem]:
    return problems


def _plain(text: str) -> Any:
    return decode(text)


def test_text_shows_place_rule_source_caret_and_remedy() -> None:
    assert render.problems_text([TYPO], 14, _as_they_are) == (
        f"{FILE}:31:5  R014  unknown setting `multiDecimalPriceDecimalPlace`\n"
        "   30 |     useMultidecimal: true\n"
        "   31 |     multiDecimalPriceDecimalPlace: 3\n"
        "      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "   Did you mean `multiDecimalPriceDecimalPlaces`?\n"
        "\n"
        "1 error in 1 of 14 files. Nothing was sent to m3ter."
    )


def test_every_problem_in_text_starts_with_path_line_and_column() -> None:
    text = render.problems_text([NO_PROJECT, TYPO, WARNING], 14, _as_they_are)

    assert text.startswith("integrations.d:1:1  R050  there is no Project\n   Add one.\n\n")
    assert "integrations.d/a, b%.csv:3:1  R065  warning: empty\ncell\n\n" in text
    assert text.endswith("2 errors and 1 warning in 2 of 14 files. Nothing was sent to m3ter.")


def test_counts_are_told_in_words() -> None:
    assert render.summary([], 1) == "No problems in 1 file. Nothing was sent to m3ter."
    assert render.summary([NO_PROJECT], 3) == "1 error in 3 files. Nothing was sent to m3ter."
    assert render.summary([WARNING] * 2, 3) == (
        "2 warnings in 1 of 3 files. Nothing was sent to m3ter."
    )


def test_a_caret_stands_under_its_character_behind_tabs_and_escapes() -> None:
    excerpt = Excerpt(7, ("\ta\x1bb: x",), 7, 1)
    problem = Problem("R001", "error", Origin("f.yaml", 7, 6), "no", excerpt=excerpt)

    lines = render.problems_text([problem], 1, _as_they_are).splitlines()

    assert lines[1] == "    7 | \ta\\u001bb: x"
    assert lines[2] == "      | \t" + " " * 10 + "^"
    assert lines[1].index("x") == lines[2].index("^")


def test_no_control_character_reaches_a_terminal() -> None:
    problem = Problem("R001", "error", Origin("f\x1b[31m.yaml", 1, 1), "a\x07b", "c\x9bd")

    text = render.problems_text([problem], 1, _as_they_are)

    assert not any(word in text for word in "\x1b\x07\x9b")
    assert "f\\u001b[31m.yaml:1:1  R001  a\\u0007b" in text


def test_a_long_list_is_cut_and_errors_stay() -> None:
    warnings = [
        Problem("R065", "warning", Origin("a.csv", line, 1), "empty") for line in range(1, 151)
    ]

    text = render.problems_text([*warnings, TYPO], 2, _as_they_are)

    assert text.count("R065") == render.SHOWN_MAX - 1
    assert "R014" in text
    assert "\n\nand 51 more problems\n\n1 error and 150 warnings in 2 of 2 files." in text


def test_only_shown_problems_are_quoted() -> None:
    asked: list[int] = []

    def count(problems: Sequence[Problem]) -> Sequence[Problem]:
        asked.append(len(problems))
        return problems

    render.problems_text([WARNING] * 150, 2, count)

    assert asked == [render.SHOWN_MAX]


def test_json_is_one_document_also_without_problems() -> None:
    assert _plain(render.problems_json([])) == {
        "schema": "m3ter-reconciler/validate/v1",
        "problems": [],
    }


def test_json_names_everything_of_a_problem() -> None:
    (no_project, typo, warning) = _plain(render.problems_json([NO_PROJECT, TYPO, WARNING]))[
        "problems"
    ]

    assert typo == {
        "rule": "R014",
        "severity": "error",
        "file": FILE,
        "line": 31,
        "column": 5,
        "path": "spec.chargebee.multiDecimalPriceDecimalPlace",
        "message": "unknown setting `multiDecimalPriceDecimalPlace`",
        "hint": "Did you mean `multiDecimalPriceDecimalPlaces`?",
    }
    assert (no_project["line"], no_project["column"]) == (None, None)
    assert (warning["line"], warning["column"]) == (3, 1)


def test_json_counts_what_it_leaves_out() -> None:
    document = _plain(render.problems_json([WARNING] * (render.LISTED_MAX + 2)))

    assert len(document["problems"]) == render.LISTED_MAX
    assert document["omitted"] == 2


def test_github_annotations_are_escaped() -> None:
    lines = render.github([WARNING, NO_PROJECT], 3).splitlines()

    assert lines[0] == (
        "::warning file=integrations.d/a%2C b%25.csv,line=3,col=1,"
        "title=R065 a mapping has an external id in every environment::empty%0Acell"
    )
    assert lines[1] == (
        "::error file=integrations.d,line=1,col=1,"
        "title=R050 there is exactly one Project::there is no Project%0AAdd one."
    )
    assert lines[2] == "1 error and 1 warning in 1 of 3 files. Nothing was sent to m3ter."


def test_sarif_has_a_rule_for_every_result() -> None:
    log = _plain(render.sarif([TYPO, WARNING, NO_PROJECT]))

    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["R014", "R050", "R065"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning"}
        assert result["message"]["text"]
    (typo, warning, no_project) = run["results"]
    assert typo["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": FILE},
                "region": {"startLine": 31, "startColumn": 5},
            }
        }
    ]
    uri = warning["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "integrations.d/a%2C%20b%25.csv"
    assert "locations" not in no_project


def test_junit_counts_failures_and_lists_warnings_as_passed() -> None:
    odd = Problem("R001", "error", Origin("a&<b>.yaml", 1, 1), 'not\x00YAML "<&', "Use it.")
    suite = ET.fromstring(render.junit([odd, WARNING]))[0]

    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    (failed, passed) = suite
    assert failed.get("classname") == "a&<b>.yaml"
    failure = failed.find("failure")
    assert failure is not None
    assert failure.get("message") == 'not\\u0000YAML "<&'
    assert failure.text == 'a&<b>.yaml:1:1\nnot\\u0000YAML "<&\nUse it.'
    assert passed.find("failure") is None
    assert passed.findtext("system-out") == "integrations.d/a, b%.csv:3:1\nempty\ncell"


def test_junit_has_one_passed_test_when_all_is_well() -> None:
    suite = ET.fromstring(render.junit([]))[0]

    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    assert [entry.get("name") for entry in suite] == ["definitions are valid"]
