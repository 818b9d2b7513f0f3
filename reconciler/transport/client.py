"""One HTTP client per vendor host: pooled, bounded in connections, time and size."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from types import TracebackType
from typing import Self

import httpx

from reconciler import __version__
from reconciler.kernel.ports import Clock
from reconciler.transport.body import ENCODINGS, BodyDamagedError, BodyTooLargeError, read_body
from reconciler.transport.deadline import DeadlineTransport, until
from reconciler.transport.redaction import redact_text
from reconciler.transport.retry import Answer, AnswerTooLargeError, LostAnswerError, NotSentError

USER_AGENT = f"m3ter-reconciler/{__version__}"
MAX_CONNECTIONS = 16
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
_tls_lock = Lock()


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What one call may cost.

    Attributes:
        connect_seconds: For the connection, TLS included.
        read_seconds: Between two arrivals of bytes.
        total_seconds: For the whole call, its last byte included.
        body_bytes: Largest answer, decompressed.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    total_seconds: float = 60.0
    body_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``repr`` shows neither headers nor body.

    Attributes:
        path: From the root of the base URL, segments already quoted.
        query: In order; repeated names are allowed.
        headers: Complete, except those of the client itself.
        body: Exact bytes.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


def shared_tls(authorities: str = "") -> ssl.SSLContext:
    """Give the process's one TLS context, built at its first use.

    Loading the certificates costs about 20 ms of processor time, so it is done once.

    Args:
        authorities: A file of trusted certificates; the bundled ones when empty.
    """
    with _tls_lock:
        return _tls(authorities)


@cache
def _tls(authorities: str) -> ssl.SSLContext:
    if authorities:
        return ssl.create_default_context(cafile=authorities)
    return httpx.create_ssl_context(trust_env=False)


class HttpClient:
    """Sends one request and gives one whole answer, or says what is known about its fate.

    Follows no redirect, keeps no cookie, reads no proxy or netrc from the environment. Safe for
    use by many threads. ``log`` gets one redacted line per call.
    """

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        *,
        limits: CallLimits = CallLimits(),
        tls: ssl.SSLContext | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._limits = limits
        self._clock = clock
        self._log = log
        if tls is None and self.base_url.startswith("https:"):
            tls = shared_tls()
        self._http = httpx.Client(
            transport=DeadlineTransport(tls=tls, connections=MAX_CONNECTIONS, clock=clock),
            timeout=httpx.Timeout(
                limits.read_seconds, connect=limits.connect_seconds, pool=limits.total_seconds
            ),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": ENCODINGS},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def send(self, request: Request) -> Answer:
        """Send a request once.

        Raises:
            NotSentError: It surely never reached the vendor.
            LostAnswerError: It may have reached the vendor.
            AnswerTooLargeError: It was answered, with more than the cap.
        """
        target = f"{request.method} {self.base_url}{request.path}"
        began = self._clock.monotonic()
        try:
            answer = self._send(request, target)
        except Exception as error:
            self._say(f"{target} -> {error}")
            raise
        took = self._clock.monotonic() - began
        self._say(f"{target} -> {answer.status}, {len(answer.body):,} bytes, {took * 1000:.0f} ms")
        return answer

    def _send(self, request: Request, target: str) -> Answer:
        prepared = self._http.build_request(
            request.method,
            self.base_url + request.path,
            params=request.query or None,
            headers=dict(request.headers),
            content=request.body or None,
        )
        prepared.headers.pop("Cookie", None)
        try:
            with until(self._clock.monotonic() + self._limits.total_seconds):
                return self._exchange(prepared)
        except _NEVER_SENT as error:
            raise NotSentError(target, _said(error)) from None
        except (httpx.HTTPError, BodyDamagedError) as error:
            raise LostAnswerError(target, _said(error)) from None
        except BodyTooLargeError:
            raise AnswerTooLargeError(target, self._limits.body_bytes) from None

    def _exchange(self, prepared: httpx.Request) -> Answer:
        response = self._http.send(prepared, stream=True)
        try:
            self._http.cookies.clear()
            headers = {name.lower(): value for name, value in response.headers.items()}
            encoding = headers.get("content-encoding", "")
            body = read_body(response.iter_raw(), encoding, self._limits.body_bytes)
            return Answer(response.status_code, headers, body)
        finally:
            response.close()

    def _say(self, line: str) -> None:
        if self._log is not None:
            self._log(redact_text(line))


def _said(error: Exception) -> str:
    return redact_text(str(error)) or type(error).__name__
