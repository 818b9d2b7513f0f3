"""What the server needs of each emulated vendor."""

from __future__ import annotations

from typing import Any, Protocol

from reconciler.emulator.exchange import Answer, Request

JsonObject = dict[str, Any]


class Half(Protocol):
    """One vendor over the shared store. Made anew by every reset: ``Half(store)``."""

    def handle(self, request: Request) -> Answer:
        """Answer a request; never raises for what a client sends."""
        ...

    def fault(self, name: str, request: Request) -> Answer | None:
        """Bring about a fault that needs to know the vendor, just before the request is handled.

        Returns:
            The answer to give instead of handling the request, or ``None`` to handle it: the fault
            has changed the state, or will show in the answer to this request.
        """
        ...

    def error(self, status: int, message: str) -> Answer:
        """An error in this vendor's form, for faults of the server (429, 500, 503, 504)."""
        ...

    def user_edit(self, edited: JsonObject, user: str) -> JsonObject:
        """Stamp an object that a person edited in the vendor's user interface, as a new dict."""
        ...
