from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from fakes.chargebee_bench import Bench, basic, flat

from reconciler.emulator import wire
from reconciler.emulator.chargebee.limits import Limits
from reconciler.emulator.chargebee.parameters.refusals import RefusalError
from reconciler.emulator.chargebee.protocol import ChargebeeHalf
from reconciler.emulator.chargebee.sites import API_KEY
from reconciler.emulator.exchange import HttpRequest
from reconciler.emulator.running import CHARGEBEE_API_KEY, CHARGEBEE_SITE
from reconciler.emulator.switches.table import Switches

CREATE = "invoices/create_for_charge_items_and_charges"
FORM = {"customer_id": "c1", "currency_code": "USD", "charges": [{"amount": 5}]}
PENDING = {"item_price": {"item_price_id": "api-USD", "quantity": 2}}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def request(
    path: str, form: dict[str, Any] | None = None, *, key: str = "", method: str = "POST"
) -> HttpRequest:
    headers = {"authorization": basic(API_KEY)}
    if key:
        headers["chargebee-idempotency-key"] = key
    return HttpRequest(method, f"/api/v2/{path}", (), headers, urlencode(flat(form or {})).encode())


def test_the_printed_environment_opens_the_site(bench: Bench) -> None:
    assert API_KEY == CHARGEBEE_API_KEY
    assert bench.site.name == CHARGEBEE_SITE


@pytest.mark.parametrize("header", ["", "Basic", "Basic ???", "Bearer x", basic("wrong")])
def test_a_request_without_the_sites_key_is_refused(bench: Bench, header: str) -> None:
    answer = bench.send("GET", "customers/c1", headers={"authorization": header})
    assert answer.status == 401
    assert wire.decode(answer.body)["api_error_code"] == "api_authentication_failed"


def test_each_key_opens_its_own_site(bench: Bench) -> None:
    other = {"id": "other-test", "_secret": {"api_key": "other"}, "base_currency_code": "EUR"}
    bench.store.put("chargebee/sites", other)
    bench.half = ChargebeeHalf(bench.store)
    assert bench.send("GET", "customers/c1").status == 200
    assert bench.send("GET", "customers/c1", key="other").status == 404
    bench.send("POST", "customers", body=b"id=theirs", key="other")
    assert bench.send("GET", "customers/theirs", key="other").status == 200
    assert bench.send("GET", "customers/theirs").status == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "nothing", 404, "resource_not_found"),
        ("GET", "invoices/1/what", 404, "resource_not_found"),
        ("PUT", "customers/c1", 405, "http_method_not_supported"),
        ("GET", CREATE, 404, "resource_not_found"),
        ("GET", "promotional_credits/add", 404, "resource_not_found"),
        ("POST", "events", 405, "http_method_not_supported"),
        ("GET", "invoices/1/close", 405, "http_method_not_supported"),
        ("GET", "customers/no", 404, "resource_not_found"),
        ("POST", "invoices/no/close", 404, "resource_not_found"),
    ],
)
def test_paths_and_methods_that_are_none(
    bench: Bench, method: str, path: str, status: int, code: str
) -> None:
    answer = bench.send(method, path)
    assert (answer.status, wire.decode(answer.body)["api_error_code"]) == (status, code)


def test_an_answer_says_whether_it_changed_anything(bench: Bench) -> None:
    assert bench.half.handle(request(CREATE, FORM)).committed
    assert not bench.half.handle(request(CREATE)).committed
    assert not bench.half.handle(request("customers/c1", method="GET")).committed


def test_a_body_that_is_json_is_an_invalid_request(bench: Bench) -> None:
    answer = bench.send("POST", CREATE, body=b'{"customer_id":"c1"}')
    assert (answer.status, wire.decode(answer.body)["type"]) == (400, "invalid_request")


def test_strict_sites_refuse_unknown_parameters() -> None:
    bench = Bench(unknown_parameters="refuse")
    assert bench.refused(CREATE, {**FORM, "what": 1})[2] == "what"
    assert bench.send("GET", "invoices", query=[("po_number[is]", "p")]).status == 400
    assert bench.send("GET", "invoices", query=[("limit", "1")]).status == 200
    assert Bench().send("GET", "invoices", query=[("po_number[is]", "p")]).status == 200


def test_a_repeat_is_answered_from_memory_for_half_an_hour(bench: Bench) -> None:
    first = bench.post(CREATE, FORM, idempotency="k")
    bench.advance(30 * 60 - 1)
    again = bench.half.handle(request(CREATE, FORM, key="k"))
    assert ("chargebee-idempotency-replayed", "true") in again.headers
    assert wire.decode(again.body) == first[1]
    assert not again.committed
    bench.advance(1)
    after = bench.post(CREATE, FORM, idempotency="k")
    assert after[1]["invoice"]["id"] != first[1]["invoice"]["id"]
    assert len(bench.store.table("chargebee/idempotency_keys").rows) == 1


def test_a_replay_is_frozen(bench: Bench) -> None:
    first = bench.post(CREATE, FORM, idempotency="k")[1]
    bench.ok(f"invoices/{first['invoice']['id']}/void")
    assert bench.post(CREATE, FORM, idempotency="k")[1] == first


def test_a_key_belongs_to_one_request(bench: Bench) -> None:
    bench.post(CREATE, FORM, idempotency="k")
    status, body = bench.post(CREATE, {**FORM, "po_number": "p"}, idempotency="k")
    assert (status, body["api_error_code"]) == (422, "unable_to_process_request")
    assert bench.post("customers", {"id": "x"}, idempotency="k")[0] == 422
    other = Bench(idempotency_scope="path")
    other.post(CREATE, FORM, idempotency="k")
    assert other.post("customers", {"id": "x"}, idempotency="k")[0] == 200


@pytest.mark.parametrize(("counted", "status"), [("chargebee", 422), ("none", 200)])
def test_chargebee_headers_count_and_attempt_counters_do_not(counted: str, status: int) -> None:
    bench = Bench(idempotency_headers=counted)
    body = urlencode(flat(FORM)).encode()
    key = {"chargebee-idempotency-key": "k"}
    bench.send("POST", CREATE, body=body, headers=key)
    attempt = {**key, "x-cb-retry-attempt": "1"}
    assert bench.send("POST", CREATE, body=body, headers=attempt).status == 200
    user = {**key, "chargebee-request-origin-user": "me"}
    assert bench.send("POST", CREATE, body=body, headers=user).status == status


@pytest.mark.parametrize(
    ("stores", "status"), [("success", 200), ("client-errors", 404), ("all", 404)]
)
def test_refusals_are_remembered_by_switch(stores: str, status: int) -> None:
    bench = Bench(idempotency_stores=stores)
    form = {**FORM, "customer_id": "later"}
    assert bench.post(CREATE, form, idempotency="k")[0] == 404
    bench.ok("customers", {"id": "later", "auto_collection": "off"})
    assert bench.post(CREATE, form, idempotency="k")[0] == status


def test_estimates_take_no_key_and_long_keys_are_refused(bench: Bench) -> None:
    form = {"invoice": {"customer_id": "c1"}, "currency_code": "USD", "charges": [{"amount": 1}]}
    for _ in range(2):
        answer = bench.half.handle(request("estimates/create_invoice_for_items", form, key="k"))
        assert answer.headers == (("content-type", "application/json;charset=utf-8"),)
    assert bench.post(CREATE, FORM, idempotency="k" * 101)[0] == 400


@pytest.mark.parametrize(("switch", "status"), [(409, 409), (429, 429)])
def test_a_key_that_is_under_way_is_refused(switch: int, status: int) -> None:
    bench = Bench(idempotency_in_flight=switch)
    running = request(CREATE, FORM, key="k")
    bench.half.hold(running, 60)
    assert bench.half.handle(request(CREATE, FORM, key="k")).status == status
    assert bench.half.handle(running).status == 200


def test_two_writes_to_one_invoice_at_one_time_are_locked(bench: Bench) -> None:
    key = bench.pending()["id"]
    path = f"invoices/{key}/add_charge_item"
    running = request(path, PENDING)
    bench.half.hold(running, 60)
    status, body = bench.post(path, PENDING)
    assert (status, body["api_error_code"]) == (429, "lock_timeout")
    assert bench.post("customers", {"id": "x"})[0] == 200
    assert bench.half.handle(running).status == 200


def test_two_bills_of_one_subscription_at_one_time_are_locked(bench: Bench) -> None:
    form = {**FORM, "subscription_id": "s1"}
    bench.half.hold(request(CREATE, form), 60)
    assert bench.post(CREATE, form)[1]["api_error_code"] == "lock_timeout"
    bench.half.hold(HttpRequest("POST", f"/api/v2/{CREATE}", (), {"authorization": "x"}, b""), 60)
    assert bench.post(CREATE, FORM)[0] == 200
    bench.half.hold(request("customers/c1", method="GET"), 60)
    assert bench.status("customers/c1") == 200


class Ticks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def limits(monotonic: Callable[[], float], **switches: object) -> Limits:
    return Limits(Switches(switches), monotonic)


def refusal(of: Limits, method: str = "GET") -> RefusalError:
    with pytest.raises(RefusalError) as caught:
        of.admit(request("x", method=method))
    return caught.value


def test_the_window_slides() -> None:
    ticks = Ticks()
    window = limits(ticks, requests_per_minute=2, chargebee_retry_after=True)
    window.admit(request("x"))
    ticks.now = 30
    window.admit(request("x"))
    ticks.now = 59
    error = refusal(window)
    assert error.body["api_error_code"] == "api_request_limit_exceeded"
    assert error.headers == (("retry-after", "5"),)
    ticks.now = 60
    window.admit(request("x"))
    assert refusal(window).status == 429


def test_refused_calls_count_by_switch() -> None:
    for counts, free in ((False, True), (True, False)):
        ticks = Ticks()
        window = limits(ticks, requests_per_minute=1, refused_calls_count=counts)
        window.admit(request("x"))
        ticks.now = 59
        assert not refusal(window).headers
        ticks.now = 61
        if free:
            window.admit(request("x"))
        else:
            assert refusal(window).status == 429


def test_reads_and_writes_at_one_time_are_counted_apart() -> None:
    ticks = Ticks()
    window = limits(ticks, concurrent_reads=1, concurrent_writes=1, requests_per_minute=0)
    window.hold(request("a", method="GET"), 10, lock="", key="")
    assert refusal(window).status == 429
    window.admit(request("b", method="POST"))
    ticks.now = 11
    window.admit(request("a", method="GET"))


def test_a_site_over_its_limit_answers_429(bench: Bench) -> None:
    slow = Bench(filled=False, requests_per_minute=2)
    assert [slow.status("customers") for _ in range(3)] == [200, 200, 429]
    assert bench.status("customers") == 200


def test_faults_that_know_chargebee(bench: Bench) -> None:
    one = request(CREATE, FORM, key="k")
    for name, code in (
        ("lock_timeout", "lock_timeout"),
        ("third_party_rate_limit", "third_party_api_request_limit_exceeded"),
    ):
        answer = bench.half.fault(name, one)
        assert answer is not None
        assert (answer.status, wire.decode(answer.body)["api_error_code"]) == (429, code)
    assert bench.half.fault("version_conflict", one) is None
    stranger = HttpRequest("GET", "/api/v2/invoices", (), {})
    assert bench.half.fault("lock_timeout", stranger) is None


def test_a_forgotten_key_makes_a_second_invoice(bench: Bench) -> None:
    one = request(CREATE, FORM, key="k")
    bench.half.handle(one)
    assert bench.half.fault("idempotency_expiry", one) is None
    bench.half.handle(one)
    assert len(bench.get("invoices")["list"]) == 2
    bench.half.fault("idempotency_expiry", request(CREATE, FORM))


def test_lists_may_lag_or_be_empty(bench: Bench) -> None:
    bench.invoice()
    bench.advance(61)
    bench.invoice()
    listing = request("invoices", method="GET")
    bench.half.fault("list_lag", listing)
    assert len(bench.get("invoices")["list"]) == 1
    assert len(bench.get("invoices")["list"]) == 2
    bench.half.fault("empty_page", listing)
    page = bench.get("invoices")
    assert page["list"] == []
    assert len(bench.query("invoices", [("offset", page["next_offset"])])["list"]) == 2
    lagging = Bench(chargebee_list_lag_seconds=10)
    lagging.invoice()
    assert lagging.get("invoices")["list"] == []
    lagging.advance(10)
    assert len(lagging.get("invoices")["list"]) == 1


def test_an_invoice_is_closed_in_the_middle_of_a_bill(bench: Bench) -> None:
    key = bench.pending()["id"]
    bench.half.fault("auto_close", request(f"invoices/{key}/add_charge_item", PENDING))
    assert bench.refused(f"invoices/{key}/add_charge_item", PENDING)[0] == 404
    assert bench.get("invoices/1")["invoice"]["status"] == "payment_due"
    bench.pending()
    bench.half.fault("auto_close", request(CREATE, {**FORM, "subscription_id": "s1"}))
    bench.half.fault("auto_close", request(CREATE, FORM))
    assert bench.status("invoices/2") == 200


def test_a_person_adds_an_identical_line(bench: Bench) -> None:
    key = bench.pending()["id"]
    charge = {"amount": 7, "description": "d"}
    for path, form in (("add_charge_item", PENDING), ("add_charge", charge), ("close", {})):
        bench.half.fault("foreign_line", request(f"invoices/{key}/{path}", form))
    lines = bench.get(f"invoices/{key}")["invoice"]["line_items"]
    assert [line["amount"] for line in lines] == [30, 20, 7, 7]
    assert len({line["id"] for line in lines}) == 4
    bench.half.fault("foreign_line", request(f"invoices/{key}/add_charge", {"amount": "x"}))
    events = bench.query("events", [("source[is]", "admin_console")])["list"]
    assert len(events) == 3


def test_server_faults_are_worded_as_chargebee_does(bench: Bench) -> None:
    codes = {429: "api_request_limit_exceeded", 503: "internal_temporary_error"}
    for status, code in {**codes, 500: "internal_error", 502: "internal_error"}.items():
        answer = bench.half.error(status, "m")
        assert (answer.status, wire.decode(answer.body)["api_error_code"]) == (status, code)


def test_an_edit_by_a_person_raises_the_version(bench: Bench) -> None:
    invoice = bench.site.need("invoice", bench.invoice()["id"])
    edited = bench.half.user_edit(invoice | {"po_number": "p"}, "jo")
    assert edited["resource_version"] == invoice["resource_version"] + 1
