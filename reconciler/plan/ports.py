"""The memory of what was applied: one chain and one lock per environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from reconciler.errors import BusyError, ExitCode, ReconcilerError, StaleError
from reconciler.plan.model.applied import AppliedRecord


class LockedError(BusyError):
    """Someone else holds the environment's lock."""

    def __init__(
        self, environment: str, holder: str, ending: str = "the lock goes with its process."
    ) -> None:
        super().__init__(
            f"the state of `{environment}` is locked by {holder}.\n"
            f"Nothing was written. Wait until that run has ended; {ending}"
        )
        self.environment = environment
        self.holder = holder


class ChainMovedError(StaleError):
    """Another run appended a record first."""

    def __init__(self, environment: str, expected: int, found: int, by: str = "") -> None:
        who = f" ({by})" if by else ""
        super().__init__(
            f"the applied chain of `{environment}` is at record {found}, not at {expected}: "
            f"another run was here{who}.\n"
            "The record was not written. Make a new plan; it starts from the newest record."
        )
        self.environment = environment


class RecordKeptError(ReconcilerError):
    """m3ter was written to, and the record of it could not be pushed; it is kept here."""

    exit_code = ExitCode.PARTLY_DONE
    anchor = "state-kept"

    def __init__(self, record: AppliedRecord, where: str, said: str) -> None:
        super().__init__(
            f"record {record.sequence} of `{record.environment}` could not be pushed to {where}: "
            f"{said or 'git does not say why'}.\nWhat was written to m3ter is written, and the "
            "record of it is kept in .reconciler/state.git, with the lock. "
            f"`reconciler state push --env {record.environment}` pushes it; so does the next "
            "command here that works with this environment."
        )
        self.record = record


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


class SourceCommits(Protocol):
    """How commits of the definitions stand to each other, and to the branch they come from."""

    @property
    def branch(self) -> str:
        """The branch that must hold what is applied; empty where any commit may be."""
        ...

    def newest(self) -> str:
        """Give where that branch stands on the remote; empty without it."""
        ...

    def descends(self, commit: str, ancestor: str) -> bool | None:
        """Say whether a commit is another one or comes after it; ``None`` when nobody can tell."""
        ...

    def missing(self, commits: Iterable[str]) -> tuple[str, ...]:
        """Give those of some commits that neither the clone nor the remote has."""
        ...
