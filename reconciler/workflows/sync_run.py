"""Run a sync: bills as a stream, judged ahead in batches, each brought as far as it gets now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice

from reconciler.core.guard_time import freeze
from reconciler.core.runbook import Page, page
from reconciler.core.sync_tally import SyncTally
from reconciler.core.target import target_of
from reconciler.domain.bill import Bill
from reconciler.domain.draft import Target
from reconciler.domain.push import PushStatus, SiteName
from reconciler.domain.standing import Group, Standing
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.ports.destination import Destination
from reconciler.ports.ledger import BillRow, Ledger
from reconciler.ports.organisation import BillQuery, Bills
from reconciler.ports.runtime import (
    BillBusyError,
    Clock,
    Job,
    Notifier,
    Progress,
    Schedule,
    Stopped,
    Task,
    Workers,
)
from reconciler.workflows.judge_bill import RESUMED, Judge
from reconciler.workflows.push_bill import Pusher
from reconciler.workflows.sync_again import TOLD_SECONDS, DueAgain, Patience
from reconciler.workflows.sync_scope import SyncScope, membership_of

POLL_MINUTES = 5
NO_PATIENCE = Patience()
BEGUN_MAX = 10_000
"""Bills begun earlier that come first; their ids are kept in memory, so they have a bound."""
BATCH = 50
"""Bills whose accounts and native runs are read together; m3ter's list of runs takes as many."""
# ``billDate`` is not the end of the period; m3ter does not say how far they may be apart.
DATE_MARGIN = timedelta(days=62)
_EVENTS = {
    "integration.validation.error": "validation",
    "integration.missingaccountmapping.error": "missing-mapping",
    "integration.perform.error": "perform",
}
_NAMED_MAX = 20


class FrozenError(ReconcilerError):
    """Sync was called inside a freeze window."""

    exit_code = ExitCode.NEEDS_APPROVAL

    def __init__(self, windows: Sequence[str]) -> None:
        super().__init__(
            "; ".join(windows) + ".\nNothing was sent. Wait until the window is over, or approve "
            "this run with `--approve freeze`."
        )


class PausedError(ReconcilerError):
    """A person paused the site."""

    exit_code = ExitCode.NEEDS_APPROVAL

    def __init__(self, site: str, why: str) -> None:
        super().__init__(
            f"pushing to site `{site}` is paused by {why}.\n"
            "Nothing was sent. When it may go on: `reconciler sync resume`. "
            f"See {page(Page.PAUSED)}."
        )


class HeldBackError(ReconcilerError):
    """No integration may push at all."""

    exit_code = ExitCode.NEEDS_APPROVAL

    def __init__(self, reasons: Sequence[str], where: Page) -> None:
        listed = "\n".join(f"  {one}" for one in reasons)
        super().__init__(
            f"no push integration may send anything now:\n{listed}\n"
            "Nothing was sent. Run `reconciler drift` and decide what holds, or `reconciler sync "
            f"enable NAME` for a disabled push. See {page(where)}."
        )


@dataclass(frozen=True, slots=True)
class SyncPorts:
    """The world that a run acts on."""

    bills: Bills
    ledger: Ledger
    destination: Destination
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

    scope: SyncScope
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


def refuse_held(
    scope: SyncScope, ledger: Ledger, integrations: frozenset[str], now: datetime, *, thawed: bool
) -> None:
    """Refuse a run in which nothing may be sent.

    Raises:
        FrozenError: Inside a freeze window that nobody approved.
        PausedError: When a person paused the site.
        HeldBackError: When every integration of the run drifted or is disabled.
    """
    windows = [one.message for one in freeze(scope.environment.freeze, now)]
    if windows and not thawed:
        raise FrozenError(windows)
    if why := ledger.paused(scope.site):
        raise PausedError(scope.site, why)
    wanted = [one for one in scope.routes if not integrations or one.name in integrations]
    drifted = [one.drift[0] for one in wanted if one.drift]
    disabled = [
        f"{one.name} is disabled: {why}"
        for one in wanted
        if not one.drift and (why := ledger.disabled(scope.site, one.name))
    ]
    if wanted and len(drifted) + len(disabled) == len(wanted):
        raise HeldBackError([*drifted, *disabled], Page.DRIFT if drifted else Page.DISABLED)


def read_stamps(scope: SyncScope, ports: SyncPorts) -> int:
    """Read the stamped invoices of the site into the ledger's index, once a run."""
    since = min(one.route.policy.since for one in scope.routes)
    first = datetime.combine(datetime.fromisoformat(since), time(0), UTC) - DATE_MARGIN
    with ports.progress.task("reading stamped invoices", None) as task:
        found = ports.destination.stamped(first)
        read = 0
        while some := tuple(islice(found, 100)):
            ports.ledger.put_stamps(scope.site, some)
            task.advance(len(some))
            read += len(some)
    return read


def run_sync(
    pusher: Pusher, ports: SyncPorts, stopped: Stopped, patience: Patience = NO_PATIENCE
) -> SyncTally:
    """Push everything that is due; ends when all of it is, a limit is reached, or it is stopped.

    Args:
        pusher: Brings one bill on; its judge knows the flags.
        ports: The world.
        stopped: Turned by a signal.
        patience: How long bills that become due again are waited for.
    """
    running = _Running(pusher, ports, stopped, DueAgain(ports.clock), Pace(ports.clock))
    running.first()
    running.again_until(ports.clock.now() + patience.wait, patience.tell)
    running.count_left()
    _tell(running.tally, ports.notifier, pusher.judge.watch.scope.site)
    return running.tally


def result_of(
    pusher: Pusher, ports: SyncPorts, stopped: Stopped, patience: Patience = NO_PATIENCE
) -> SyncResult:
    """Run a sync, and give what became of it."""
    started = ports.clock.now()
    tally = run_sync(pusher, ports, stopped, patience)
    return SyncResult(
        scope=pusher.judge.watch.scope,
        run=pusher.run,
        tally=tally,
        started_at=started,
        ended_at=ports.clock.now(),
        stopped=stopped(),
        limit=pusher.limits.reached,
    )


@dataclass(slots=True)
class _Running:
    """One run on its way: everything once, then what is due again."""

    pusher: Pusher
    ports: SyncPorts
    stopped: Stopped
    again: DueAgain
    pace: Pace
    tally: SyncTally = field(default_factory=SyncTally)

    def first(self) -> None:
        """Look at every bill once, and at those that become due meanwhile."""
        with self.ports.progress.task(
            "pushing", count_of(self.pusher.judge, self.ports.bills)
        ) as task:

            def left(one: Standing) -> None:
                self.tally.add(one)
                task.advance(1, self.pace.note(self.tally))

            jobs = _jobs(self.pusher.judge, self.ports, left, self._enough, resuming=True)
            self._round(self.again.between(jobs), task)

    def again_until(self, until: datetime, tell: Callable[[str], None]) -> None:
        """Bring bills again as they become due, until a time."""
        while (at := self.again.next_at(until)) is not None and not self._enough():
            if (at - self.ports.clock.now()).total_seconds() > TOLD_SECONDS:
                tell(self.again.told(until))
            self.again.wait(at, self._enough)
            with self.ports.progress.task("pushing again", None) as task:
                self._round(self.again.due(), task)

    def count_left(self) -> None:
        """Count the bills that the run does not wait for."""
        for one in self.again.left():
            self.tally.add(one)

    def _round(self, jobs: Iterable[Job], task: Task) -> None:
        for job, ended in self.ports.workers.run(jobs, self._work, self._enough):
            if (one := self.again.ended(job, ended)) is not None:
                self.tally.add(one)
                self.pace.ended(one)
                task.advance(1, self.pace.note(self.tally))

    def _work(self, job: Job) -> Standing:
        try:
            return self.pusher.work(job)
        except BillBusyError as error:
            return self.again.busy(job, error)

    def _enough(self) -> bool:
        return self.stopped() or bool(self.pusher.limits.reached)


def canary_failed(result: SyncResult, bills: int) -> str:
    """Say why nothing may follow the canary; empty when all of it stands as it was sent."""
    tally = result.tally
    if tally.differing or tally.unknown or tally.bills(Group.DECIDE):
        return "the canary did not come out as it was sent: nothing more was begun"
    if any(one.minor for one in tally.unexplained.money):
        return "the canary has an unexplained difference: nothing more was begun"
    sent = tally.bills(Group.SENT)
    if sent < bills and result.limit:
        return f"only {sent} of the {bills} canaries were sent: nothing more was begun"
    return ""


@dataclass(slots=True)
class Serving:
    """A worker that goes on for days: what is in force is read again before every round.

    Attributes:
        refreshed: Reads what is in force, and the stamped invoices.
    """

    ports: SyncPorts
    stopped: Stopped
    refreshed: Callable[[], Pusher]
    pusher: Pusher

    def outcomes(self) -> Iterator[Standing]:
        """Work on whatever becomes ready, until stopped."""
        poll = Schedule("poll", POLL_MINUTES, self._due)
        for _, ended in self.ports.workers.serve([poll], self._work, self.stopped):
            yield ended

    def _due(self) -> Iterable[Job]:
        self.pusher = self.refreshed()
        return _jobs(self.pusher.judge, self.ports, lambda _: None, self.stopped)

    def _work(self, job: Job) -> Standing:
        return self.pusher.work(job)


def stream(
    judge: Judge,
    bills: Bills,
    left: Callable[[Standing], None],
    *,
    all_the_same: Callable[[Standing], bool] = lambda _: False,
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
            judge.watch.expect([(one.id, one.account_code) for one in open_ones])
            targets = [_target(judge, one) for one in open_ones]
            judge.destination.expect([one for one in targets if one is not None])
        yield from open_ones


def _jobs(
    judge: Judge,
    ports: SyncPorts,
    left: Callable[[Standing], None],
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
    for row in _begun(judge, ports.ledger):
        begun.add(row.bill_id)
        yield Job(site, row.bill_id, row.account_id)

    def counted(one: Standing) -> None:
        if one.who.bill_id not in begun:
            left(one)

    def meanwhile(one: Standing) -> bool:
        return resuming and one.status in RESUMED and one.who.bill_id not in begun

    for bill in stream(judge, ports.bills, counted, all_the_same=meanwhile):
        if enough():
            return
        yield Job(site, bill.id, _serial(judge, bill), bill)


def _begun(judge: Judge, ledger: Ledger) -> Iterator[BillRow]:
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


def _target(judge: Judge, bill: Bill) -> Target | None:
    """Find who would be billed, from what is read; ``None`` where that is not known."""
    about = judge.watch.peek(bill.id)
    for one in judge.watch.scope.routes:
        if about is not None and membership_of(one.scope, about, bill).verdict == "in":
            target = target_of(bill, one.route)
            return target if isinstance(target, Target) else None
    return None


def query_of(judge: Judge) -> BillQuery:
    """Ask m3ter for the bills that may be ours; what is not is left out afterwards."""
    narrow = judge.narrow
    if narrow.bills:
        return BillQuery(ids=tuple(sorted(narrow.bills)))
    earliest = min(judge.since(one) for one in judge.watch.scope.routes)
    account = next(iter(narrow.accounts)) if len(narrow.accounts) == 1 else None
    until = narrow.until + DATE_MARGIN if narrow.until else None
    return BillQuery(since=earliest - DATE_MARGIN, until=until, account=account)


def count_of(judge: Judge, bills: Bills) -> int:
    """Count the bills of the window, without their lines, for the progress."""
    return sum(1 for _ in bills.list(replace(query_of(judge), lines=False)))


@dataclass(slots=True)
class Pace:
    """How fast bills are sent, for the remark behind the progress."""

    clock: Clock
    sent: int = 0
    looks: int = 0
    since: float = field(default=-1.0)

    def ended(self, one: Standing) -> None:
        """Hear of a bill that a worker ended."""
        if self.since < 0:
            self.since = self.clock.monotonic()
        self.sent += one.group is Group.SENT
        self.looks += one.status is PushStatus.UNKNOWN

    def note(self, tally: SyncTally) -> str:
        """Say the pace, the money sent, and how many wait for a look-up."""
        parts = []
        seconds = self.clock.monotonic() - self.since if self.since >= 0 else 0.0
        if self.sent and seconds > 0:
            parts.append(f"{round(self.sent * 60 / seconds)}/min")
        parts += [f"{one} sent" for one in tally.money(Group.SENT)]
        if self.looks:
            parts.append(f"{self.looks} waiting for a look-up")
        return "   ".join(parts)


def _tell(tally: SyncTally, notifier: Notifier, site: SiteName) -> None:
    """Tell people what is new, once for each kind of event, naming the bills."""
    by_event: dict[str, list[Standing]] = {}
    for listed in tally.listed.values():
        for one in listed:
            for event in one.events if one.new else ():
                by_event.setdefault(_EVENTS.get(event, "perform"), []).append(one)
    for kind, bills in sorted(by_event.items()):
        lines = [
            f"{one.who.account_code or one.who.account_id}, bill {one.who.bill_id}: {one.why}"
            for one in bills[:_NAMED_MAX]
        ]
        if len(bills) > _NAMED_MAX:
            lines.append(f"and {len(bills) - _NAMED_MAX} more; `reconciler sync plan` lists them")
        title = f"{len(bills)} {'bill' if len(bills) == 1 else 'bills'} not sent to {site}: {kind}"
        notifier.notify(kind, title, "\n".join(lines))
