"""import as it is typed, against the emulator: into an empty repository, and again."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Emulate
from fakes.live_repository import UK, US, LiveRepository

from reconciler.emulator.running import RunningEmulator


@pytest.fixture
def place(tmp_path: Path, emulator: RunningEmulator) -> LiveRepository:
    return LiveRepository.of_example(tmp_path / "example", emulator).applied()


@pytest.fixture
def fresh(tmp_path: Path, place: LiveRepository, emulator: RunningEmulator) -> LiveRepository:
    assert place.live("externalmappings"), "the organisation has something to import"
    (tmp_path / "fresh").mkdir()
    return LiveRepository.started(tmp_path / "fresh", emulator)


def add_accounts(place: LiveRepository, count: int) -> None:
    """Map so many more accounts of the UK integration, by API."""
    config = place.config(UK)["id"]
    for number in range(count):
        made = place.call(
            "POST",
            "/accounts",
            {"code": f"new-{number:02}", "name": f"New {number}", "emailAddress": "a@example.com"},
        )
        body = {
            "m3terEntity": "Account",
            "m3terId": made["id"],
            "externalSystem": "Chargebee",
            "externalTable": "Subscription",
            "externalId": f"sub_new_{number:02}",
            "integrationConfigId": config,
        }
        place.call("POST", "/externalmappings", body)


def test_everything_live_becomes_definitions_that_only_need_adoption(
    fresh: LiveRepository,
) -> None:
    writes = fresh.writes()
    out = fresh.ok("import")
    assert "4 integrations in m3ter looked at · 4 new in git · 11 mappings added" in out
    assert fresh.ok("validate").startswith("No problems in ")
    assert fresh.writes() == writes
    plan = fresh.ok("plan")
    assert "  15 to take over\n" in plan
    fresh.ok("apply --yes")
    assert "is as git says: 4 integrations, 11 mappings" in fresh.ok("plan --exit-code")
    assert fresh.writes() == writes


@pytest.mark.parametrize("keys", ["camel", "screaming"])
@pytest.mark.parametrize("normalise", ["strings", "defaults-echoed"])
def test_an_import_needs_only_adoption_however_the_server_spells(
    tmp_path: Path, emulate: Emulate, keys: str, normalise: str
) -> None:
    running = emulate(config_keys=keys, normalise=normalise, requests_per_second=0)
    LiveRepository.of_example(tmp_path / "example", running).applied()
    (tmp_path / "fresh").mkdir()
    fresh = LiveRepository.started(tmp_path / "fresh", running)
    fresh.ok("import")
    assert "  15 to take over\n" in fresh.ok("plan")
    fresh.ok("apply --yes")
    assert "is as git says" in fresh.ok("plan --exit-code")


def test_a_second_import_changes_no_file(fresh: LiveRepository) -> None:
    fresh.ok("import")
    before = {file: fresh.text(file) for file in fresh.files()}
    assert "Git says all of it already." in fresh.ok("import")
    assert {file: fresh.text(file) for file in fresh.files()} == before


def test_an_import_edits_in_place_and_keeps_comments(place: LiveRepository) -> None:
    place.console(
        place.config(UK)["id"], name="UK (all)", configData={"chargebeeDefaultPriceId": "other"}
    )
    place.console_mapping("sub_test_acme_us", externalId="sub_moved")
    before = place.text("chargebee-uk/integration.yaml")
    out = place.ok(f"import --integration 'UK (all)' --integration {place.config(US)['id']}")
    assert "3 values edited" in out
    assert "Chargebee UK bills -> UK (all)" in out
    assert place.text("chargebee-uk/integration.yaml") == before
    assert "displayName: UK (all)" in place.text("chargebee-uk/sandbox.yaml")
    assert "acme-us,sub_moved,sub_acme_us" in place.text("chargebee-us/accounts.csv")
    assert "is as git says" in place.ok("plan --exit-code")
    assert "stripe-internal-bills/integration.yaml" not in place.files()


def test_an_import_takes_live_values_even_where_git_moved_ahead(place: LiveRepository) -> None:
    place.edit("chargebee-uk/integration.yaml", "Chargebee UK bills", "Something else")
    place.ok("import --integration chargebee-uk")
    assert "is as git says" in place.ok("plan --exit-code")


def test_new_mappings_join_the_sets_that_git_has(place: LiveRepository) -> None:
    add_accounts(place, 2)
    out = place.ok("import --integration chargebee-uk")
    assert "2 added to sets that git has" in out or "2 mappings added" in out
    assert "new-00,sub_new_00,\nnew-01,sub_new_01,\n" in place.text("chargebee-uk/accounts.csv")
    assert "  2 to take over\n" in place.ok("plan")


def test_new_inline_rows_hold_in_their_environment_only(place: LiveRepository) -> None:
    plan = next(candidate for candidate in place.live("products") if candidate["code"] == "storage")
    row = next(
        candidate
        for candidate in place.live("externalmappings")
        if candidate["externalId"] == "storage-USD"
    )
    place.edit(
        "chargebee-us/prices.yaml", "    - {m3ter: {code: storage}, externalId: storage-USD}\n", ""
    )
    assert row["m3terId"] == plan["id"]
    (place.root / ".reconciler").rename(place.root / "elsewhere")
    place.ok("import --integration 'Chargebee US bills'")
    text = place.text("chargebee-us/prices.yaml")
    assert "code: storage" in text
    assert "sandbox: storage-USD" in text
    assert "storage-USD" not in place.ok("render --env production")


def test_many_mappings_go_into_a_csv_file(place: LiveRepository, fresh: LiveRepository) -> None:
    add_accounts(place, 8)
    fresh.ok("import --integration 'Chargebee UK bills'")
    text = fresh.text("chargebee-uk-bills/accounts.csv")
    assert text.startswith("account_code,sandbox\nacme-uk,sub_test_acme_uk\n")
    assert "new-07,sub_new_07\n" in text
    assert "csv: accounts.csv" in fresh.text("chargebee-uk-bills/accounts.yaml")
    assert "to take over" in fresh.ok("plan")
    assert fresh.run("plan --exit-code")[0] == 2


def test_an_import_beside_another_environment_connects_only_its_own(
    place: LiveRepository,
) -> None:
    out = place.ok("import --out integrations.d/found")
    assert "in production the next plan will want to create it" in " ".join(out.split())
    base = place.text("found/stripe-internal-bills/integration.yaml")
    patch = place.text("found/stripe-internal-bills/sandbox.yaml")
    assert "connection: disconnected" in base
    assert "credential: stripe-test" in patch
    assert "stripe-test:" in place.text("environments/sandbox.yaml")
    assert "sandbox: cus_internal_demo" in place.text("found/stripe-internal-bills/accounts.yaml")
    assert "  3 to take over\n" in place.ok("plan")


def test_unlinked_mappings_come_along_with_everything(fresh: LiveRepository) -> None:
    account = fresh.live("accounts")[0]
    body = {
        "m3terEntity": "Account",
        "m3terId": account["id"],
        "externalSystem": "Salesforce",
        "externalTable": "Account",
        "externalId": "001A",
    }
    fresh.call("POST", "/externalmappings", body)
    fresh.ok("import")
    text = fresh.text("salesforce-mappings/salesforce-accounts.yaml")
    assert "externalSystem: Salesforce" in text
    assert "integration:" not in text
    assert "  16 to take over\n" in fresh.ok("plan")


def test_a_name_that_does_not_exist_is_said_with_those_that_do(place: LiveRepository) -> None:
    code, _, err = place.run("import --integration nope")
    assert code == 10
    assert 'm3ter has no integration "nope"; there are: "Bill approved to chat"' in err


def test_new_files_must_stay_inside_integrations_d(place: LiveRepository) -> None:
    for folder in ("elsewhere", "integrations.d/../x"):
        code, _, err = place.run(f"import --out {folder}")
        assert code == 10
        assert "is not inside integrations.d" in err


def test_what_cannot_stand_in_git_is_left_out_with_the_reason(
    place: LiveRepository, fresh: LiveRepository
) -> None:
    config = {"entityType": "Bill", "destination": "Xero", "configData": {}}
    for name in ("twin", "twin"):
        place.call("POST", "/integrationconfigs", {**config, "name": name})
    place.call(
        "POST", "/integrationconfigs", {**config, "destination": "Custom", "name": "Odd one"}
    )
    out = " ".join(fresh.ok("import").split())
    assert '! "twin" was left out: several have its name' in out
    assert '! "Odd one" was left out: the destination Custom is not known here' in out
    assert "3 left out" in out


def test_mappings_that_git_has_no_set_for_get_one_beside_their_integration(
    place: LiveRepository,
) -> None:
    (place.root / "integrations.d/chargebee-uk/prices.yaml").unlink()
    (place.root / ".reconciler").rename(place.root / "elsewhere")
    place.ok("import --integration 'Chargebee UK bills'")
    text = place.text("chargebee-uk/products.yaml")
    assert "name: chargebee-uk-products" in text
    assert "sandbox: api-calls-GBP" in text
    assert "to create" not in place.ok("plan")


def test_what_breaks_a_rule_is_left_out_and_the_rest_is_imported(
    place: LiveRepository, fresh: LiveRepository
) -> None:
    credential = place.config(US)["integrationCredentialsId"]
    body = {
        "entityType": "Bill",
        "destination": "Chargebee",
        "name": "No prices",
        "configData": {"chargebeeCreateInvoice": True},
        "integrationCredentialsId": credential,
    }
    place.call("POST", "/integrationconfigs", body)
    out = " ".join(fresh.ok("import").split())
    assert '! "No prices" was left out: it breaks rule R076: no price for lines' in out
    assert "4 new in git" in out
    assert "no-prices/integration.yaml" not in fresh.files()
    fresh.ok("validate")
    out = fresh.ok("import --integration 'No prices'")
    assert "Git says the rest already." in out
