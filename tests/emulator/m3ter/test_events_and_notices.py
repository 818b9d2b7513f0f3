from __future__ import annotations

from typing import Any

import pytest
from fakes.m3ter_api import DirectApi

RULE = {"name": "r", "description": "d", "code": "r", "eventName": "billing.bill.updated"}
HOOK = {
    "name": "hook",
    "description": "d",
    "url": "https://hooks.example.com",
    "credentials": {"type": "M3TER_SIGNED_REQUEST", "apiKey": "k3y", "secret": "s3cret"},
}


@pytest.fixture
def api() -> DirectApi:
    return DirectApi()


def test_events_vanish_after_their_days(api: DirectApi) -> None:
    event = api.everything("/events")[0]
    assert api.ok("GET", f"/events/{event['id']}") == event
    api.store.clock.advance(29 * 86_400)
    api.token = api.new_token()
    assert api.everything("/events") == []
    assert api.refused("GET", f"/events/{event['id']}")[0] == 404


def test_events_are_filtered_by_type_name_and_id(api: DirectApi) -> None:
    api.ok("POST", "/products", {"name": "x", "code": "x"})
    product, mapping = api.everything("/events")
    assert product["eventName"] == "configuration.product.created"
    assert api.everything("/events", eventType="IntegrationEvent") == [mapping]
    assert api.everything("/events", ids=product["id"]) == [product]
    assert api.everything("/events", notificationId="x") == []
    assert api.everything("/events", notificationCode="x") == []
    assert api.refused("GET", "/events", None, eventType="Weather")[0] == 400
    both = {"ids": product["id"], "eventName": "x"}
    assert api.refused("GET", "/events", None, **both)[0] == 400


def test_actioned_events_are_shown_when_asked(api: DirectApi) -> None:
    event = api.everything("/events")[0]
    api.store.put("m3ter/events", {**event, "dtActioned": "2026-12-01T10:00:00Z"})
    assert api.everything("/events") == []
    assert len(api.everything("/events", includeActioned="true")) == 1


def test_configurations_and_mappings_raise_no_events(api: DirectApi) -> None:
    before = len(api.everything("/events"))
    api.ok("POST", "/integrationconfigs", {"entityType": "Bill", "destination": "Chargebee"})
    assert len(api.everything("/events")) == before


def test_an_update_and_a_deletion_are_events(api: DirectApi) -> None:
    made = api.ok("POST", "/products", {"name": "x", "code": "x"})
    api.ok("PUT", f"/products/{made['id']}", {"name": "y", "code": "x", "version": 1})
    api.ok("DELETE", f"/products/{made['id']}")
    names = [event["eventName"] for event in api.everything("/events", resourceId=made["id"])]
    assert [name.rsplit(".", 1)[1] for name in names] == ["deleted", "updated", "created"]


def test_the_names_and_fields_of_events(api: DirectApi) -> None:
    names = api.ok("GET", "/events/types")["events"]
    assert len(names) == 10 * 3 + 23 * 3 + 7
    fields = api.ok("GET", "/events/fields", None, eventName="billing.bill.updated")["events"]
    assert fields["billing.bill.updated"]["old.status"] == "string"
    assert len(api.ok("GET", "/events/fields")["events"]) == len(names)
    assert api.refused("GET", "/events/fields", None, eventName="x")[0] == 400


def test_notification_rules(api: DirectApi) -> None:
    made = api.ok("POST", "/notifications/configurations", RULE)
    assert (made["active"], made["alwaysFireEvent"]) == (False, False)
    path = f"/notifications/configurations/{made['id']}"
    changed = api.ok("PUT", path, {**RULE, "active": True, "version": 1})
    listed = api.everything("/notifications/configurations", active="true")
    assert changed in listed
    assert api.everything("/notifications/configurations", active="false") == []
    assert len(api.everything("/notifications/configurations")) == 2
    assert api.ok("DELETE", path) == changed


@pytest.mark.parametrize(
    ("calculation", "success"),
    [('new.status == "("', True), ("(a", False), ("a)", False), ('"a', False)],
)
def test_a_calculation_is_checked_for_pairs(
    api: DirectApi, calculation: str, success: bool
) -> None:
    body = {"eventName": "billing.bill.updated", "calculation": calculation}
    assert api.ok("POST", "/notifications/evaluate", body)["success"] == success


@pytest.mark.parametrize("body", [{}, {"calculation": " "}, {"calculation": "a", "eventName": "x"}])
def test_a_calculation_that_is_none_is_refused(api: DirectApi, body: dict[str, Any]) -> None:
    assert api.refused("POST", "/notifications/evaluate", body)[0] == 400


@pytest.mark.parametrize(("switch", "shown"), [("hidden", False), ("shown", True)])
def test_secrets_of_a_webhook_are_shown_by_switch_only(switch: str, shown: bool) -> None:
    api = DirectApi(webhook_secrets=switch)
    path = "/integrationdestinations/webhooks"
    made = api.ok("POST", path, HOOK)
    assert ("s3cret" in str(made)) == shown
    assert ("s3cret" in str(api.everything(path))) == shown
    assert ("s3cret" in str(api.ok("GET", f"{path}/{made['id']}"))) == shown


def test_a_webhook_is_changed_switched_off_and_deleted(api: DirectApi) -> None:
    path = "/integrationdestinations/webhooks"
    made = api.ok("POST", path, HOOK)
    one = f"{path}/{made['id']}"
    assert api.ok("PUT", one, {**HOOK, "name": "other", "version": 1})["name"] == "other"
    off = api.ok("PUT", f"{one}/active", None, active="false")
    assert (off["active"], off["version"]) == (False, 3)
    assert api.everything(path, ids=made["id"]) == [off]
    assert api.ok("DELETE", one) == off


@pytest.mark.parametrize("change", [{"url": "nowhere"}, {"credentials": {"type": "x"}}])
def test_a_bad_webhook_is_refused(api: DirectApi, change: dict[str, Any]) -> None:
    path = "/integrationdestinations/webhooks"
    assert api.refused("POST", path, {**HOOK, **change})[0] == 400
    assert len(api.everything(path)) == 1
