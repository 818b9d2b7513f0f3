"""One organisation over HTTP: authorised calls, pages, bounded concurrency, typed errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

from reconciler.kernel.address import OrganizationId
from reconciler.kernel.exact_json import NotJsonError, encode
from reconciler.kernel.ports import Clock
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.api import answers
from reconciler.m3ter.api.errors import (
    AnswerTooLargeForPageError,
    Call,
    PagingLoopError,
    UnreadableAnswerError,
)
from reconciler.m3ter.api.switches import M3terSwitches
from reconciler.m3ter.api.token import Tokens
from reconciler.transport.client import Request
from reconciler.transport.retry import (
    Answer,
    Outcome,
    RetryPolicy,
    TransportError,
    Verdict,
    judge,
)
from reconciler.transport.sender import Sender

Query = Sequence[tuple[str, str]]
One = TypeVar("One")
Other = TypeVar("Other")

MAX_THREADS = 16
# A token younger than this was refused for another reason than its age.
_FRESH = timedelta(minutes=1)
# Source: common limits of gateways and proxies are 8 KiB for the request line.
_QUERY_LENGTH_MAX = 4000
# Empty pages in a row that bear a mark which was there before.
_STANDING_PAGES_MAX = 5


@dataclass(frozen=True, slots=True)
class Unsure:
    """A write got no clear answer: it may have been carried out or not."""

    reason: str


class OrganisationSession:
    """Speaks for one organisation; safe for use by many threads."""

    def __init__(
        self,
        sender: Sender,
        tokens: Tokens,
        clock: Clock,
        organization: OrganizationId,
        *,
        policy: RetryPolicy,
        switches: M3terSwitches,
    ) -> None:
        self.identity = organization
        self.clock = clock
        self.switches = switches
        self._policy = policy
        self._sender = sender
        self._tokens = tokens

    @property
    def calls(self) -> int:
        """How many requests were sent so far, those for tokens included."""
        return self._sender.calls

    def check(self) -> None:
        """Fetch a token and check whose it is.

        Raises:
            AccessError: When the key is refused or belongs to another organisation.
        """
        self._tokens.current()

    def read(self, path: str, query: Query = (), *, intent: str) -> JsonValue:
        """Read one resource.

        Args:
            path: Below the organisation, segments quoted by ``segment``.
            query: Parameters in order.
            intent: A verb and its object, for messages.

        Raises:
            OrganisationError: Always one of its typed subclasses.
        """
        call = Call("GET", path, intent)
        outcome = self._authorized(call, query, b"")
        if isinstance(outcome, TransportError):
            raise answers.lost(call, outcome)
        if not answers.is_success(outcome):
            raise answers.refusal(call, outcome)
        try:
            return answers.data(outcome)
        except NotJsonError as error:
            raise UnreadableAnswerError(f"{call}", str(error)) from None

    def write(self, call: Call, body: JsonObject | None = None) -> JsonObject | Unsure:
        """Change something; ``Unsure`` means: look before anything is sent again.

        Raises:
            RefusedError: A definite refusal.
            UnreachableError: It was never carried out: nothing was sent, or always 429.
        """
        data = b"" if body is None else encode(body).encode()
        outcome = self._authorized(call, (), data)
        if judge(outcome, self._policy, writes=True) is Verdict.UNKNOWN:
            return Unsure(_described(outcome))
        if isinstance(outcome, TransportError):
            raise answers.lost(call, outcome)
        if not answers.is_success(outcome):
            version = body.get("version") if body else None
            raise answers.refusal(call, outcome, version if isinstance(version, int) else None)
        return _written(outcome)

    def pages(
        self, path: str, query: Query = (), *, size: int, intent: str
    ) -> Iterator[tuple[JsonObject, ...]]:
        """Read a list page by page, following ``nextToken`` until it is absent.

        Empty pages are followed too, also when one repeats its mark a few times. A page that is
        too large is asked for again in half the size.

        Args:
            path: Below the organisation.
            query: Filters.
            size: Objects a page; m3ter's maximum for the list.
            intent: A verb and its object, for messages.
        """
        seen: set[str] = set()
        token, standing = "", 0
        while True:
            marks = [("pageSize", str(size)), *([("nextToken", token)] if token else [])]
            try:
                page = self.read(path, [*query, *marks], intent=intent)
            except AnswerTooLargeForPageError:
                if size == 1:
                    raise
                size //= 2
                continue
            found, token = _page(page, f"GET {path}")
            if found:
                yield found
            if not token:
                return
            standing = standing + 1 if token in seen and not found else 0
            if token in seen and (found or standing > _STANDING_PAGES_MAX):
                raise PagingLoopError(Call("GET", path, intent))
            seen.add(token)

    def items(
        self, path: str, query: Query = (), *, size: int, intent: str
    ) -> Iterator[JsonObject]:
        """Read a list object by object; the same as ``pages``, flattened."""
        for page in self.pages(path, query, size=size, intent=intent):
            yield from page

    def array(self, path: str, query: Query = (), *, intent: str) -> tuple[JsonObject, ...]:
        """Read a list that has no pages."""
        found, _ = _page(self.read(path, query, intent=intent), f"GET {path}")
        return found

    def map(self, ask: Callable[[One], Other], about: Sequence[One]) -> tuple[Other, ...]:
        """Ask about many things at once, by at most 16 threads; answers in the given order.

        The first error ends it: what has not begun is not asked any more.
        """
        if len(about) <= 1:
            return tuple(ask(subject) for subject in about)
        with ThreadPoolExecutor(min(MAX_THREADS, len(about))) as pool:
            return tuple(pool.map(ask, about))

    def listed(self, name: str, values: Iterable[str]) -> list[tuple[str, str]]:
        """Write a list parameter as the organisation's m3ter takes it."""
        if self.switches.arrays == "repeat":
            return [(name, value) for value in values]
        # Source: m3ter's SDKs send arrays comma-joined; its OpenAPI document says repeated.
        return [(name, ",".join(values))]

    def _authorized(self, call: Call, query: Query, body: bytes) -> Outcome:
        token = self._tokens.current()
        outcome = self._send(call, query, body, token.reveal())
        if isinstance(outcome, Answer) and self._may_be_expired(outcome):
            token = self._tokens.renewed(token)
            outcome = self._send(call, query, body, token.reveal())
        return outcome

    def _may_be_expired(self, answer: Answer) -> bool:
        if answers.says_expired(answer):
            return True
        # The wording of the refusal is not documented, so an older token is renewed once anyway.
        return answer.status == HTTPStatus.FORBIDDEN and self._tokens.age() > _FRESH

    def _send(self, call: Call, query: Query, body: bytes, token: str) -> Outcome:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/json"
        path = f"/organizations/{segment(self.identity)}{call.path}"
        request = Request(call.method, path, tuple(query), headers, body)
        return self._sender.send(request, writes=call.writes)


def segment(text: str) -> str:
    """Quote one segment of a path."""
    return quote(text, safe="")


def batches(values: Iterable[str], size: int) -> list[tuple[str, ...]]:
    """Cut values into batches for one list parameter each.

    Args:
        values: Doubles are dropped; a value with a comma gets a batch of its own, because m3ter
            cuts lists at commas.
        size: Most values in a batch; fewer where the query would get too long.
    """
    done: list[tuple[str, ...]] = []
    batch: list[str] = []
    length = 0
    for value in sorted(set(values)):
        if "," in value:
            done.append((value,))
            continue
        cost = len(quote(value, safe="")) + 3
        if batch and (len(batch) == size or length + cost > _QUERY_LENGTH_MAX):
            done.append(tuple(batch))
            batch, length = [], 0
        batch.append(value)
        length += cost
    return [*done, *([tuple(batch)] if batch else [])]


def _page(page: JsonValue, subject: str) -> tuple[tuple[JsonObject, ...], str]:
    """Read ``{data, nextToken}``; a bare array is a last page.

    An answer without ``data`` is no empty list: plans are made from what is missing in lists.
    """
    found = page.get("data") if isinstance(page, Mapping) else page
    if found is None and isinstance(page, Mapping) and page.get("nextToken"):
        found = []
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise UnreadableAnswerError(subject, "it is not a list")
    if not all(isinstance(item, Mapping) for item in found):
        raise UnreadableAnswerError(subject, "its list holds something other than objects")
    token = page.get("nextToken") if isinstance(page, Mapping) else None
    return tuple(item for item in found if isinstance(item, Mapping)), str(token or "")


def _written(answer: Answer) -> JsonObject | Unsure:
    try:
        found = answers.data(answer)
    except NotJsonError as error:
        return Unsure(f"HTTP {answer.status} with a body that cannot be read: {error}")
    if not isinstance(found, Mapping):
        return Unsure(f"HTTP {answer.status} with a body that is no object")
    return found


def _described(outcome: Outcome) -> str:
    if isinstance(outcome, Answer):
        return f"HTTP {outcome.status}: {answers.message(outcome)}"
    return str(outcome)
