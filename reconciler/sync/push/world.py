"""What every bill of one run is brought on with."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.kernel.ports import Clock, Notifier, Stopped
from reconciler.m3ter.ports import Bills
from reconciler.sync.core.look_first import LookFirst
from reconciler.sync.judge.judge_bill import Judge
from reconciler.sync.ports.destination import Destination
from reconciler.sync.ports.ledger import Ledger
from reconciler.sync.push.limits import Limits

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
