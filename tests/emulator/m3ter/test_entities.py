from __future__ import annotations

from typing import Any

import pytest
from fakes.m3ter_api import DirectApi

ACCOUNT = {"name": "Wayne", "code": "wayne", "emailAddress": "pay@wayne.example"}


@pytest.fixture
def api() -> DirectApi:
    return DirectApi()


def test_a_new_entity_has_version_one_and_audit_fields(api: DirectApi) -> None:
    made = api.ok("POST", "/accounts", {**ACCOUNT, "purchaseOrderNumber": None, "unheard": 1})
    assert made["version"] == 1
    assert made["dtCreated"] == made["dtLastModified"] == "2026-12-01T09:00:00.000Z"
    assert made["createdBy"] == made["lastModifiedBy"]
    assert made.keys().isdisjoint({"purchaseOrderNumber", "unheard"})


@pytest.mark.parametrize("missing", ["name", "code", "emailAddress"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_required_field_is_named(api: DirectApi, missing: str, value: object) -> None:
    status, message = api.refused("POST", "/accounts", {**ACCOUNT, missing: value})
    assert (status, missing in message) == (400, True)


@pytest.mark.parametrize("code", [5, ["a"], {}, True])
def test_a_code_must_be_text(api: DirectApi, code: object) -> None:
    assert api.refused("POST", "/accounts", {**ACCOUNT, "code": code})[0] == 400


def test_a_code_is_unique(api: DirectApi) -> None:
    api.ok("POST", "/accounts", ACCOUNT)
    assert api.refused("POST", "/accounts", ACCOUNT)[0] == 400
    other = api.ok("POST", "/accounts", {**ACCOUNT, "code": "wayne-2"})
    body = {**ACCOUNT, "version": 1}
    assert api.refused("PUT", f"/accounts/{other['id']}", body)[0] == 400


def test_an_update_raises_the_version_and_loses_what_it_leaves_out(api: DirectApi) -> None:
    made = api.ok("POST", "/accounts", {**ACCOUNT, "customFields": {"tier": "gold"}})
    api.store.clock.advance(60)
    changed = api.ok("PUT", f"/accounts/{made['id']}", {**ACCOUNT, "name": "W", "version": 1})
    assert changed["version"] == 2
    assert "customFields" not in changed
    assert changed["dtCreated"] == made["dtCreated"] < changed["dtLastModified"]


@pytest.mark.parametrize("status", [400, 409, 412])
def test_a_stale_version_is_refused_with_the_status_of_the_switch(status: int) -> None:
    api = DirectApi(stale_version=status)
    made = api.ok("POST", "/accounts", ACCOUNT)
    found = api.refused("PUT", f"/accounts/{made['id']}", {**ACCOUNT, "version": 7})
    assert found[0] == status
    assert "version" in found[1]
    assert api.ok("GET", f"/accounts/{made['id']}") == made


@pytest.mark.parametrize("version", [None, "1", True])
def test_an_update_needs_a_version(api: DirectApi, version: object) -> None:
    made = api.ok("POST", "/accounts", ACCOUNT)
    body = {**ACCOUNT, "version": version}
    assert api.refused("PUT", f"/accounts/{made['id']}", body)[0] == 400


def test_the_fault_version_conflict_is_a_real_edit_by_somebody_else(api: DirectApi) -> None:
    made = api.ok("POST", "/accounts", ACCOUNT)
    path = f"/accounts/{made['id']}"
    api.half.fault("version_conflict", api.request("PUT", path))
    assert api.refused("PUT", path, {**ACCOUNT, "version": 1})[0] == 400
    assert api.ok("GET", path)["lastModifiedBy"] == "somebody-else"
    api.half.fault("version_conflict", api.request("PUT", "/accounts/unknown"))


def test_a_version_in_a_create_is_ignored_or_rejected_by_switch(api: DirectApi) -> None:
    assert api.ok("POST", "/accounts", {**ACCOUNT, "version": 9})["version"] == 1
    strict = DirectApi(create_version="reject")
    assert strict.refused("POST", "/accounts", {**ACCOUNT, "version": 9})[0] == 400


def test_delete_returns_the_entity(api: DirectApi) -> None:
    made = api.ok("POST", "/accounts", ACCOUNT)
    assert api.ok("DELETE", f"/accounts/{made['id']}") == made
    assert api.refused("GET", f"/accounts/{made['id']}")[0] == 404
    assert api.refused("DELETE", f"/accounts/{made['id']}")[0] == 404


@pytest.mark.parametrize("body", [[], "text", 1])
def test_a_body_that_is_no_object_is_refused(api: DirectApi, body: Any) -> None:
    assert api.refused("POST", "/accounts", body)[0] == 400


def test_malformed_json_is_refused(api: DirectApi) -> None:
    base = api.request("POST", "/accounts")
    request = type(base)(base.method, base.path, (), base.headers, b"{")
    assert api.half.handle(request).status == 400


def test_accounts_are_found_by_codes_and_ids(api: DirectApi) -> None:
    found = api.everything("/accounts", codes="acme-uk,globex-us")
    assert {entry["code"] for entry in found} == {"acme-uk", "globex-us"}
    assert api.everything("/accounts", ids=found[0]["id"]) == [found[0]]


def test_children_of_an_account(api: DirectApi) -> None:
    parent = api.ok("POST", "/accounts", ACCOUNT)
    child = {**ACCOUNT, "code": "child", "parentAccountId": parent["id"]}
    made = api.ok("POST", "/accounts", child)
    assert api.everything(f"/accounts/{parent['id']}/children") == [made]
    assert api.refused("GET", "/accounts/unknown/children")[0] == 404


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"searchQuery": "code:acme-uk"}, ["acme-uk"]),
        ({"searchQuery": "name~Acme"}, ["acme-us", "acme-uk"]),
        ({"searchQuery": "name~Acme", "sortBy": "code"}, ["acme-uk", "acme-us"]),
        (
            {"searchQuery": "name~Acme", "sortBy": "code", "sortOrder": "DESC"},
            ["acme-us", "acme-uk"],
        ),
        ({"searchQuery": "name~Acme$currency:USD"}, ["acme-us"]),
        ({"searchQuery": "code:acme-uk$code:hooli-us", "operator": "OR"}, ["hooli-us", "acme-uk"]),
        ({"searchQuery": "code>stark"}, ["stark-us", "umbrella-uk"]),
        ({"searchQuery": "code>=umbrella-uk"}, ["umbrella-uk"]),
        ({"searchQuery": "code<=acme-uk"}, ["acme-uk"]),
        ({"searchQuery": "code<acme-us"}, ["acme-uk"]),
        ({"searchQuery": "purchaseOrderNumber:1"}, []),
    ],
)
def test_search_understands_every_comparator(
    api: DirectApi, query: dict[str, str], codes: list[str]
) -> None:
    page = api.ok("GET", "/accounts/search", None, **query)
    assert sorted(entry["code"] for entry in page["data"]) == sorted(codes)
    if "sortBy" in query:
        assert [entry["code"] for entry in page["data"]] == codes


def test_search_pages_by_document_number(api: DirectApi) -> None:
    first = api.ok("GET", "/accounts/search", None, pageSize="6")
    assert first["nextToken"] == "6"
    second = api.ok("GET", "/accounts/search", None, pageSize="6", fromDocument="6")
    assert len(first["data"]) + len(second["data"]) == 10
    assert "nextToken" not in second


@pytest.mark.parametrize("query", [{"searchQuery": "secret:1"}, {"fromDocument": "x"}])
def test_a_search_that_makes_no_sense_is_refused(api: DirectApi, query: dict[str, str]) -> None:
    assert api.refused("GET", "/accounts/search", None, **query)[0] == 400


def test_a_plan_takes_the_product_of_its_template(api: DirectApi) -> None:
    template = api.everything("/plantemplates")[0]
    body = {"planTemplateId": template["id"], "name": "Plan", "code": "plan"}
    made = api.ok("POST", "/plans", body)
    assert made["productId"] == template["productId"]
    assert made in api.everything("/plans", productId=template["productId"])
    changed = api.ok("PUT", f"/plans/{made['id']}", {**body, "standingCharge": 5, "version": 1})
    assert (changed["standingCharge"], changed["productId"]) == (5, template["productId"])
    assert api.refused("POST", "/plans", {**body, "code": "b", "planTemplateId": "x"})[0] == 400
    assert len(api.everything("/plans")) == 5


def test_pricing_bands_have_ids_that_survive_an_update(api: DirectApi) -> None:
    plan = api.everything("/plans")[0]
    bands = [{"lowerLimit": 0, "fixedPrice": 0, "unitPrice": 1}]
    body = {"planId": plan["id"], "startDate": "2026-01-01T00:00:00Z", "pricingBands": bands}
    made = api.ok("POST", "/pricings", {**body, "compoundAggregationId": "c"})
    assert made["aggregationType"] == "COMPOUND"
    kept = made["pricingBands"][0]
    body |= {"pricingBands": [kept, {**bands[0], "lowerLimit": 10, "id": "invented"}], "version": 1}
    changed = api.ok("PUT", f"/pricings/{made['id']}", body)
    assert changed["pricingBands"][0] == kept
    assert changed["pricingBands"][1]["id"] not in {kept["id"], "invented"}
    assert changed["aggregationType"] == "SIMPLE"


@pytest.mark.parametrize("bands", [[], "none", [{"lowerLimit": 0, "fixedPrice": 0}], ["band"]])
def test_a_pricing_needs_whole_bands(api: DirectApi, bands: object) -> None:
    body = {"planId": "p", "startDate": "2026-01-01T00:00:00Z", "pricingBands": bands}
    assert api.refused("POST", "/pricings", body)[0] == 400


def test_pricings_are_found_by_date(api: DirectApi) -> None:
    assert len(api.everything("/pricings", date="2026-06-01T00:00:00Z")) == 4
    assert api.everything("/pricings", date="2025-06-01T00:00:00Z") == []
    assert len(api.everything("/pricings")) == 4


def test_settings_of_the_organisation_are_read_and_replaced(api: DirectApi) -> None:
    config = api.ok("GET", "/organizationconfig")
    changed = api.ok("PUT", "/organizationconfig", {**config, "billPrefix": "INV-"})
    assert (changed["billPrefix"], changed["version"]) == ("INV-", 2)
    assert api.ok("GET", "/organizationconfig") == changed
    assert api.refused("PUT", "/organizationconfig", {"version": 2})[0] == 400


def test_people_and_the_caller(api: DirectApi) -> None:
    users = api.everything("/users")
    assert {user["email"] for user in users} == {
        "billing-oncall@example.com",
        "k.smith@example.com",
        "j.doe@example.com",
    }
    assert api.ok("GET", "/users/me")["organization"]["type"] == "SANDBOX"
    permissions = api.ok("GET", f"/users/{users[0]['id']}/permissions")
    assert permissions["permissionPolicy"][0]["effect"] == "ALLOW"
    body = {"version": 1, "dtEndAccess": "2027-01-01T00:00:00Z"}
    assert api.ok("PUT", f"/users/{users[0]['id']}", body)["version"] == 2
    assert api.ok("GET", f"/users/{users[0]['id']}")["dtEndAccess"] == "2027-01-01T00:00:00Z"


def test_credentials_never_show_their_secrets(api: DirectApi) -> None:
    body = {"name": "New", "type": "CHARGEBEE_AUTH", "destination": "CHARGEBEE", "apiKey": "s3cret"}
    made = api.ok("POST", "/integrationcredentials", body)
    assert "s3cret" not in str(api.everything("/integrationcredentials"))
    path = f"/integrationcredentials/{made['id']}"
    assert api.ok("GET", path) == made
    changed = api.ok("PUT", path, {**body, "name": "Newer", "version": 1})
    assert (changed["name"], "apiKey" in changed) == ("Newer", False)
    stored = api.store.get("m3ter/integrationcredentials", made["id"])
    assert stored is not None
    assert stored["_secret"] == {"apiKey": "s3cret"}


def test_deleting_a_credential_disconnects_its_configurations(api: DirectApi) -> None:
    config = next(
        candidate for candidate in api.everything("/integrationconfigs") if candidate["authorized"]
    )
    api.ok("DELETE", f"/integrationcredentials/{config['integrationCredentialsId']}")
    assert api.ok("GET", f"/integrationconfigs/{config['id']}")["authorized"] is False


def test_endpoints_of_2026_may_be_absent() -> None:
    api = DirectApi(endpoints_2026=False)
    assert api.refused("GET", "/integrationcredentials")[0] == 404
    run = next(api.store.all("m3ter/integrationruns"))
    assert api.refused("POST", f"/integrationruns/{run['id']}/replay")[0] == 404
