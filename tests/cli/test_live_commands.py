"""discover, accept-live, keep-git and adopt as they are typed, against the emulator."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Emulate
from fakes.live_repository import UK, US, LiveRepository

from reconciler.emulator.running import RunningEmulator


@pytest.fixture
def place(tmp_path: Path, emulator: RunningEmulator) -> LiveRepository:
    return LiveRepository.of_example(tmp_path, emulator)


def edited_at_night(place: LiveRepository) -> LiveRepository:
    place.applied()
    config = place.config(UK)
    place.console(
        config["id"],
        name="UK (all)",
        configData={"onlySendBillOnApproval": False, "chargebeePriceIdMapping": {"USAGE": "u2"}},
    )
    return place


def test_discover_writes_a_dialect_that_lets_everything_be_planned(place: LiveRepository) -> None:
    out = place.ok("discover")
    assert "18 settings confirmed; wrote integrations.d/dialects/chargebee-sandbox.yaml" in out
    assert "All mapping sets use entities and tables that the organisation knows." in out
    place.ok("validate")
    assert "14 done of 14 changes" in place.ok("apply --yes")


def test_a_second_discover_touches_no_file(place: LiveRepository) -> None:
    place.ok("discover")
    before = place.text("dialects/chargebee-sandbox.yaml")
    assert "nothing new for" in place.ok("discover")
    assert place.text("dialects/chargebee-sandbox.yaml") == before


def test_discover_corrects_a_dialect_in_place_and_keeps_its_comments(
    place: LiveRepository,
) -> None:
    place.ok("discover")
    file = "dialects/chargebee-sandbox.yaml"
    place.edit(file, "  keys:", "  keys:  # read from the organisation")
    place.edit(file, "createInvoice: chargebeeCreateInvoice", "createInvoice: old")
    out = place.ok("discover")
    assert "edited integrations.d/dialects/chargebee-sandbox.yaml" in out
    assert "`chargebee.createInvoice` was `old` in the dialect" in out
    assert "createInvoice: chargebeeCreateInvoice" in place.text(file)
    assert "  keys:  # read from the organisation" in place.text(file)


def test_discover_says_which_table_m3ter_does_not_know(place: LiveRepository) -> None:
    place.edit("chargebee-uk/prices.yaml", "ItemPrice", "Item Price")
    out = place.ok("discover")
    assert "! integrations.d/chargebee-uk/prices.yaml:8:18  externalTable `Item Price`" in out
    assert "known: `Subscription`, `Customer`, `ItemPrice`" in out


def test_discover_says_when_m3ter_publishes_nothing(place: LiveRepository) -> None:
    place.edit("chargebee-us/integration.yaml", "destination: Chargebee", "destination: AWS")
    text = place.text("chargebee-us/integration.yaml")
    place.edit("chargebee-us/integration.yaml", text[text.index("  chargebee:") :], "")
    place.edit("chargebee-us/integration.yaml", "destination: AWS", "destination: Azure")
    code, out, _ = place.run("discover")
    assert code == 10
    assert "Azure Bills: this organisation publishes nothing about them" in out
    assert "dialects/azure-sandbox.yaml" not in place.files()
    assert "dialects/chargebee-sandbox.yaml" in place.files()


def test_accept_live_writes_into_a_patch_so_that_production_stays(place: LiveRepository) -> None:
    edited_at_night(place)
    before = place.text("chargebee-uk/integration.yaml")
    writes = place.writes()
    out = place.ok("accept-live integration/chargebee-uk#displayName")
    assert "Chargebee UK bills -> UK (all)" in out
    assert "by k.smith" in out
    assert "now in integrations.d/chargebee-uk/sandbox.yaml:7:16" in out
    assert "Only sandbox changes; production as before." in out
    assert place.text("chargebee-uk/integration.yaml") == before
    assert place.writes() == writes
    production = place.ok("render --env production")
    assert "displayName: Chargebee UK bills" in production


def test_accept_live_of_an_object_takes_all_that_m3ter_moved(place: LiveRepository) -> None:
    edited_at_night(place)
    place.ok("accept-live integration/chargebee-uk")
    assert "is as git says" in place.ok("plan --exit-code")
    again = place.ok("accept-live integration/chargebee-uk")
    assert again == "There is nothing to accept: m3ter moved none of it. No file was written.\n"


def test_accept_live_edits_the_one_file_of_a_lonely_environment(place: LiveRepository) -> None:
    (place.root / "integrations.d/environments/production.yaml").unlink()
    (place.root / "integrations.d/chargebee-uk/production.yaml").unlink()
    for name in ("chargebee-uk", "chargebee-us"):
        text = place.text(f"{name}/accounts.csv")
        rows = [",".join(line.split(",")[:2]) for line in text.splitlines()]
        place.write(f"{name}/accounts.csv", "\n".join(rows) + "\n")
        place.edit(f"{name}/accounts.yaml", ", production: production", "")
    text = place.text("chargebee-us/prices.yaml")
    place.write("chargebee-us/prices.yaml", text.replace(", production: api-calls-2026-USD", ""))
    edited_at_night(place)
    out = place.ok("accept-live integration/chargebee-uk")
    assert "now in integrations.d/chargebee-uk/integration.yaml:6:16" in out
    text = place.text("chargebee-uk/integration.yaml")
    assert "displayName: UK (all)          # Name in the Console" in text
    assert "priceIdMapping: {USAGE: u2, AD_HOC: adhoc-GBP}" in text
    assert "is as git says" in place.ok("plan")


def test_accept_live_edits_the_patch_that_sets_the_value(place: LiveRepository) -> None:
    place.write(
        "chargebee-uk/sandbox.yaml",
        "# ours\napiVersion: m3ter-reconciler/v1\nkind: Integration\n"
        "metadata: {name: chargebee-uk, environment: sandbox}\n"
        "spec:\n  chargebee: {minimumSpendItemPrice: first}  # for tests\n",
    )
    place.applied()
    config = place.config(UK)
    place.console(config["id"], configData={"chargebeeMinimumSpendItemPrice": "second"})
    place.ok("accept-live integration/chargebee-uk")
    assert "chargebee: {minimumSpendItemPrice: second}  # for tests" in place.text(
        "chargebee-uk/sandbox.yaml"
    )
    place.console(place.config(UK)["id"], configData={"chargebeeMinimumSpendItemPrice": None})
    out = place.ok("accept-live integration/chargebee-uk#chargebee.minimumSpendItemPrice")
    assert "removed from git" in out
    assert "minimumSpendItemPrice: null" in place.text("chargebee-uk/sandbox.yaml")
    assert "is as git says" in place.ok("plan")


def test_accept_live_writes_accounts_by_code_in_the_order_git_has(place: LiveRepository) -> None:
    place.applied()
    ids = {entry["code"]: entry["id"] for entry in place.live("accounts")}
    wanted = [ids["acme-us"], ids["initech-uk"], ids["acme-uk"]]
    place.console(place.config(UK)["id"], configData={"accountIds": wanted})
    place.ok("accept-live integration/chargebee-uk#global")
    text = place.text("chargebee-uk/sandbox.yaml")
    codes = [line.split(": ")[1] for line in text.splitlines() if "- code" in line]
    assert codes == ["acme-uk", "initech-uk", "acme-us"]
    assert "is as git says" in place.ok("plan")


def test_accept_live_takes_an_unknown_key_over_when_asked(place: LiveRepository) -> None:
    place.applied()
    place.console(place.config(UK)["id"], configData={"somethingNew": {"a": 1}})
    place.ok("accept-live integration/chargebee-uk#configData.somethingNew")
    assert "somethingNew:\n      a: 1" in place.text("chargebee-uk/sandbox.yaml")
    assert "is as git says" in place.ok("plan")


def test_accept_live_of_a_disconnection_and_of_a_disabling(place: LiveRepository) -> None:
    place.applied()
    place.console(
        place.config(UK)["id"], integrationCredentialsId=None, authorized=False, enabled=False
    )
    place.ok("accept-live integration/chargebee-uk#connection")
    place.ok("accept-live integration/chargebee-uk#enabled")
    text = place.text("chargebee-uk/sandbox.yaml")
    assert "connection: disconnected" in text
    assert "enabled: null" in text
    assert "leave alone" in place.ok("plan")


def test_accept_live_names_the_credential_that_the_environment_lacks(
    place: LiveRepository,
) -> None:
    place.applied()
    stripe = next(
        candidate
        for candidate in place.live("integrationcredentials")
        if candidate["name"] == "Stripe (test)"
    )
    place.console(place.config(UK)["id"], integrationCredentialsId=stripe["id"])
    code, _, err = place.run("accept-live integration/chargebee-uk")
    assert code == 10
    assert f"my-name: {{id: {stripe['id']}}}" in err


def test_accept_live_that_would_make_the_files_invalid_writes_nothing(
    place: LiveRepository,
) -> None:
    place.applied()
    before = {file: place.text(file) for file in place.files()}
    place.console(place.config(UK)["id"], configData={"splitUsageLineItems": "ITEM_PER_MOON"})
    code, _, err = place.run("accept-live integration/chargebee-uk")
    assert code == 10
    assert "what m3ter has cannot stand in git as it is" in err
    assert "No file was written" in err
    assert {file: place.text(file) for file in place.files()} == before


def test_accept_live_edits_csv_cells_and_inline_rows(place: LiveRepository) -> None:
    place.applied()
    place.console_mapping("sub_test_acme_uk", externalId="sub_new")
    place.console_mapping("api-calls-GBP", externalId="api-2")
    place.console_mapping("api-calls-USD", externalId="api-3")
    place.ok("accept-live mapping/chargebee-uk-accounts/acme-uk")
    place.ok("accept-live mapping/chargebee-uk-prices")
    place.ok("accept-live mapping/chargebee-us-prices/api-calls#externalId")
    assert "acme-uk,sub_new,sub_acme_uk\n" in place.text("chargebee-uk/accounts.csv")
    uk, us = place.text("chargebee-uk/prices.yaml"), place.text("chargebee-us/prices.yaml")
    assert (
        "{m3ter: {code: api-calls}, externalId: {production: api-calls-GBP, sandbox: api-2}}" in uk
    )
    assert "externalId: {sandbox: api-3, production: api-calls-2026-USD}" in us
    assert "is as git says" in place.ok("plan")


def test_accept_live_of_a_deleted_mapping_removes_its_row_here_only(place: LiveRepository) -> None:
    place.applied()
    for gone in ("sub_test_acme_uk", "storage-GBP"):
        row = next(
            candidate
            for candidate in place.live("externalmappings")
            if candidate["externalId"] == gone
        )
        place.call("DELETE", f"/externalmappings/{row['id']}")
    out = place.ok("accept-live mapping/chargebee-uk-accounts/acme-uk")
    assert "removed from git" in out
    place.ok("accept-live mapping/chargebee-uk-prices/storage")
    assert "acme-uk,,sub_acme_uk\n" in place.text("chargebee-uk/accounts.csv")
    assert "{production: storage-GBP}" in place.text("chargebee-uk/prices.yaml")
    assert "to create" not in place.ok("plan")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("accept-live integration/nope", "git has no integration/nope"),
        ("accept-live mapping/nope", "git has no mapping/nope"),
        ("accept-live integration/chargebee-uk#nope", "has no field `nope`"),
        ("accept-live chargebee-uk", "is no address"),
        ("keep-git integration/chargebee-uk#", "is no address"),
        ("keep-git mapping/chargebee-uk-accounts/", "is no address"),
        ("keep-git integration/nope", "git has no integration/nope"),
        ("adopt integration/nope", "git has no integration/nope"),
        ("adopt integration/chargebee-uk --id nope", "m3ter has no object nope"),
    ],
)
def test_a_wrong_address_is_said_in_words(place: LiveRepository, command: str, says: str) -> None:
    place.applied()
    code, out, err = place.run(command)
    assert (code, out) == (10, "")
    assert says in err


def test_what_is_not_live_cannot_be_decided_about(place: LiveRepository) -> None:
    place.ok("discover")
    for command in ("accept-live", "keep-git"):
        code, _, err = place.run(f"{command} integration/chargebee-uk")
        assert code == 10
        assert "integration/chargebee-uk is not in m3ter" in err
    code, _, err = place.run("accept-live mapping/chargebee-uk-accounts/acme-uk")
    assert (code, "is not in m3ter" in err) == (10, True)
    code, _, err = place.run("adopt integration/chargebee-uk")
    assert (code, "nothing that could be integration/chargebee-uk" in err) == (10, True)


def test_keep_git_lets_the_next_apply_return_to_git(place: LiveRepository) -> None:
    edited_at_night(place)
    assert place.run("plan --exit-code")[0] == 3
    out = place.ok("keep-git integration/chargebee-uk")
    assert "UK (all) -> Chargebee UK bills" in out
    assert "Decided for git." in out
    assert place.run("plan --exit-code")[0] == 2
    assert "nothing to decide" in place.ok("keep-git integration/chargebee-uk")
    place.ok("apply --yes")
    assert place.config(UK)["name"] == UK
    assert "is as git says" in place.ok("plan")


def test_keep_git_of_something_never_applied_says_so(place: LiveRepository) -> None:
    place.applied()
    place.ok("plan")
    state = place.root / ".reconciler"
    state.rename(place.root / "elsewhere")
    code, _, err = place.run("keep-git integration/chargebee-uk")
    assert code == 10
    assert "is not bound to an object in m3ter" in err


def test_adopt_binds_what_is_equal_and_shows_what_differs(place: LiveRepository) -> None:
    edited_at_night(place)
    (place.root / ".reconciler").rename(place.root / "elsewhere")
    place.edit("project.yaml", "adoption: by-name", "adoption: explicit")
    live = place.config("UK (all)")["id"]
    code, _, _ = place.run("adopt integration/chargebee-uk")
    assert code == 10, "no object bears the name any more"
    out = place.ok(f"adopt integration/chargebee-uk --id {live}")
    assert "entity.onlySendBillOnApproval: m3ter has false, git wants true" in out
    assert "displayName: m3ter has UK (all), git wants Chargebee UK bills" in out
    assert "3 objects are managed" in place.ok("adopt mapping/chargebee-uk-accounts")
    assert "nothing to adopt" in place.ok("adopt mapping/chargebee-uk-accounts")
    place.ok("keep-git integration/chargebee-uk#entity.onlySendBillOnApproval")
    place.ok("accept-live integration/chargebee-uk#displayName")
    place.ok("accept-live integration/chargebee-uk#chargebee.priceIdMapping")
    assert "as git says" in place.ok("adopt integration/chargebee-us")
    assert "status" not in place.ok("status")
    place.ok("apply --yes")
    config = place.config("UK (all)")
    assert config["configData"]["onlySendBillOnApproval"] is True
    assert config["configData"]["chargebeePriceIdMapping"]["USAGE"] == "u2"


def test_adopt_refuses_an_object_that_another_address_manages(place: LiveRepository) -> None:
    place.applied()
    live = place.config(US)["id"]
    code, _, err = place.run(f"adopt integration/chargebee-uk --id {live}")
    assert code == 10
    assert f"{live} is integration/chargebee-us already" in err


def test_accept_live_under_every_spelling_of_the_server(tmp_path: Path, emulate: Emulate) -> None:
    switches = {"config_keys": "screaming", "normalise": "strings", "requests_per_second": 0}
    place = LiveRepository.of_example(tmp_path, emulate(**switches)).applied()
    data = {"ONLY_SEND_BILL_ON_APPROVAL": "false", "SORT_LINE_ITEMS_BY": "SUBTOTAL"}
    place.console(place.config(UK)["id"], configData=data)
    place.ok("accept-live integration/chargebee-uk")
    text = place.text("chargebee-uk/sandbox.yaml")
    assert "onlySendBillOnApproval: false" in text
    assert "sortLineItemsBy: subtotal" in text
    assert "is as git says" in place.ok("plan")


def test_discover_without_mapping_sets_or_without_published_tables(
    place: LiveRepository,
) -> None:
    place.control(
        "/_emulator/faults",
        {
            "rules": [
                {
                    "match": {
                        "vendor": "m3ter",
                        "method": "GET",
                        "path": f"/organizations/{place.org}/externalmappingconfiguration",
                    },
                    "fault": "http_500",
                    "times": 1,
                }
            ]
        },
    )
    assert "All mapping sets use" in place.ok("discover"), "one failure is asked again"
    for name in ("chargebee-uk", "chargebee-us"):
        for kind in ("accounts.yaml", "prices.yaml", "accounts.csv"):
            (place.root / "integrations.d" / name / kind).unlink()
        place.edit(f"{name}/integration.yaml", "enforceExternalMappingsForConfig: true", "")
    place.edit("chargebee-us/integration.yaml", "createInvoice: false", "createInvoice: true")
    assert "All mapping sets use" in place.ok("discover")
