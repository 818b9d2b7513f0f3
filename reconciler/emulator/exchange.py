"""One HTTP exchange as the emulator sees it: parsed request in, answer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A complete request.

    Attributes:
        method: Upper case.
        path: Percent-decoded path without the query.
        query: Decoded pairs in wire order; names may repeat.
        headers: Names in lower case; the last value wins.
        body: Raw bytes.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete response; ``committed`` says whether it changed stored state."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = field(default=(("content-type", "application/json"),))
    committed: bool = False


Handler = Callable[[HttpRequest], HttpAnswer]
JsonObject = dict[str, Any]


class Half(Protocol):
    """One vendor over the shared store. Made anew by every reset: ``Half(store)``."""

    def handle(self, request: HttpRequest) -> HttpAnswer:
        """Answer a request; never raises for what a client sends."""
        ...

    def fault(self, name: str, request: HttpRequest) -> HttpAnswer | None:
        """Bring about a fault that needs to know the vendor, just before the request is handled.

        Returns:
            The answer to give instead of handling the request, or ``None`` to handle it: the fault
            has changed the state, or will show in the answer to this request.
        """
        ...

    def error(self, status: int, message: str) -> HttpAnswer:
        """An error in this vendor's form, for faults of the server (429, 500, 503, 504)."""
        ...

    def user_edit(self, edited: JsonObject, user: str) -> JsonObject:
        """Stamp an object that a person edited in the vendor's user interface, as a new dict."""
        ...
