from __future__ import annotations

import pytest
from fakes.m3ter_api import DirectApi, token_request

from reconciler.emulator import wire
from reconciler.emulator.exchange import HttpRequest
from reconciler.emulator.m3ter.http.throttle import Throttle
from reconciler.emulator.m3ter.http.tokens import OTHER_ORGANISATION


@pytest.fixture
def api() -> DirectApi:
    return DirectApi()


def test_a_token_lives_five_hours_and_says_so(api: DirectApi) -> None:
    answer = wire.decode(api.half.handle(token_request("emulator-key", "emulator-secret")).body)
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 18_000
    assert answer["scope"] is None
    assert answer["access_token"].count(".") == 2


def test_a_token_request_may_be_a_form(api: DirectApi) -> None:
    form = token_request("emulator-key", "emulator-secret", b"grant_type=client_credentials")
    headers = {**form.headers, "content-type": "application/x-www-form-urlencoded"}
    request = HttpRequest(form.method, form.path, (), headers, form.body)
    assert api.half.handle(request).status == 200


@pytest.mark.parametrize("body", [b"{}", b"[]", b"{", b'{"grant_type":"password"}'])
def test_another_grant_type_is_refused(api: DirectApi, body: bytes) -> None:
    request = token_request("emulator-key", "emulator-secret", body)
    assert api.half.handle(request).status == 400


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_refused_by_switch(status: int) -> None:
    api = DirectApi(unknown_key_status=status)
    assert api.half.handle(token_request("emulator-key", "wrong \u20ac")).status == status


@pytest.mark.parametrize("header", ["", "Basic ???", "Basic \u00e9", "Bearer x"])
def test_a_token_request_without_a_readable_key_is_refused(api: DirectApi, header: str) -> None:
    request = HttpRequest("POST", "/oauth/token", (), {"authorization": header}, b"")
    assert api.half.handle(request).status == 401


def test_a_token_expires_by_the_emulated_clock(api: DirectApi) -> None:
    api.store.clock.advance(17_999)
    assert api.send("GET", "/accounts")[0] == 200
    api.store.clock.advance(1)
    assert api.send("GET", "/accounts") == (403, {"message": "The access token has expired"})
    api.token = api.new_token()
    assert api.send("GET", "/accounts")[0] == 200


@pytest.mark.parametrize("token", ["", "garbage", "a.b.c", "\u00e9.\u00e9.\u00e9"])
def test_a_token_that_is_none_is_refused(api: DirectApi, token: str) -> None:
    api.token = token
    assert api.refused("GET", "/accounts")[0] == 403


def test_the_status_of_an_expired_token_is_a_switch() -> None:
    api = DirectApi(expired_token_status=401)
    api.store.clock.advance(20_000)
    assert api.refused("GET", "/accounts")[0] == 401


def test_the_fault_expired_token_ends_the_token_but_not_the_next_one(api: DirectApi) -> None:
    assert api.half.fault("expired_token", api.request("GET", "/accounts")) is None
    assert api.refused("GET", "/accounts")[0] == 403
    assert api.refused("GET", "/accounts")[0] == 403
    api.token = api.new_token()
    assert api.send("GET", "/accounts")[0] == 200


def test_a_token_is_good_for_its_own_organisation_only(api: DirectApi) -> None:
    headers = {"authorization": f"Bearer {api.token}"}
    request = HttpRequest("GET", f"/organizations/{OTHER_ORGANISATION}/accounts", (), headers)
    assert api.half.handle(request).status == 403
    api.token = api.new_token("other-key", "other-secret")
    assert api.refused("GET", "/accounts")[0] == 403


def test_a_reading_key_may_not_write(api: DirectApi) -> None:
    api.token = api.new_token("reader-key", "reader-secret")
    assert api.send("GET", "/accounts")[0] == 200
    assert api.refused("POST", "/products", {"name": "x", "code": "x"})[0] == 403
    assert not any(product["code"] == "x" for product in api.store.all("m3ter/products"))


def test_unknown_paths_are_not_found(api: DirectApi) -> None:
    assert api.refused("GET", "/nothing")[0] == 404
    assert api.refused("PATCH", "/accounts")[0] == 404
    assert api.half.handle(HttpRequest("GET", "/elsewhere", (), {})).status == 404


def test_the_fiftyfirst_request_of_a_second_is_refused() -> None:
    now = [100.2]
    throttle = Throttle(per_second=50, per_window=0, monotonic=lambda: now[0])
    assert all(throttle.admits() for _ in range(50))
    assert not throttle.admits()
    now[0] = 100.99
    assert not throttle.admits()
    now[0] = 101.0
    assert throttle.admits()


def test_the_window_of_five_minutes_rolls() -> None:
    now = [0.0]
    throttle = Throttle(per_second=0, per_window=3, monotonic=lambda: now[0])
    assert [throttle.admits() for _ in range(4)] == [True, True, True, False]
    now[0] = 300.0
    assert throttle.admits()


@pytest.mark.parametrize(("present", "headers"), [(True, {"retry-after"}), (False, set())])
def test_the_limit_of_the_organisation_answers_429(present: bool, headers: set[str]) -> None:
    api = DirectApi(requests_per_second=1, m3ter_retry_after=present)
    answers = [api.answer("GET", "/accounts") for _ in range(3)]
    refused = next(answer for answer in answers if answer.status == 429)
    assert {name for name, _ in refused.headers} & {"retry-after"} == headers
    assert wire.decode(refused.body) == {"message": "Too many requests"}


def test_faults_of_chargebee_mean_nothing_here(api: DirectApi) -> None:
    assert api.half.fault("foreign_line", api.request("GET", "/accounts")) is None
    assert api.send("GET", "/accounts")[0] == 200


def test_logging_in_does_not_shift_the_ids_of_objects() -> None:
    first, second = DirectApi(), DirectApi()
    second.token = second.new_token()
    body = {"name": "x", "code": "x"}
    assert first.ok("POST", "/products", body)["id"] == second.ok("POST", "/products", body)["id"]
