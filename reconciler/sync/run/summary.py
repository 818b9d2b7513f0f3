"""The push part of ``status`` and ``runs``: what the ledger says, without any call to a vendor."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest

from reconciler.definitions.kinds.integration import IntegrationSpec
from reconciler.definitions.model import Defined
from reconciler.kernel.address import BillId
from reconciler.kernel.ports import Clock, Notifier
from reconciler.kernel.times import duration
from reconciler.sync.core.push_summary import BillDeadlines, Pushed, PushStanding, standing_of
from reconciler.sync.model.push import SiteName
from reconciler.sync.model.standing import Tried
from reconciler.sync.ports.ledger import BillRow, Ledger


def push_status(
    site: SiteName,
    ledger: Ledger,
    clock: Clock,
    integrations: Iterable[Defined[IntegrationSpec]],
) -> PushStanding:
    """Say where every bill of a site stands, bill by bill; only counts are held.

    Args:
        site: The site.
        ledger: The memory of pushes.
        clock: Decides what is overdue.
        integrations: Those of the environment; the others' own patience is not known.
    """
    pushed = [integration for integration in integrations if integration.spec.push is not None]
    rows = (_pushed(row) for row in ledger.bills(site))
    standing = standing_of(site, clock.now(), rows, patience(pushed))
    standing.paused = ledger.paused(site)
    for integration in pushed:
        if (why := ledger.disabled(site, integration.name)) is not None:
            standing.disabled[integration.name] = why
    return standing


def patience(integrations: Iterable[Defined[IntegrationSpec]]) -> BillDeadlines:
    """Read how long each integration waits for pending invoices."""
    own = {
        integration.name: duration(integration.spec.push.pending.wait_up_to)
        for integration in integrations
        if integration.spec.push is not None and integration.spec.push.pending is not None
    }
    return BillDeadlines(own=own)


def newest_pushes(site: SiteName, ledger: Ledger, limit: int) -> tuple[Pushed, ...]:
    """Give the bills that moved last, newest first; never more than ``limit`` are held."""
    rows = (_pushed(row) for row in ledger.bills(site))
    return tuple(nlargest(limit, rows, key=lambda push: (push.changed_at, push.bill_id)))


def requests_of(site: SiteName, ledger: Ledger, bill: BillId) -> tuple[Tried, ...]:
    """Give every request that was sent for a bill, oldest first."""
    return tuple(
        Tried(attempt.key, attempt.number, attempt.started_at, attempt.outcome, attempt.message)
        for attempt in ledger.attempts(site, bill)
    )


def notify_overdue(standing: PushStanding, notifier: Notifier, text: str) -> bool:
    """Tell those who subscribed to ``overdue``; says whether there was anything to tell."""
    count = standing.overdue.bills
    if not count:
        return False
    bills = "1 bill is" if count == 1 else f"{count:,} bills are"
    notifier.notify("overdue", f"{standing.site}: {bills} overdue", text)
    return True


def _pushed(row: BillRow) -> Pushed:
    return Pushed(
        bill_id=row.bill_id,
        account_id=row.account_id,
        integration=row.integration,
        status=row.status,
        money=row.billed,
        period_end=row.period_end,
        changed_at=row.changed_at,
        next_at=row.next_at,
        message=row.message,
    )
