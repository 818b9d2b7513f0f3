from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from fakes.m3ter_api import DirectApi

CONFIG: dict[str, Any] = {"entityType": "Bill", "destination": "Chargebee", "name": "uk"}
DATA = {
    "chargebeeCreateInvoice": True,
    "chargebeeMultiDecimalPriceDecimalPlaces": 3,
    "accountIds": ["a"],
    "chargebeePriceIdMapping": {"USAGE": "usage-GBP"},
    "accountFilter": None,
    "ofTheirOwn": {"x": [Decimal("1.5")]},
}


@pytest.fixture
def api() -> DirectApi:
    return DirectApi()


def credential_id(api: DirectApi, name: str = "Chargebee UK (test)") -> str:
    found = api.store.where("m3ter/integrationcredentials", "name", name)
    key: str = found[0]["id"]
    return key


def test_a_new_configuration_is_enabled_and_connected_only_with_a_credential(
    api: DirectApi,
) -> None:
    loose = api.ok("POST", "/integrationconfigs", CONFIG)
    assert (loose["enabled"], loose["authorized"]) == (True, False)
    assert "integrationCredentialsId" not in loose
    body = {**CONFIG, "integrationCredentialsId": credential_id(api)}
    assert api.ok("POST", "/integrationconfigs", body)["authorized"] is True


def test_a_put_without_the_credential_disconnects(api: DirectApi) -> None:
    body = {**CONFIG, "integrationCredentialsId": credential_id(api)}
    made = api.ok("POST", "/integrationconfigs", body)
    changed = api.ok("PUT", f"/integrationconfigs/{made['id']}", {**CONFIG, "version": 1})
    assert (changed["authorized"], changed["version"]) == (False, 2)


def test_configurations_are_listed_read_and_deleted(api: DirectApi) -> None:
    made = api.ok("POST", "/integrationconfigs", CONFIG)
    path = f"/integrationconfigs/{made['id']}"
    assert api.everything("/integrationconfigs")[0] == made
    assert api.ok("GET", path) == made
    assert api.ok("DELETE", path) == made
    assert api.refused("GET", path)[0] == 404


def test_the_list_filters_by_destination_id(api: DirectApi) -> None:
    hook = next(
        candidate
        for candidate in api.everything("/integrationconfigs")
        if "destinationId" in candidate
    )
    assert api.everything("/integrationconfigs", destinationId=hook["destinationId"]) == [hook]


def test_the_read_may_have_the_shape_the_specification_says() -> None:
    api = DirectApi(get_config_shape="run")
    made = api.ok("POST", "/integrationconfigs", CONFIG)
    run = api.ok("GET", f"/integrationconfigs/{made['id']}")
    assert (run["id"], run["status"], "configData" in run) == (made["id"], "WAITING", False)
    assert api.everything("/integrationconfigs/entity/Bill")[0] == run


def test_configurations_of_an_entity_type(api: DirectApi) -> None:
    made = api.ok("POST", "/integrationconfigs", CONFIG)
    path = "/integrationconfigs/entity/Bill"
    assert api.everything(path, destination="Chargebee") == [made]
    assert len(api.everything(path)) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"entityType": ""},
        {"destination": "Charge bee"},
        {"destination": 5},
        {"configData": []},
        {"name": 1},
        {"integrationCredentialsId": ["x"]},
        {"integrationCredentialsId": "unknown"},
    ],
)
def test_a_bad_field_is_refused(api: DirectApi, change: dict[str, Any]) -> None:
    assert api.refused("POST", "/integrationconfigs", {**CONFIG, **change})[0] == 400


def test_an_unknown_credential_may_be_accepted_by_switch() -> None:
    api = DirectApi(unknown_credential="accept")
    body = {**CONFIG, "integrationCredentialsId": "unknown"}
    assert api.ok("POST", "/integrationconfigs", body)["authorized"] is False


def test_a_name_may_be_used_twice_unless_the_switch_rejects(api: DirectApi) -> None:
    api.ok("POST", "/integrationconfigs", CONFIG)
    api.ok("POST", "/integrationconfigs", CONFIG)
    strict = DirectApi(duplicate_config_names="reject")
    made = strict.ok("POST", "/integrationconfigs", CONFIG)
    assert strict.refused("POST", "/integrationconfigs", CONFIG)[0] == 400
    strict.ok("PUT", f"/integrationconfigs/{made['id']}", {**CONFIG, "version": 1})


def test_a_destination_changes_unless_the_switch_refuses(api: DirectApi) -> None:
    body = {**CONFIG, "destination": "Stripe", "version": 1}
    made = api.ok("POST", "/integrationconfigs", CONFIG)
    assert api.ok("PUT", f"/integrationconfigs/{made['id']}", body)["destination"] == "Stripe"
    strict = DirectApi(change_destination="refuse")
    made = strict.ok("POST", "/integrationconfigs", CONFIG)
    assert strict.refused("PUT", f"/integrationconfigs/{made['id']}", body)[0] == 400
    strict.ok("PUT", f"/integrationconfigs/{made['id']}", {**CONFIG, "version": 1})


@pytest.mark.parametrize(("switch", "version"), [(True, 2), (False, 1)])
def test_enabling_raises_the_version_by_switch(switch: bool, version: int) -> None:
    api = DirectApi(enable_raises_version=switch)
    made = api.ok("POST", "/integrationconfigs", CONFIG)
    enabled = api.ok("POST", f"/integrationconfigs/{made['id']}/enable")
    assert (enabled["enabled"], enabled["version"]) == (True, version)


def test_a_console_user_can_disconnect_and_disable(api: DirectApi) -> None:
    body = {**CONFIG, "integrationCredentialsId": credential_id(api)}
    made = api.ok("POST", "/integrationconfigs", body)
    without = {key: value for key, value in made.items() if key != "integrationCredentialsId"}
    edited = api.half.user_edit({**without, "enabled": False}, "k.smith")
    assert edited["authorized"] is False
    assert (edited["enabled"], edited["version"]) == (False, 2)
    assert edited["lastModifiedBy"] == "k.smith"


@pytest.mark.parametrize(
    ("way", "status", "left"),
    [("keep-mappings", 200, 2), ("delete-mappings", 200, 1), ("refuse", 400, 2)],
)
def test_deleting_a_configuration_with_mappings_is_a_switch(
    way: str, status: int, left: int
) -> None:
    api = DirectApi(delete_linked_config=way)
    made = api.ok("POST", "/integrationconfigs", CONFIG)
    mapping = {
        "m3terEntity": "Account",
        "m3terId": "a",
        "externalSystem": "Chargebee",
        "externalTable": "Subscription",
        "externalId": "s",
        "integrationConfigId": made["id"],
    }
    api.ok("POST", "/externalmappings", mapping)
    assert api.send("DELETE", f"/integrationconfigs/{made['id']}")[0] == status
    assert len(api.everything("/externalmappings")) == left


def test_config_data_is_kept_as_it_was_sent_by_default(api: DirectApi) -> None:
    made = api.ok("POST", "/integrationconfigs", {**CONFIG, "configData": DATA})
    assert made["configData"] == DATA


def test_unknown_keys_are_dropped_or_rejected_by_switch() -> None:
    api = DirectApi(unknown_keys="drop")
    made = api.ok("POST", "/integrationconfigs", {**CONFIG, "configData": DATA})
    assert made["configData"].keys() == DATA.keys() - {"ofTheirOwn"}
    strict = DirectApi(unknown_keys="reject")
    status, message = strict.refused("POST", "/integrationconfigs", {**CONFIG, "configData": DATA})
    assert (status, "ofTheirOwn" in message) == (400, True)


def test_values_may_be_read_back_as_text() -> None:
    api = DirectApi(normalise="strings")
    made = api.ok("POST", "/integrationconfigs", {**CONFIG, "configData": DATA})
    assert made["configData"] == {
        "chargebeeCreateInvoice": "true",
        "chargebeeMultiDecimalPriceDecimalPlaces": "3",
        "accountIds": ["a"],
        "chargebeePriceIdMapping": {"USAGE": "usage-GBP"},
        "accountFilter": None,
        "ofTheirOwn": {"x": ["1.5"]},
    }


def test_defaults_may_be_echoed_for_settings_that_were_not_sent() -> None:
    api = DirectApi(normalise="defaults-echoed")
    sent = {"chargebeeCreateInvoice": True}
    made = api.ok("POST", "/integrationconfigs", {**CONFIG, "configData": sent})
    assert made["configData"]["chargebeeCreateInvoice"] is True
    assert made["configData"]["chargebeeUseMultidecimal"] is False
    assert made["configData"]["splitUsageLineItems"] == "ITEM_PER_USAGE_BAND"
    assert "accountFilter" not in made["configData"]


def bill_options(api: DirectApi, **query: str) -> dict[str, dict[str, Any]]:
    answer = api.ok(
        "GET", "/integrationconfigs/available", None, systemName="Chargebee", entityType="Bill"
    )
    entity = answer["supportedEntities"]["Bill"]
    [destination] = entity["destinations"]
    assert (destination["apiName"], destination["destination"]) == ("CHARGEBEE", "Chargebee")
    settings = [
        *answer["globalConfigurationOptions"],
        *entity["entityConfigurationOptions"],
        *destination["destinationConfigOptions"],
    ]
    return {setting.get("key") or setting["name"]: setting for setting in settings}


def test_what_is_available_names_every_setting_of_chargebee(api: DirectApi) -> None:
    options = bill_options(api)
    assert len(options) == 18
    split = options["splitUsageLineItems"]
    assert [option["id"] for option in split["options"]] == [
        "ITEM_PER_USAGE_BAND",
        "ITEM_PER_PRODUCT",
    ]
    assert len(options["excludedLineItemTypes"]["options"]) == 19
    assert options["chargebeeCreateInvoice"]["defaultValue"] is False


def test_the_spelling_and_shape_of_settings_are_switches() -> None:
    api = DirectApi(config_keys="screaming", config_setting_shape="name")
    options = bill_options(api)
    assert options["CHARGEBEE_DEFAULT_PRICE_ID"]["displayName"] == "Chargebee default price id"
    assert "values" in options["SPLIT_USAGE_LINE_ITEMS"]


def test_everything_available_covers_the_other_destinations(api: DirectApi) -> None:
    answer = api.ok("GET", "/integrationconfigs/available")
    names = {
        destination["destination"]
        for destination in answer["supportedEntities"]["Bill"]["destinations"]
    }
    assert names >= {"Chargebee", "Stripe", "Netsuite", "Xero", "AWS"}
    assert answer["supportedEntities"]["Notification"]["entityConfigurationOptions"] == []


def test_systems_their_entities_and_their_credentials(api: DirectApi) -> None:
    systems = api.ok("GET", "/integrationconfigs/available/systems", None, entityType="Bill")
    assert "Chargebee" in {system["identifier"] for system in systems}
    base = "/integrationconfigs/available/chargebee"
    assert api.ok("GET", f"{base}/entities") == [{"id": "Bill", "label": "Bill"}]
    assert {entry["label"] for entry in api.ok("GET", f"{base}/auth/Bill")} >= {"Site", "Api key"}


@pytest.mark.parametrize(
    "path",
    [
        "/integrationconfigs/available/Nobody/entities",
        "/integrationconfigs/available/Nobody/auth/Bill",
        "/integrationconfigs/values/Chargebee/nothing",
        "/externalmappingconfiguration/values/Nobody/Account",
    ],
)
def test_unknown_systems_and_options_are_not_found(api: DirectApi, path: str) -> None:
    assert api.refused("GET", path)[0] == 404


def test_nothing_is_available_of_an_unknown_system(api: DirectApi) -> None:
    path = "/integrationconfigs/available"
    assert api.refused("GET", path, None, systemName="Nobody")[0] == 404


@pytest.mark.parametrize(
    ("option", "label"),
    [
        ("sortLineItemsBy", "Aggregation id"),
        ("accountIds", "Acme UK"),
        ("integrationDisabledNotificationUsers", "k.smith@example.com"),
    ],
)
def test_values_of_an_option(api: DirectApi, option: str, label: str) -> None:
    values = api.ok("GET", f"/integrationconfigs/values/Chargebee/{option}")
    assert label in {value["label"] for value in values}


def test_values_of_price_options_are_chargebees_item_prices(api: DirectApi) -> None:
    api.store.put("chargebee/item_prices", {"id": "zz-test-GBP", "name": "Usage"})
    values = api.ok("GET", "/integrationconfigs/values/Chargebee/chargebeeDefaultPriceId")
    assert {"id": "zz-test-GBP", "label": "Usage"} in values
    assert api.ok("GET", "/integrationconfigs/values/Chargebee/accountFilter") == []
