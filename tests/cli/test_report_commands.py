"""status, runs, events and doctor as they are typed, against the emulator."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Emulate
from fakes.live_repository import UK, LiveRepository

from reconciler.emulator.running import RunningEmulator


@pytest.fixture
def place(tmp_path: Path, emulator: RunningEmulator) -> LiveRepository:
    return LiveRepository.of_example(tmp_path, emulator)


def approve(place: LiveRepository, code: str) -> str:
    """Approve the newest bill of an account; gives its id."""
    account = next(candidate for candidate in place.live("accounts") if candidate["code"] == code)
    bills = [entry for entry in place.live("bills") if entry["accountId"] == account["id"]]
    bill = next(candidate for candidate in bills if candidate["status"] == "PENDING")
    place.call("POST", "/bills/approve", {"billIds": [bill["id"]]})
    return str(bill["id"])


def test_the_help_of_status_names_every_exit_code_that_it_may_end_with(
    place: LiveRepository,
) -> None:
    told = " ".join(place.ok("status --help").split())
    assert "2 when git is ahead, 3 on drift, 4 on both; 17 when bills are overdue." in told


def test_status_of_a_fresh_repository_says_what_to_do(place: LiveRepository) -> None:
    out = place.ok("status")
    assert out.startswith("sandbox: 0 of 2 integrations as git says · 2 not connected\n")
    assert "Nothing was applied yet." in out
    assert "not in m3ter" in out
    assert "What apply would do:      reconciler plan --env sandbox" in out


def test_status_after_an_apply_is_one_line_for_each_integration(place: LiveRepository) -> None:
    out = place.applied().ok("status")
    assert out.startswith("sandbox: 2 of 2 integrations as git says\nApplied record 2: apply by ")
    assert "  chargebee-uk  in sync         connected       enabled             no run seen" in out
    assert 'Only in m3ter, left alone: "Bill approved to chat", "Stripe internal bills"' in out
    assert place.run("status --exit-code")[0] == 0


def test_status_names_what_was_edited_and_disabled(place: LiveRepository) -> None:
    place.applied()
    place.console(place.config(UK)["id"], name="UK (all)", enabled=False)
    code, out, _ = place.run("status --exit-code")
    assert code == 3
    assert "1 of 2 integrations as git says · 1 disabled by m3ter" in out
    assert "! chargebee-uk  edited in m3ter  connected       disabled by m3ter" in out
    assert "    displayName\n" in out
    assert "Who changed what:         reconciler drift --env sandbox" in out
    assert "Why m3ter disabled it:    reconciler events --env sandbox" in out


def test_status_tells_git_ahead_from_drift_and_from_both(place: LiveRepository) -> None:
    place.applied()
    place.edit("chargebee-uk/integration.yaml", "createInvoice: true", "createInvoice: false")
    place.edit("chargebee-uk/accounts.csv", "sub_test_acme_uk", "sub_2")
    code, out, _ = place.run("status --exit-code")
    assert code == 2
    assert "git is ahead" in out
    assert "    1 mapping to write\n" in out
    place.console(place.config(UK)["id"], name="UK (all)")
    code, out, _ = place.run("status --exit-code")
    assert code == 4
    assert "! chargebee-uk  both moved" in out
    place.edit("chargebee-uk/integration.yaml", "Chargebee UK bills", "UK of git")
    code, out, _ = place.run("status --exit-code")
    assert code == 4
    assert "! chargebee-uk  conflict" in out


def test_status_shows_an_error_of_one_integration(place: LiveRepository) -> None:
    place.applied()
    place.edit("chargebee-uk/integration.yaml", "{code: acme-uk}", "{code: nobody}")
    code, out, _ = place.run("status --exit-code")
    assert code == 10
    assert "! chargebee-uk  error" in out
    assert "m3ter has no account `nobody`" in out


def test_status_waits_for_adoption_where_it_is_explicit(place: LiveRepository) -> None:
    place.applied()
    (place.root / ".reconciler").rename(place.root / "elsewhere")
    place.edit("project.yaml", "adoption: by-name", "adoption: explicit")
    out = place.ok("status")
    assert "! chargebee-uk  not adopted" in out
    assert "chargebee-uk-accounts waits for its integration" in out
    assert "reconciler adopt --env sandbox integration/chargebee-uk" in out


def test_status_says_that_an_apply_was_cut_off(place: LiveRepository) -> None:
    place.applied()
    folder = place.root / ".reconciler/state/sandbox"
    (folder / "000002.json").unlink()
    out = place.ok("status")
    assert "! An apply of plan " in out
    document = place.json("status")
    assert document["applied"]["unfinishedPlan"]
    assert document["applied"]["sequence"] == 0


def test_status_as_json_is_versioned(place: LiveRepository) -> None:
    document = place.applied().json("status")
    assert document["schema"] == "m3ter-reconciler/status/v1"
    assert [integration["address"] for integration in document["integrations"]] == [
        "integration/chargebee-uk",
        "integration/chargebee-us",
    ]
    assert {integration["sync"] for integration in document["integrations"]} == {"in sync"}


def test_a_run_is_shown_for_the_integration_that_takes_its_account(place: LiveRepository) -> None:
    place.applied()
    bill = approve(place, "acme-uk")
    document = place.json("status")
    runs = {
        integration["address"]: integration["lastRun"] for integration in document["integrations"]
    }
    assert runs["integration/chargebee-uk"]["bill"] == bill
    assert runs["integration/chargebee-uk"]["status"] == "COMPLETE"
    assert runs["integration/chargebee-us"] is None
    assert "last run COMPLETE, " in place.ok("status")


def test_runs_show_status_account_and_payload(place: LiveRepository) -> None:
    place.applied()
    bill = approve(place, "acme-uk")
    out = place.ok(f"runs --bill {bill} --payload")
    assert f"1 run of m3ter's own, from bill {bill}" in out
    assert f"COMPLETE          bill {bill}  acme-uk  -> native-" in out
    assert "    Chargebee UK bills · run " in out
    assert f'"id":"{bill}"' in out.replace(" ", "")
    document = place.json("runs --limit 1")
    (run,) = document["runs"]
    assert document["schema"] == "m3ter-reconciler/runs/v1"
    assert (run["integrations"], run["payload"]) == ([UK], None)


def test_runs_say_when_nobody_takes_the_account(place: LiveRepository) -> None:
    out = place.applied().ok("runs")
    assert "umbrella-uk  -> INV-0042\n    Chargebee, but no integration takes this account" in out


def test_runs_of_a_bill_that_does_not_exist_are_an_error(place: LiveRepository) -> None:
    code, _, err = place.run("runs --bill 00000000-0000-4000-8000-000000000000")
    assert code == 10
    assert "m3ter has no bill `00000000-0000-4000-8000-000000000000`" in err
    assert "Give the whole id" in err


def test_runs_of_a_bill_that_never_ran(place: LiveRepository) -> None:
    bill = next(candidate for candidate in place.live("bills") if candidate["status"] == "PENDING")
    assert "m3ter has no runs for bill" in place.ok(f"runs --bill {bill['id']}")


# Without a dialect nobody knows which accounts the Stripe integration takes.
DOUBT = " (some may be of another integration)"


@pytest.mark.parametrize(("events", "doubt"), [("bare", DOUBT), ("detailed", "")])
def test_events_count_towards_auto_disable(
    tmp_path: Path, emulate: Emulate, events: str, doubt: str
) -> None:
    running = emulate(requests_per_second=0, native_runs="error", integration_events=events)
    place = LiveRepository.of_example(tmp_path, running).applied()
    bill = approve(place, "acme-uk")
    approve(place, "globex-uk")
    out = place.ok("events")
    assert out.startswith("sandbox: Chargebee UK bills is nearest to being disabled by m3ter\n")
    assert f"! Chargebee UK bills     2 of 10  enabled{doubt} (no completed run was found)" in out
    assert "  Chargebee US bills     0 of 10  enabled\n" in out
    assert f"perform                bill {bill}" in out
    assert "the destination refused the bill" in out
    assert "This one is inferred" in " ".join(out.split())
    document = place.json("events")
    counts = {
        integration["name"]: integration["errorsInARow"] for integration in document["integrations"]
    }
    assert counts[UK] == 2


def test_events_name_what_m3ter_disabled(tmp_path: Path, emulate: Emulate) -> None:
    running = emulate(requests_per_second=0, native_runs="error", auto_disable_after=1)
    place = LiveRepository.of_example(tmp_path, running).applied()
    approve(place, "acme-uk")
    out = place.ok("events --limit 5")
    assert out.startswith("sandbox: m3ter has disabled Chargebee UK bills\n")
    assert "! Chargebee UK bills     1 of 10  disabled by m3ter" in out
    assert "  disabled  " in out


def test_doctor_finds_everything_well_after_discover(place: LiveRepository) -> None:
    code, out, _ = place.run("doctor")
    assert code == 10
    assert "! problem  dialect of Chargebee" in out
    assert "Run `reconciler discover --env sandbox`." in out
    place.applied()
    out = place.ok("doctor")
    assert "! problem" not in out
    assert "18 settings, all as m3ter publishes them" in out
    assert "writable; applied record 2 of " in out
    assert "whether the key may write can only be seen by writing" in out


def test_doctor_goes_on_after_a_problem(place: LiveRepository) -> None:
    place.ok("discover")
    place.edit("environments/sandbox.yaml", "{name: Chargebee UK (test)}", "{name: Nope}")
    place.edit("chargebee-uk/integration.yaml", "billing-oncall@example.com", "x@example.com")
    place.edit("chargebee-uk/prices.yaml", "ItemPrice", "Item Price")
    place.edit("dialects/chargebee-sandbox.yaml", "chargebeeCreateInvoice", "old")
    code, out, _ = place.run("doctor")
    assert code == 10
    text = " ".join(out.split())
    assert "m3ter has no credential for `chargebee-uk`" in text
    assert "m3ter does not know `x@example.com`" in text
    assert "externalTable `Item Price` is not known there" in text
    assert "`chargebee.createInvoice` was `old` in the dialect" in text
    assert "4 problems" in text


def test_doctor_says_which_settings_a_dialect_has_too_few_or_too_many(
    place: LiveRepository,
) -> None:
    place.ok("discover")
    file = "dialects/chargebee-sandbox.yaml"
    place.edit(file, "    entity.accountFilter: accountFilter\n", "")
    assert "m3ter publishes more than it has: `entity.accountFilter`" in " ".join(
        place.run("doctor")[1].split()
    )


def test_doctor_ends_by_the_worst(place: LiveRepository) -> None:
    place.environ["M3TER_API_SECRET"] = "wrong"
    code, out, _ = place.run("doctor")
    assert code == 11
    assert "m3ter does not accept the key" in " ".join(out.split())
    del place.environ["M3TER_API_SECRET"]
    code, out, _ = place.run("doctor")
    assert code == 11
    assert "cannot be used: the variable is not set" in " ".join(out.split())
    assert "not checked" in out


def test_doctor_of_broken_files_looks_no_further(place: LiveRepository) -> None:
    place.write("project.yaml", "a: [")
    code, out, _ = place.run("doctor --format json")
    assert code == 10
    assert '"check": "files"' in out
    assert "the definitions must be valid first" in out


def test_doctor_says_when_the_state_cannot_be_written(place: LiveRepository) -> None:
    place.ok("discover")
    (place.root / ".reconciler").write_text("a file, no folder")
    code, out, _ = place.run("doctor")
    assert code == 10
    assert "the state folder cannot be used" in " ".join(out.split())


def test_doctor_needs_the_remote_of_a_state_in_git(place: LiveRepository) -> None:
    place.edit("project.yaml", "backend: directory", "backend: git-branch")
    code, out, err = place.run("doctor")
    assert code == 11, out
    assert "remote" in out + err


def test_doctor_mentions_warnings_and_a_dirty_checkout(place: LiveRepository) -> None:
    place.edit("chargebee-uk/accounts.csv", "sub_test_acme_uk", "")
    place.environ |= {"GITHUB_SHA": "0123456789abcdef"}
    _, out, _ = place.run("doctor")
    assert "? look at  files" in out
