"""validate, render, schema and init as they are typed."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import main
from reconciler.kernel.exact_json import decode

ROOT = Path(__file__).parents[2]


def run(*argv: str, **environ: str) -> tuple[int, str, str]:
    stdout, stderr = StringIO(), StringIO()
    code = main(argv, environ, stdin=StringIO(), stdout=stdout, stderr=stderr)
    return code, stdout.getvalue(), stderr.getvalue()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "integrations.d", tmp_path / "integrations.d")
    return tmp_path


def edit(repository: Path, file: str, old: str, new: str) -> None:
    path = repository / "integrations.d" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_example_is_valid_without_a_warning() -> None:
    code, out, err = run("-C", str(ROOT), "validate")

    assert (code, err) == (0, "")
    assert out.startswith("No problems in ")


def test_a_misspelt_setting_is_shown_with_its_source(repository: Path) -> None:
    edit(
        repository,
        "chargebee-uk/integration.yaml",
        "multiDecimalPriceDecimalPlaces",
        "multiDecimalPriceDecimalPlace",
    )

    code, out, _ = run("validate", "-C", str(repository))

    assert code == 10
    assert out.startswith("integrations.d/chargebee-uk/integration.yaml:28:5  R014  ")
    assert "      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n" in out
    assert out.endswith("1 error in 1 of 12 files. Nothing was sent to m3ter.\n")


@pytest.mark.parametrize(
    ("style", "line", "column"),
    [
        ('customFields != null AND curency == "GBP"', 21, 45),
        ("'customFields != null AND curency == \"GBP\"'", 21, 46),
        ('"customFields != null AND curency == \\"GBP\\""', 21, 46),
        ('>-\n      customFields != null\n      AND curency == "GBP"', 23, 11),
    ],
)
def test_a_filter_problem_stands_at_its_very_character(
    repository: Path, style: str, line: int, column: int
) -> None:
    old = 'customFields != null AND customFields.country == "UK"'
    edit(repository, "chargebee-uk/integration.yaml", old, style)

    _, out, _ = run("validate", "-C", str(repository), "--format", "json")

    document: Any = decode(out)
    (problem,) = document["problems"]
    assert (problem["rule"], problem["line"], problem["column"]) == ("R096", line, column)


def test_one_broken_project_is_one_problem(repository: Path) -> None:
    edit(repository, "project.yaml", "  prune:", "\tprune:")

    _, out, _ = run("validate", "-C", str(repository), "--format", "json")

    document: Any = decode(out)
    assert [problem["rule"] for problem in document["problems"]] == ["R001"]


def test_problems_of_all_files_come_in_one_run(repository: Path) -> None:
    edit(repository, "environments/sandbox.yaml", "Europe/London", "Europe/Londn")
    edit(repository, "environments/sandbox.yaml", "{env: M3TER_API_SECRET}", "live_" + "a1" * 12)
    edit(repository, "environments/production.yaml", "Europe/London", "Mars/Base")
    edit(repository, "chargebee-us/accounts.csv", "sub_acme_us", "=sub_acme_us")
    edit(repository, "chargebee-uk/accounts.yaml", "csv: accounts.csv", "csv: ../../x.csv")

    code, out, _ = run("validate", "-C", str(repository), "--format", "json")

    document: Any = decode(out)
    rules = [problem["rule"] for problem in document["problems"]]
    assert code == 10
    assert {"R012", "R130", "R106", "R064", "R031"} <= set(rules)
    assert "a1a1a1" not in out


@pytest.mark.parametrize("format_", ["text", "json", "sarif", "github", "junit"])
def test_every_format_goes_into_a_file(repository: Path, format_: str) -> None:
    target = repository / "result"

    code, out, _ = run("validate", "-C", str(repository), f"--format={format_}={target}")

    assert (code, out) == (0, "")
    assert target.read_text(encoding="utf-8").endswith("\n")


def test_formats_may_be_repeated(repository: Path) -> None:
    target = repository / "result.json"

    code, out, _ = run(
        "validate", "-C", str(repository), "--format", "text", "--format", f"json={target}"
    )

    assert code == 0
    assert out.startswith("No problems")
    assert decode(target.read_bytes())


def test_two_formats_on_stdout_are_refused(repository: Path) -> None:
    code, out, err = run("validate", "-C", str(repository), "--format", "text", "--format", "json")

    assert (code, out) == (10, "")
    assert "only one format can go to stdout" in err


@pytest.mark.parametrize(
    ("value", "message"),
    [("yaml", "'yaml' is none of text, json, sarif, github, junit."), ("json=", "names no file")],
)
def test_a_wrong_format_is_refused(repository: Path, value: str, message: str) -> None:
    code, _, err = run("validate", "-C", str(repository), "--format", value)

    assert code == 10
    assert message in err


def test_a_result_that_cannot_be_written_is_an_error(repository: Path) -> None:
    target = repository / "missing" / "result"

    code, _, err = run("validate", "-C", str(repository), f"--format=json={target}")

    assert code == 10
    assert err.startswith(f"error: cannot write the result to {target}: No such file")


def test_what_the_job_allows_is_no_warning(repository: Path) -> None:
    edit(repository, "environments/sandbox.yaml", "https://api.m3ter.com", "https://m3ter.test")

    _, warned, _ = run("validate", "-C", str(repository))
    _, allowed, _ = run("validate", "-C", str(repository), RECONCILER_ALLOW="host:m3ter.test")

    assert "R102  warning: the key of `sandbox` would be sent to m3ter.test" in warned
    assert allowed.startswith("No problems")


def test_render_shows_what_production_has() -> None:
    code, out, err = run("-C", str(ROOT), "render", "--env", "production", "--origin")

    assert (code, err) == (0, "")
    places = {line.split(":")[0].strip(): line.rpartition("# ")[2] for line in out.splitlines()}
    assert places["multiDecimalPriceDecimalPlaces"] != places["multiDecimalUnitsDecimalPlaces"]
    assert "externalId: sub_acme_uk" in out
    assert "integrations.d/chargebee-uk/production.yaml:9" in out
    assert "internal-demo" not in out


def test_render_knows_json() -> None:
    code, out, _ = run("-C", str(ROOT), "render", "--env", "sandbox", "--format", "json")

    document: Any = decode(out)
    assert code == 0
    assert document["environment"] == "sandbox"
    assert {entry["kind"] for entry in document["documents"]} >= {"Project", "MappingSet"}


def test_render_of_an_unknown_environment_is_an_error() -> None:
    code, out, err = run("-C", str(ROOT), "render", "--env", "sandbx")

    assert (code, out) == (10, "")
    assert err.startswith("error: ")
    assert "sandbx" in err


def test_render_of_invalid_definitions_lists_the_errors(repository: Path) -> None:
    edit(repository, "environments/sandbox.yaml", "Europe/London", "Europe/Londn")

    code, out, err = run("render", "-C", str(repository), "--env", "sandbox")

    assert (code, out) == (10, "")
    assert "error: the definitions have 1 error.\n" in err
    assert "R106  there is no time zone `Europe/Londn`" in err


def test_a_missing_environment_option_is_a_usage_error() -> None:
    code, _, err = run("-C", str(ROOT), "render")

    assert code == 10
    assert "'--env'" in err


def test_schemas_are_written_once(tmp_path: Path) -> None:
    code, first, _ = run("-C", str(tmp_path), "schema")
    _, second, _ = run("-C", str(tmp_path), "schema")

    assert code == 0
    assert f"wrote {tmp_path / 'schemas' / 'integration.schema.json'}\n" in first
    assert second == f"{tmp_path / 'schemas'} is up to date\n"


@pytest.mark.parametrize("kind", ["MappingSet", "mapping-set", "mappingset"])
def test_one_schema_is_printed(kind: str) -> None:
    code, out, _ = run("schema", kind)

    schema: Any = decode(out)
    assert code == 0
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_schema_of_a_patch_is_another() -> None:
    _, whole, _ = run("schema", "Integration")
    _, patch, _ = run("schema", "Integration", "--patch")

    assert whole != patch


def test_an_unknown_kind_lists_the_known_ones() -> None:
    code, _, err = run("schema", "Integratio")

    assert code == 10
    assert err.startswith("error: there is no schema for 'Integratio'; there are: ")
    assert "mapping-set" in err


def test_init_writes_valid_definitions_and_never_overwrites(tmp_path: Path) -> None:
    code, out, err = run("init", "-C", str(tmp_path))
    again, nothing, refused = run("init", "-C", str(tmp_path))
    valid, report, _ = run("validate", "-C", str(tmp_path))

    assert code == 0
    assert out.count("wrote ") == 2
    assert "reconciler validate" in err
    assert (again, nothing) == (10, "")
    assert "already exists and is not empty; nothing was written" in refused
    assert (valid, report) == (0, "No problems in 2 files. Nothing was sent to m3ter.\n")


def test_init_fills_an_empty_folder_and_refuses_a_link(tmp_path: Path) -> None:
    (tmp_path / "a" / "integrations.d").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "integrations.d").symlink_to(tmp_path / "a")

    assert run("init", "-C", str(tmp_path / "a"))[0] == 0
    assert run("init", "-C", str(tmp_path / "b"))[0] == 10


def test_a_repository_without_definitions_is_one_error(tmp_path: Path) -> None:
    code, out, _ = run("validate", "-C", str(tmp_path))

    assert code == 10
    assert out.count("R0") == 1
    assert "R030" in out
