"""Where a bill stands now, from what can be read; nothing is written anywhere.

What ``sync plan`` prints is what ``sync run`` acts on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Protocol, assert_never

from reconciler.definitions.kinds.integration import PendingPolicy
from reconciler.drafting.draft import BlockedBill, InvoiceDraft, NothingToSend
from reconciler.drafting.draft_bill import billed_amount, draft_bill
from reconciler.drafting.input_hash import input_hash
from reconciler.kernel.address import BillId
from reconciler.kernel.money import chargebee_currencies
from reconciler.kernel.ports import Clock
from reconciler.kernel.runbook import Page, page
from reconciler.kernel.times import duration
from reconciler.m3ter.bill import Bill
from reconciler.selection.interlock import (
    Clear,
    MaybePartial,
    NativeRunning,
    OtherRoute,
    ReadAgain,
    SentNatively,
)
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.judge.account import AccountFacts, AccountReader, RoutesOfRun
from reconciler.sync.judge.run_filter import RunFilter
from reconciler.sync.judge.sent_bill import billed_before, judge_sent
from reconciler.sync.judge.standings import SENT, bill_standing, blocked_standing, by_row, who_of
from reconciler.sync.model.push import Effect, PushStatus, SiteName
from reconciler.sync.model.standing import BillStanding, Group, Who
from reconciler.sync.model.statuses import bill_page
from reconciler.sync.ports.destination import PushDestination, Sending, Stop, WaitForInvoice
from reconciler.sync.ports.ledger import BillRow, LedgerIdentity


@dataclass(frozen=True, slots=True)
class Judged:
    """A standing, and what is needed to act on it.

    Attributes:
        input_hash: Of the bill as it was judged.
        sending: Generation, change and pending policy of what would be sent.
    """

    standing: BillStanding
    input_hash: str
    route: PushRoute | None = None
    sending: Sending = field(default_factory=Sending)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges bills over what one run has read.

    Attributes:
        cleared: Whether a person decided that m3ter's own failed run of a bill sent nothing.
        freed: Whether a person decided since a time that a lost ledger had not sent a bill.
    """

    watch: AccountReader
    ledger: LedgerView
    destination: PushDestination
    clock: Clock
    narrow: RunFilter = field(default_factory=RunFilter)
    cleared: Callable[[BillId], bool] = lambda _: False
    freed: Callable[[BillId, datetime], bool] = lambda *_: False

    def at_once(self, bill: Bill, row: BillRow | None) -> BillStanding | None:
        """Judge a bill that needs no look at anything else."""
        who = who_of(bill)
        if not self.narrow.leaves("", bill.account_id, bill.id, bill.end_date):
            return bill_standing(who, Group.NOT_OURS, "outside the window of this run")
        earliest = min(self.since(route) for route in self.watch.scope.routes)
        if bill.end_date < earliest:
            return bill_standing(who, Group.NOT_OURS, f"before {earliest:%-d %b %Y}")
        return None if row is None else by_row(bill, row)

    def judge(
        self, bill: Bill, about: AccountFacts, row: BillRow | None, effects: tuple[Effect, ...] = ()
    ) -> Judged:
        """Judge a bill that ``at_once`` left open.

        Args:
            bill: As it is now, with its lines.
            about: Its account and m3ter's own runs.
            row: Of the ledger.
            effects: Of the ledger; all generations.
        """
        judged = self._judged(bill, about, row, effects)
        if judged.standing.money is not None:
            return judged
        money = billed_amount(bill, chargebee_currencies())
        return replace(judged, standing=replace(judged.standing, money=money))

    def _judged(
        self, bill: Bill, about: AccountFacts, row: BillRow | None, effects: tuple[Effect, ...]
    ) -> Judged:
        who, now = who_of(bill), input_hash(bill)
        chosen = self._routes.taking(bill, about, sent=row is not None and row.status in SENT)
        if isinstance(chosen, BillStanding):
            return Judged(chosen, now)
        if held := self._held(who, chosen):
            return Judged(held, now, chosen)
        sending = self._sending(chosen, row)
        if row is not None and row.status in SENT:
            approved = bill.status == "APPROVED" or not chosen.scope.approved_only
            verdict = judge_sent(bill, row, effects, self.destination, chosen, approved=approved)
            if isinstance(verdict, BillStanding):
                return Judged(verdict, now, chosen)
            sending = replace(sending, generation=_next_generation(row, effects), change=verdict)
        if held := self.barred(who, chosen, about):
            return Judged(held, now, chosen)
        if not effects and (lost := self._unremembered(bill, chosen)):
            return Judged(lost, now, chosen)
        drafting = Drafting(self.destination, self.clock)
        standing = drafting.standing(bill, chosen, sending, effects)
        if sending.change is not None and standing.group is Group.NOTHING:
            standing = billed_before(standing)
        return Judged(standing, now, chosen, sending)

    def barred(self, who: Who, route: PushRoute, about: AccountFacts) -> BillStanding | None:
        """Ask the interlock; ``None`` when the bill may be sent."""
        found = self.watch.interlock(route.name, about)
        if isinstance(found, ReadAgain):
            found = self.watch.interlock(route.name, self.watch.one(who.bill_id, who.account_code))
        match found:
            case Clear():
                return None
            case ReadAgain():
                return bill_standing(
                    who, Group.FAILED, "the clock moved while reading", "", route.name
                )
            case OtherRoute(why):
                short = "another route may bill the account"
                standing = bill_standing(who, Group.BLOCKED, short, why, route.name)
                return replace(standing, page=page(Page.DOUBLE_ROUTE), status=PushStatus.BLOCKED)
            case _:
                if isinstance(found, MaybePartial) and self.cleared(who.bill_id):
                    return None
                return by_run(who, route, found)

    def since(self, route: PushRoute) -> date:
        """Give the date from which a route's bills are sent in this run."""
        return self._routes.since(route)

    @property
    def _routes(self) -> RoutesOfRun:
        return RoutesOfRun(self.watch.scope.routes, self.narrow)

    def _held(self, who: Who, route: PushRoute) -> BillStanding | None:
        """Say what holds a whole integration back."""
        if route.drift:
            short = f"{route.name} is not in m3ter as it was applied"
            standing = bill_standing(who, Group.BLOCKED, short, route.drift[0], route.name)
            return replace(standing, page=page(Page.DRIFT), status=PushStatus.BLOCKED)
        if why := self.ledger.disabled(self.watch.scope.site, route.name):
            standing = bill_standing(who, Group.BLOCKED, "the push is disabled", why, route.name)
            return replace(standing, page=page(Page.DISABLED), status=PushStatus.BLOCKED)
        return None

    def _sending(self, route: PushRoute, row: BillRow | None) -> Sending:
        waiting = row is not None and row.status is PushStatus.WAITING
        return Sending(
            generation=row.generation if row is not None else 1,
            pending=route.route.policy.pending or PendingPolicy(),
            waiting_since=row.changed_at if row is not None and waiting else self.clock.now(),
        )

    def _unremembered(self, bill: Bill, route: PushRoute) -> BillStanding | None:
        """Stop for a bill that a lost ledger may have sent without a stamp.

        Only when a bill was created counts: one that was sent may be approved again later. Nor does
        a row without effects prove anything: it may be older than the loss, or say what else holds
        the bill back.
        """
        rebuilt = self.ledger.identity.rebuilt_at
        if rebuilt is None or route.route.page.create_invoice:
            return None
        if bill.created_at is not None and bill.created_at > rebuilt:
            return None
        if self.freed(bill.id, rebuilt):
            return None
        short = "a lost ledger may have sent it"
        why = (
            "the ledger was rebuilt after the bill was created, and lines on pending invoices carry"
            " no stamp: whether it was sent is not known"
        )
        standing = bill_standing(who_of(bill), Group.DECIDE, short, why, route.name)
        return replace(standing, page=page(Page.LEDGER_LOST), status=PushStatus.PARTIAL)


@dataclass(frozen=True, slots=True)
class Drafting:
    """Drafts bills for a destination."""

    destination: PushDestination
    clock: Clock

    def standing(
        self, bill: Bill, route: PushRoute, sending: Sending, effects: tuple[Effect, ...]
    ) -> BillStanding:
        """Draft a bill, and ask the destination what it says to that."""
        outcome, who = draft_bill(bill, route.route, self.clock.now()), who_of(bill)
        match outcome:
            case NothingToSend():
                standing = bill_standing(
                    who, Group.NOTHING, "nothing to send", outcome.why, route.name
                )
                return replace(standing, status=PushStatus.NOTHING_TO_SEND)
            case BlockedBill():
                return blocked_standing(
                    bill_standing(who, Group.BLOCKED, "", "", route.name), outcome.reasons
                )
            case InvoiceDraft():
                ready = bill_standing(who, Group.READY, "", "", route.name)
                announced = outcome.expected - outcome.billed
                ready = replace(ready, draft=outcome, money=outcome.billed, rounding=announced)
                if reasons := self.destination.check(outcome):
                    return blocked_standing(ready, reasons)
                return self._pending(ready, outcome, sending, effects)
            case _:
                assert_never(outcome)

    def _pending(
        self,
        ready: BillStanding,
        draft: InvoiceDraft,
        sending: Sending,
        effects: tuple[Effect, ...],
    ) -> BillStanding:
        """Say whether the subscription's pending invoice is there."""
        if draft.way != "pending":
            return ready
        step = self.destination.next_step(draft, effects, sending)
        if isinstance(step, WaitForInvoice):
            waiting = replace(ready, group=Group.WAITING, short="no pending invoice yet")
            return replace(
                waiting, why=step.why, page=page(Page.WAITING), status=PushStatus.WAITING
            )
        if isinstance(step, Stop):
            stopped = replace(blocked_standing(ready, (step.reason,)), page=page(Page.AUTO_CLOSE))
            # since when it waits is kept with this status: what is over must not begin anew
            return replace(stopped, status=PushStatus.WAITING) if self._over(sending) else stopped
        return ready

    def _over(self, sending: Sending) -> bool:
        """Tell whether the wait for a pending invoice is over."""
        since = sending.waiting_since
        patience = duration(sending.pending.wait_up_to)
        return since is not None and self.clock.now() >= since + patience


class LedgerView(Protocol):
    """What judging reads of a ledger."""

    @property
    def identity(self) -> LedgerIdentity:
        """Which ledger it is."""
        ...

    def bill(self, site: SiteName, bill: BillId) -> BillRow | None:
        """Give the row of a bill."""
        ...

    def effects(self, site: SiteName, bill: BillId) -> tuple[Effect, ...]:
        """Give every effect of a bill."""
        ...

    def disabled(self, site: SiteName, integration: str) -> str | None:
        """Say why a push is disabled."""
        ...

    def paused(self, site: SiteName) -> str | None:
        """Say who paused the site."""
        ...


@dataclass(frozen=True, slots=True)
class NoLedgerYet:
    """Implements ``LedgerView`` for an environment that never pushed; only to print plans."""

    identity: LedgerIdentity = field(default_factory=lambda: LedgerIdentity("", 0))

    def bill(self, site: SiteName, bill: BillId) -> None:
        """Know nothing."""

    def effects(self, site: SiteName, bill: BillId) -> tuple[Effect, ...]:  # noqa: ARG002
        """Know nothing."""
        return ()

    def disabled(self, site: SiteName, integration: str) -> None:
        """Know nothing."""

    def paused(self, site: SiteName) -> None:
        """Know nothing."""


def _next_generation(row: BillRow, effects: tuple[Effect, ...]) -> int:
    """Number the next sending; one that was begun and of which nothing arrived keeps its number."""
    return max(row.generation, *(effect.key.generation for effect in effects), 0) + 1


def by_run(
    who: Who, route: PushRoute, found: SentNatively | NativeRunning | MaybePartial
) -> BillStanding:
    """Say what m3ter's own run of the bill means."""
    match found:
        case NativeRunning(run):
            why = f"m3ter's own run {run.id} of it is {run.status}"
            return bill_standing(who, Group.WAITING, "m3ter works on it itself", why, route.name)
        case SentNatively(run):
            invoice = f", as {run.external_id}" if run.external_id else ""
            why = f"m3ter sent it itself (run {run.id}){invoice}"
            standing = bill_standing(who, Group.NATIVE, "m3ter sent it itself", why, route.name)
            return replace(standing, status=PushStatus.COMPLETE)
        case MaybePartial(run):
            why = f"m3ter's own run {run.id} ended as {run.status}; it may have sent a part"
            standing = bill_standing(
                who, Group.DECIDE, "m3ter may have sent a part", why, route.name
            )
            stopped = PushStatus.TIMEOUT_LIMIT_EXCEEDED
            return replace(standing, page=bill_page(stopped), status=stopped)
        case _:
            assert_never(found)
