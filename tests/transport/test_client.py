from __future__ import annotations

import gzip
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fakes.raw_server import RawServer, answer, read_request
from fakes.tls import certificate, server_context

from reconciler.transport.client import CallLimits, HttpClient, Request, shared_tls
from reconciler.transport.retry import AnswerTooLargeError, LostAnswerError, NotSentError
from reconciler.transport.system_clock import SystemClock

CLOCK = SystemClock()
QUICK = CallLimits(connect_seconds=0.3, read_seconds=0.15, total_seconds=0.4, body_bytes=1000)


def _client(server: RawServer, limits: CallLimits = QUICK) -> HttpClient:
    return HttpClient(server.url, CLOCK, limits=limits)


def _drip(connection: socket.socket, data: bytes) -> None:
    read_request(connection)
    for start in range(len(data)):
        connection.sendall(data[start : start + 1])
        time.sleep(0.05)


def test_a_request_goes_out_as_it_is_and_the_answer_comes_back_whole() -> None:
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        body = gzip.compress(b'{"a": 0.1666666666666666666}')
        connection.sendall(answer(body, "200 OK", "Content-Encoding: gzip", "X-One: 1"))

    with RawServer(serve) as server, _client(server) as client:
        request = Request("PUT", "/a/b%2Fc", (("ids", "a,b"), ("x", "1")), {"X-Two": "2"}, b"{}")
        got = client.send(request)
    assert (got.status, got.headers["x-one"]) == (200, "1")
    assert got.body == b'{"a": 0.1666666666666666666}'
    head = seen[0].decode()
    assert head.startswith("PUT /a/b%2Fc?ids=a%2Cb&x=1 HTTP/1.1")
    assert "user-agent: m3ter-reconciler/" in head.lower()
    assert head.endswith("{}")


def test_connections_are_kept_and_never_more_than_sixteen() -> None:
    def serve(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(answer(b"ok"))

    limits = CallLimits(total_seconds=10)
    with RawServer(serve) as server, _client(server, limits) as client:
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda _: client.send(Request("GET", "/")), range(100)))
        assert all(answer.status == 200 for answer in answers)
        assert server.connections <= 16


def test_redirects_are_answers_and_cookies_are_not_kept() -> None:
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            headers = ("Location: http://127.0.0.1:1/", "Set-Cookie: session=1; Path=/")
            connection.sendall(answer(b"", "302 Found", *headers))

    with RawServer(serve) as server, _client(server) as client:
        assert [client.send(Request("GET", "/")).status for _ in range(2)] == [302, 302]
    assert b"cookie:" not in seen[1].lower()


def test_a_refused_connection_was_never_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        HttpClient(f"http://127.0.0.1:{port}", CLOCK) as client,
        pytest.raises(NotSentError, match="nothing was sent"),
    ):
        client.send(Request("POST", "/x"))


@pytest.mark.parametrize(
    "sent",
    [b"", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12"],
)
def test_a_connection_cut_at_any_byte_may_have_reached_the_vendor(sent: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(sent)

    with (
        RawServer(serve) as server,
        _client(server) as client,
        pytest.raises(LostAnswerError, match="no whole answer"),
    ):
        client.send(Request("POST", "/x", body=b"{}"))


def test_silence_ends_by_the_read_timeout() -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        read_request(connection)

    with RawServer(serve) as server, _client(server) as client:
        began = time.monotonic()
        with pytest.raises(LostAnswerError):
            client.send(Request("GET", "/x"))
        assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 500,
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"z" * 500,
    ],
    ids=["headers", "body"],
)
def test_a_slow_drip_ends_by_the_total_deadline(data: bytes) -> None:
    with RawServer(lambda entry: _drip(entry, data)) as server, _client(server) as client:
        began = time.monotonic()
        with pytest.raises(LostAnswerError):
            client.send(Request("GET", "/x"))
        assert 0.3 < time.monotonic() - began < 1.5


def test_an_answer_larger_than_the_cap_is_not_read() -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer(b"x" * 5000))

    with (
        RawServer(serve) as server,
        _client(server) as client,
        pytest.raises(AnswerTooLargeError, match="1,000 bytes"),
    ):
        client.send(Request("GET", "/x"))


def test_a_damaged_answer_is_a_lost_one() -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer(b"no gzip", "200 OK", "Content-Encoding: gzip"))

    with RawServer(serve) as server, _client(server) as client, pytest.raises(LostAnswerError):
        client.send(Request("GET", "/x"))


def test_debug_lines_hold_no_secret() -> None:
    lines: list[str] = []

    def serve(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(answer(b'{"access_token": "hunter2hunter2"}'))

    with RawServer(serve) as server:
        with HttpClient(server.url, CLOCK, log=lines.append) as client:
            headers = {"Authorization": "Basic c2VjcmV0OnNlY3JldA=="}
            client.send(Request("POST", "/oauth/token", (), headers, b"secret"))
        with (
            HttpClient("http://127.0.0.1:1", CLOCK, log=lines.append) as client,
            pytest.raises(NotSentError),
        ):
            client.send(Request("GET", "/x", (), headers))
    assert "-> 200, 34 bytes" in lines[0]
    assert len(lines) == 2
    assert not any("c2Vj" in line or "hunter2" in line for line in lines)
    assert "c2Vj" not in repr(Request("GET", "/x", (), headers, b"secret"))


def test_a_trusted_server_is_spoken_to_by_tls(tmp_path: Path) -> None:
    context = server_context(tmp_path)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            while read_request(secure):
                secure.sendall(answer(b"ok"))

    tls = shared_tls(str(certificate(tmp_path)))
    with RawServer(serve) as server:
        url = server.url.replace("http:", "https:")
        with HttpClient(url, CLOCK, tls=tls) as client:
            assert [client.send(Request("GET", "/")).body for _ in range(2)] == [b"ok", b"ok"]
        with HttpClient(url, CLOCK) as client, pytest.raises(NotSentError, match="certificate"):
            client.send(Request("GET", "/"))


def test_an_exhausted_deadline_sends_nothing() -> None:
    with RawServer(read_request) as server:  # type: ignore[arg-type]
        limits = CallLimits(total_seconds=0)
        with _client(server, limits) as client, pytest.raises(NotSentError, match="deadline"):
            client.send(Request("GET", "/"))


def test_a_tls_server_that_is_not_trusted_was_never_sent_anything() -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)

    with RawServer(serve) as server:
        url = server.url.replace("http:", "https:")
        with HttpClient(url, CLOCK, limits=QUICK) as client, pytest.raises(NotSentError):
            client.send(Request("POST", "/x"))


def test_the_process_builds_one_tls_context() -> None:
    context = shared_tls()
    assert context is shared_tls()
    assert context.verify_mode is ssl.CERT_REQUIRED
