"""Copy a whole chain from one backend to the other; every record keeps its id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from reconciler.errors import IdentityError, StaleError
from reconciler.plan.model.applied import AppliedRecord


class MixedChainsError(IdentityError):
    """The place that a chain is to be copied to has another one."""

    anchor = "state-migrate"

    def __init__(self, environment: str, sequence: int) -> None:
        super().__init__(
            f"the two places have different records {sequence} of `{environment}`, and two chains "
            "are never mixed.\nNothing was written. Empty the one that is wrong, or copy to "
            "another place."
        )


class NotCopiedError(StaleError):
    """A record that was copied reads back otherwise."""

    def __init__(self, environment: str, sequence: int) -> None:
        super().__init__(
            f"record {sequence} of `{environment}` reads back with another id than it has.\n"
            "The project still names the old place, and that is untouched. Report this."
        )


class Chain(Protocol):
    """A place that a chain is copied from, or to."""

    def records(self, environment: str) -> Iterator[AppliedRecord]:
        """Stream the records, newest first."""
        ...


class Target(Chain, Protocol):
    """A place that a chain is copied to."""

    def copy(self, record: AppliedRecord) -> None:
        """Add a record as it is, after the newest that is there."""
        ...


@dataclass(frozen=True, slots=True)
class Migrated:
    """How many records were copied now, and how many are there."""

    copied: int
    records: int


def migrate(environment: str, source: Chain, target: Target) -> Migrated:
    """Copy what is missing, oldest first, and check every id; may be run again.

    Raises:
        MixedChainsError: When the target has a record that the source does not have.
    """
    ids = [record.id for record in target.records(environment)][::-1]
    records = list(source.records(environment))[::-1]
    for number, identity in enumerate(ids):
        if number >= len(records) or records[number].id != identity:
            raise MixedChainsError(environment, number + 1)
    for record in records[len(ids) :]:
        target.copy(record)
    for record, copied in zip(reversed(records), target.records(environment), strict=True):
        if record.id != copied.id:
            raise NotCopiedError(environment, record.sequence)
    return Migrated(len(records) - len(ids), len(records))
