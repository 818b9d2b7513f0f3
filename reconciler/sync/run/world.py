"""What a run acts on, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from reconciler.errors import ExitCode
from reconciler.kernel.ports import Clock, Notifier, Progress
from reconciler.m3ter.ports import Bills
from reconciler.sync.core.tally import SyncTally
from reconciler.sync.in_force.scope import PushesInForce
from reconciler.sync.model.standing import Group
from reconciler.sync.ports.destination import PushDestination
from reconciler.sync.ports.ledger import Ledger
from reconciler.sync.ports.workers import Workers


@dataclass(frozen=True, slots=True)
class SyncPorts:
    """The world that a run acts on."""

    bills: Bills
    ledger: Ledger
    destination: PushDestination
    workers: Workers
    notifier: Notifier
    clock: Clock
    progress: Progress


@dataclass(slots=True)
class SyncResult:
    """What became of one run.

    Attributes:
        notes: What a reader must know besides.
    """

    scope: PushesInForce
    run: str
    tally: SyncTally
    started_at: datetime
    ended_at: datetime
    stopped: bool = False
    limit: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> ExitCode:
        """130 when a signal ended it, else what its bills say."""
        return ExitCode.INTERRUPTED if self.stopped else self.tally.exit_code


def canary_failed(result: SyncResult, bills: int) -> str:
    """Say why nothing may follow the canary; empty when all of it stands as it was sent."""
    tally = result.tally
    if tally.differing or tally.unknown or tally.bills(Group.DECIDE):
        return "the canary did not come out as it was sent: nothing more was begun"
    if any(amount.minor for amount in tally.unexplained.money):
        return "the canary has an unexplained difference: nothing more was begun"
    sent = tally.bills(Group.SENT)
    if sent < bills and result.limit:
        return f"only {sent} of the {bills} canaries were sent: nothing more was begun"
    return ""
