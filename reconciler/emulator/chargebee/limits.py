"""How many requests a site takes: in sixty seconds, at one time, and on one object at one time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.emulator.chargebee.parameters.refusals import RefusalError, too_fast
from reconciler.emulator.exchange import HttpRequest
from reconciler.emulator.switches.table import Switches

_WINDOW_SECONDS = 60.0
_RETRY_AFTER = 5


@dataclass(frozen=True, slots=True)
class Held:
    """A request that is still running.

    Attributes:
        request: The request itself, which never stands in its own way.
        until: Real instant at which it ends.
        lock: The object that it works on, or empty.
        key: Its idempotency key, or empty.
    """

    request: HttpRequest
    until: float
    lock: str
    key: str


class Limits:
    """Counts one site's requests in real time.

    Source: Chargebee knowledge base, API limits: requests in the past 60 seconds, and simultaneous
    ones; breaking either answers 429.
    """

    def __init__(self, switches: Switches, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._switches = switches
        self._monotonic = monotonic
        self._times: deque[float] = deque()
        self._held: list[Held] = []

    def admit(self, request: HttpRequest) -> None:
        """Count a request.

        Raises:
            RefusalError: 429 if there are too many.
        """
        now = self._monotonic()
        while self._times and self._times[0] <= now - _WINDOW_SECONDS:
            self._times.popleft()
        most = self._switches.number("requests_per_minute")
        if most and len(self._times) >= most:
            if self._switches.on("refused_calls_count"):
                self._times.append(now)
            raise self.refusal("api_request_limit_exceeded")
        self._times.append(now)
        together = "concurrent_reads" if request.method == "GET" else "concurrent_writes"
        most = self._switches.number(together)
        running = [
            other for other in self.others(request) if other.request.method == request.method
        ]
        if most and len(running) >= most:
            raise self.refusal("api_request_limit_exceeded")

    def hold(self, request: HttpRequest, seconds: float, *, lock: str, key: str) -> None:
        """Let a request run on for some real seconds."""
        self._held.append(Held(request, self._monotonic() + seconds, lock, key))

    def release(self, request: HttpRequest) -> None:
        """End a request before its time."""
        self._held = [hold for hold in self._held if hold.request is not request]

    def others(self, request: HttpRequest) -> list[Held]:
        """Other requests that have not ended yet."""
        now = self._monotonic()
        self._held = [hold for hold in self._held if hold.until > now]
        return [hold for hold in self._held if hold.request is not request]

    def check_lock(self, request: HttpRequest, lock: str) -> None:
        """Refuse to work on an object that another request works on."""
        if lock and any(other.lock == lock for other in self.others(request)):
            raise self.refusal("lock_timeout")

    def refusal(self, code: str) -> RefusalError:
        """A 429, with Retry-After if the site sends it."""
        given = self._switches.on("chargebee_retry_after")
        return too_fast(code, retry_after=_RETRY_AFTER if given else None)
