"""The memory of what was applied: one chain and one lock per environment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from reconciler.errors import BusyError, StaleError
from reconciler.plan.model.applied import AppliedRecord


class LockedError(BusyError):
    """Someone else holds the environment's lock."""

    def __init__(self, environment: str, holder: str) -> None:
        super().__init__(
            f"the state of `{environment}` is locked by {holder}.\n"
            "Nothing was written. Wait until that run has ended; the lock goes with its process."
        )
        self.environment = environment
        self.holder = holder


class ChainMovedError(StaleError):
    """Another run appended a record first."""

    def __init__(self, environment: str, expected: int, found: int) -> None:
        super().__init__(
            f"the applied chain of `{environment}` is at record {found}, not at {expected}: "
            "another run was here.\n"
            "The record was not written. Make a new plan; it starts from the newest record."
        )
        self.environment = environment


class StateChain(Protocol):
    """The applied records of all environments, oldest first, each naming the one before."""

    def head(self, environment: str) -> AppliedRecord | None:
        """Give the newest record, its chain of ids verified; ``None`` before the first apply."""
        ...

    def append(self, record: AppliedRecord) -> AppliedRecord:
        """Add a record by compare-and-swap, and give it back with its id.

        Raises:
            ChainMovedError: When the head is not ``record.previous``; nothing was written.
        """
        ...

    def records(self, environment: str) -> Iterator[AppliedRecord]:
        """Stream the records, newest first."""
        ...


class StateLock(Protocol):
    """One writer per environment."""

    def hold(self, environment: str, purpose: str) -> AbstractContextManager[None]:
        """Hold the lock for the time of a ``with`` block.

        Raises:
            LockedError: When someone else holds it; names them, their purpose and since when.
        """
        ...
