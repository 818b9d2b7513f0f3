"""plan, show, apply and drift as people type them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.place import Place

from reconciler.emulator.running import RunningEmulator
from reconciler.errors import ExitCode
from reconciler.kernel import exact_json


@pytest.fixture
def place(emulate: Callable[..., RunningEmulator], tmp_path: Path) -> Place:
    made = Place(tmp_path, emulate(requests_per_second=0))
    made.patch_sandbox()
    made.discover()
    return made


def test_a_plan_is_printed_in_four_formats_and_into_files(place: Place) -> None:
    page, comment = place.folder / "plan.html", place.folder / "plan.md"
    ran = place.run(
        *("plan", "--env", "sandbox", "--format", "json"),
        *(f"--format=html={page}", f"--format=markdown={comment}"),
    )
    assert ran.code == 0
    document = exact_json.decode(ran.out)
    assert isinstance(document, dict)
    assert document["schema"] == "m3ter-reconciler/plan/v1"
    assert "chargebee-uk" in page.read_text()
    assert comment.read_text().startswith("### sandbox: 12 to create")


def test_a_plan_says_how_it_is_applied_saved_or_not(place: Place) -> None:
    unsaved = place.run("plan", "--env", "sandbox")
    assert "To apply it:  reconciler apply --env sandbox\n" in unsaved.out
    path = place.folder / "p.json"
    saved = place.run("plan", "--env", "sandbox", "-o", str(path))
    assert f"To apply it:  reconciler apply {path}\n" in saved.out
    asked = place.run("apply", "--env", "sandbox")
    assert asked.code == ExitCode.NEEDS_APPROVAL
    assert "To apply it" not in asked.out
    assert "To go on: --yes, or --approve sensitive-field@" in asked.err


def test_show_prints_what_plan_printed(place: Place) -> None:
    path = place.folder / "p.json"
    planned = place.run("plan", "--env", "sandbox", "-o", str(path))
    assert place.run("show", str(path)).out == planned.out
    assert place.run("show", str(path), "--full").code == 0
    assert place.run("show", str(place.folder / "none.json")).code == ExitCode.INVALID


def test_exit_codes_of_plan_and_drift(place: Place) -> None:
    assert place.run("plan", "--env", "sandbox", "--exit-code").code == ExitCode.GIT_AHEAD
    assert place.run("drift", "--env", "sandbox", "--exit-code").code == 0
    place.apply()
    assert place.run("plan", "--env", "sandbox", "--exit-code").code == 0
    place.user_edit(place.config("Chargebee UK bills")["id"], name="edited")
    assert place.run("plan", "--env", "sandbox", "--exit-code").code == ExitCode.ONLY_DRIFT
    assert place.run("plan", "--env", "sandbox").code == 0
    drift = place.run("drift", "--env", "sandbox", "--format", "json")
    assert drift.code == 0
    assert isinstance(exact_json.decode(drift.out), dict)


def test_a_yes_on_a_terminal_applies(place: Place) -> None:
    ran = place.run("apply", "--env", "sandbox", answer="y\n")
    assert ran.code == 0, ran
    assert "Apply plan " in ran.err
    assert "to sandbox? [y/N]" in ran.err
    assert place.is_in_sync()


def test_apply_takes_a_plan_or_an_environment(place: Place) -> None:
    for arguments in ((), ("plan.json", "--env", "sandbox")):
        ran = place.run("apply", *arguments)
        assert ran.code == ExitCode.INVALID
        assert "give a saved plan, or --env NAME; not both" in ran.err


def test_an_error_of_one_object_ends_plan_and_drift_with_10(place: Place) -> None:
    place.edit("chargebee-us/accounts.csv", "globex-us,", "golem-us,")
    for command in ("plan", "drift"):
        ran = place.run(command, "--env", "sandbox")
        assert ran.code == ExitCode.INVALID
    assert "golem-us" in place.run("plan", "--env", "sandbox").out


def test_a_plan_that_cannot_be_saved_is_said_so(place: Place) -> None:
    ran = place.run("plan", "--env", "sandbox", "-o", str(place.folder / "no" / "plan.json"))
    assert ran.code == ExitCode.INVALID
    assert "cannot write the plan" in ran.err
