"""A total deadline for every call, enforced at each read and write of the socket.

Timeouts of httpx hold for one socket operation each: a server that sends a byte now and then
never meets them. Here every operation of a call gets only what is left of its deadline.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore
import httpx

from reconciler.kernel.ports import Clock

_deadline: ContextVar[float | None] = ContextVar("_deadline", default=None)


@contextmanager
def until(moment: float) -> Iterator[None]:
    """Let every socket operation of this thread end at a moment of the monotonic clock."""
    token = _deadline.set(moment)
    try:
        yield
    finally:
        _deadline.reset(token)


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's transport over sockets that know the call's deadline.

    It never reads proxies or certificates from the process's environment.
    """

    def __init__(self, *, tls: ssl.SSLContext | None, connections: int, clock: Clock) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30.0,
            network_backend=_Backend(clock),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._clock, timeout, httpcore.ConnectTimeout)
        stream = self._sockets.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._clock)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._clock, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._clock, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._clock, timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  the library's own signature
        return self._stream.get_extra_info(info)


def _left(clock: Clock, timeout: float | None, expired: type[Exception]) -> float | None:
    moment = _deadline.get()
    if moment is None:
        return timeout
    left = moment - clock.monotonic()
    if left <= 0:
        message = "the total deadline of the call has passed"
        raise expired(message)
    return left if timeout is None else min(left, timeout)
