"""Sends under the rate limit and again where that is safe; stops where it is not."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Protocol

from reconciler.kernel.ports import Clock, RateLimit
from reconciler.transport.client import Request
from reconciler.transport.retry import (
    Answer,
    Outcome,
    RetryPolicy,
    TransportError,
    Verdict,
    backoff,
    judge,
    pause_seconds,
)


class Client(Protocol):
    """What a sender needs of an HTTP client."""

    def send(self, request: Request) -> Answer:
        """Send a request once."""
        ...


class Sender:
    """One vendor's requests: paced, repeated by the policy, counted."""

    def __init__(
        self,
        client: Client,
        limiter: RateLimit,
        clock: Clock,
        chance: Callable[[], float],
        policy: RetryPolicy,
    ) -> None:
        self._client = client
        self._limiter = limiter
        self._clock = clock
        self._chance = chance
        self._policy = policy
        self._lock = Lock()
        self._calls = 0

    @property
    def calls(self) -> int:
        """How many requests were sent so far, repetitions included."""
        return self._calls

    def send(self, request: Request, *, writes: bool) -> Outcome:
        """Send until the outcome is definite, unknown, or the attempts are used up.

        Args:
            request: Sent byte for byte each time.
            writes: Whether it changes anything; an unknown outcome of a write is returned at
                once, to be looked up.

        Returns:
            The last outcome. For a write, ``judge`` tells whether it is unknown.
        """
        failed = limited = 0
        while True:
            outcome = self._once(request)
            match judge(outcome, self._policy, writes=writes):
                case Verdict.LATER if isinstance(outcome, Answer):
                    limited += 1
                    if not self._wait_out(outcome, limited):
                        return outcome
                case Verdict.AGAIN:
                    failed += 1
                    if failed >= self._policy.attempts:
                        return outcome
                    self._clock.sleep(backoff(self._policy, failed, self._chance))
                case _:
                    return outcome

    def _once(self, request: Request) -> Outcome:
        self._limiter.acquire()
        with self._lock:
            self._calls += 1
        try:
            return self._client.send(request)
        except TransportError as error:
            return error

    def _wait_out(self, answer: Answer, limited: int) -> bool:
        seconds = pause_seconds(self._policy, answer, limited, self._clock.now())
        self._limiter.slow_down(min(seconds, self._policy.longest_retry_after))
        return (
            limited < self._policy.limited_attempts and seconds <= self._policy.longest_retry_after
        )
