"""Everything the emulator remembers: plain JSON objects by kind and id, in the order of creation.

Stored objects are never changed in place: to change one, put a new dict with the same id. That
makes reads free of copies, and lets encoded forms be kept until the object is replaced.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from reconciler.emulator.clock import EmulatorClock
from reconciler.emulator.journal import Journal
from reconciler.emulator.switches.table import Switches

JsonObject = dict[str, Any]


class StoredRow:
    """One stored object.

    Attributes:
        position: Place in the order of creation; never changes.
        data: The object. Do not change it; put another one.
        created: Emulated instant of the first put.
        encoded: Wire forms by name of the view, until the next put.
    """

    __slots__ = ("created", "data", "encoded", "position")

    def __init__(self, position: int, data: JsonObject, created: datetime) -> None:
        self.position = position
        self.data = data
        self.created = created
        self.encoded: dict[str, bytes] = {}


class Table:
    """All objects of one kind."""

    def __init__(self) -> None:
        self.rows: dict[str, StoredRow] = {}
        self._order: list[StoredRow | None] = []
        self._indexes: dict[str, dict[object, dict[str, StoredRow]]] = {}

    def newest(self, before: int | None = None) -> Iterator[StoredRow]:
        """Rows from the youngest to the oldest, only those with a position below ``before``."""
        start = len(self._order) if before is None else min(before, len(self._order))
        for position in range(start - 1, -1, -1):
            row = self._order[position]
            if row is not None:
                yield row

    def oldest(self, after: int = -1) -> Iterator[StoredRow]:
        """Rows from the oldest to the youngest, only those with a position above ``after``."""
        for position in range(after + 1, len(self._order)):
            row = self._order[position]
            if row is not None:
                yield row

    def where(self, field: str, value: object) -> list[StoredRow]:
        """Rows whose field equals the value, youngest first; the first call builds an index."""
        if field not in self._indexes:
            self._indexes[field] = {}
            for row in self.rows.values():
                self._enter(field, row)
        found = self._indexes[field].get(value, {})
        return sorted(found.values(), key=lambda row: row.position, reverse=True)

    def put(self, data: JsonObject, now: datetime) -> None:
        """Add or replace the object with this id; a replaced one keeps its place."""
        row = self.rows.get(data["id"])
        if row is None:
            row = StoredRow(len(self._order), data, now)
            self.rows[data["id"]] = row
            self._order.append(row)
        else:
            self._leave_all(row)
            row.data = data
            row.encoded = {}
        for field in self._indexes:
            self._enter(field, row)

    def delete(self, key: str) -> JsonObject | None:
        """Remove an object and return it; ``None`` if there is none."""
        row = self.rows.pop(key, None)
        if row is None:
            return None
        self._order[row.position] = None
        self._leave_all(row)
        return row.data

    def _enter(self, field: str, row: StoredRow) -> None:
        value = row.data.get(field)
        self._indexes[field].setdefault(value, {})[row.data["id"]] = row

    def _leave_all(self, row: StoredRow) -> None:
        for field, index in self._indexes.items():
            index.get(row.data.get(field), {}).pop(row.data["id"], None)


class Store:
    """The state of both vendors. Kinds are named ``m3ter/...`` and ``chargebee/...``.

    Attributes:
        clock: Emulated time.
        random: Seeded source of ids and of everything else that looks random.
        switches: Behaviours in force.
        writes: Number of puts and deletes so far; a request that raised it has committed.
    """

    def __init__(self, *, start: datetime, seed: int = 1, switches: Switches | None = None) -> None:
        self.switches = switches or Switches()
        self.clock = EmulatorClock(start, ticks=self.switches.text("clock") == "ticks")
        self.seed = seed
        self.random = Random(seed)
        self.writes = 0
        self.journal: Journal | None = None
        self._tables: dict[str, Table] = {}
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._ticket = count()

    def now(self) -> datetime:
        """The emulated instant, in UTC."""
        return self.clock.now()

    def new_id(self) -> str:
        """A UUID from the seeded source."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def kinds(self) -> tuple[str, ...]:
        """Every kind that was ever used, sorted."""
        return tuple(sorted(self._tables))

    def table(self, kind: str) -> Table:
        """The table of a kind; made when it is first asked for. Change it through the store."""
        table = self._tables.get(kind)
        if table is None:
            table = self._tables[kind] = Table()
        return table

    def get(self, kind: str, key: str) -> JsonObject | None:
        """One object, not to be changed; ``None`` if there is none."""
        row = self.table(kind).rows.get(key)
        return None if row is None else row.data

    def all(self, kind: str) -> Iterator[JsonObject]:
        """Every object of a kind, oldest first."""
        return (row.data for row in self.table(kind).oldest())

    def where(self, kind: str, field: str, value: object) -> list[JsonObject]:
        """Objects whose field equals the value, youngest first; indexed."""
        return [row.data for row in self.table(kind).where(field, value)]

    def put(self, kind: str, data: JsonObject) -> None:
        """Add or replace an object by its ``id``."""
        self.table(kind).put(data, self.now())
        self.writes += 1
        if self.journal is not None:
            self.journal.put(kind, data, self.now())

    def delete(self, kind: str, key: str) -> JsonObject | None:
        """Remove an object and return it; ``None`` if there is none."""
        gone = self.table(kind).delete(key)
        if gone is not None:
            self.writes += 1
            if self.journal is not None:
                self.journal.delete(kind, key, self.now())
        return gone

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Run an action when the emulated clock has moved on by that much."""
        due = self.now() + timedelta(seconds=seconds)
        heapq.heappush(self._due, (due, next(self._ticket), action))

    def run_due(self) -> None:
        """Run every action whose time has come, in order of time."""
        while self._due and self._due[0][0] <= self.now():
            heapq.heappop(self._due)[2]()
