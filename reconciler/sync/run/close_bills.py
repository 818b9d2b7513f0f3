"""Close the open invoices that bills were sent to as a whole, because a person says so.

A closing is an effect like every other: stored before it is sent, sent under the bill's lease, and
looked for when nobody knows whether it arrived.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.definitions.kinds.integration import PendingPolicy
from reconciler.drafting.draft_json import draft_from_json
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.ports import Progress
from reconciler.sync.core.billing_month import BillingMonth
from reconciler.sync.core.closed import Closed, ClosedTally, Fate
from reconciler.sync.model.push import PushStatus, SiteName
from reconciler.sync.ports.destination import Sending
from reconciler.sync.ports.ledger import BillRow, Lease, LeaseLostError
from reconciler.sync.ports.workers import BillBusyError, Job, Workers
from reconciler.sync.push.bill_record import LEASE_SECONDS, BillRecord
from reconciler.sync.push.close_bill import NEVER_SENT, OpenBill
from reconciler.sync.push.gate import Gate
from reconciler.sync.push.push_bill import BUSY_SECONDS, Pusher
from reconciler.sync.push.push_loop import PushLoop

_OF_SUBSCRIPTION = (
    "its lines are on the subscription's own pending invoice, which is the subscription's to close:"
    " Chargebee does it in its time, or a person there"
)
_FINAL = "it was sent as an invoice that was final at once (push.open was false)"
# Rows that have, or may have, an invoice of their own.
_SENT = frozenset(PushStatus) - {PushStatus.NOTHING_TO_SEND, PushStatus.BLOCKED}


@dataclass(frozen=True, slots=True)
class CloseOrder:
    """Which bills a person wants closed.

    Attributes:
        bills: These, by id; empty are all that ``month``, ``integrations`` and ``accounts`` leave.
        month: Bills whose last day lies in it; ``None`` is any.
        with_foreign_lines: Close also what holds lines that are not ours.
    """

    bills: tuple[BillId, ...] = ()
    month: BillingMonth | None = None
    integrations: frozenset[str] = frozenset()
    accounts: frozenset[AccountId] = frozenset()
    with_foreign_lines: bool = False


@dataclass(frozen=True, slots=True)
class CloseResult:
    """What became of it."""

    environment: str
    site: SiteName
    run: str
    tally: ClosedTally
    started_at: datetime
    stopped: bool

    @property
    def exit_code(self) -> ExitCode:
        """130 when a signal ended it; 16 for an unknown outcome; 14 when something stayed open."""
        return ExitCode.INTERRUPTED if self.stopped else self.tally.exit_code


@dataclass(frozen=True, slots=True)
class Closer:
    """Closes; ``work`` is called by many threads."""

    pusher: Pusher
    order: CloseOrder

    def run(self, workers: Workers, progress: Progress) -> CloseResult:
        """Close everything that the order names."""
        scope, stopped = self.pusher.judge.watch.scope, self.pusher.stopped
        started, tally = self.pusher.clock.now(), ClosedTally()
        with progress.task("closing", None) as task:
            for _, ended in workers.run(self._jobs(), self.work, stopped):
                tally.add(ended)
                task.advance()
        return CloseResult(scope.name, scope.site, self.pusher.run, tally, started, stopped())

    def work(self, job: Job) -> Closed:
        """Close the invoice of one bill, or say why it stays open.

        Raises:
            ReconcilerError: Only when nothing can go on, such as a refused key.
        """
        try:
            return self._leased(job)
        except LeaseLostError as error:
            return Closed(job.bill_id, Fate.OPEN, str(error))
        except ReconcilerError as error:
            if error.exit_code in {ExitCode.REFUSED_IDENTITY, ExitCode.LOCKED}:
                raise
            return Closed(job.bill_id, Fate.OPEN, str(error))

    def _jobs(self) -> Iterator[Job]:
        ledger, site = self.pusher.ledger, self.pusher.judge.watch.scope.site
        for bill in self.order.bills:
            row = ledger.bill(site, bill)
            yield Job(site, bill, row.account_id if row is not None else bill)
        if self.order.bills:
            return
        for row in ledger.bills(site, _SENT):
            if self._names(row):
                yield Job(site, row.bill_id, row.account_id)

    def _names(self, row: BillRow) -> bool:
        """Whether a row is of the order, and was sent to an invoice of its own that was open."""
        order = self.order
        route = self.pusher.judge.watch.scope.route(row.integration)
        if order.integrations and row.integration not in order.integrations:
            return False
        if order.accounts and row.account_id not in order.accounts:
            return False
        if order.month is not None and (
            route is None or not order.month.holds(row.period_end, route.route.readings)
        ):
            return False
        return bool(row.draft) and draft_from_json(row.draft).way == "create-open"

    def _leased(self, job: Job) -> Closed:
        ledger = self.pusher.ledger
        lease = ledger.claim(job.site, job.bill_id, self.pusher.worker, LEASE_SECONDS)
        if lease is None:
            raise BillBusyError(job.bill_id, BUSY_SECONDS)
        try:
            row = ledger.bill(job.site, job.bill_id)
            if row is None or not row.draft:
                return Closed(job.bill_id, Fate.OPEN, NEVER_SENT)
            return self._of_row(row, lease)
        finally:
            ledger.release(lease)

    def _of_row(self, row: BillRow, lease: Lease) -> Closed:
        draft = draft_from_json(row.draft)
        effects = self.pusher.ledger.effects(row.site, row.bill_id)
        closing = Closed(
            row.bill_id,
            Fate.OPEN,
            account=draft.account_code or row.account_id,
            integration=row.integration,
            money=draft.billed,
        )
        if draft.way != "create-open":
            why = _OF_SUBSCRIPTION if draft.way == "pending" else _FINAL
            return replace(closing, why=why)
        route = self.pusher.judge.watch.scope.route(row.integration)
        if route is None:
            why = f"{row.integration} is no longer a push integration of the applied record"
            return replace(closing, why=why)
        sending = Sending(
            generation=row.generation, pending=route.route.policy.pending or PendingPolicy()
        )
        record = BillRecord(self.pusher, lease, row, draft, route, draft.bill_version)
        loop = PushLoop(record, Gate(record), sending)
        return OpenBill(loop, closing, effects, self.order.with_foreign_lines).closed()
