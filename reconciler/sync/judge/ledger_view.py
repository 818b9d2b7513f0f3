"""What judging reads of a ledger, and an environment that has none yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from reconciler.kernel.address import BillId
from reconciler.sync.model.push import Effect, SiteName
from reconciler.sync.ports.ledger import BillRow, LedgerIdentity


class LedgerView(Protocol):
    """What judging reads of a ledger."""

    @property
    def identity(self) -> LedgerIdentity:
        """Which ledger it is."""
        ...

    def bill(self, site: SiteName, bill: BillId) -> BillRow | None:
        """Give the row of a bill."""
        ...

    def effects(self, site: SiteName, bill: BillId) -> tuple[Effect, ...]:
        """Give every effect of a bill."""
        ...

    def disabled(self, site: SiteName, integration: str) -> str | None:
        """Say why a push is disabled."""
        ...

    def paused(self, site: SiteName) -> str | None:
        """Say who paused the site."""
        ...


@dataclass(frozen=True, slots=True)
class NoLedgerYet:
    """Implements ``LedgerView`` for an environment that never pushed; only to print plans."""

    identity: LedgerIdentity = field(default_factory=lambda: LedgerIdentity("", 0))

    def bill(self, site: SiteName, bill: BillId) -> None:
        """Know nothing."""

    def effects(self, site: SiteName, bill: BillId) -> tuple[Effect, ...]:  # noqa: ARG002
        """Know nothing."""
        return ()

    def disabled(self, site: SiteName, integration: str) -> None:
        """Know nothing."""

    def paused(self, site: SiteName) -> None:
        """Know nothing."""
