from __future__ import annotations

from typing import Any

import pytest
from fakes.m3ter_api import DirectApi

MAPPING = {
    "m3terEntity": "Account",
    "m3terId": "account-1",
    "externalSystem": "Chargebee",
    "externalTable": "Subscription",
    "externalId": "sub-1",
}


@pytest.fixture
def api() -> DirectApi:
    return DirectApi()


def test_a_mapping_is_made_read_changed_and_deleted(api: DirectApi) -> None:
    made = api.ok("POST", "/externalmappings", MAPPING)
    path = f"/externalmappings/{made['id']}"
    assert api.ok("GET", path) == made
    changed = api.ok("PUT", path, {**MAPPING, "externalId": "sub-2", "version": 1})
    assert (changed["externalId"], changed["version"]) == ("sub-2", 2)
    assert api.ok("DELETE", path) == changed


def test_mappings_are_found_from_both_sides(api: DirectApi) -> None:
    made = api.ok("POST", "/externalmappings", MAPPING)
    base = "/externalmappings"
    assert api.everything(f"{base}/externalid/Chargebee/Subscription/sub-1") == [made]
    assert api.everything(f"{base}/externalid/Chargebee/Customer/sub-1") == []
    assert api.everything(f"{base}/external/Account/account-1") == [made]
    assert api.everything(f"{base}/external/Product/account-1") == []


def test_the_list_has_its_filters(api: DirectApi) -> None:
    config = api.everything("/integrationconfigs")[0]
    loose = api.ok("POST", "/externalmappings", MAPPING)
    body = {**MAPPING, "m3terId": "account-2", "integrationConfigId": config["id"]}
    linked = api.ok("POST", "/externalmappings", body)
    path = "/externalmappings"
    assert api.everything(path, externalSystemId="Chargebee") == [linked, loose]
    assert api.everything(path, m3terIds="account-1,account-3") == [loose]
    assert api.everything(path, integrationConfigId=config["id"]) == [linked]
    assert api.everything(path, integrationConfigId=config["id"], m3terIds="account-1") == []


def test_pages_of_linked_mappings(api: DirectApi) -> None:
    config = api.everything("/integrationconfigs")[0]
    for number in range(5):
        body = {**MAPPING, "m3terId": f"a{number}", "integrationConfigId": config["id"]}
        api.ok("POST", "/externalmappings", body)
    found = api.everything("/externalmappings", integrationConfigId=config["id"], pageSize="2")
    assert [entry["m3terId"] for entry in found] == ["a4", "a3", "a2", "a1", "a0"]


@pytest.mark.parametrize(
    "change",
    [
        {"externalId": ""},
        {"externalId": " sub"},
        {"externalId": "sub\n"},
        {"externalId": "a\tb"},
        {"m3terId": 7},
        {"m3terEntity": None},
        {"integrationConfigId": "unknown"},
        {"integrationConfigId": ["x"]},
    ],
)
def test_a_bad_field_is_refused(api: DirectApi, change: dict[str, Any]) -> None:
    assert api.refused("POST", "/externalmappings", {**MAPPING, **change})[0] == 400


def test_inner_spaces_are_allowed(api: DirectApi) -> None:
    api.ok("POST", "/externalmappings", {**MAPPING, "externalId": "a b"})


def test_duplicates_are_allowed_unless_the_switch_rejects(api: DirectApi) -> None:
    api.ok("POST", "/externalmappings", MAPPING)
    api.ok("POST", "/externalmappings", MAPPING)
    strict = DirectApi(duplicate_mappings="reject")
    made = strict.ok("POST", "/externalmappings", MAPPING)
    assert strict.refused("POST", "/externalmappings", MAPPING)[0] == 400
    strict.ok("PUT", f"/externalmappings/{made['id']}", {**MAPPING, "version": 1})
    strict.ok("POST", "/externalmappings", {**MAPPING, "externalTable": "Customer"})


def test_a_stale_update_of_a_mapping_is_refused(api: DirectApi) -> None:
    made = api.ok("POST", "/externalmappings", MAPPING)
    body = {**MAPPING, "version": 3}
    assert api.refused("PUT", f"/externalmappings/{made['id']}", body)[0] == 400


def test_what_can_be_mapped(api: DirectApi) -> None:
    answer = api.ok("GET", "/externalmappingconfiguration")
    assert {"Account", "Product", "PricingBand"} <= set(answer["m3terEntities"])
    chargebee = next(
        system for system in answer["externalSystems"] if system["name"] == "Chargebee"
    )
    assert chargebee["tables"] == ["Subscription", "Customer", "ItemPrice"]


def test_choices_come_from_chargebee_once_there_is_a_credential(api: DirectApi) -> None:
    api.store.put("chargebee/subscriptions", {"id": "zz-sub"})
    base = "/externalmappingconfiguration/values"
    found = api.ok("GET", f"{base}/Chargebee/Account", None, externalTable="Subscription")
    assert {"externalId": "zz-sub", "externalName": "zz-sub"} in found
    assert api.ok("GET", f"{base}/Chargebee/Account/not-a-credential") == []
    assert api.ok("GET", f"{base}/Xero/Account") == []
    assert api.ok("GET", f"{base}/Stripe/Account") == []
