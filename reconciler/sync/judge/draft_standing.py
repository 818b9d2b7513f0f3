"""Where a bill stands by its draft: ready, waiting for its invoice, blocked, or nothing to send."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from reconciler.drafting.draft import BlockedBill, InvoiceDraft, NothingToSend
from reconciler.drafting.draft_bill import draft_bill
from reconciler.kernel.durations import duration
from reconciler.kernel.ports import Clock
from reconciler.kernel.runbook import Page, page
from reconciler.m3ter.bill import Bill
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.judge.standings import blocked, stands, who_of
from reconciler.sync.model.push import Effect, PushStatus
from reconciler.sync.model.standing import Group, Standing
from reconciler.sync.ports.destination import Destination, Sending, Stop, WaitForInvoice


@dataclass(frozen=True, slots=True)
class Drafting:
    """Drafts bills for a destination."""

    destination: Destination
    clock: Clock

    def standing(
        self, bill: Bill, route: PushRoute, sending: Sending, effects: tuple[Effect, ...]
    ) -> Standing:
        """Draft a bill, and ask the destination what it says to that."""
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
            stopped = replace(blocked(ready, (step.reason,)), page=page(Page.AUTO_CLOSE))
            # since when it waits is kept with this status: what is over must not begin anew
            return replace(stopped, status=PushStatus.WAITING) if self._over(sending) else stopped
        return ready

    def _over(self, sending: Sending) -> bool:
        """Tell whether the wait for a pending invoice is over."""
        since = sending.waiting_since
        patience = duration(sending.pending.wait_up_to)
        return since is not None and self.clock.now() >= since + patience
