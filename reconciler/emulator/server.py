"""HTTP/1.1 over h11 and asyncio: real connections, and the power to cut them at any byte."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

import h11

from reconciler.emulator import control
from reconciler.emulator.delivery import Delivery
from reconciler.emulator.exchange import HttpAnswer, HttpRequest
from reconciler.emulator.world import World

_DRIP_PIECES = 20
_TIMER_SLACK_SECONDS = 0.01  # the event loop may wake a little early
_REASONS = {int(status): status.phrase.encode("ascii") for status in HTTPStatus}
_HEAD_BYTES_MAX = 64 * 1024


class EmulatorServer:
    """Listens on one loopback port and serves a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> int:
        """Begin to listen; port 0 takes a free one.

        Returns:
            The port.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), host, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening, close every connection and the state file."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self.connections):
            connection.abort()
        await asyncio.sleep(0)
        if self._server is not None:
            await self._server.wait_closed()
        self.world.close()


class Connection(asyncio.Protocol):
    """One client connection; requests are handled one after another."""

    def __init__(self, server: EmulatorServer) -> None:
        self._server = server
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES_MAX)
        self._transport: asyncio.Transport | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._request_bytes = 0
        self._cut_reading: int | None = None
        self._head: HttpRequest | None = None
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the connection and whatever was still to be sent on it."""
        self._server.connections.discard(self)
        for timer in self._timers:
            timer.cancel()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Take bytes in; answer when a request is complete."""
        self._request_bytes += len(data)
        try:
            self._http.receive_data(data)
            self._advance()
        except h11.RemoteProtocolError as error:
            self._refuse(error)

    def eof_received(self) -> bool:
        """The client sends no more: close."""
        return False

    def abort(self) -> None:
        """Cut the connection now, with whatever was not sent yet."""
        if self._transport is not None:
            self._transport.abort()

    def _advance(self) -> None:
        while self._transport is not None:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._allow_body()
                break
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._complete()
                break
            else:
                break
        if self._cut_reading is not None and self._request_bytes >= self._cut_reading:
            self.abort()

    def _allow_body(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            self._write(self._http.send(go_on) or b"")

    def _begin(self, event: h11.Request) -> None:
        self._head = _head(event)
        self._body = []
        if not self._head.path.startswith(control.PREFIX + "/"):
            self._cut_reading = self._server.world.reading_cut(self._head)
            if self._cut_reading is not None:
                self._server.world.arrive(self._head)

    def _complete(self) -> None:
        if self._cut_reading is not None or self._head is None:
            self.abort()
            return
        head = self._head
        request = HttpRequest(
            head.method, head.path, head.query, head.headers, b"".join(self._body)
        )
        world = self._server.world
        if request.path.startswith(control.PREFIX + "/"):
            self._deliver(Delivery(control.handle(world, request)))
            return
        delivery = self._exchange(request)
        if delivery.later_seconds is not None:
            wait = delivery.later_seconds + _TIMER_SLACK_SECONDS
            asyncio.get_running_loop().call_later(wait, world.store.run_due)
        self._deliver(delivery)

    def _exchange(self, request: HttpRequest) -> Delivery:
        world = self._server.world
        try:
            return world.exchange(request, world.arrive(request))
        except Exception:  # noqa: BLE001 - a fault of the emulator must not end the connection
            traceback.print_exc()
            _, half = world.half(request.path)
            return Delivery(half.error(500, "the emulator failed; see its standard error"))

    def _deliver(self, delivery: Delivery) -> None:
        if delivery.delay_seconds:
            self._later(delivery.delay_seconds, delivery)
            delivery.delay_seconds = 0.0
        elif delivery.cut_after_bytes == 0 or delivery.answer is None:
            self._timers.append(
                asyncio.get_running_loop().call_later(delivery.silent_seconds, self.abort)
            )
        elif delivery.cut_after_bytes is not None:
            self._write(self._message(delivery.answer)[: delivery.cut_after_bytes])
            self._close()
        elif delivery.drip_seconds:
            self._drip(self._message(delivery.answer), delivery.drip_seconds)
        else:
            self._write(self._message(delivery.answer))
            self._next()

    def _later(self, seconds: float, delivery: Delivery) -> None:
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(seconds, self._deliver, delivery))

    def _drip(self, message: bytes, seconds: float) -> None:
        pieces = list(_pieces(message))
        loop = asyncio.get_running_loop()
        for number, piece in enumerate(pieces, start=1):
            wait = seconds * number / len(pieces)
            self._timers.append(loop.call_later(wait, self._write, piece))
        self._timers.append(loop.call_later(seconds, self._next))

    def _message(self, answer: HttpAnswer) -> bytes:
        headers = [*answer.headers, ("content-length", str(len(answer.body)))]
        reason = _REASONS.get(answer.status, b"")
        response = h11.Response(status_code=answer.status, headers=headers, reason=reason)
        body = b"" if self._head is not None and self._head.method == "HEAD" else answer.body
        return b"".join(
            self._http.send(event) or b""
            for event in (response, h11.Data(data=body), h11.EndOfMessage())
        )

    def _next(self) -> None:
        """Go on with the next request of a connection that is kept alive."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._timers.clear()
            self._http.start_next_cycle()
            self._request_bytes = 0
            self._advance()
        else:
            self._close()

    def _refuse(self, error: h11.RemoteProtocolError) -> None:
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            text = f'{{"message":"{error.error_status_hint}"}}'.encode()
            self._write(self._message(HttpAnswer(error.error_status_hint, text)))
        self._close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and data:
            self._transport.write(data)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _head(event: h11.Request) -> HttpRequest:
    target = event.target.decode("ascii", "replace")
    path, _, query = target.partition("?")
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in event.headers}
    pairs = tuple(parse_qsl(query, keep_blank_values=True)) if query else ()
    return HttpRequest(event.method.decode("ascii").upper(), unquote(path), pairs, headers)


def _pieces(message: bytes) -> Iterator[bytes]:
    size = max(1, -(-len(message) // _DRIP_PIECES))
    for start in range(0, len(message), size):
        yield message[start : start + size]
