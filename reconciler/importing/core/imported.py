"""What an import brought into git, as values for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.importing.core.accepting import Accepted
from reconciler.kernel.address import Address


@dataclass(frozen=True, slots=True)
class NewObject:
    """A definition that was written.

    Attributes:
        label: The name in m3ter, or what the set maps.
        rows: Of a mapping set.
    """

    address: Address
    label: str
    file: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something live that cannot stand in git, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        looked: Live configurations that were looked at.
        fields: Values that were edited in place.
        rows: Mappings that were added to sets of git.
        credentials: Names that the environment gave to credentials.
    """

    looked: int
    new: tuple[NewObject, ...]
    fields: tuple[Accepted, ...]
    rows: tuple[Address, ...]
    credentials: tuple[str, ...]
    skipped: tuple[Skipped, ...]
