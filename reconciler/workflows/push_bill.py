"""One bill: claim, look, decide, record the intent, send, record the outcome, read back.

Whatever kills the process, and wherever, the ledger knows enough to go on: the intent is stored
before the first request, ``sending`` before every request, and an outcome that nobody recorded is
looked for before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import assert_never

from reconciler.core.disabling import DISABLE_AFTER, must_disable
from reconciler.core.draft_json import draft_from_json, draft_to_json
from reconciler.core.look_first import (
    AskPerson,
    Finished,
    Look,
    LookFirst,
    Send,
    WaitUntil,
    next_move,
)
from reconciler.core.push_machine import idempotency_key
from reconciler.core.push_status import status_of
from reconciler.core.runbook import Page, page
from reconciler.domain.address import AccountId
from reconciler.domain.draft import InvoiceDraft
from reconciler.domain.kinds.integration import PendingPolicy
from reconciler.domain.push import (
    CredentialsRefused,
    Effect,
    KeyConflict,
    LookUp,
    Mark,
    NotFound,
    NotPerformed,
    Performed,
    PushKey,
    PushState,
    PushStatus,
    Refused,
    Step,
    StepKind,
    StepOutcome,
    Undecidable,
    Unknown,
    WindowClosed,
)
from reconciler.domain.standing import Group, Standing, Who
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.ports.destination import (
    Complete,
    Destination,
    Sending,
    Stop,
    WaitForInvoice,
)
from reconciler.ports.ledger import BillRow, Lease, LeaseLostError, Ledger, Provenance
from reconciler.ports.organisation import Bills, NotFoundError
from reconciler.ports.runtime import BillBusyError, Clock, Job, Notifier, Stopped
from reconciler.workflows.judge_bill import (
    RESUMED,
    SENT,
    STOPPED,
    STOPPED_SHORT,
    Judge,
    Judged,
    of_row,
    stands,
)
from reconciler.workflows.sent_bill import read_back
from reconciler.workflows.sync_limits import Limits
from reconciler.workflows.sync_scope import About, PushRoute

LEASE_SECONDS = 300
BUSY_SECONDS = 15
_MARKS_READ = 500


class KeyRefusedError(ReconcilerError):
    """Chargebee refused the key in the middle of a run."""

    exit_code = ExitCode.REFUSED_IDENTITY

    def __init__(self, site: str, message: str) -> None:
        super().__init__(
            f"Chargebee refused the key of site `{site}`: {message}.\n"
            "The run ended at once; what had been sent before is recorded, and no bill is blamed. "
            f"Put the key right and run it again. See {page(Page.REFUSED_KEY)}."
        )


@dataclass(frozen=True, slots=True)
class Pusher:
    """What one run works with; ``work`` is called by many threads.

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

    def work(self, job: Job) -> Standing:
        """Bring one bill as far as it gets now.

        Raises:
            ReconcilerError: Only when nothing can go on, such as a refused key.
        """
        who = Who(job.bill_id, job.bill.account_id, job.bill.account_code) if job.bill else None
        who = who or Who(job.bill_id, _nobody())
        try:
            return self._claimed(job)
        except LeaseLostError as error:
            return stands(who, Group.UNDER_WAY, "another worker has it", str(error))
        except ReconcilerError as error:
            if error.exit_code in {ExitCode.REFUSED_IDENTITY, ExitCode.LOCKED}:
                raise
            return stands(who, Group.FAILED, "could not be worked on now", str(error))
        except Exception as error:  # noqa: BLE001  a bad bill never stops the others
            text = f"an unexpected {type(error).__name__} in its data; please report this"
            return stands(who, Group.FAILED, "an unexpected error", text)

    def _claimed(self, job: Job) -> Standing:
        site = self.judge.watch.scope.site
        lease = self.ledger.claim(site, job.bill_id, self.worker, LEASE_SECONDS)
        if lease is None:
            raise BillBusyError(job.bill_id, BUSY_SECONDS)
        try:
            row = self.ledger.bill(site, job.bill_id)
            if row is not None and row.status in RESUMED:
                effects = self.ledger.effects(site, job.bill_id)
                if any(one.key.generation == row.generation for one in effects):
                    return self._resume(row, lease)
                row = _before(row)
            if row is not None and row.status in STOPPED:
                return of_row(row, Group.DECIDE, STOPPED_SHORT[row.status])
            return self._begin(job, lease, row)
        finally:
            self.ledger.release(lease)

    def _begin(self, job: Job, lease: Lease, row: BillRow | None) -> Standing:
        """Judge a bill anew, and send it if it is ready."""
        found = self.judge.watch.known(job.bill_id)
        bill = job.bill
        if bill is None or found is None or not self.judge.watch.fresh(found):
            try:
                bill = self.bills.get(job.bill_id)
            except NotFoundError:
                nobody = Who(job.bill_id, row.account_id if row else _nobody())
                return stands(nobody, Group.NOT_OURS, "m3ter does not have the bill any more")
            found = self.judge.watch.one(bill.id, bill.account_code)
        if (standing := self.judge.at_once(bill, row)) is not None:
            return standing
        effects = self.ledger.effects(lease.site, bill.id)
        judged = self.judge.judge(bill, found, row, effects)
        draft = judged.standing.draft
        fresh = _row_of(judged, bill.end_date, lease, row, self.clock.now())
        if judged.standing.group is not Group.READY or draft is None or judged.route is None:
            return self._noted(judged.standing, fresh, lease, row)
        if why := self.limits.admit(draft):
            return replace(judged.standing, short="left for a later run", why=why)
        assert fresh is not None
        self.ledger.put_bill(lease, fresh)
        going = _Going(self, lease, fresh, draft, judged.route, judged.sending, found, bill.version)
        return going.on()

    def _resume(self, row: BillRow, lease: Lease) -> Standing:
        """Go on with what the ledger holds, whatever changed since."""
        route = self.judge.watch.scope.route(row.integration)
        who = Who(row.bill_id, row.account_id)
        if route is None or not row.draft:
            why = f"{row.integration} is no longer a push integration of the applied record"
            return stands(who, Group.DECIDE, "its integration is gone", why, row.integration)
        draft = draft_from_json(row.draft)
        sending = Sending(
            generation=row.generation,
            pending=route.route.policy.pending or PendingPolicy(),
            waiting_since=row.changed_at,
        )
        version = draft.bill_version
        return _Going(self, lease, row, draft, route, sending, None, version).on()

    def _noted(
        self, standing: Standing, fresh: BillRow | None, lease: Lease, row: BillRow | None
    ) -> Standing:
        """Record why a bill is not sent, where the ledger keeps that, and whether it is news."""
        if fresh is None:
            return standing
        if row is not None and (row.status, row.message) == (fresh.status, fresh.message):
            return replace(standing, new=False)
        self.ledger.put_bill(lease, fresh)
        return standing


def _nobody() -> AccountId:
    return AccountId("")


def _before(row: BillRow) -> BillRow | None:
    """Give the row as it was before a sending that stored no intent; it is judged anew."""
    if row.generation == 1:
        return None
    return replace(row, status=PushStatus.COMPLETE, generation=row.generation - 1, input_hash="")


def _row_of(
    judged: Judged, end: date, lease: Lease, row: BillRow | None, now: datetime
) -> BillRow | None:
    """Make the row of a judged bill; ``None`` where the ledger keeps nothing of it.

    A bill that was sent keeps what was sent until it is sent again.
    """
    standing = judged.standing
    ready = standing.group is Group.READY
    status = PushStatus.STARTED if ready else standing.status
    if status is None:
        return None
    draft = standing.draft
    if row is not None and row.status in SENT and not ready:
        return replace(row, status=status, message=standing.why, changed_at=now)
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


@dataclass(slots=True)
class _Going:
    """One bill on its way.

    Attributes:
        about: What the interlock knows; ``None`` until it is asked.
        moved: Whether it was moved to another invoice in this run.
    """

    push: Pusher
    lease: Lease
    row: BillRow
    draft: InvoiceDraft
    route: PushRoute
    sending: Sending
    about: About | None
    version: int
    moved: bool = False

    def on(self) -> Standing:
        """Go on until the bill is complete or nothing can be done now."""
        while True:
            effects = self.push.ledger.effects(self.lease.site, self.row.bill_id)
            ended = self._next(effects)
            if ended is not None:
                return ended

    def _next(self, effects: tuple[Effect, ...]) -> Standing | None:
        begun = next((one for one in self._mine(effects) if one.state is not PushState.DONE), None)
        if begun is None:
            return self._step(effects)
        if self._closed_first(begun, effects):
            return self._elsewhere(begun, effects)
        return self._move(begun, effects)

    def _move(self, begun: Effect, effects: tuple[Effect, ...]) -> Standing | None:
        match next_move(begun, self.push.clock.now(), self.push.settings):
            case Send():
                return self._send(begun, effects)
            case Look():
                self._look(begun, effects)
                return None
            case WaitUntil(at, why):
                return self._rest(effects, f"{why}; goes on after {at:%-d %b, %H:%M} UTC", at)
            case AskPerson(why):
                return self._rest(effects, why, None)
            case Finished():
                return None
            case never:
                assert_never(never)

    def _closed_first(self, begun: Effect, effects: tuple[Effect, ...]) -> bool:
        """Whether the invoice closed before any line of the bill was on it; asked once a run."""
        done = any(one.state is PushState.DONE for one in self._mine(effects))
        return begun.state is PushState.CLOSED and not done and not self.moved

    def _elsewhere(self, begun: Effect, effects: tuple[Effect, ...]) -> Standing | None:
        """Make the step anew for the next pending invoice, or wait for one."""
        self.moved = True
        found = self.push.destination.next_step(self.draft, effects, self.sending)
        if isinstance(found, Step) and found.name == begun.key.step:
            self.push.ledger.redraft(self.lease, begun.key, found, self._provenance())
            return None
        if isinstance(found, WaitForInvoice):
            return self._rest(effects, found.why, found.until)
        return self._rest(effects, begun.message, None)

    def _step(self, effects: tuple[Effect, ...]) -> Standing | None:
        """Ask the destination what comes next, and store the intent."""
        found = self.push.destination.next_step(self.draft, effects, self.sending)
        match found:
            case Step():
                key = PushKey(self.lease.site, self.row.bill_id, self.row.generation, found.name)
                self.push.ledger.intend(self.lease, key, found, self._provenance())
                return None
            case Complete():
                return self._verified(effects)
            case WaitForInvoice(until, why):
                return self._rest(effects, why, until, waiting=PushStatus.WAITING)
            case Stop(reason):
                some = bool(self._mine(effects))
                status = PushStatus.PARTIAL if some else PushStatus.BLOCKED
                text = f"{reason.text} ({reason.hint})"
                return self._rest(effects, text, None, waiting=status)
            case never:
                assert_never(never)

    def _send(self, effect: Effect, effects: tuple[Effect, ...]) -> Standing | None:
        if held := self._held(effects):
            return held
        if effect.attempts == 0 and self._known_by_stamp(effect, effects):
            return None
        ledger = self.push.ledger
        self.lease = ledger.renew(self.lease, LEASE_SECONDS)
        ledger.sending(self.lease, effect.key)
        outcome = self.push.destination.perform(
            effect.key, effect.request, idempotency_key(effect), effect.lines_before
        )
        ledger.ended(self.lease, effect.key, outcome, mark_of(outcome))
        if isinstance(outcome, CredentialsRefused):
            self._put(PushStatus.AUTH_FAILED, outcome.message, None)
            raise KeyRefusedError(self.lease.site, outcome.message)
        if not isinstance(outcome, Performed):
            self._disable_if_due()
        return None

    def _known_by_stamp(self, effect: Effect, effects: tuple[Effect, ...]) -> bool:
        """Look before the first send of a bill that the stamp index knows already."""
        first = effect.key.generation == 1 and effect.key.step.kind is StepKind.CREATE_INVOICE
        if not first:
            return False
        stamped = self.push.ledger.stamps(self.lease.site, self.row.bill_id)
        if not stamped:
            return False
        found: LookUp = self.push.destination.look_up(effect, self.draft, effects)
        if isinstance(found, NotFound):
            names = ", ".join(one.id for one in stamped)
            found = Undecidable(f"invoice {names} carried the stamp of the bill and is gone now")
        self.push.ledger.looked(self.lease, effect.key, found)
        return True

    def _look(self, effect: Effect, effects: tuple[Effect, ...]) -> None:
        found = self.push.destination.look_up(effect, self.draft, effects)
        self.push.ledger.looked(self.lease, effect.key, found)

    def _held(self, effects: tuple[Effect, ...]) -> Standing | None:
        """Say what forbids a write at this moment; asked before every one."""
        push, site = self.push, self.lease.site
        if push.stopped():
            return self._unsent("the run was stopped")
        if why := push.ledger.paused(site):
            return replace(self._unsent("the site is paused", why), page=page(Page.PAUSED))
        if why := push.ledger.disabled(site, self.route.name):
            return replace(self._unsent("the push is disabled", why), page=page(Page.DISABLED))
        who = Who(self.draft.bill_id, self.draft.account_id, self.draft.account_code)
        if self.about is None or not push.judge.watch.fresh(self.about):
            self.about = push.judge.watch.one(who.bill_id, who.account_code)
        barred = push.judge.barred(who, self.route, self.about)
        if barred is None:
            return None
        if not any(one.attempts for one in effects):
            return replace(self._unsent(barred.short, barred.why), page=barred.page)
        rests = self._rest(effects, f"{barred.short}: {barred.why}", None)
        return replace(rests, page=barred.page or rests.page)

    def _unsent(self, short: str, why: str = "") -> Standing:
        """Leave the bill as it stands in the ledger; a later run goes on."""
        made = stands(self._who, Group.UNDER_WAY, short, why or short, self.route.name)
        return replace(made, money=self.draft.billed, status=self.row.status)

    def _verified(self, effects: tuple[Effect, ...]) -> Standing:
        """Read back what stands in Chargebee, and record the bill as complete."""
        generation = self.row.generation
        result, invoices = read_back(self.push.destination, self.draft, effects, generation)
        invoice = invoices[0].id if invoices else None
        if result is None or not result.differences:
            text = f"sent as invoice {invoice}, read back line by line: as sent"
        else:
            text = "sent, but what stands there differs: " + "; ".join(
                one.text for one in result.differences
            )
        self._put(PushStatus.COMPLETE, text, None)
        done = stands(self._who, Group.SENT, "sent", text, self.route.name)
        differs = result is not None and bool(result.differences)
        return replace(
            done,
            draft=self.draft,
            money=self.draft.billed,
            status=PushStatus.COMPLETE,
            invoice=invoice,
            rounding=result.rounding if result else None,
            unexplained=result.unexplained if result else None,
            short="sent, but it differs" if differs else "sent",
            page=page(Page.DIFFERENCE) if differs else "",
        )

    def _rest(
        self,
        effects: tuple[Effect, ...],
        message: str,
        at: datetime | None,
        *,
        waiting: PushStatus | None = None,
    ) -> Standing:
        """Record where the bill stands until it can go on."""
        mine = self._mine(effects)
        status = status_of(mine, len(mine) + 1)
        if waiting is not None and status is PushStatus.STARTED:
            status = waiting
        news = (self.row.status, self.row.message) != (status, message)
        if news or self.row.next_at != at:
            self._put(status, message, at)
        group = _GROUPS.get(status, Group.DECIDE)
        if at is None and group is Group.UNDER_WAY:
            group = Group.DECIDE
        made = stands(self._who, group, _SHORT.get(status, status), message, self.route.name)
        return replace(
            made,
            money=self.draft.billed,
            status=status,
            page=page(status),
            events=("integration.perform.error",) if status in _ERRORS else (),
            new=news,
        )

    def _put(self, status: PushStatus, message: str, at: datetime | None) -> None:
        kept = self.row.changed_at if status is self.row.status else self.push.clock.now()
        self.row = replace(self.row, status=status, message=message, next_at=at, changed_at=kept)
        self.push.ledger.put_bill(self.lease, self.row)

    def _disable_if_due(self) -> None:
        """Disable the push after ten failures in a row, in ledger order across workers."""
        ledger, site, name = self.push.ledger, self.lease.site, self.route.name
        policy = self.route.route.policy.auto_disable
        if ledger.disabled(site, name) or not must_disable(
            ledger.marks(site, name, _MARKS_READ), policy
        ):
            return
        why = f"{DISABLE_AFTER} failures in a row; the last at bill {self.row.bill_id}"
        ledger.disable(site, name, why)
        self.push.notifier.notify(
            "disabled",
            f"The push of {name} to {site} is disabled",
            f"{why}.\nNothing more is sent for it. When the cause is gone: "
            f"`reconciler sync enable {name}`. See {page(Page.DISABLED)}.",
        )

    def _provenance(self) -> Provenance:
        scope = self.push.judge.watch.scope
        return Provenance(
            run=self.push.run,
            integration=self.route.name,
            record=scope.record,
            commit=scope.commit,
            bill_version=self.version,
            input_hash=self.row.input_hash,
        )

    def _mine(self, effects: Sequence[Effect]) -> list[Effect]:
        return [one for one in effects if one.key.generation == self.row.generation]

    @property
    def _who(self) -> Who:
        return Who(self.draft.bill_id, self.draft.account_id, self.draft.account_code)


_GROUPS = {
    PushStatus.STARTED: Group.UNDER_WAY,
    PushStatus.AWAITING_RETRY: Group.UNDER_WAY,
    PushStatus.UNKNOWN: Group.UNDER_WAY,
    PushStatus.WAITING: Group.WAITING,
    PushStatus.BLOCKED: Group.BLOCKED,
}
_SHORT = {
    PushStatus.STARTED: "begun",
    PushStatus.AWAITING_RETRY: "tried again later",
    PushStatus.UNKNOWN: "the outcome is not known",
    PushStatus.WAITING: "no pending invoice yet",
    PushStatus.BLOCKED: "Chargebee is not ready for it",
    PushStatus.ERROR: "Chargebee refused it",
    PushStatus.PARTIAL: "a part of it was sent",
}
_ERRORS = frozenset({PushStatus.ERROR, PushStatus.PARTIAL, PushStatus.UNKNOWN})


def mark_of(outcome: StepOutcome) -> Mark:
    """Say whom an outcome is to be counted against."""
    match outcome:
        case Performed():
            return "success"
        case Refused(about="site") | Unknown():
            return "systemic"
        case Refused() | WindowClosed():
            return "bill"
        case CredentialsRefused():
            return "credentials"
        case NotPerformed() | KeyConflict():
            return "transient"
        case _:
            assert_never(outcome)
