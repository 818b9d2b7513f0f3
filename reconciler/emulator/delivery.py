"""How an answer travels, or does not."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.emulator.exchange import Half, HttpAnswer
from reconciler.emulator.faults import FaultRule

_HTML = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>502</body>\r\n</html>\r\n"
_STATUS = {"http_500": 500, "http_502": 502, "http_503": 503, "http_504": 504}
_WORDS = {
    429: "Too many requests",
    500: "Internal server error",
    502: "Bad gateway",
    503: "Service unavailable",
    504: "Gateway timeout",
}
_LATENCY_SECONDS = 1.0
_DRIP_SECONDS = 2.0
_SILENT_SECONDS = 30.0


@dataclass(slots=True)
class Delivery:
    """What the server does after a request was taken in.

    Attributes:
        answer: The answer; ``None`` if none will be sent.
        delay_seconds: Wait before the first byte.
        drip_seconds: Spread the body over this time; 0 sends it at once.
        cut_after_bytes: Close the connection after so many bytes; ``None`` sends everything.
        silent_seconds: With ``cut_after_bytes`` 0: keep the connection open and silent this long.
        later_seconds: Ask the world to run what is due after this time; ``None`` if nothing is.
    """

    answer: HttpAnswer | None = None
    delay_seconds: float = 0.0
    drip_seconds: float = 0.0
    cut_after_bytes: int | None = None
    silent_seconds: float = 0.0
    later_seconds: float | None = None


def shape(rule: FaultRule, half: Half, delivery: Delivery) -> HttpAnswer | None:
    """Let a server fault change the delivery, or give the answer it wants instead."""
    match rule.fault:
        case "latency":
            delivery.delay_seconds += _LATENCY_SECONDS if rule.seconds is None else rule.seconds
        case "slow":
            delivery.drip_seconds = _DRIP_SECONDS if rule.seconds is None else rule.seconds
        case "cut_after_commit":
            delivery.cut_after_bytes = rule.bytes or 0
        case "lost_response":
            delivery.cut_after_bytes = 0
            delivery.silent_seconds = _SILENT_SECONDS if rule.seconds is None else rule.seconds
        case _:
            return _refusal(rule, half)
    return None


def _refusal(rule: FaultRule, half: Half) -> HttpAnswer:
    if rule.fault == "html_502":
        return HttpAnswer(502, _HTML, (("content-type", "text/html"),))
    status = _STATUS.get(rule.fault, 429)
    answer = half.error(status, _WORDS[status])
    if rule.fault == "rate_limit_retry_after":
        seconds = str(int(rule.seconds or 1))
        return HttpAnswer(status, answer.body, (*answer.headers, ("retry-after", seconds)))
    headers = tuple(pair for pair in answer.headers if pair[0] != "retry-after")
    return HttpAnswer(status, answer.body, headers)
