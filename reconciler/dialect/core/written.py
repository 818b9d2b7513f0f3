"""What commands wrote into the definitions, as values for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.dialect.core.discovery import Proposal


@dataclass(frozen=True, slots=True)
class WrittenDialect:
    """What became of one proposed dialect.

    Attributes:
        file: Relative to the repository; empty when there is no dialect.
        outcome: ``none`` when the organisation publishes nothing to write.
    """

    proposal: Proposal
    file: str
    outcome: Literal["new", "changed", "same", "none"]
