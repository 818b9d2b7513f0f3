"""One bill: claim, look, decide, record the intent, send, record the outcome, read back.

Whatever kills the process, and wherever, the ledger knows enough to go on: the intent is stored
before the first request, ``sending`` before every request, and an outcome that nobody recorded is
looked for before anything is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from reconciler.definitions.kinds.integration import PendingPolicy
from reconciler.drafting.draft_json import draft_from_json, draft_to_json
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.address import AccountId
from reconciler.m3ter.ports import NotFoundError
from reconciler.sync.judge.judge import Judged
from reconciler.sync.judge.standings import (
    RESUMED,
    SENT,
    STOPPED,
    bill_standing,
    of_row,
)
from reconciler.sync.model.push import Effect, PushState, PushStatus
from reconciler.sync.model.standing import BillStanding, Group, Who
from reconciler.sync.model.statuses import MEANING
from reconciler.sync.ports.destination import Sending
from reconciler.sync.ports.ledger import BillRow, Lease, LeaseLostError
from reconciler.sync.ports.workers import BillBusyError, Job
from reconciler.sync.push.bill_record import LEASE_SECONDS, BillRecord, PushPorts, as_before
from reconciler.sync.push.gate import Gate
from reconciler.sync.push.push_loop import PushLoop

BUSY_SECONDS = 0.25
"""How soon a bill that another worker holds is looked at again, for the first time."""


@dataclass(frozen=True, slots=True)
class Pusher(PushPorts):
    """Brings bills on; ``work`` is called by many threads."""

    def work(self, job: Job) -> BillStanding:
        """Bring one bill as far as it gets now.

        Raises:
            ReconcilerError: Only when nothing can go on, such as a refused key.
        """
        who = Who(job.bill_id, job.bill.account_id, job.bill.account_code) if job.bill else None
        who = who or Who(job.bill_id, _nobody())
        try:
            return self._claimed(job)
        except LeaseLostError as error:
            return bill_standing(who, Group.UNDER_WAY, "another worker has it", str(error))
        except ReconcilerError as error:
            if error.exit_code in {ExitCode.REFUSED_IDENTITY, ExitCode.LOCKED}:
                raise
            return bill_standing(who, Group.FAILED, "could not be worked on now", str(error))
        except Exception as error:  # noqa: BLE001  a bad bill never stops the others
            text = f"an unexpected {type(error).__name__} in its data; please report this"
            return bill_standing(who, Group.FAILED, "an unexpected error", text)

    def _claimed(self, job: Job) -> BillStanding:
        site = self.judge.watch.scope.site
        lease = self.ledger.claim(site, job.bill_id, self.worker, LEASE_SECONDS)
        if lease is None:
            raise BillBusyError(job.bill_id, BUSY_SECONDS)
        try:
            row = self.ledger.bill(site, job.bill_id)
            if row is not None and row.status in RESUMED:
                effects = self.ledger.effects(site, job.bill_id)
                if any(effect.key.generation == row.generation for effect in effects):
                    return self._resume(row, lease)
                row = _before(row, effects)
            if row is not None and row.status in STOPPED:
                return of_row(row, Group.DECIDE, MEANING[row.status].short)
            return self._begin(job, lease, row)
        finally:
            self.ledger.release(lease)

    def _begin(self, job: Job, lease: Lease, row: BillRow | None) -> BillStanding:
        """Judge a bill anew, and send it if it is ready."""
        facts = self.judge.watch.known(job.bill_id)
        bill = job.bill
        if bill is None or facts is None or not self.judge.watch.fresh(facts):
            try:
                bill = self.bills.get(job.bill_id)
            except NotFoundError:
                nobody = Who(job.bill_id, row.account_id if row else _nobody())
                return bill_standing(
                    nobody, Group.NOT_OURS, "m3ter does not have the bill any more"
                )
            facts = self.judge.watch.one(bill.id, bill.account_code)
        if (standing := self.judge.at_once(bill, row)) is not None:
            return standing
        effects = self.ledger.effects(lease.site, bill.id)
        judged = self.judge.judge(bill, facts, row, effects)
        draft = judged.standing.draft
        fresh = _row_of(judged, bill.end_date, lease, row, self.clock.now())
        if judged.standing.group is not Group.READY or draft is None or judged.route is None:
            return self._noted(judged.standing, fresh, lease, row)
        if why := self.limits.admit(draft):
            return replace(judged.standing, short="left for a later run", why=why)
        assert fresh is not None
        former = row if row is not None and row.status in SENT else None
        if former is None:
            self.ledger.put_bill(lease, fresh)
        record = BillRecord(self, lease, fresh, draft, judged.route, bill.version, former)
        return PushLoop(record, Gate(record, facts), judged.sending).run()

    def _resume(self, row: BillRow, lease: Lease) -> BillStanding:
        """Go on with what the ledger holds, whatever changed since."""
        route = self.judge.watch.scope.route(row.integration)
        who = Who(row.bill_id, row.account_id)
        if route is None or not row.draft:
            why = f"{row.integration} is no longer a push integration of the applied record"
            return bill_standing(who, Group.DECIDE, "its integration is gone", why, row.integration)
        draft = draft_from_json(row.draft)
        sending = Sending(
            generation=row.generation,
            pending=route.route.policy.pending or PendingPolicy(),
            waiting_since=row.changed_at,
        )
        record = BillRecord(self, lease, row, draft, route, draft.bill_version)
        return PushLoop(record, Gate(record), sending).run()

    def _noted(
        self, standing: BillStanding, fresh: BillRow | None, lease: Lease, row: BillRow | None
    ) -> BillStanding:
        """Record why a bill is not sent, where the ledger keeps that, and whether it is news."""
        if fresh is None:
            return standing
        if row is not None and (row.status, row.message) == (fresh.status, fresh.message):
            return replace(standing, new=False)
        self.ledger.put_bill(lease, fresh)
        return standing


def _nobody() -> AccountId:
    return AccountId("")


def _before(row: BillRow, effects: tuple[Effect, ...]) -> BillRow | None:
    """Give the row as it was before a sending that stored no intent; it is judged anew."""
    billed = [effect.key.generation for effect in effects if effect.state is PushState.DONE]
    return as_before(row, max(billed)) if billed else None


def _row_of(
    judged: Judged, end: date, lease: Lease, row: BillRow | None, now: datetime
) -> BillRow | None:
    """Make the row of a judged bill; ``None`` where the ledger keeps nothing of it.

    A bill that was sent keeps what was sent, and that it was, until it is sent again.
    """
    standing = judged.standing
    ready = standing.group is Group.READY
    status = PushStatus.STARTED if ready else standing.status
    if status is None:
        return None
    draft = standing.draft
    if row is not None and row.status in SENT and not ready:
        kept = status if status in SENT else PushStatus.REOPENED
        return replace(row, status=kept, message=standing.why, changed_at=now)
    same = row is not None and row.status is status
    return BillRow(
        site=lease.site,
        bill_id=lease.bill_id,
        account_id=standing.who.account_id,
        integration=standing.integration,
        generation=judged.sending.generation or 1,
        status=status,
        input_hash=judged.input_hash,
        draft=draft_to_json(draft) if draft is not None and ready else b"",
        billed=standing.money,
        expected=draft.expected if draft is not None else None,
        period_end=end,
        next_at=None,
        changed_at=row.changed_at if row is not None and same else now,
        message=standing.why or "being sent",
    )
