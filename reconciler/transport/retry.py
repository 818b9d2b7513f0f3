"""Which answers may be sent again, and when: pure data and arithmetic.

outcome                                  | read  | write
-----------------------------------------+-------+------------------------------------------
never sent (refused, no route, no TLS)   | again | again: nothing reached the vendor
429                                      | later | later: refused before it was carried out
``not_processed`` statuses of the policy | again | again: the vendor promises so
408, 425, other 5xx                      | again | unknown: it may have been carried out
cut, timed out or unreadable             | again | unknown
answer larger than the cap               | final | unknown
anything else                            | final | final: a definite answer
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from http import HTTPStatus

from reconciler.errors import ReconcilerError
from reconciler.transport.vendor_time import http_date

PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
"""4xx statuses that say nothing about the request itself."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        headers: Names in lower case.
        body: Decompressed and complete.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class TransportError(ReconcilerError):
    """No whole answer came back."""


class NotSentError(TransportError):
    """The request surely never reached the vendor: no connection could be made."""

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(f"{target} could not be reached, so nothing was sent: {reason}")


class LostAnswerError(TransportError):
    """The request was sent, but the connection ended before the whole answer came."""

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(f"{target} was asked, but no whole answer came back: {reason}")


class AnswerTooLargeError(TransportError):
    """The answer is larger than the cap; the rest was not read."""

    def __init__(self, target: str, limit: int) -> None:
        super().__init__(f"{target} answered with more than {limit:,} bytes; it was not read")


Outcome = Answer | TransportError


class Verdict(Enum):
    """What to do after an outcome."""

    FINAL = auto()
    AGAIN = auto()
    LATER = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently.

    Attributes:
        attempts: Sends of one request in all, rate limits not counted.
        limited_attempts: Sends of one request in all when the vendor answers 429.
        first_wait: Seconds before the second send; doubles each time.
        longest_wait: Cap of the doubling, in seconds.
        pause_when_limited: Seconds without requests after a 429 that names no time; doubles too.
        longest_retry_after: A ``Retry-After`` above it ends the attempts.
        not_processed: Statuses beside 429 that promise that a write was not carried out.
    """

    attempts: int = 5
    limited_attempts: int = 10
    first_wait: float = 0.5
    longest_wait: float = 8.0
    pause_when_limited: float = 1.0
    longest_retry_after: float = 300.0
    not_processed: frozenset[int] = frozenset()


def judge(outcome: Outcome, policy: RetryPolicy, *, writes: bool) -> Verdict:
    """Say whether a request may be sent again; the table stands in the module docstring."""
    if isinstance(outcome, Answer):
        return _judge_answer(outcome.status, policy, writes=writes)
    if isinstance(outcome, NotSentError):
        return Verdict.AGAIN
    if writes:
        return Verdict.UNKNOWN
    return Verdict.FINAL if isinstance(outcome, AnswerTooLargeError) else Verdict.AGAIN


def _judge_answer(status: int, policy: RetryPolicy, *, writes: bool) -> Verdict:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Verdict.LATER
    if status in policy.not_processed:
        return Verdict.AGAIN
    if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Verdict.UNKNOWN if writes else Verdict.AGAIN
    return Verdict.FINAL


def backoff(policy: RetryPolicy, attempt: int, chance: Callable[[], float]) -> float:
    """Give the seconds to wait after failed attempt number ``attempt``, from 1.

    Args:
        policy: First and longest wait.
        attempt: How many attempts have failed.
        chance: Gives a number from 0 up to 1; the wait lies between half and all of its cap.
    """
    doubled: float = policy.first_wait * 2.0 ** min(attempt - 1, 30)
    return min(policy.longest_wait, doubled) * (0.5 + chance() / 2)


def pause_seconds(policy: RetryPolicy, answer: Answer, attempt: int, now: datetime) -> float:
    """Give the seconds without requests after a 429: what it asks for, else a doubling pause."""
    asked = retry_after(answer.headers, now)
    if asked is not None:
        return asked
    doubled: float = policy.pause_when_limited * 2.0 ** min(attempt - 1, 30)
    return min(policy.longest_retry_after, doubled)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read ``Retry-After``, seconds or an HTTP date; ``None`` when absent or unreadable."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment = http_date(text)
    return None if moment is None else max(0.0, (moment - now).total_seconds())
