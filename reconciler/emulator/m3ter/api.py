"""m3ter's API over the shared store."""

from __future__ import annotations

from typing import Any

from reconciler.emulator import wire
from reconciler.emulator.exchange import Answer, Request
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]


class M3terHalf:
    """m3ter."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def handle(self, request: Request) -> Answer:
        """Answer a request."""
        return self.error(404, f"No such path: {request.path}")

    def fault(self, name: str, request: Request) -> Answer | None:
        """Bring about a fault."""
        return None

    def error(self, status: int, message: str) -> Answer:
        """An error in m3ter's form."""
        return Answer(status, wire.encode({"message": message}))

    def user_edit(self, edited: JsonObject, user: str) -> JsonObject:
        """Stamp an edited object."""
        return edited | {"lastModifiedBy": user}
