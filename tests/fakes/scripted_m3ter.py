"""m3ter as a function from requests to outcomes, for what no emulator should do."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from threading import Lock

from fakes.clock import FakeClock

from reconciler.kernel.address import OrganizationId
from reconciler.kernel.exact_json import encode
from reconciler.kernel.secret import Secret
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.api.session import OrganisationSession
from reconciler.m3ter.api.switches import M3terSwitches
from reconciler.m3ter.api.token import Tokens
from reconciler.transport.client import Request
from reconciler.transport.rate_limit import TokenBucket
from reconciler.transport.retry import Answer, Outcome, RetryPolicy, TransportError
from reconciler.transport.sender import Sender

ORGANISATION = OrganizationId("11111111-1111-4111-8111-111111111111")
Behaviour = Callable[[Request], Outcome | None]


def token(organisation: str | None = ORGANISATION, serial: int = 1) -> str:
    claims: dict[str, JsonValue] = {"serial": serial}
    if organisation is not None:
        claims["orgId"] = organisation
    body = urlsafe_b64encode(encode(claims).encode()).decode().rstrip("=")
    return f"head.{body}.sign"


def json(value: JsonValue, status: int = 200) -> Answer:
    return Answer(status, {}, encode(value).encode())


class ScriptedM3ter:
    """Issues tokens itself and asks the behaviour for everything else.

    Attributes:
        requests: Those after the token, oldest first.
        tokens: How many tokens were issued.
    """

    def __init__(self, behaviour: Behaviour, issue: Callable[[int], Outcome] | None = None) -> None:
        self._behaviour = behaviour
        self._issue = issue or (lambda serial: json({"access_token": token(serial=serial)}))
        self._lock = Lock()
        self.requests: list[Request] = []
        self.tokens = 0

    def send(self, request: Request) -> Answer:
        with self._lock:
            if request.path == "/oauth/token":
                self.tokens += 1
                outcome: Outcome | None = self._issue(self.tokens)
            else:
                self.requests.append(request)
                outcome = self._behaviour(request)
        if isinstance(outcome, TransportError):
            raise outcome
        return outcome if outcome is not None else json({"message": "no such path"}, 404)


def session(
    m3ter: ScriptedM3ter, clock: FakeClock | None = None, **switches: str
) -> OrganisationSession:
    """A session over a scripted m3ter; nothing waits."""
    clock = clock or FakeClock()
    policy = RetryPolicy()
    sender = Sender(m3ter, TokenBucket(10_000, clock, burst=50), clock, lambda: 0.0, policy)
    chosen = M3terSwitches(**switches)  # type: ignore[arg-type]
    tokens = Tokens(
        sender,
        clock,
        organization=ORGANISATION,
        access_key=Secret("key-hunter2"),
        api_secret=Secret("secret-hunter2"),
        switches=chosen,
    )
    return OrganisationSession(sender, tokens, clock, ORGANISATION, policy=policy, switches=chosen)
