from __future__ import annotations

from collections.abc import Iterable

import pytest
from fakes.clock import FakeClock

from reconciler.transport.client import Request
from reconciler.transport.rate_limit import TokenBucket
from reconciler.transport.retry import (
    Answer,
    LostAnswerError,
    NotSentError,
    Outcome,
    RetryPolicy,
    TransportError,
)
from reconciler.transport.sender import Sender

REQUEST = Request("POST", "/things", body=b"{}")
OK = Answer(200, {}, b"{}")


class Scripted:
    """Answers from a list; the last one for ever."""

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        self._outcomes = list(outcomes)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Answer:
        self.requests.append(request)
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, TransportError):
            raise outcome
        return outcome


def _sender(clock: FakeClock, *outcomes: Outcome, **policy: float) -> tuple[Sender, Scripted]:
    client = Scripted(outcomes)
    limiter = TokenBucket(1000, clock)
    rules = RetryPolicy(**policy)  # type: ignore[arg-type]
    return Sender(client, limiter, clock, lambda: 0.0, rules), client


def test_a_read_is_sent_again_until_it_is_answered() -> None:
    clock = FakeClock()
    cut = LostAnswerError("x", "cut")
    sender, client = _sender(clock, cut, Answer(502, {}, b"<html>"), OK)
    assert sender.send(REQUEST, writes=False) == OK
    assert sender.calls == 3
    assert client.requests == [REQUEST] * 3
    assert clock.slept[-2:] == [0.25, 0.5] or sum(clock.slept) >= 0.75


def test_a_read_that_never_succeeds_ends_with_its_last_outcome() -> None:
    clock = FakeClock()
    sender, _ = _sender(clock, Answer(500, {}, b""), attempts=4)
    assert sender.send(REQUEST, writes=False) == Answer(500, {}, b"")
    assert sender.calls == 4


@pytest.mark.parametrize("outcome", [Answer(500, {}, b""), LostAnswerError("x", "cut")])
def test_a_write_with_an_unknown_outcome_is_sent_once(outcome: Outcome) -> None:
    sender, client = _sender(FakeClock(), outcome, OK)
    assert sender.send(REQUEST, writes=True) == outcome
    assert len(client.requests) == 1


def test_a_write_that_never_reached_the_vendor_is_sent_again() -> None:
    sender, client = _sender(FakeClock(), NotSentError("x", "refused"), OK)
    assert sender.send(REQUEST, writes=True) == OK
    assert len(client.requests) == 2


def test_a_429_is_waited_out_as_long_as_it_asks() -> None:
    clock = FakeClock()
    sender, _ = _sender(clock, Answer(429, {"retry-after": "9"}, b""), OK)
    assert sender.send(REQUEST, writes=True) == OK
    assert clock.monotonic() == pytest.approx(9, abs=0.01)


def test_a_429_that_asks_for_too_long_ends_the_attempts() -> None:
    clock = FakeClock()
    limited = Answer(429, {"retry-after": "86400"}, b"")
    sender, _ = _sender(clock, limited, OK)
    assert sender.send(REQUEST, writes=True) == limited
    assert clock.monotonic() == 0


def test_a_lasting_429_ends_after_the_configured_attempts() -> None:
    clock = FakeClock()
    sender, _ = _sender(clock, Answer(429, {}, b""), limited_attempts=3)
    outcome = sender.send(REQUEST, writes=False)
    assert isinstance(outcome, Answer)
    assert (outcome.status, sender.calls) == (429, 3)
    assert clock.monotonic() == pytest.approx(1 + 2, abs=0.1)
