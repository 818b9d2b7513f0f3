from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from fakes.m3ter_api import DirectApi

from reconciler.emulator import wire
from reconciler.emulator.m3ter.integrations.native import FilterError, selects


def connect(api: DirectApi, **data: Any) -> Any:
    """A connected Chargebee configuration."""
    key = api.store.where("m3ter/integrationcredentials", "name", "Chargebee UK (test)")[0]["id"]
    body = {
        "entityType": "Bill",
        "destination": "Chargebee",
        "name": "uk",
        "integrationCredentialsId": key,
        "configData": {"onlySendBillOnApproval": True, **data},
    }
    return api.ok("POST", "/integrationconfigs", body)


def pending(api: DirectApi, code: str = "acme-uk") -> Any:
    return next(
        candidate
        for candidate in api.everything("/bills", status="PENDING")
        if candidate["accountCode"] == code
    )


def approve(api: DirectApi, bill: Any) -> None:
    api.ok("PUT", f"/bills/{bill['id']}/status", {"status": "APPROVED"})


def runs(api: DirectApi, bill: Any, **query: str) -> list[Any]:
    return api.everything(f"/integrationruns/Bill/{bill['id']}", **query)


def test_an_approved_bill_is_sent_once_by_a_connected_configuration() -> None:
    api = DirectApi()
    connect(api)
    bill = pending(api)
    approve(api, bill)
    [run] = runs(api, bill)
    assert (run["status"], run["destination"]) == ("COMPLETE", "Chargebee")
    assert run["externalId"]
    assert "integrationConfigId" not in run


def test_a_pending_bill_is_sent_at_each_recalculation_only_without_approval() -> None:
    api = DirectApi()
    connect(api, onlySendBillOnApproval=False)
    bill = pending(api)
    for _ in range(2):
        api.ok("POST", "/billjobs/recalculate", {"billIds": [bill["id"]]})
    assert len(runs(api, bill)) == 2
    strict = DirectApi()
    connect(strict)
    bill = pending(strict)
    strict.ok("POST", "/billjobs/recalculate", {"billIds": [bill["id"]]})
    assert runs(strict, bill) == []


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ({"accountFilter": 'customFields.country == "UK"'}, True),
        ({"accountFilter": "customFields != null AND customFields.country = = UK"}, True),
        ({"accountFilter": "address.country == US OR accountCode == acme-uk"}, True),
        ({"accountFilter": "accountName != null AND currency == USD"}, False),
        ({"accountIds": ["other"]}, False),
    ],
)
def test_a_configuration_takes_the_accounts_it_selects(data: dict[str, Any], sent: bool) -> None:
    api = DirectApi()
    connect(api, **data)
    bill = pending(api)
    approve(api, bill)
    assert bool(runs(api, bill)) == sent


def test_a_restricted_account_is_not_sent() -> None:
    api = DirectApi()
    bill = pending(api)
    connect(api, accountIds=[bill["accountId"]], restrictedAccountIds=[bill["accountId"]])
    approve(api, bill)
    assert runs(api, bill) == []


def test_a_filter_beyond_the_emulator_fails_the_run_and_is_never_guessed() -> None:
    api = DirectApi()
    connect(api, accountFilter="Math.abs(1) > 0")
    bill = pending(api)
    approve(api, bill)
    assert runs(api, bill)[0]["status"] == "ERROR"
    event = api.everything("/events", eventName="integration.validation.error")[0]
    assert "cannot evaluate" in event["m3terEvent"]["eventData"]["newDto"]["message"]


def test_the_spelling_of_keys_is_that_of_the_switch() -> None:
    api = DirectApi(config_keys="screaming", normalise="strings")
    connect(api, ONLY_SEND_BILL_ON_APPROVAL=True, ACCOUNT_IDS=["other"])
    bill = pending(api)
    approve(api, bill)
    assert runs(api, bill) == []


@pytest.mark.parametrize(
    ("way", "status", "event"),
    [
        ("error", "ERROR", "integration.perform.error"),
        ("auth_failed", "AUTH_FAILED", "integration.authentication.error"),
        ("missing_mapping", "ERROR", "integration.missingaccountmapping.error"),
    ],
)
def test_runs_fail_by_switch_with_an_event(way: str, status: str, event: str) -> None:
    api = DirectApi(native_runs=way)
    config = connect(api)
    bill = pending(api)
    approve(api, bill)
    assert runs(api, bill, status=status)[0]["error"]
    found = api.everything("/events", eventName=event, accountId=bill["accountId"])[0]
    assert found["m3terEvent"]["eventData"]["newDto"]["integrationConfigId"] == config["id"]


def test_bare_events_do_not_name_the_configuration() -> None:
    api = DirectApi(native_runs="error", integration_events="bare")
    connect(api)
    bill = pending(api)
    approve(api, bill)
    event = api.everything("/events", eventName="integration.perform.error")[0]
    assert "integrationConfigId" not in event["m3terEvent"]["eventData"]["newDto"]


def test_a_waiting_run_is_not_complete() -> None:
    api = DirectApi(native_runs="waiting")
    connect(api)
    bill = pending(api)
    approve(api, bill)
    assert "dtCompleted" not in runs(api, bill, status="WAITING")[0]


def fail_times(api: DirectApi, times: int) -> None:
    for bill in api.everything("/bills", status="PENDING")[:times]:
        approve(api, bill)


def test_the_last_allowed_error_disables_the_configuration_until_it_is_enabled() -> None:
    api = DirectApi(native_runs="error", auto_disable_after=3)
    config = connect(api)
    path = f"/integrationconfigs/{config['id']}"
    fail_times(api, 2)
    assert api.ok("GET", path)["enabled"] is True
    fail_times(api, 1)
    disabled = api.ok("GET", path)
    assert (disabled["enabled"], disabled["version"]) == (False, 2)
    assert len(api.everything("/events", eventName="integration.disabled.error")) == 1
    before = len(list(api.store.all("m3ter/integrationruns")))
    fail_times(api, 1)
    assert len(list(api.store.all("m3ter/integrationruns"))) == before
    assert api.ok("POST", f"{path}/enable")["enabled"] is True


def test_a_success_starts_the_count_again() -> None:
    api = DirectApi()
    config = connect(api)
    api.store.put("m3ter/integrationconfigs", {**config, "_errors": 9})
    approve(api, pending(api))
    stored = api.store.get("m3ter/integrationconfigs", config["id"])
    assert stored is not None
    assert stored["_errors"] == 0


@pytest.mark.parametrize(("way", "count"), [("quiet", 0), ("errors", 1)])
def test_what_a_disconnected_configuration_does_is_a_switch(way: str, count: int) -> None:
    api = DirectApi(disconnected_config=way)
    api.ok("POST", "/integrationconfigs", {"entityType": "Bill", "destination": "Chargebee"})
    bill = pending(api)
    approve(api, bill)
    found = runs(api, bill)
    assert [entry["status"] for entry in found] == ["AUTH_FAILED"] * count


@pytest.mark.parametrize(
    ("enforce", "link", "sent"),
    [(False, None, True), (False, "own", True), (True, None, False), (True, "own", True)],
)
def test_mapped_account_codes_need_a_mapping_that_counts(
    enforce: bool, link: str | None, sent: bool
) -> None:
    api = DirectApi()
    config = connect(
        api, useExternalMappingAccountCode=True, enforceExternalMappingsForConfig=enforce
    )
    bill = pending(api)
    mapping = {
        "m3terEntity": "Account",
        "m3terId": bill["accountId"],
        "externalSystem": "Chargebee",
        "externalTable": "Subscription",
        "externalId": "sub",
        "integrationConfigId": config["id"] if link else None,
    }
    api.ok("POST", "/externalmappings", mapping)
    approve(api, bill)
    assert (runs(api, bill)[0]["status"] == "COMPLETE") == sent


def test_runs_are_listed_by_order_status_and_date() -> None:
    api = DirectApi()
    connect(api, onlySendBillOnApproval=False)
    bill = pending(api)
    for _ in range(3):
        api.ok("POST", "/billjobs/recalculate", {"billIds": [bill["id"]]})
        api.store.clock.advance(3600)
    found = runs(api, bill, pageSize="2")
    assert len(found) == 3
    assert found[0]["dtStarted"] > found[2]["dtStarted"]
    assert runs(api, bill, order="ASC", pageSize="2") == found[::-1]
    assert runs(api, bill, startDate=found[0]["dtStarted"]) == [found[0]]
    assert runs(api, bill, endDate=found[1]["dtStarted"]) == [found[2]]
    latest = api.ok("GET", f"/integrationruns/Bill/latest/{bill['id']}")
    assert latest == found[0] == api.ok("GET", f"/integrationruns/{latest['id']}")
    assert api.ok("GET", "/integrationruns/Bill/latest", None, ids=bill["id"]) == [latest]
    assert api.refused("GET", "/integrationruns/Bill/latest")[0] == 400
    assert api.refused("GET", "/integrationruns/Notification/latest/x")[0] == 404


def test_runs_of_a_destination() -> None:
    api = DirectApi()
    body = {"entityType": "Bill", "destination": "Webhook", "destinationId": "hook"}
    key = api.everything("/integrationcredentials")[0]["id"]
    api.ok("POST", "/integrationconfigs", {**body, "integrationCredentialsId": key})
    bill = pending(api)
    approve(api, bill)
    path = "/integrationruns/destinations/hook"
    assert [entry["entityId"] for entry in api.everything(path)] == [bill["id"]]
    assert api.everything(path, destination="Other") == []


def test_a_log_is_the_payload_and_a_replay_is_a_new_run() -> None:
    api = DirectApi()
    connect(api)
    bill = pending(api)
    approve(api, bill)
    [run] = runs(api, bill)
    log = api.ok("GET", f"/integrationruns/logs/{run['id']}")
    assert wire.decode(b64decode(log["Payload"]))["id"] == bill["id"]
    again = api.ok("POST", f"/integrationruns/{run['id']}/replay")
    assert (again["replayedFromId"], again["id"] != run["id"]) == (run["id"], True)
    assert len(runs(api, bill)) == 2


def test_filters_compare_nulls_and_missing_fields() -> None:
    account = {"code": "a", "customFields": {"n": 5}}
    assert selects("customFields.n == 5", account)
    assert selects("currency == null", account)
    assert not selects("currency == GBP", account)
    assert not selects("currency.x.y != null", account)
    with pytest.raises(FilterError):
        selects("code ==", account)
