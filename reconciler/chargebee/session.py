"""One Chargebee site over HTTP: Basic auth, reads that are repeated, writes that never are."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from reconciler.chargebee import form
from reconciler.chargebee.errors import (
    ChargebeeKeyRefusedError,
    ChargebeeRefusedReadError,
    ChargebeeUnreachableError,
    UnreadableChargebeeAnswerError,
    WrongSiteError,
)
from reconciler.chargebee.gates import Gates
from reconciler.chargebee.invoice_json import objects
from reconciler.chargebee.outcomes import RATE_LIMITED, Refusal, body_of, refusal_of
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.chargebee.wire import SCHEMA_HEADER
from reconciler.kernel.exact_json import encode
from reconciler.kernel.ports import Clock, RateLimit
from reconciler.kernel.secret import Secret
from reconciler.kernel.value import JsonObject
from reconciler.sync.model.push import SiteName, StoredRequest
from reconciler.transport.client import Request
from reconciler.transport.redaction import BLANK
from reconciler.transport.retry import (
    Answer,
    Outcome,
    RetryPolicy,
    TransportError,
    pause_seconds,
)
from reconciler.transport.sender import Client, Sender
from reconciler.transport.vendor_time import VendorTime

ROOT = "/api/v2"
# Source: Chargebee API docs, "Idempotency"
KEY_HEADER = "chargebee-idempotency-key"
PAGE_SIZE = 100
_DOMAIN = ".chargebee.com"
# Source: Chargebee KB "What are the Chargebee API limits": a 429 ends after about a minute, and no
# Retry-After is promised
READS = RetryPolicy(pause_when_limited=5.0, limited_attempts=6)
_SUBJECTS = ("subscription_id", "customer_id", "reference_invoice_id")
# Pages in a row that bear a mark which was there before.
_STANDING_PAGES_MAX = 5
_REFUSED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_NO_SWITCHES = ChargebeeSwitches()


class SiteSession:
    """Speaks to one site; safe for use by many threads."""

    def __init__(
        self,
        client: Client,
        limiter: RateLimit,
        clock: Clock,
        *,
        site: SiteName,
        base_url: str,
        api_key: Secret,
        chance: Callable[[], float],
        switches: ChargebeeSwitches = _NO_SWITCHES,
        policy: RetryPolicy = READS,
        gates: Gates | None = None,
    ) -> None:
        self.site = site
        self.clock = clock
        self.vendor_time = VendorTime(clock)
        self.switches = switches
        self._client = client
        self._limiter = limiter
        self._base_url = base_url
        self._policy = policy
        self._sender = Sender(client, limiter, clock, chance, policy)
        self._gates = gates or Gates()
        self._secret = api_key.reveal().encode()
        # Source: Chargebee OpenAPI 2026-09-24, BasicAuth: the key is the user, the password empty
        token = base64.b64encode(f"{api_key.reveal()}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Accept": "application/json"}

    def check(self, zone: str = "") -> None:
        """Compare the address, the key and what answers show with the configured site.

        Args:
            zone: The site's configured time zone; empty is not compared.

        Raises:
            WrongSiteError: When one of them belongs to another site.
            ChargebeeKeyRefusedError: When the key is refused.
        """
        host = urlsplit(self._base_url).hostname or ""
        if host.endswith(_DOMAIN) and host != f"{self.site}{_DOMAIN}":
            raise WrongSiteError(self.site, f"chargebee.baseUrl leads to {host}")
        newest = self.read("/invoices", [("limit", "1"), ("sort_by[desc]", "date")]) or {}
        for entry in objects(newest, "list"):
            for invoice in _within(entry, "invoice"):
                self._check_zone(invoice, zone)

    def read(self, path: str, query: form.Pairs = ()) -> JsonObject | None:
        """Read one resource or page.

        Args:
            path: Below the API root, segments quoted.
            query: Parameters in order.

        Returns:
            ``None`` when there is no such resource.

        Raises:
            DestinationError: Always one of its typed subclasses.
        """
        call = f"GET {path}"
        headers = dict(self._headers)
        if self.switches.response_schema == "items":
            headers |= dict((SCHEMA_HEADER,))
        with self._gates.reading():
            request = Request("GET", ROOT + path, tuple(query), headers)
            outcome = self._sender.send(request, writes=False)
        if isinstance(outcome, TransportError):
            raise ChargebeeUnreachableError(call, str(outcome))
        self.vendor_time.hear(outcome.headers)
        return self._read(call, self._without_secret(outcome))

    def pages(self, path: str, name: str, query: form.Pairs = ()) -> Iterator[JsonObject]:
        """Read a list object by object, following ``next_offset`` until it is absent.

        Args:
            path: Below the API root.
            name: Which object of each entry.
            query: Filters and ``sort_by``, without which no order is documented.

        Raises:
            DestinationError: Always one of its typed subclasses.
        """
        for entry in self.entries(path, query):
            yield from _within(entry, name)

    def entries(self, path: str, query: form.Pairs = ()) -> Iterator[JsonObject]:
        """Read a list entry by entry: an object, with what Chargebee puts beside it.

        Args:
            path: Below the API root.
            query: Filters and ``sort_by``, without which no order is documented.

        Raises:
            DestinationError: Always one of its typed subclasses.
        """
        seen: set[str] = set()
        offset, standing = "", 0
        while True:
            marks = [("limit", str(PAGE_SIZE)), *([("offset", offset)] if offset else [])]
            page = self.read(path, [*query, *marks])
            if page is None:
                raise ChargebeeRefusedReadError(f"GET {path}", HTTPStatus.NOT_FOUND, "no such list")
            entries = tuple(objects(page, "list"))
            yield from entries
            offset = str(page.get("next_offset") or "")
            if not offset:
                return
            standing = standing + 1 if offset in seen else 0
            if standing and (entries or standing > _STANDING_PAGES_MAX):
                raise UnreadableChargebeeAnswerError(f"GET {path}", "its pages repeat themselves")
            seen.add(offset)

    def try_out(self, request: StoredRequest) -> JsonObject | Refusal:
        """Send a request that changes nothing, such as an estimate; it is repeated like a read.

        Source: Chargebee API docs, idempotency: estimates take no key.

        Raises:
            DestinationError: Always one of its typed subclasses.
        """
        sent = Request(
            request.method, ROOT + request.path, (), self._to_post(request), request.body
        )
        with self._gates.writing(frozenset()):
            outcome = self._sender.send(sent, writes=False)
        call = f"POST {request.path}"
        if isinstance(outcome, TransportError):
            raise ChargebeeUnreachableError(call, str(outcome))
        answer = self._without_secret(outcome)
        refusal = refusal_of(body_of(answer))
        if answer.status in _REFUSED and refusal.code:
            self._refuse_other_site(refusal)
            return refusal
        return self._read(call, answer) or {}

    def write(self, request: StoredRequest, idempotency_key: str, bill: str) -> Outcome:
        """Send a stored request once, byte for byte; never again, whatever comes back.

        Args:
            request: What to send.
            idempotency_key: Chargebee's memory of it, for 30 minutes.
            bill: Writes for one bill go one after the other.
        """
        headers = {**self._to_post(request), KEY_HEADER: idempotency_key}
        sent = Request(request.method, ROOT + request.path, (), headers, request.body)
        with self._gates.writing(subjects_of(request) | {f"bill={bill}"}):
            self._limiter.acquire()
            try:
                outcome = self._without_secret(self._client.send(sent))
            except TransportError as error:
                return error
        self.vendor_time.hear(outcome.headers)
        self._heed(outcome)
        return outcome

    def _to_post(self, request: StoredRequest) -> dict[str, str]:
        form_type = {"Content-Type": "application/x-www-form-urlencoded"}
        return {**self._headers, **form_type, **dict(request.headers)}

    def _read(self, call: str, answer: Answer) -> JsonObject | None:
        body = body_of(answer)
        refusal = refusal_of(body)
        said = refusal.message or f"HTTP {answer.status}"
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise ChargebeeKeyRefusedError(self.site, call, f"HTTP {answer.status}: {said}")
        if answer.status == HTTPStatus.NOT_FOUND and refusal.code:
            self._refuse_other_site(refusal)
            return None
        limited = answer.status == HTTPStatus.TOO_MANY_REQUESTS
        if limited or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ChargebeeUnreachableError(call, f"HTTP {answer.status}: {said}")
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise ChargebeeRefusedReadError(call, answer.status, said)
        if body is None:
            raise UnreadableChargebeeAnswerError(call, "it is no JSON object")
        return body

    def _refuse_other_site(self, refusal: Refusal) -> None:
        if refusal.code == "site_not_found":
            raise WrongSiteError(self.site, f"Chargebee says: {refusal.message}")

    def _without_secret(self, answer: Answer) -> Answer:
        """Blank the key, should an answer repeat it: messages end in the ledger and in reports."""
        if not self._secret or self._secret not in answer.body:
            return answer
        body = answer.body.replace(self._secret, BLANK.encode())
        return Answer(answer.status, answer.headers, body)

    def _heed(self, outcome: Answer) -> None:
        """Slow the whole site down after its rate limit; a lock concerns one object only."""
        if outcome.status != HTTPStatus.TOO_MANY_REQUESTS:
            return
        if refusal_of(body_of(outcome)).code in {RATE_LIMITED, ""}:
            seconds = pause_seconds(self._policy, outcome, 1, self.clock.now())
            self._limiter.slow_down(min(seconds, self._policy.longest_retry_after))

    def _check_zone(self, invoice: JsonObject, zone: str) -> None:
        details = next(_within(invoice, "site_details_at_creation"), {})
        shown = details.get("timezone")
        if zone and isinstance(shown, str) and shown and shown != zone:
            reason = f"its time zone is {shown} by its newest invoice, not {zone}"
            raise WrongSiteError(self.site, reason)


def subjects_of(request: StoredRequest) -> frozenset[str]:
    """Name what a write works on alone: the invoice in its path, else whoever it is for."""
    parts = request.path.strip("/").split("/")
    if len(parts) == 3:  # noqa: PLR2004  /invoices/ID/operation
        return frozenset({"/".join(parts[:2])})
    sent = form.form_pairs(request.body)
    found = ((subject, form.value_of(sent, subject)) for subject in _SUBJECTS)
    return frozenset(f"{name}={value}" for name, value in found if value)


def among(values: Sequence[str]) -> str:
    """Write the operand of an ``in`` filter.

    Source: Chargebee's Node client sends JSON arrays; its Python client sends Python's notation.
    """
    return encode(list(values))


def _within(data: JsonObject, name: str) -> Iterator[JsonObject]:
    found = data.get(name)
    if isinstance(found, dict):
        yield found
