"""A plain HTTP client for an emulator: the control surface, m3ter's calls, and bare sockets."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from fakes import loopback

from reconciler.emulator import wire
from reconciler.emulator.m3ter.http.tokens import ACCESS_KEY, API_SECRET, ORGANISATION

ORG = f"/organizations/{ORGANISATION}"


class EmulatedHttp:
    """Sends requests to one emulator; close it (or use it in a with statement)."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        self.url = url
        self.http = loopback.client(url, timeout)
        self.headers: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def log_in(self) -> None:
        """Get a token for m3ter."""
        answer = self.http.post(
            "/oauth/token",
            content=b'{"grant_type":"client_credentials"}',
            headers={"content-type": "application/json"},
            auth=(ACCESS_KEY, API_SECRET),
        )
        token = wire.decode(answer.content)["access_token"]
        self.headers = {"authorization": f"Bearer {token}"}

    def send(self, method: str, path: str, body: object = None, **query: str) -> httpx.Response:
        """One request with the current token."""
        content = b"" if body is None else wire.encode(body)
        return self.http.request(method, path, content=content, params=query, headers=self.headers)

    def m3ter(self, method: str, path: str, body: object = None, **query: str) -> httpx.Response:
        """One request below the organisation."""
        return self.send(method, ORG + path, body, **query)

    def control(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """The decoded answer of a control request that must succeed."""
        answer = self.send(method, f"/_emulator{path}", body, **query)
        assert answer.status_code == 200, answer.text
        return wire.decode(answer.content)

    def fault(self, fault: str, **rule: Any) -> None:
        """Add one fault rule."""
        self.control("POST", "/faults", {"rules": [{"fault": fault, **rule}]})

    def requests(self, **query: str) -> list[Any]:
        """The request log."""
        found: list[Any] = self.control("GET", "/requests", None, **query)["requests"]
        return found

    def raw(self, data: bytes) -> bytes:
        """Send bytes on a fresh connection and read until the emulator closes it."""
        parts = urlsplit(self.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
            connection.sendall(data)
            received = b""
            while True:
                try:
                    piece = connection.recv(65_536)
                except ConnectionResetError:
                    return received
                if not piece:
                    return received
                received += piece
