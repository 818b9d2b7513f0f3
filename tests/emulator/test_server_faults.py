from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from fakes.emulated_http import ORG, EmulatedHttp

from reconciler.emulator import wire
from reconciler.emulator.running import RunningEmulator

PRODUCT = {"name": "X", "code": "x"}


@pytest.fixture
def client(emulator: RunningEmulator) -> Iterator[EmulatedHttp]:
    with EmulatedHttp(emulator.url) as http:
        http.log_in()
        yield http


def product_exists(client: EmulatedHttp) -> bool:
    products = client.control("GET", "/state", None, vendor="m3ter")["m3ter"]["products"]
    return any(product["code"] == "x" for product in products)


def test_many_requests_share_one_connection(client: EmulatedHttp) -> None:
    before = client.m3ter("GET", "/products").extensions["network_stream"]
    for _ in range(20):
        answer = client.m3ter("GET", "/products")
        assert answer.status_code == 200
        assert answer.extensions["network_stream"] is before


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("rate_limit", 429),
        ("rate_limit_retry_after", 429),
        ("http_500", 500),
        ("http_502", 502),
        ("http_503", 503),
        ("http_504", 504),
        ("html_502", 502),
    ],
)
@pytest.mark.parametrize("commit", [False, True])
def test_an_error_answer_leaves_the_request_undone_unless_told(
    client: EmulatedHttp, fault: str, status: int, commit: bool
) -> None:
    client.fault(fault, times=1, commit=commit, match={"method": "POST"})
    answer = client.m3ter("POST", "/products", PRODUCT)
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (fault == "rate_limit_retry_after")
    if fault == "html_502":
        assert answer.headers["content-type"] == "text/html"
        assert answer.text.startswith("<html>")
    else:
        assert wire.decode(answer.content)["message"]
    assert product_exists(client) == commit
    assert client.requests()[-1]["committed"] == commit
    assert client.requests()[-1]["status"] == status


def test_a_cut_before_commit_changes_nothing(client: EmulatedHttp) -> None:
    client.fault("cut_before_commit", times=1)
    with pytest.raises(httpx.TransportError):
        client.m3ter("POST", "/products", PRODUCT)
    assert not product_exists(client)
    last = client.requests()[-1]
    assert (last["method"], last["status"], last["committed"]) == ("POST", None, False)
    assert client.m3ter("POST", "/products", PRODUCT).status_code == 200


def test_a_cut_while_the_request_is_read_changes_nothing(client: EmulatedHttp) -> None:
    client.fault("cut_before_commit", times=1, bytes=700)
    big = {**PRODUCT, "customFields": {"filler": "y" * 50_000}}
    with pytest.raises(httpx.TransportError):
        client.m3ter("POST", "/products", big)
    assert not product_exists(client)
    assert client.m3ter("POST", "/products", PRODUCT).status_code == 200


def test_a_cut_at_more_bytes_than_the_request_has_still_cuts(client: EmulatedHttp) -> None:
    client.fault("cut_before_commit", times=1, bytes=1_000_000)
    with pytest.raises(httpx.TransportError):
        client.m3ter("POST", "/products", PRODUCT)
    assert not product_exists(client)


@pytest.mark.parametrize("count", [0, 1, 40, 150])
def test_a_cut_after_commit_lets_so_many_bytes_through(client: EmulatedHttp, count: int) -> None:
    client.fault("cut_after_commit", times=1, bytes=count)
    request = (
        f"GET {ORG}/products HTTP/1.1\r\nhost: x\r\n"
        f"authorization: {client.headers['authorization']}\r\n\r\n"
    )
    received = client.raw(request.encode())
    assert len(received) == count
    assert b"HTTP/1.1 200 OK"[:count] == received[:15]


def test_a_cut_after_commit_has_committed(client: EmulatedHttp) -> None:
    client.fault("cut_after_commit", times=1, bytes=60)
    with pytest.raises(httpx.RemoteProtocolError):
        client.m3ter("POST", "/products", PRODUCT)
    assert product_exists(client)
    assert client.requests()[-1]["committed"] is True


def test_a_commit_may_come_after_the_cut(client: EmulatedHttp) -> None:
    client.fault("commit_after_cut", times=1, seconds=100)
    with pytest.raises(httpx.TransportError):
        client.m3ter("POST", "/products", PRODUCT)
    assert not product_exists(client)
    client.control("POST", "/clock", {"advance_seconds": 101})
    assert product_exists(client)
    assert client.requests()[-1]["committed"] is True


def test_a_late_commit_needs_no_further_request(emulator: RunningEmulator) -> None:
    with EmulatedHttp(emulator.url) as client:
        client.log_in()
        client.fault("commit_after_cut", times=1, seconds=wire.decode(b"0.05"))
        with pytest.raises(httpx.TransportError):
            client.m3ter("POST", "/products", PRODUCT)
        deadline = time.monotonic() + 3
        while not emulator.world.store.where("m3ter/products", "code", "x"):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_lost_response_stays_silent_and_has_committed(client: EmulatedHttp) -> None:
    client.fault("lost_response", times=1)
    with EmulatedHttp(client.url, timeout=0.2) as impatient:
        impatient.headers = client.headers
        with pytest.raises(httpx.ReadTimeout):
            impatient.m3ter("POST", "/products", PRODUCT)
    assert product_exists(client)


def test_a_silent_connection_is_closed_in_the_end(client: EmulatedHttp) -> None:
    client.fault("lost_response", times=1, seconds=wire.decode(b"0.05"))
    with pytest.raises(httpx.TransportError):
        client.m3ter("POST", "/products", PRODUCT)


def test_latency_delays_the_answer_and_slow_drips_it(client: EmulatedHttp) -> None:
    client.fault("latency", times=1, seconds=wire.decode(b"0.15"))
    begun = time.monotonic()
    assert client.m3ter("GET", "/products").status_code == 200
    assert time.monotonic() - begun >= 0.15
    client.fault("slow", times=1, seconds=wire.decode(b"0.15"))
    begun = time.monotonic()
    answer = client.m3ter("GET", "/products")
    assert len(wire.decode(answer.content)["data"]) == 2
    assert time.monotonic() - begun >= 0.15
    assert client.m3ter("GET", "/products").status_code == 200


def test_faults_of_the_vendor_reach_it_over_http(client: EmulatedHttp) -> None:
    client.fault("expired_token", times=1, match={"vendor": "m3ter", "path": f"{ORG}/*"})
    assert client.m3ter("GET", "/products").status_code == 403
    client.log_in()
    client.fault("empty_page", times=1)
    page = wire.decode(client.m3ter("GET", "/products").content)
    assert page["data"] == []
    assert page["nextToken"]


def test_several_faults_may_hit_one_request(client: EmulatedHttp) -> None:
    rules = [{"fault": "latency", "seconds": wire.decode(b"0.1"), "times": 1}]
    rules += [{"fault": "http_500", "times": 1}, {"fault": "http_503", "times": 1}]
    client.control("POST", "/faults", {"rules": rules})
    begun = time.monotonic()
    assert client.m3ter("GET", "/products").status_code == 500
    assert time.monotonic() - begun >= 0.1


def test_faults_never_hit_the_control_surface(client: EmulatedHttp) -> None:
    client.fault("http_500")
    client.fault("cut_before_commit", bytes=1)
    assert client.control("GET", "/health")["status"] == "ok"


def test_a_body_in_chunks_with_expect_is_understood(client: EmulatedHttp) -> None:
    head = (
        f"POST {ORG}/products HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
        f"authorization: {client.headers['authorization']}\r\n"
        "transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    )
    body = wire.encode(PRODUCT)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    received = client.raw(head.encode() + chunks)
    assert b"HTTP/1.1 200 OK" in received
    assert product_exists(client)


def test_a_client_that_waits_for_100_continue_gets_it(client: EmulatedHttp) -> None:
    big = "y" * 200_000
    answer = client.http.post(
        ORG + "/products",
        content=wire.encode({**PRODUCT, "name": big}),
        headers={**client.headers, "expect": "100-continue"},
    )
    assert answer.status_code == 200


def test_pipelined_requests_are_answered_in_order(client: EmulatedHttp) -> None:
    one = "GET /_emulator/nothing{} HTTP/1.1\r\nhost: x\r\n{}\r\n"
    raw = one.format(1, "") + one.format(2, "connection: close\r\n")
    received = client.raw(raw.encode())
    assert received.index(b"nothing1") < received.index(b"nothing2")


def test_bytes_that_are_not_http_are_refused_and_closed(client: EmulatedHttp) -> None:
    assert client.raw(b"\x16\x03\x01 no http\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_an_answer_to_head_has_no_body(client: EmulatedHttp) -> None:
    answer = client.send("HEAD", "/_emulator/health")
    assert (answer.status_code, answer.content) == (404, b"")


def test_paths_are_decoded_once(client: EmulatedHttp) -> None:
    answer = client.send("GET", "/organizations/a%20b")
    assert client.requests()[-1]["path"] == "/organizations/a b"
    assert answer.status_code == 403


def test_a_failure_of_the_emulator_itself_is_an_answer(
    emulator: RunningEmulator, client: EmulatedHttp, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.world.store.put("m3ter/products", {"id": "broken", "amount": 1.5})
    assert client.m3ter("GET", "/products").status_code == 500
    assert "no exact JSON form" in capsys.readouterr().err
    emulator.world.store.delete("m3ter/products", "broken")
    assert client.m3ter("GET", "/products").status_code == 200


def test_the_emulator_ends_with_connections_open_and_answers_outstanding(
    emulator: RunningEmulator,
) -> None:
    with EmulatedHttp(emulator.url) as client:
        client.log_in()
        client.fault("lost_response", times=1)
        with EmulatedHttp(emulator.url, timeout=0.05) as other, pytest.raises(httpx.ReadTimeout):
            other.m3ter("GET", "/products")
