"""The bills of one run as a stream: what was begun first, accounts read in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from reconciler.drafting.draft import BilledParty
from reconciler.drafting.draft_bill import billed_party
from reconciler.kernel.ports import Stopped
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.ports import BillQuery, Bills
from reconciler.sync.judge.account import membership_of
from reconciler.sync.judge.judge import Judge
from reconciler.sync.judge.standings import RESUMED
from reconciler.sync.model.standing import BillStanding
from reconciler.sync.ports.ledger import BillRow, Ledger
from reconciler.sync.ports.workers import Job
from reconciler.sync.run.world import SyncPorts

BEGUN_MAX = 10_000
"""Bills begun earlier that come first; their ids are kept in memory, so they have a bound."""
BATCH = 50
"""Bills whose accounts and native runs are read together; m3ter's list of runs takes as many."""
# ``billDate`` is not the end of the period; m3ter does not say how far they may be apart.
DATE_MARGIN = timedelta(days=62)


def stream(
    judge: Judge,
    bills: Bills,
    left: Callable[[BillStanding], None],
    *,
    all_the_same: Callable[[BillStanding], bool] = lambda _: False,
) -> Iterator[Bill]:
    """Give the bills that need a look, in batches whose accounts are read; count the others.

    Args:
        judge: Knows the flags.
        bills: m3ter's.
        left: Hears of every bill that is not given.
        all_the_same: Says which of those are given nevertheless.
    """
    found = iter(bills.list(query_of(judge)))
    while page_of := list(islice(found, BATCH)):
        open_ones: list[Bill] = []
        for bill in page_of:
            row = judge.ledger.bill(judge.watch.scope.site, bill.id)
            standing = judge.at_once(bill, row)
            if standing is None or all_the_same(standing):
                open_ones.append(bill)
            else:
                left(replace(standing, who=replace(standing.who, account_code=bill.account_code)))
        if open_ones:
            judge.watch.expect([(bill.id, bill.account_code) for bill in open_ones])
            targets = [_target(judge, bill) for bill in open_ones]
            judge.destination.expect([target for target in targets if target is not None])
        yield from open_ones


def jobs_of(
    judge: Judge,
    ports: SyncPorts,
    left: Callable[[BillStanding], None],
    enough: Stopped,
    *,
    resuming: bool = False,
) -> Iterator[Job]:
    """Give what was begun earlier first, then the bills that may be ready.

    Args:
        judge: Knows the flags.
        ports: The world.
        left: Hears of every bill that is not given.
        enough: Turned when nothing more is to be begun.
        resuming: Give also what another run began meanwhile, so that it is waited for.
    """
    site = judge.watch.scope.site
    begun: set[str] = set()
    for row in begun_rows(judge, ports.ledger):
        begun.add(row.bill_id)
        yield Job(site, row.bill_id, row.account_id)

    def counted(standing: BillStanding) -> None:
        if standing.who.bill_id not in begun:
            left(standing)

    def meanwhile(standing: BillStanding) -> bool:
        return resuming and standing.status in RESUMED and standing.who.bill_id not in begun

    for bill in stream(judge, ports.bills, counted, all_the_same=meanwhile):
        if enough():
            return
        yield Job(site, bill.id, _serial(judge, bill), bill)


def begun_rows(judge: Judge, ledger: Ledger) -> Iterator[BillRow]:
    """Give rows with something under way; those beyond a bound come in the order of the bills."""
    rows = ledger.bills(judge.watch.scope.site, RESUMED)
    leaves = judge.narrow.leaves
    mine = (
        row for row in rows if leaves(row.integration, row.account_id, row.bill_id, row.period_end)
    )
    return islice(mine, BEGUN_MAX)


def _serial(judge: Judge, bill: Bill) -> str:
    """Name what two jobs must not work on at once: the subscription, else the account."""
    target = _target(judge, bill)
    return bill.account_id if target is None else target.external_id


def _target(judge: Judge, bill: Bill) -> BilledParty | None:
    """Find who would be billed, from what is read; ``None`` where that is not known."""
    about = judge.watch.peek(bill.id)
    for route in judge.watch.scope.routes:
        if about is not None and membership_of(route.scope, about, bill).verdict == "in":
            target = billed_party(bill, route.route)
            return target if isinstance(target, BilledParty) else None
    return None


def query_of(judge: Judge) -> BillQuery:
    """Ask m3ter for the bills that may be ours; what is not is left out afterwards."""
    narrow = judge.narrow
    if narrow.bills:
        return BillQuery(ids=tuple(sorted(narrow.bills)))
    earliest = min(judge.since(route) for route in judge.watch.scope.routes)
    account = next(iter(narrow.accounts)) if len(narrow.accounts) == 1 else None
    until = narrow.until + DATE_MARGIN if narrow.until else None
    return BillQuery(since=earliest - DATE_MARGIN, until=until, account=account)


def count_of(judge: Judge, bills: Bills) -> int:
    """Count the bills of the window, without their lines, for the progress."""
    return sum(1 for _ in bills.list(replace(query_of(judge), lines=False)))
