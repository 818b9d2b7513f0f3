"""The applied chain and its lock in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.identity import record_id
from reconciler.plan.ports import ChainMovedError, LockedError


@dataclass
class MemoryChain:
    """Implements ``plan.ports.StateChain``."""

    links: list[AppliedRecord] = field(default_factory=list)

    def head(self, environment: str) -> AppliedRecord | None:
        return next(self.records(environment), None)

    def append(self, record: AppliedRecord) -> AppliedRecord:
        head = self.head(record.environment)
        if (head.id if head else None) != record.previous:
            expected, found = record.sequence - 1, head.sequence if head else 0
            raise ChainMovedError(record.environment, expected, found)
        named = replace(record, id=record_id(record))
        self.links.append(named)
        return named

    def records(self, environment: str) -> Iterator[AppliedRecord]:
        return (link for link in reversed(self.links) if link.environment == environment)


@dataclass
class MemoryLock:
    """Implements ``plan.ports.StateLock``."""

    holder: str = ""

    @contextmanager
    def hold(self, environment: str, purpose: str) -> Iterator[None]:
        if self.holder:
            raise LockedError(environment, self.holder)
        self.holder = purpose
        try:
            yield
        finally:
            self.holder = ""
