"""One bucket per site for all workers: a row in the ledger, on the database's clock (GCRA)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from sqlalchemy import Connection, RowMapping, select, text, update

from reconciler.ledger.rows import insert_once
from reconciler.ledger.sql.database import Database
from reconciler.ledger.sql.tables import Columns, buckets
from reconciler.sync.model.push import SiteName

FULL_PACE: Final = 1_000_000
SLOWEST: Final = FULL_PACE // 16
"""The share of the configured rate that repeated 429s never go below."""
RECOVERY_SECONDS: Final = 30.0
"""Seconds from a standstill back to the configured rate."""
BATCH: Final = 16
LOOK_AGAIN_SECONDS: Final = 0.1
"""A slot that was waited for longer than this may have been made void by another process."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The row; times are microseconds since 1970.

    Attributes:
        next_at: When the slot after all reserved ones begins, at an even pace.
        updated_at: When the pace was computed last.
        paused_until: Nothing is sent before.
        pace: Millionths of the configured rate; less than all of it after a 429.
        epoch: Rises with every 429: slots that were reserved before are void.
    """

    next_at: int
    updated_at: int
    paused_until: int
    pace: int
    epoch: int

    def recovered(self, now: int) -> Bucket:
        """Give the bucket with the pace grown since."""
        since = max(self.updated_at, self.paused_until)
        grown = max(0, now - since) * FULL_PACE // int(RECOVERY_SECONDS * 1_000_000)
        pace = min(FULL_PACE, self.pace + grown)
        return replace(self, pace=pace, updated_at=max(now, self.updated_at))

    def paused(self, now: int, seconds: float) -> Bucket:
        """Give the bucket after a 429; those of requests in flight together count once."""
        bucket = self.recovered(now)
        pace = max(SLOWEST, bucket.pace // 2) if now >= bucket.paused_until else bucket.pace
        until = max(bucket.paused_until, now + int(max(0.0, seconds) * 1_000_000))
        return replace(bucket, pace=pace, paused_until=until, next_at=until, epoch=bucket.epoch + 1)

    def reserved(
        self, now: int, count: int, per_second: float, burst: float
    ) -> tuple[Bucket, tuple[int, ...]]:
        """Give the bucket after slots were reserved, and when each of them begins."""
        bucket = self.recovered(now)
        interval = int(1_000_000 * FULL_PACE / (per_second * bucket.pace))
        credit = int((burst - 1.0) * interval)
        next_at, slots = bucket.next_at, []
        for _ in range(count):
            slots.append(max(now, next_at - credit, bucket.paused_until))
            next_at = max(slots[-1], next_at) + interval
        return replace(bucket, next_at=next_at), tuple(slots)


def may_share(database: Database) -> bool:
    """Tell whether this user may reserve slots, or only read.

    Source: PostgreSQL manual, access privilege inquiry functions, recovery information functions.
    """
    name = f"'{buckets.name}'"
    asked = (
        f"select has_table_privilege({name}, 'INSERT') and has_table_privilege({name}, 'UPDATE')"
        " and not pg_is_in_recovery()"
    )
    return bool(database.read(lambda connection: connection.execute(text(asked)).scalar_one()))


class SharedBucket:
    """Implements ``kernel.ports.RateLimit`` over one row; ten workers obey one limit.

    A thread that finds no slot reserves one for each thread of this process that waits, so slots
    are never left unused. After a 429 anywhere all reserved slots are void.

    Attributes:
        per_second: The configured rate.
        burst: How many requests may follow each other at once after a quiet moment, at least 1.
    """

    def __init__(
        self, database: Database, site: SiteName, per_second: float, *, burst: float = 1.0
    ) -> None:
        self.per_second = per_second
        self.burst = max(1.0, burst)
        self._database = database
        self._site = site
        self._reserving = Lock()
        self._counting = Lock()
        self._waiting = 0
        self._slots: deque[tuple[float, int]] = deque()
        self._epoch = 0

    def acquire(self) -> None:
        """Wait until one request may be sent."""
        clock = self._database.clock
        while True:
            slot, epoch = self._slot()
            wait = slot - clock.monotonic()
            if wait > 0:
                clock.sleep(wait)
            if wait <= LOOK_AGAIN_SECONDS or self._database.read(self._epoch_of) == epoch:
                return

    def slow_down(self, seconds: float) -> None:
        """Hear of a 429: send nothing for so many seconds, then go slower for a while."""

        def pause(connection: Connection) -> int:
            bucket, now = self._held(connection)
            paused = bucket.paused(now, seconds)
            self._store(connection, paused)
            return paused.epoch

        self._epoch = self._database.write(pause)

    @property
    def pace(self) -> float:
        """Give the present rate per second; lower than configured after a 429."""

        def look(connection: Connection) -> int:
            bucket, now = self._held(connection)
            return bucket.recovered(now).pace

        return self.per_second * self._database.write(look) / FULL_PACE

    def _slot(self) -> tuple[float, int]:
        with self._counting:
            self._waiting += 1
        with self._reserving:
            try:
                while self._slots and self._slots[0][1] < self._epoch:
                    self._slots.popleft()
                if not self._slots:
                    self._reserve()
                return self._slots.popleft()
            finally:
                with self._counting:
                    self._waiting -= 1

    def _reserve(self) -> None:
        with self._counting:
            count = max(1, min(BATCH, self._waiting))

        def take(connection: Connection) -> tuple[tuple[int, ...], int, int]:
            bucket, now = self._held(connection)
            after, slots = bucket.reserved(now, count, self.per_second, self.burst)
            self._store(connection, after)
            return slots, now, after.epoch

        slots, now, epoch = self._database.write(take)
        # the answer was under way for a moment: slots are that much late here, and never early
        here = self._database.clock.monotonic()
        self._epoch = max(self._epoch, epoch)
        self._slots.extend((here + (slot - now) / 1_000_000, epoch) for slot in slots)

    def _held(self, connection: Connection) -> tuple[Bucket, int]:
        chosen = select(buckets).where(buckets.c.site == self._site).with_for_update()
        row = connection.execute(chosen).mappings().first()
        if row is None:
            insert_once(
                connection, buckets, self._fresh(_microseconds(self._database.now(connection)))
            )
            row = connection.execute(chosen).mappings().one()
        return _bucket(row), _microseconds(self._database.now(connection))

    def _fresh(self, now: int) -> Columns:
        return {
            "site": self._site,
            "next_at": now,
            "updated_at": now,
            "paused_until": now,
            "pace": FULL_PACE,
            "epoch": 0,
        }

    def _store(self, connection: Connection, bucket: Bucket) -> None:
        connection.execute(
            update(buckets)
            .where(buckets.c.site == self._site)
            .values(
                next_at=bucket.next_at,
                updated_at=bucket.updated_at,
                paused_until=bucket.paused_until,
                pace=bucket.pace,
                epoch=bucket.epoch,
            )
        )

    def _epoch_of(self, connection: Connection) -> int:
        found = connection.execute(select(buckets.c.epoch).where(buckets.c.site == self._site))
        return int(found.scalar_one())


def _bucket(row: RowMapping) -> Bucket:
    return Bucket(row["next_at"], row["updated_at"], row["paused_until"], row["pace"], row["epoch"])


def _microseconds(time: datetime) -> int:
    return (time - datetime.fromtimestamp(0, time.tzinfo)) // timedelta(microseconds=1)
