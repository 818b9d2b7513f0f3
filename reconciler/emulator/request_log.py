"""Which requests came in: for tests and for people; bodies and headers are never kept."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any

from reconciler.emulator.clock import iso

_KEPT = 200_000


class Entry:
    """One request; status and committed are filled in when they are known."""

    __slots__ = ("at", "committed", "method", "path", "query", "status", "vendor")

    def __init__(self, vendor: str, method: str, path: str, query: str, at: datetime) -> None:
        self.vendor = vendor
        self.method = method
        self.path = path
        self.query = query
        self.at = at
        self.status: int | None = None
        self.committed = False

    def as_dict(self) -> dict[str, Any]:
        """The entry as the control surface shows it; status is null if nothing was answered."""
        return {
            "vendor": self.vendor,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "time": iso(self.at),
            "committed": self.committed,
        }


class RequestLog:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)

    def begin(self, entry: Entry) -> Entry:
        """Add a request that has arrived."""
        self._entries.append(entry)
        return entry

    def select(self, *, vendor: str | None = None, since: datetime | None = None) -> list[Entry]:
        """Requests of a vendor (any if ``None``) from an instant on, in the order of arrival."""
        return [
            entry
            for entry in self._entries
            if (vendor is None or entry.vendor == vendor) and (since is None or entry.at >= since)
        ]
