"""One bill on its way: look, decide, record the intent, send, record the outcome, read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from reconciler.core.disabling import DISABLE_AFTER, must_disable
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
from reconciler.domain.draft import InvoiceDraft
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
from reconciler.ports.ledger import BillRow, Lease, Ledger, Provenance
from reconciler.ports.organisation import Bills
from reconciler.ports.runtime import Clock, Notifier, Stopped
from reconciler.workflows.account_facts import About
from reconciler.workflows.judge_bill import Judge
from reconciler.workflows.push_route import PushRoute
from reconciler.workflows.sent_bill import read_back
from reconciler.workflows.standings import stands
from reconciler.workflows.sync_limits import Limits

LEASE_SECONDS = 300
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


@dataclass(slots=True)
class Going:
    """One bill on its way.

    Attributes:
        about: What the interlock knows; ``None`` until it is asked.
        moved: Whether it was moved to another invoice in this run.
        looked: Whether a refused closing was looked for in this run.
    """

    push: PushWorld
    lease: Lease
    row: BillRow
    draft: InvoiceDraft
    route: PushRoute
    sending: Sending
    about: About | None
    version: int
    moved: bool = False
    looked: bool = False

    def on(self) -> Standing:
        """Go on until the bill is complete or nothing can be done now."""
        while True:
            effects = self.push.ledger.effects(self.lease.site, self.row.bill_id)
            ended = self._next(effects)
            if ended is not None:
                return ended

    def close(self, step: Step, effects: tuple[Effect, ...]) -> Standing:
        """Close the invoice of a sent bill, as a person asked, and go on with what waited for it.

        Args:
            step: The closing, as the destination made it from the invoice that is there.
            effects: Of the bill; a closing among them was refused, and is made anew.
        """
        if held := self.held(()):
            return held
        self._put(PushStatus.STARTED, "its invoice is being closed", None)
        key = PushKey(self.lease.site, self.row.bill_id, self.row.generation, step.name)
        refused = any(one.key == key for one in effects)
        record = self.push.ledger.redraft if refused else self.push.ledger.intend
        record(self.lease, key, step, self._provenance())
        return self.on()

    def _next(self, effects: tuple[Effect, ...]) -> Standing | None:
        begun = next((one for one in self._mine(effects) if one.state is not PushState.DONE), None)
        if begun is None:
            return self._step(effects)
        if self._closed_first(begun, effects):
            return self._elsewhere(begun, effects)
        if self._closing_refused(begun):
            # a person, or the site, may have closed it first: then there was nothing to refuse
            self.looked = True
            self._look(begun, effects)
            return None
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

    def _closing_refused(self, begun: Effect) -> bool:
        """Whether a closing was refused, and nobody looked why; asked once a run."""
        closing = begun.key.step.kind is StepKind.CLOSE_INVOICE
        return closing and begun.state is PushState.REFUSED and not self.looked

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
            case WaitForInvoice(until, why) if self._mine(effects):
                # what was sent stays as it was sent, whatever becomes of the bill meanwhile
                rests = self._rest(effects, why, until)
                short = "waits until its invoice is closed"
                return replace(rests, group=Group.WAITING, short=short, again_at=None)
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
        if held := self.held(effects):
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

    def held(self, effects: tuple[Effect, ...]) -> Standing | None:
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
            again_at=at if group is Group.UNDER_WAY else None,
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
    PushStatus.ACCOUNTING_PERIOD_CLOSED: "Chargebee refused its date",
    PushStatus.PARTIAL: "a part of it was sent",
}
_ERRORS = frozenset(
    {
        PushStatus.ERROR,
        PushStatus.ACCOUNTING_PERIOD_CLOSED,
        PushStatus.PARTIAL,
        PushStatus.UNKNOWN,
    }
)


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
