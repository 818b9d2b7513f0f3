"""What every bill of one run is brought on with."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.look_first import LookFirst
from reconciler.ports.destination import Destination
from reconciler.ports.ledger import Ledger
from reconciler.ports.organisation import Bills
from reconciler.ports.runtime import Clock, Notifier, Stopped
from reconciler.workflows.judge_bill import Judge
from reconciler.workflows.sync_limits import Limits

LEASE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class PushWorld:
    """What one run works with.

    Attributes:
        run: Id of the run.
        worker: Name of this process, for leases and attempts.
        stopped: Asked before every send.
    """

    judge: Judge
    ledger: Ledger
    destination: Destination
    bills: Bills
    clock: Clock
    notifier: Notifier
    limits: Limits
    settings: LookFirst
    run: str
    worker: str
    stopped: Stopped
