"""The m3ter half of the emulator without a network: requests in, decoded answers out."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from reconciler.emulator import wire
from reconciler.emulator.exchange import HttpAnswer, HttpRequest
from reconciler.emulator.m3ter.api import M3terHalf
from reconciler.emulator.m3ter.http.tokens import ACCESS_KEY, API_SECRET, ORGANISATION
from reconciler.emulator.world import World


class DirectApi:
    """A world whose m3ter half is called directly, with a good token."""

    def __init__(self, scenario: str = "starter", **switches: object) -> None:
        quiet = {"clock": "still", "requests_per_second": 0, **switches}
        self.world = World(scenario, 1, quiet)
        self.store = self.world.store
        half = self.world.m3ter
        assert isinstance(half, M3terHalf)
        self.half = half
        self.token = self.new_token()

    def new_token(self, key: str = ACCESS_KEY, secret: str = API_SECRET) -> str:
        """A fresh bearer token."""
        answer = self.half.handle(token_request(key, secret))
        assert answer.status == 200, answer.body
        token: str = wire.decode(answer.body)["access_token"]
        return token

    def send(self, method: str, path: str, body: object = None, **query: str) -> tuple[int, Any]:
        """Status and decoded body of one call; the path is below the organisation."""
        answer = self.answer(method, path, body, query)
        return answer.status, wire.decode(answer.body)

    def answer(
        self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """The bare answer of one call."""
        return self.half.handle(self.request(method, path, body, query))

    def request(
        self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None
    ) -> HttpRequest:
        """A request with the current token."""
        raw = b"" if body is None else wire.encode(body)
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        pairs = tuple((query or {}).items())
        return HttpRequest(method, f"/organizations/{ORGANISATION}{path}", pairs, headers, raw)

    def ok(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """The decoded body of a call that must succeed."""
        status, value = self.send(method, path, body, **query)
        assert status == 200, (status, value)
        return value

    def refused(self, method: str, path: str, body: object = None, **query: str) -> tuple[int, str]:
        """Status and message of a call that must be refused."""
        status, value = self.send(method, path, body, **query)
        assert status >= 400, value
        return status, value["message"]

    def everything(self, path: str, **query: str) -> list[Any]:
        """All pages of a list."""
        found: list[Any] = []
        while True:
            page = self.ok("GET", path, None, **query)
            found += page["data"]
            if "nextToken" not in page:
                return found
            query = {**query, "nextToken": page["nextToken"]}


def token_request(
    key: str, secret: str, body: bytes = b'{"grant_type":"client_credentials"}'
) -> HttpRequest:
    """A token request with a JSON body."""
    basic = b64encode(f"{key}:{secret}".encode()).decode()
    headers = {"authorization": f"Basic {basic}", "content-type": "application/json"}
    return HttpRequest("POST", "/oauth/token", (), headers, body)
