"""What a sync would do: every bill judged, summed up. Nothing is written anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.kernel.ports import Progress
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.ports import Bills
from reconciler.sync.core.tally import SyncTally
from reconciler.sync.in_force.scope import PushesInForce
from reconciler.sync.judge.judge import Judge
from reconciler.sync.model.standing import BillStanding, Group
from reconciler.sync.run.bill_stream import count_of, stream

READS_A_BILL = 1
"""The invoice read back. Whoever is billed, waiting charges and prices are read by lists."""


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What would be sent, and why everything else would not.

    Attributes:
        paused: Who paused the site and why; empty when it is not.
        disabled: Why, by integration.
        per_minute: Requests that the site takes.
    """

    scope: PushesInForce
    tally: SyncTally
    made_at: datetime
    paused: str
    disabled: dict[str, str]
    per_minute: int

    @property
    def takes(self) -> timedelta:
        """How long sending what is ready takes at the rate limit, with its reads."""
        requests = self.tally.requests + READS_A_BILL * self.tally.bills(Group.READY)
        return timedelta(minutes=requests / max(1, self.per_minute))


def plan_sync(
    judge: Judge,
    bills: Bills,
    progress: Progress,
    hear: Callable[[BillStanding], None] = lambda _: None,
) -> SyncPlan:
    """Judge every bill of the window.

    Args:
        judge: Knows the flags.
        bills: m3ter's.
        progress: Hears how far it is.
        hear: Hears of every bill, one after the other.
    """
    scope, tally = judge.watch.scope, SyncTally()

    def counted(standing: BillStanding) -> None:
        tally.add(standing)
        hear(standing)

    with progress.task("judging bills", count_of(judge, bills)) as task:
        for bill in stream(judge, bills, counted):
            counted(_judged(judge, bill))
            task.advance()
    site = scope.environment.chargebee
    return SyncPlan(
        scope=scope,
        tally=tally,
        made_at=judge.clock.now(),
        paused=judge.ledger.paused(scope.site) or "",
        disabled={
            route.name: why
            for route in scope.routes
            if (why := judge.ledger.disabled(scope.site, route.name))
        },
        per_minute=site.requests_per_minute if site else 1,
    )


def _judged(judge: Judge, bill: Bill) -> BillStanding:
    site = judge.watch.scope.site
    about = judge.watch.known(bill.id) or judge.watch.one(bill.id, bill.account_code)
    row = judge.ledger.bill(site, bill.id)
    effects = judge.ledger.effects(site, bill.id) if row is not None else ()
    return judge.judge(bill, about, row, effects).standing
