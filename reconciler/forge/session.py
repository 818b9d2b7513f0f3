"""Calls to a forge: authorised, paced, paged to the end, with typed errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlsplit

from reconciler.kernel.exact_json import NotJsonError, decode, encode
from reconciler.kernel.ports import Clock, RateLimit
from reconciler.kernel.secret import Secret
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.review.ports import ForgeRefusedError, ForgeUnreachableError
from reconciler.transport.client import Request
from reconciler.transport.retry import Answer, RetryPolicy, TransportError
from reconciler.transport.sender import Client, Sender

# Source: GitHub REST "Rate limits": wait for retry-after or x-ratelimit-reset
POLICY: Final = RetryPolicy(longest_retry_after=1_200.0, limited_attempts=6)
PAGES_MAX: Final = 1_000
PAGE: Final = 100
_NEXT: Final = re.compile(r'<([^>]+)>;\s*rel="next"')
_SAID_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class LimitsAsOne:
    """Says 429 where a forge says 403 for "too many requests", with the time to wait."""

    client: Client
    clock: Clock

    def send(self, request: Request) -> Answer:
        """Send a request once."""
        answer = self.client.send(request)
        if answer.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}:
            return answer
        headers = answer.headers
        # Source: GitHub REST "Rate limits": 403 or 429; x-ratelimit-remaining is 0, or retry-after
        if "retry-after" in headers:
            return Answer(HTTPStatus.TOO_MANY_REQUESTS, headers, answer.body)
        if headers.get("x-ratelimit-remaining") == "0":
            wait = _until(headers.get("x-ratelimit-reset", ""), self.clock.now())
            limited = {**headers, "retry-after": str(wait)}
            return Answer(HTTPStatus.TOO_MANY_REQUESTS, limited, answer.body)
        return answer


class Session:
    """Speaks to one API of a forge.

    Writes are spaced by their own limit: GitHub asks for a second between them. ``page_size`` is
    the name of the parameter for it.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        token: Secret,
        *,
        base_path: str,
        scheme: str,
        reads: RateLimit,
        writes: RateLimit,
        chance: Callable[[], float],
        headers: Mapping[str, str],
        page_size: str = "per_page",
    ) -> None:
        limited = LimitsAsOne(client, clock)
        self._reads = Sender(limited, reads, clock, chance, POLICY)
        self._writes = Sender(limited, writes, clock, chance, POLICY)
        self._base_path = base_path
        self._page_size = page_size
        self._headers = {**headers, "Authorization": f"{scheme} {token.reveal()}"}

    def read(self, path: str, query: Sequence[tuple[str, str]] = (), *, intent: str) -> JsonValue:
        """Read one resource.

        Raises:
            ForgeRefusedError: When the answer is a refusal.
            ForgeUnreachableError: When no clear answer came.
        """
        return _value(self._get(path, tuple(query), intent), intent)

    def pages(
        self,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        *,
        intent: str,
        key: str = "",
        is_whole: bool = False,
    ) -> Iterator[JsonObject]:
        """Read a list to its end, following ``Link: rel="next"``.

        Args:
            path: Below the API.
            query: Filters.
            intent: A verb and its object, for messages.
            key: Where the list stands in the answer; empty when it is the answer.
            is_whole: Whether the forge gives this list without pages.
        """
        size = () if is_whole else ((self._page_size, str(PAGE)),)
        pairs: tuple[tuple[str, str], ...] = (*query, *size)
        for _ in range(PAGES_MAX):
            answer = self._get(path, pairs, intent)
            found = _value(answer, intent)
            listed = found.get(key) if key and isinstance(found, Mapping) else found
            if not isinstance(listed, list):
                raise ForgeUnreachableError(intent, "the answer is no list")
            yield from (entry for entry in listed if isinstance(entry, dict))
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return
            target = urlsplit(following[1])
            path = target.path.removeprefix(self._base_path)
            pairs = tuple(_pairs(target.query))
        raise ForgeUnreachableError(intent, f"the list has more than {PAGES_MAX:,} pages")

    def write(
        self, method: str, path: str, body: JsonObject, *, intent: str, again: bool = False
    ) -> JsonValue:
        """Change something.

        Args:
            method: POST, PATCH or PUT.
            path: Below the API.
            body: JSON.
            intent: A verb and its object, for messages.
            again: Whether doing it twice is the same as once, so that it may be sent again.
        """
        headers = {**self._headers, "Content-Type": "application/json"}
        request = Request(method, self._base_path + path, (), headers, encode(body).encode())
        outcome = self._writes.send(request, writes=not again)
        return _value(_answered(outcome, intent), intent)

    def _get(self, path: str, query: tuple[tuple[str, str], ...], intent: str) -> Answer:
        request = Request("GET", self._base_path + path, query, self._headers)
        return _answered(self._reads.send(request, writes=False), intent)


def segment(text: str) -> str:
    """Quote one segment of a path."""
    return quote(text, safe="")


def _answered(outcome: Answer | TransportError, intent: str) -> Answer:
    if isinstance(outcome, TransportError):
        raise ForgeUnreachableError(intent, str(outcome))
    if outcome.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ForgeUnreachableError(intent, f"the forge answers {outcome.status}")
    if not HTTPStatus.OK <= outcome.status < HTTPStatus.MULTIPLE_CHOICES:
        raise ForgeRefusedError(intent, outcome.status, _said(outcome))
    return outcome


def _value(answer: Answer, intent: str) -> JsonValue:
    if not answer.body:
        return None
    try:
        return decode(answer.body)
    except NotJsonError:
        raise ForgeUnreachableError(intent, "the answer is not JSON") from None


def _said(answer: Answer) -> str:
    try:
        body = decode(answer.body)
    except NotJsonError:
        return "no message"
    said = body.get("message") if isinstance(body, Mapping) else None
    return str(said)[:_SAID_MAX] if said else "no message"


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    from urllib.parse import parse_qsl

    yield from parse_qsl(query, keep_blank_values=True)


def _until(reset: str, now: datetime) -> int:
    """Give whole seconds until a moment in seconds since 1970; a minute when it is unreadable."""
    if not (reset.isascii() and reset.isdigit()):
        return 60
    moment = datetime.fromtimestamp(int(reset[:11]), UTC)
    return max(1, int((moment - now).total_seconds()) + 1)
