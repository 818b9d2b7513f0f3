"""Where a bill stands now, from what can be read; nothing is written anywhere.

What ``sync plan`` prints is what ``sync run`` acts on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol, assert_never

from reconciler.core.billed import billed
from reconciler.core.block_words import in_short
from reconciler.core.draft_input import input_hash
from reconciler.core.interlock import (
    Clear,
    MaybePartial,
    NativeRunning,
    OtherRoute,
    ReadAgain,
    SentNatively,
)
from reconciler.core.invoicing import draft_bill
from reconciler.core.runbook import Page, page
from reconciler.core.selection import Left, Taken, takes
from reconciler.core.sync_tally import IN_NONE
from reconciler.domain.address import AccountId, BillId
from reconciler.domain.bill import Bill
from reconciler.domain.draft import (
    BlockedBill,
    BlockReason,
    InvoiceDraft,
    NothingToSend,
)
from reconciler.domain.kinds.integration import PendingPolicy
from reconciler.domain.money import chargebee_currencies
from reconciler.domain.push import Effect, PushStatus, SiteName
from reconciler.domain.standing import Group, Standing, Who
from reconciler.ports.destination import Destination, Sending, Stop, WaitForInvoice
from reconciler.ports.ledger import BillRow, LedgerIdentity
from reconciler.ports.runtime import Clock
from reconciler.workflows.sent_bill import judge_sent
from reconciler.workflows.sync_scope import About, PushRoute, Watch, membership_of

RESUMED = frozenset(
    {
        PushStatus.STARTED,
        PushStatus.AWAITING_RETRY,
        PushStatus.RATE_LIMIT_RETRY,
        PushStatus.AUTH_FAILED,
        PushStatus.UNKNOWN,
    }
)
"""Rows with something under way; they go on by what the ledger holds, not by the bill."""
STOPPED = frozenset(
    {
        PushStatus.PARTIAL,
        PushStatus.ERROR,
        PushStatus.ACCOUNTING_PERIOD_CLOSED,
        PushStatus.TIMEOUT_LIMIT_EXCEEDED,
    }
)
"""Rows that stay as they are until a person acts."""
SENT = frozenset({PushStatus.COMPLETE, PushStatus.REOPENED, PushStatus.INVOICE_ALREADY_PAID})


@dataclass(frozen=True, slots=True)
class Narrow:
    """What the flags of one run leave; they only narrow.

    Attributes:
        since: Bills whose period ends on or after it.
        until: Bills whose period ends before it.
        backfill: Whether ``since`` goes before ``push.since``.
    """

    since: date | None = None
    until: date | None = None
    integrations: frozenset[str] = frozenset()
    accounts: frozenset[AccountId] = frozenset()
    bills: frozenset[BillId] = frozenset()
    backfill: bool = False

    def leaves(self, integration: str, account: AccountId, bill: BillId, end: date) -> bool:
        """Whether a bill is left; an empty integration is any."""
        return (
            (not self.integrations or not integration or integration in self.integrations)
            and (not self.accounts or account in self.accounts)
            and (not self.bills or bill in self.bills)
            and (self.since is None or end >= self.since)
            and (self.until is None or end < self.until)
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """A standing, and what is needed to act on it.

    Attributes:
        input_hash: Of the bill as it was judged.
        sending: Generation, change and pending policy of what would be sent.
    """

    standing: Standing
    input_hash: str
    route: PushRoute | None = None
    sending: Sending = field(default_factory=Sending)


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


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges bills over what one run has read.

    Attributes:
        cleared: Whether a person decided that m3ter's own failed run of a bill sent nothing.
    """

    watch: Watch
    ledger: LedgerView
    destination: Destination
    clock: Clock
    narrow: Narrow = Narrow()
    cleared: Callable[[BillId], bool] = lambda _: False

    def at_once(self, bill: Bill, row: BillRow | None) -> Standing | None:
        """Judge a bill that needs no look at anything else."""
        who = who_of(bill)
        if not self.narrow.leaves("", bill.account_id, bill.id, bill.end_date):
            return stands(who, Group.NOT_OURS, "outside the window of this run")
        earliest = min(self.since(one) for one in self.watch.scope.routes)
        if bill.end_date < earliest:
            return stands(who, Group.NOT_OURS, f"before {earliest:%-d %b %Y}")
        return None if row is None else _by_row(bill, row)

    def judge(
        self, bill: Bill, about: About, row: BillRow | None, effects: tuple[Effect, ...] = ()
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
        money = billed(bill, chargebee_currencies())
        return replace(judged, standing=replace(judged.standing, money=money))

    def _judged(
        self, bill: Bill, about: About, row: BillRow | None, effects: tuple[Effect, ...]
    ) -> Judged:
        who, now = who_of(bill), input_hash(bill)
        chosen = self._route(bill, about, sent=row is not None and row.status in SENT)
        if isinstance(chosen, Standing):
            return Judged(chosen, now)
        if held := self._held(who, chosen):
            return Judged(held, now, chosen)
        sending = self._sending(chosen, row)
        if row is not None and row.status in SENT:
            approved = bill.status == "APPROVED" or not chosen.scope.approved_only
            told = judge_sent(bill, row, effects, self.destination, chosen, approved=approved)
            if isinstance(told, Standing):
                return Judged(told, now, chosen)
            sending = replace(sending, generation=row.generation + 1, change=told)
        if held := self.barred(who, chosen, about):
            return Judged(held, now, chosen)
        if row is None and (lost := self._unremembered(bill, chosen)):
            return Judged(lost, now, chosen)
        standing = self._drafted(bill, chosen, sending, effects)
        return Judged(standing, now, chosen, sending)

    def barred(self, who: Who, route: PushRoute, about: About) -> Standing | None:
        """Ask the interlock; ``None`` when the bill may be sent."""
        found = self.watch.interlock(route.name, about)
        if isinstance(found, ReadAgain):
            found = self.watch.interlock(route.name, self.watch.one(who.bill_id, who.account_code))
        match found:
            case Clear():
                return None
            case ReadAgain():
                return stands(who, Group.FAILED, "the clock moved while reading", "", route.name)
            case OtherRoute(why):
                short = "another route may bill the account"
                made = stands(who, Group.BLOCKED, short, why, route.name)
                return replace(made, page=page(Page.DOUBLE_ROUTE), status=PushStatus.BLOCKED)
            case _:
                return self._by_run(who, route, found)

    def since(self, route: PushRoute) -> date:
        """Give the date from which a route's bills are sent in this run."""
        own = date.fromisoformat(route.route.policy.since)
        flag = self.narrow.since
        if flag is None:
            return own
        return flag if self.narrow.backfill else max(own, flag)

    def _by_run(
        self, who: Who, route: PushRoute, found: SentNatively | NativeRunning | MaybePartial
    ) -> Standing | None:
        """Say what m3ter's own run of the bill means."""
        match found:
            case NativeRunning(run):
                why = f"m3ter's own run {run.id} of it is {run.status}"
                return stands(who, Group.WAITING, "m3ter works on it itself", why, route.name)
            case SentNatively(run):
                invoice = f", as {run.external_id}" if run.external_id else ""
                why = f"m3ter sent it itself (run {run.id}){invoice}"
                made = stands(who, Group.NATIVE, "m3ter sent it itself", why, route.name)
                return replace(made, status=PushStatus.COMPLETE)
            case MaybePartial() if self.cleared(who.bill_id):
                return None
            case MaybePartial(run):
                why = f"m3ter's own run {run.id} ended as {run.status}; it may have sent a part"
                made = stands(who, Group.DECIDE, "m3ter may have sent a part", why, route.name)
                stopped = PushStatus.TIMEOUT_LIMIT_EXCEEDED
                return replace(made, page=page(stopped), status=stopped)
            case _:
                assert_never(found)

    def _held(self, who: Who, route: PushRoute) -> Standing | None:
        """Say what holds a whole integration back."""
        if route.drift:
            short = f"{route.name} is not in m3ter as it was applied"
            made = stands(who, Group.BLOCKED, short, route.drift[0], route.name)
            return replace(made, page=page(Page.DRIFT), status=PushStatus.BLOCKED)
        if why := self.ledger.disabled(self.watch.scope.site, route.name):
            made = stands(who, Group.BLOCKED, "the push is disabled", why, route.name)
            return replace(made, page=page(Page.DISABLED), status=PushStatus.BLOCKED)
        return None

    def _sending(self, route: PushRoute, row: BillRow | None) -> Sending:
        waiting = row is not None and row.status is PushStatus.WAITING
        return Sending(
            generation=row.generation if row is not None else 1,
            pending=route.route.policy.pending or PendingPolicy(),
            waiting_since=row.changed_at if row is not None and waiting else self.clock.now(),
        )

    def _route(self, bill: Bill, about: About, *, sent: bool) -> PushRoute | Standing:
        """Find the one route that takes the bill, or say why none does."""
        who = who_of(bill)
        if about.account is None:
            why = f"m3ter has no account with the code {bill.account_code!r} that the bill names"
            made = stands(who, Group.BLOCKED, "its account is not known", why)
            return replace(made, page=page(Page.INTERLOCK))
        found = [(one, self._takes(bill, one, about)) for one in self.watch.scope.routes]
        ours = [
            (one, told)
            for one, told in found
            if not (isinstance(told, Left) and told.reason == "other-account")
        ]
        if not ours:
            why = "no push integration takes its account"
            return stands(who, Group.NOT_OURS, IN_NONE, why)
        named = self.narrow.integrations
        if named and not any(one.name in named for one, _ in ours):
            return stands(who, Group.NOT_OURS, "of another integration")
        route, told = ours[0]
        if isinstance(told, Taken) or (sent and told.reason == "unapproved"):
            return route
        return self._left(who, route, told)

    def _takes(self, bill: Bill, route: PushRoute, about: About) -> Taken | Left:
        found = membership_of(route.scope, about, bill)
        if found.verdict == "unknown" or about.account is None:
            return Left("unknown", found.why)
        return takes(route.scope, self.since(route), bill, about.account)

    def _left(self, who: Who, route: PushRoute, left: Left) -> Standing:
        if left.reason == "before-since":
            return stands(who, Group.NOT_OURS, f"before {self.since(route):%-d %b %Y}", left.why)
        if left.reason == "unapproved":
            return stands(who, Group.WAITING, "not approved yet", left.why, route.name)
        short = "whether it is selected is not known"
        made = stands(who, Group.BLOCKED, short, left.why, route.name)
        return replace(made, page=page(Page.INTERLOCK), status=PushStatus.BLOCKED)

    def _unremembered(self, bill: Bill, route: PushRoute) -> Standing | None:
        """Stop for a bill that a lost ledger may have sent without a stamp."""
        rebuilt = self.ledger.identity.rebuilt_at
        made_at = bill.approved_at or bill.calculated_at
        if rebuilt is None or route.route.page.create_invoice:
            return None
        if made_at is not None and made_at > rebuilt:
            return None
        short = "a lost ledger may have sent it"
        why = (
            "the ledger was rebuilt after the bill was made, and lines on pending invoices carry no"
            " stamp: whether it was sent is not known"
        )
        made = stands(who_of(bill), Group.DECIDE, short, why, route.name)
        return replace(made, page=page(Page.LEDGER_LOST), status=PushStatus.PARTIAL)

    def _drafted(
        self, bill: Bill, route: PushRoute, sending: Sending, effects: tuple[Effect, ...]
    ) -> Standing:
        outcome, who = draft_bill(bill, route.route, self.clock.now()), who_of(bill)
        match outcome:
            case NothingToSend():
                made = stands(who, Group.NOTHING, "nothing to send", outcome.why, route.name)
                return replace(made, status=PushStatus.NOTHING_TO_SEND)
            case BlockedBill():
                return blocked(stands(who, Group.BLOCKED, "", "", route.name), outcome.reasons)
            case InvoiceDraft():
                ready = stands(who, Group.READY, "", "", route.name)
                announced = outcome.expected - outcome.billed
                ready = replace(ready, draft=outcome, money=outcome.billed, rounding=announced)
                if reasons := self.destination.check(outcome):
                    return blocked(ready, reasons)
                return self._pending(ready, outcome, sending, effects)
            case _:
                assert_never(outcome)

    def _pending(
        self, ready: Standing, draft: InvoiceDraft, sending: Sending, effects: tuple[Effect, ...]
    ) -> Standing:
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
            return replace(blocked(ready, (step.reason,)), page=page(Page.AUTO_CLOSE))
        return ready


_UNTIL_CHANGED: Mapping[PushStatus, tuple[Group, str]] = {
    PushStatus.COMPLETE: (Group.UNCHANGED, "already sent"),
    PushStatus.NOTHING_TO_SEND: (Group.NOTHING, "nothing to send"),
}


def _by_row(bill: Bill, row: BillRow) -> Standing | None:
    """Judge a bill by what the ledger holds alone."""
    if row.status in RESUMED:
        return of_row(row, Group.UNDER_WAY, "begun earlier")
    if row.status in STOPPED:
        return of_row(row, Group.DECIDE, STOPPED_SHORT[row.status])
    if row.status is PushStatus.DISABLED:
        return of_row(row, Group.NOTHING, "a person said not to send it")
    if row.status not in _UNTIL_CHANGED or row.input_hash != input_hash(bill):
        return None
    if row.status is PushStatus.COMPLETE and bill.status != "APPROVED":
        return None
    return of_row(row, *_UNTIL_CHANGED[row.status])


STOPPED_SHORT = {
    PushStatus.PARTIAL: "a part of it was sent",
    PushStatus.ERROR: "Chargebee refused it",
    PushStatus.ACCOUNTING_PERIOD_CLOSED: "Chargebee refused its date",
    PushStatus.TIMEOUT_LIMIT_EXCEEDED: "m3ter may have sent a part",
}


def blocked(standing: Standing, reasons: tuple[BlockReason, ...]) -> Standing:
    """Give the standing of a bill for which something must be corrected."""
    codes = tuple(dict.fromkeys(one.code for one in reasons))
    return replace(
        standing,
        group=Group.BLOCKED,
        status=PushStatus.BLOCKED,
        short=in_short(reasons),
        why="; ".join(f"{one.text} ({one.hint})" for one in reasons),
        page=page(codes[0]),
        reasons=reasons,
        events=tuple(dict.fromkeys(one.event for one in reasons)),
    )


def of_row(row: BillRow, group: Group, short: str) -> Standing:
    """Give the standing that the ledger tells."""
    made = stands(Who(row.bill_id, row.account_id), group, short, row.message, row.integration)
    where = "" if group in {Group.UNCHANGED, Group.NOTHING} else page(row.status)
    return replace(made, money=row.billed, status=row.status, page=where, new=False)


def who_of(bill: Bill) -> Who:
    """Name a bill and its account."""
    return Who(bill.id, bill.account_id, bill.account_code)


def stands(who: Who, group: Group, short: str, why: str = "", integration: str = "") -> Standing:
    """Make a standing."""
    return Standing(group, who, integration, short, why or short)
