"""Run a sync: every bill once, as far as it gets now, then what is due soon; or go on for days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from itertools import islice

from reconciler.drafting.draft import EventName
from reconciler.errors import ReconcilerError
from reconciler.kernel.ports import Clock, Notifier, Stopped, Task
from reconciler.sync.core.tally import SyncTally
from reconciler.sync.in_force.scope import PushesInForce
from reconciler.sync.model.push import PushStatus, SiteName
from reconciler.sync.model.standing import BillStanding, Group
from reconciler.sync.ports.workers import BillBusyError, Job, Schedule
from reconciler.sync.push.push_bill import Pusher
from reconciler.sync.run.bill_stream import DATE_MARGIN, count_of, jobs_of
from reconciler.sync.run.due_again import NO_PATIENCE, TOLD_SECONDS, DueAgain, RunPatience
from reconciler.sync.run.world import SyncPorts, SyncResult


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

    def outcomes(self) -> Iterator[BillStanding]:
        """Work on whatever becomes ready, until stopped."""
        poll = Schedule("poll", POLL_MINUTES, self._due)
        for _, ended in self.ports.workers.serve([poll], self._work, self.stopped):
            yield ended

    def _due(self) -> Iterable[Job]:
        self.pusher = self.refreshed()
        return jobs_of(self.pusher.judge, self.ports, lambda _: None, self.stopped)

    def _work(self, job: Job) -> BillStanding:
        return self.pusher.work(job)


@dataclass(slots=True)
class SendingPace:
    """How fast bills are sent, for the remark behind the progress."""

    clock: Clock
    sent: int = 0
    looks: int = 0
    since: float = field(default=-1.0)

    def ended(self, standing: BillStanding) -> None:
        """Hear of a bill that a worker ended."""
        if self.since < 0:
            self.since = self.clock.monotonic()
        self.sent += standing.group is Group.SENT
        self.looks += standing.status is PushStatus.UNKNOWN

    def note(self, tally: SyncTally) -> str:
        """Say the pace, the money sent, and how many wait for a look-up."""
        parts = []
        seconds = self.clock.monotonic() - self.since if self.since >= 0 else 0.0
        if self.sent and seconds > 0:
            parts.append(f"{round(self.sent * 60 / seconds)}/min")
        parts += [f"{amount} sent" for amount in tally.money(Group.SENT)]
        if self.looks:
            parts.append(f"{self.looks} waiting for a look-up")
        return "   ".join(parts)


def read_stamps(scope: PushesInForce, ports: SyncPorts) -> int:
    """Read the stamped invoices of the site into the ledger's index, once a run."""
    since = min(route.route.policy.since for route in scope.routes)
    first = datetime.combine(datetime.fromisoformat(since), time(0), UTC) - DATE_MARGIN
    with ports.progress.task("reading stamped invoices", None) as task:
        invoices = ports.destination.stamped(first)
        read = 0
        while some := tuple(islice(invoices, 100)):
            ports.ledger.put_stamps(scope.site, some)
            task.advance(len(some))
            read += len(some)
    return read


def run_sync(
    pusher: Pusher, ports: SyncPorts, stopped: Stopped, patience: RunPatience = NO_PATIENCE
) -> SyncTally:
    """Push everything that is due; ends when all of it is, a limit is reached, or it is stopped.

    Args:
        pusher: Brings one bill on; its judge knows the flags.
        ports: The world.
        stopped: Turned by a signal.
        patience: How long bills that become due again are waited for.

    Raises:
        ReconcilerError: What ended it before its end; a note says what it had sent by then.
    """
    running = _Running(pusher, ports, stopped, DueAgain(ports.clock), SendingPace(ports.clock))
    try:
        running.first()
        running.again_until(ports.clock.now() + patience.wait, patience.tell)
    except ReconcilerError as error:
        error.add_note(_before(running.tally))
        raise
    running.count_left()
    tell_news(running.tally, ports.notifier, pusher.judge.watch.scope.site)
    return running.tally


def result_of(
    pusher: Pusher, ports: SyncPorts, stopped: Stopped, patience: RunPatience = NO_PATIENCE
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


def _before(tally: SyncTally) -> str:
    """Say what a run had done when it ended early: the error speaks of one call only."""
    sent = tally.bills(Group.SENT)
    if not sent:
        return "The run ended there; no bill was seen through to its end before."
    money = ", ".join(str(amount) for amount in tally.money(Group.SENT) if amount.minor)
    bills = "1 bill" if sent == 1 else f"{sent:,} bills"
    return (
        f"The run ended there. Before, it had sent {bills} ({money}); they and whatever was under"
        " way are in the ledger. Run it again: it goes on, and sends nothing twice."
    )


@dataclass(slots=True)
class _Running:
    """One run on its way: everything once, then what is due again."""

    pusher: Pusher
    ports: SyncPorts
    stopped: Stopped
    again: DueAgain
    pace: SendingPace
    tally: SyncTally = field(default_factory=SyncTally)

    def first(self) -> None:
        """Look at every bill once, and at those that become due meanwhile."""
        with self.ports.progress.task(
            "pushing", count_of(self.pusher.judge, self.ports.bills)
        ) as task:

            def left(standing: BillStanding) -> None:
                self.tally.add(standing)
                task.advance(1, self.pace.note(self.tally))

            jobs = jobs_of(self.pusher.judge, self.ports, left, self._enough, resuming=True)
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
        for standing in self.again.left():
            self.tally.add(standing)

    def _round(self, jobs: Iterable[Job], task: Task) -> None:
        for job, ended in self.ports.workers.run(jobs, self._work, self._enough):
            if (standing := self.again.ended(job, ended)) is not None:
                self.tally.add(standing)
                self.pace.ended(standing)
                task.advance(1, self.pace.note(self.tally))

    def _work(self, job: Job) -> BillStanding:
        try:
            return self.pusher.work(job)
        except BillBusyError as error:
            return self.again.busy(job, error)

    def _enough(self) -> bool:
        return self.stopped() or bool(self.pusher.limits.reached)


POLL_MINUTES = 5
_KINDS: Mapping[EventName, str] = {
    "integration.validation.error": "validation",
    "integration.missingaccountmapping.error": "missing-mapping",
    "integration.perform.error": "perform",
    "integration.authentication.error": "authentication",
    "integration.disabled.error": "disabled",
}


def tell_news(tally: SyncTally, notifier: Notifier, site: SiteName) -> None:
    """Tell people what is new, once for each kind of event, naming the first bills."""
    for event, news in sorted(tally.news.items()):
        lines = [
            f"{standing.who.account_code or standing.who.account_id}, bill "
            f"{standing.who.bill_id}: {standing.why}"
            for standing in news.named
        ]
        if news.bills > len(news.named):
            more = news.bills - len(news.named)
            lines.append(f"and {more:,} more; `reconciler sync plan --list FILE` names every bill")
        bills = "1 bill" if news.bills == 1 else f"{news.bills:,} bills"
        kind = _KINDS[event]
        notifier.notify(kind, f"{bills} not sent to {site}: {kind}", "\n".join(lines))
