from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fakes.emulated_http import ORG, EmulatedHttp
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator import wire
from reconciler.emulator.control import merge_patch
from reconciler.emulator.running import RunningEmulator


@pytest.fixture
def client(emulator: RunningEmulator) -> Iterator[EmulatedHttp]:
    with EmulatedHttp(emulator.url) as http:
        http.log_in()
        yield http


def accounts(client: EmulatedHttp) -> list[Any]:
    found: list[Any] = wire.decode(client.m3ter("GET", "/accounts").content)["data"]
    return found


def test_health_says_what_is_served(client: EmulatedHttp) -> None:
    health = client.control("GET", "/health")
    assert (health["status"], health["scenario"], health["seed"]) == ("ok", "starter", 1)
    assert health["switches"]["config_keys"] == "camel"
    assert health["now"].startswith("2026-12-01T09:00:")


def test_reset_brings_data_clock_faults_and_log_back(client: EmulatedHttp) -> None:
    first = accounts(client)
    client.m3ter("DELETE", f"/accounts/{first[0]['id']}")
    client.control("POST", "/clock", {"advance_seconds": 86_400})
    client.fault("http_500", match={"path": "/nothing"})
    client.control("POST", "/reset", {})
    assert client.requests() == []
    assert client.control("GET", "/faults") == {"rules": []}
    assert client.control("GET", "/health")["now"] < "2026-12-01T09:01"
    client.log_in()
    assert accounts(client) == first


def test_reset_chooses_scenario_seed_and_switches_and_forgets_them(client: EmulatedHttp) -> None:
    body = {"scenario": "large", "seed": 3, "switches": {"config_keys": "screaming"}}
    health = client.control("POST", "/reset", body)
    assert (health["scenario"], health["seed"]) == ("large", 3)
    assert health["switches"]["config_keys"] == "screaming"
    health = client.control("POST", "/reset")
    assert (health["scenario"], health["seed"]) == ("starter", 1)
    assert health["switches"]["config_keys"] == "camel"


def test_the_seed_decides_the_ids(client: EmulatedHttp) -> None:
    ids = set()
    for seed in (5, 5, 6):
        client.control("POST", "/reset", {"seed": seed})
        client.log_in()
        ids.add(accounts(client)[0]["id"])
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/reset", {"scenario": "nothing"}),
        ("POST", "/reset", {"scenario": 1}),
        ("POST", "/reset", {"seed": "1"}),
        ("POST", "/reset", {"switches": []}),
        ("POST", "/reset", {"switches": {"nothing": 1}}),
        ("POST", "/reset", {"switches": {"config_keys": "kebab"}}),
        ("POST", "/reset", {"scenari": "starter"}),
        ("POST", "/reset", []),
        ("POST", "/faults", {}),
        ("POST", "/faults", {"rules": [{"fault": "http_418"}]}),
        ("POST", "/clock", {}),
        ("POST", "/clock", {"advance_seconds": 1, "at": "2026-12-01"}),
        ("POST", "/clock", {"advance_seconds": "1"}),
        ("POST", "/clock", {"advance_seconds": True}),
        ("POST", "/clock", {"advance_seconds": -1}),
        ("POST", "/clock", {"at": "tomorrow"}),
        ("POST", "/clock", {"at": 5}),
        ("POST", "/user-edit", {}),
        ("POST", "/user-edit", {"id": "unknown", "patch": {}, "user": "k"}),
        ("POST", "/user-edit", {"id": "unknown", "patch": [], "user": "k"}),
    ],
)
def test_a_control_request_that_makes_no_sense_is_400_and_changes_nothing(
    client: EmulatedHttp, method: str, path: str, body: object
) -> None:
    before = client.control("GET", "/state")
    answer = client.send(method, f"/_emulator{path}", body)
    assert answer.status_code == 400
    assert wire.decode(answer.content)["message"]
    assert client.control("GET", "/state") == before


@pytest.mark.parametrize("query", [{"vendor": "stripe"}, {"since": "never"}, {"until": "x"}])
def test_unknown_queries_are_400(client: EmulatedHttp, query: dict[str, str]) -> None:
    assert client.send("GET", "/_emulator/requests", None, **query).status_code == 400


def test_unknown_control_requests_are_404_and_bad_json_is_400(client: EmulatedHttp) -> None:
    assert client.send("GET", "/_emulator/nothing").status_code == 404
    assert client.http.post("/_emulator/reset", content=b"{").status_code == 400


def test_faults_are_shown_counted_and_cleared(client: EmulatedHttp) -> None:
    client.fault("http_500", times=2, match={"path": f"{ORG}/products"})
    client.m3ter("GET", "/products")
    [rule] = client.control("GET", "/faults")["rules"]
    assert (rule["fault"], rule["fired"], rule["times"]) == ("http_500", 1, 2)
    assert client.control("DELETE", "/faults") == {"rules": []}
    assert client.m3ter("GET", "/products").status_code == 200


def test_the_clock_is_advanced_and_set(client: EmulatedHttp) -> None:
    assert client.control("POST", "/clock", {"advance_seconds": 3600})["now"].startswith(
        "2026-12-01T10:00:"
    )
    at = {"at": "2027-01-01T00:00:00+00:00"}
    assert client.control("POST", "/clock", at)["now"].startswith("2027-01-01T00:00:00")
    assert client.m3ter("GET", "/accounts").status_code == 403


def test_requests_are_listed_in_time_order_without_credentials(client: EmulatedHttp) -> None:
    client.m3ter("GET", "/accounts", None, pageSize="1")
    client.m3ter("POST", "/products", {"name": "x", "code": "x"})
    client.send("GET", "/api/v2/invoices")
    found = client.requests()
    assert [request["vendor"] for request in found] == ["m3ter", "m3ter", "m3ter", "chargebee"]
    assert [request["committed"] for request in found] == [False, False, True, False]
    assert [entry["time"] for entry in found] == sorted(entry["time"] for entry in found)
    assert (found[1]["path"], found[1]["query"]) == (f"{ORG}/accounts", "pageSize=1")
    assert found[2].keys() >= {"method", "path", "status", "time", "committed"}
    assert "emulator-secret" not in str(found)
    assert "Bearer" not in str(found)


def test_requests_are_filtered_by_vendor_and_time(client: EmulatedHttp) -> None:
    client.control("POST", "/clock", {"at": "2026-12-05T00:00:00Z"})
    client.send("GET", "/api/v2/invoices")
    assert len(client.requests(vendor="chargebee")) == 1
    assert len(client.requests(since="2026-12-05T00:00:00Z")) == 1
    assert len(client.requests(since="2026-12-05T00:00:00 00:00")) == 1
    assert client.requests(since="2026-12-06T00:00:00Z") == []


def test_state_shows_everything_stored_but_no_secret(client: EmulatedHttp) -> None:
    body = {"type": "CHARGEBEE_AUTH", "destination": "CHARGEBEE", "apiKey": "s3cret"}
    client.m3ter("POST", "/integrationcredentials", body)
    state = client.control("GET", "/state")
    assert set(state) == {"m3ter", "chargebee"}
    assert len(state["m3ter"]["accounts"]) == 10
    assert "s3cret" not in str(state)
    assert set(client.control("GET", "/state", None, vendor="chargebee")) == {"chargebee"}


def test_counts_say_how_many_objects_of_each_kind_are_stored(client: EmulatedHttp) -> None:
    stored = client.control("GET", "/state")
    assert client.control("GET", "/counts") == {
        f"{vendor}/{kind}": len(listed)
        for vendor, kinds in stored.items()
        for kind, listed in kinds.items()
    }


def test_a_user_edit_is_a_merge_patch_with_version_and_author(client: EmulatedHttp) -> None:
    account = accounts(client)[0]
    patch = {"name": "Renamed", "address": {"country": None, "locality": "Leeds"}}
    body = {"id": account["id"], "patch": patch, "user": "k.smith"}
    answer = client.control("POST", "/user-edit", body)
    assert answer["kind"] == "m3ter/accounts"
    fresh = next(candidate for candidate in accounts(client) if candidate["id"] == account["id"])
    assert answer["object"] == fresh
    assert fresh["version"] == account["version"] + 1
    assert fresh["lastModifiedBy"] == "k.smith"
    assert fresh["address"] == {"addressLine1": "1 High Street", "locality": "Leeds"}
    assert fresh["dtLastModified"] > account["dtLastModified"]


def test_a_user_edit_cannot_move_an_object_to_another_id(client: EmulatedHttp) -> None:
    key = accounts(client)[0]["id"]
    body = {"id": key, "patch": {"id": "other"}, "user": "k.smith"}
    assert client.control("POST", "/user-edit", body)["object"]["id"] == key


patches = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=10,
)
objects = st.dictionaries(st.text(max_size=2), patches)


@given(target=objects, patch=objects)
def test_a_merge_patch_twice_is_the_merge_patch_once(target: Any, patch: Any) -> None:
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


@given(target=objects)
def test_an_empty_merge_patch_changes_nothing(target: Any) -> None:
    assert merge_patch(target, {}) == target


def test_the_examples_of_rfc_7396_hold() -> None:
    assert merge_patch({"a": "b"}, {"a": "c"}) == {"a": "c"}
    assert merge_patch({"a": "b", "b": "c"}, {"a": None}) == {"b": "c"}
    assert merge_patch({"a": [{"b": "c"}]}, {"a": [1]}) == {"a": [1]}
    assert merge_patch({"a": "foo"}, {"b": {"c": None}}) == {"a": "foo", "b": {}}
    assert merge_patch(["a"], {"a": "b"}) == {"a": "b"}
    assert merge_patch({"a": "b"}, ["c"]) == ["c"]
