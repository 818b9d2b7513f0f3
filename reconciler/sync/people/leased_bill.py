"""One bill in a person's hand: under its lease, with who decides, and how it is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from reconciler.definitions.kinds.integration import PendingPolicy
from reconciler.drafting.draft import InvoiceDraft
from reconciler.drafting.draft_bill import draft_bill
from reconciler.drafting.draft_json import draft_from_json, draft_to_json
from reconciler.drafting.input_hash import input_hash
from reconciler.errors import BusyError, InvalidError
from reconciler.kernel.address import BillId
from reconciler.kernel.ports import Clock
from reconciler.kernel.runbook import Page, page
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.ports import Bills
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.judge.account import membership_of
from reconciler.sync.judge.judge import Judge
from reconciler.sync.judge.standings import SENT
from reconciler.sync.model.push import (
    Effect,
    Found,
    PushState,
    PushStatus,
    Resolved,
    SiteName,
    Step,
    StepKind,
    Undecidable,
)
from reconciler.sync.ports.destination import (
    Complete,
    NextStep,
    PushDestination,
    Sending,
    Stop,
    WaitForInvoice,
)
from reconciler.sync.ports.ledger import BillRow, Lease, Ledger, Provenance, PushHistory
from reconciler.sync.push.lines_alike import beside_others


class CannotDecideError(InvalidError):
    """A decision does not fit where the bill stands."""

    def __init__(self, bill: BillId, why: str, where: Page = Page.UNKNOWN) -> None:
        super().__init__(f"bill {bill}: {why}\nNothing was recorded or sent. See {page(where)}.")


class BillHeldError(BusyError):
    """A worker is at the bill."""

    def __init__(self, bill: BillId) -> None:
        super().__init__(
            f"a worker is at bill {bill} just now. Nothing was recorded. Try again in a moment."
        )


@dataclass(frozen=True, slots=True)
class LeasedBill:
    """What a person works on bills of one site with.

    Attributes:
        actor: Who decides.
        run: Id of this call, for the provenance of what it records.
    """

    judge: Judge
    ledger: Ledger
    history: PushHistory
    destination: PushDestination
    bills: Bills
    clock: Clock
    actor: str
    run: str

    @property
    def site(self) -> SiteName:
        """The site."""
        return self.judge.watch.scope.site

    def begun(self, bill: BillId, row: BillRow | None) -> Effect | None:
        """Give the open step of the newest generation."""
        if row is None:
            return None
        return next(
            (
                effect
                for effect in self.ledger.effects(self.site, bill)
                if effect.key.generation == row.generation and effect.state is not PushState.DONE
            ),
            None,
        )

    def route(self, bill: Bill) -> PushRoute:
        """Give the push integration that takes a bill.

        Raises:
            CannotDecideError: When none does.
        """
        about = self.judge.watch.one(bill.id, bill.account_code)
        for route in self.judge.watch.scope.routes:
            if membership_of(route.scope, about, bill).verdict == "in":
                return route
        raise CannotDecideError(bill.id, "no push integration takes its account.", Page.INTERLOCK)

    def row(
        self, bill: Bill, route: PushRoute, generation: int, draft: InvoiceDraft | None
    ) -> BillRow:
        """Make the row of a bill that is sent, or counts as sent."""
        return BillRow(
            site=self.site,
            bill_id=bill.id,
            account_id=bill.account_id,
            integration=route.name,
            generation=generation,
            status=PushStatus.STARTED,
            input_hash=input_hash(bill),
            draft=draft_to_json(draft) if draft is not None else b"",
            billed=draft.billed if draft is not None else None,
            expected=draft.expected if draft is not None else None,
            period_end=bill.end_date,
            next_at=None,
            changed_at=self.clock.now(),
            message="",
        )

    def put(self, lease: Lease, row: BillRow, status: PushStatus, message: str) -> None:
        """Record where the bill stands from now on; what is tried again is due at once."""
        now = self.clock.now()
        due = now if status is PushStatus.AWAITING_RETRY else None
        changed = replace(row, status=status, message=message, next_at=due, changed_at=now)
        self.ledger.put_bill(lease, changed)

    def why(self, bill: Bill, route: PushRoute) -> Provenance:
        """Say in whose name something is recorded."""
        scope = self.judge.watch.scope
        return Provenance(
            self.run, route.name, scope.record, scope.commit, bill.version, input_hash(bill)
        )

    @contextmanager
    def held(self, bill: BillId) -> Iterator[tuple[Lease, BillRow | None]]:
        """Hold a bill's lease, which proves that nothing of it is in flight.

        Raises:
            BillHeldError: When a worker is at it.
        """
        worker = f"{self.actor} ({self.run})"
        lease = self.ledger.claim(self.site, bill, worker, LEASE_SECONDS)
        if lease is None:
            raise BillHeldError(bill)
        try:
            yield lease, self.ledger.bill(self.site, bill)
        finally:
            self.ledger.release(lease)


LEASE_SECONDS = 120


def retry_bill(hand: LeasedBill, bill: BillId) -> str:
    """Let the next run try a bill again; gives what was recorded.

    Raises:
        CannotDecideError: When it is sent, or nobody knows whether it was, or cannot be made anew.
    """
    live = hand.bills.get(bill)
    with hand.held(bill) as (lease, row):
        if row is None:
            return f"bill {bill} was never begun; the next run judges it."
        if row.status in SENT:
            raise CannotDecideError(bill, f"it is sent already: {row.message}")
        begun = hand.begun(bill, row)
        if begun is None:
            sent = bool(hand.ledger.effects(hand.site, bill))
            status = PushStatus.STARTED if sent else PushStatus.WAITING
            hand.put(lease, row, status, f"tried again by {hand.actor}")
            return f"bill {bill} is judged again by the next run."
        if _came_about(hand, lease, row, begun):
            hand.put(lease, row, PushStatus.STARTED, f"looked for by {hand.actor}: it is closed")
            return f"the invoice of bill {bill} is closed; the next run goes on with it."
        _again(hand, lease, row, begun, live)
    return f"bill {bill} is sent again by the next run."


def _came_about(hand: LeasedBill, lease: Lease, row: BillRow, begun: Effect) -> bool:
    """Look whether a refused closing came about all the same: then there is nothing to retry."""
    refused = begun.state is PushState.REFUSED
    if begun.key.step.kind is not StepKind.CLOSE_INVOICE or not refused:
        return False
    effects = hand.ledger.effects(hand.site, row.bill_id)
    found = hand.destination.look_up(begun, draft_from_json(row.draft), effects)
    if isinstance(found, Undecidable):
        raise CannotDecideError(row.bill_id, f"{found.reason}.", Page.PARTIAL)
    if isinstance(found, Found):
        hand.ledger.looked(lease, begun.key, found)
    return isinstance(found, Found)


def _again(hand: LeasedBill, lease: Lease, row: BillRow, begun: Effect, live: Bill) -> None:
    text = f"tried again by {hand.actor}"
    match begun.state:
        case PushState.REFUSED | PushState.CLOSED:
            _redraft(hand, lease, row, begun, live)
        case PushState.RETRY:
            hand.ledger.resolved(lease, begun.key, Resolved(None, text), hand.actor)
            hand.put(lease, row, PushStatus.AWAITING_RETRY, text)
        case PushState.INTENDED:
            hand.put(lease, row, PushStatus.STARTED, text)
        case _:
            why = "whether it was sent is not known; `sync decide` says so."
            raise CannotDecideError(live.id, why)


def _redraft(hand: LeasedBill, lease: Lease, row: BillRow, begun: Effect, live: Bill) -> None:
    """Make the refused step anew; what is done of the bill stays as it was sent."""
    route = hand.route(live)
    effects = hand.ledger.effects(hand.site, live.id)
    draft = draft_from_json(row.draft)
    if not any(effect.state is PushState.DONE for effect in effects):
        draft = _drafted(hand, live, route)
    sending = Sending(
        generation=row.generation, pending=route.route.policy.pending or PendingPolicy()
    )
    step = hand.destination.next_step(draft, effects, sending)
    if not isinstance(step, Step) or step.name != begun.key.step:
        raise CannotDecideError(live.id, f"{_instead(step)}.", Page.PARTIAL)
    step = beside_others(step, hand.ledger, hand.site)
    hand.ledger.redraft(lease, begun.key, step, hand.why(live, route))
    bill_row = hand.row(live, route, row.generation, draft)
    if draft.bill_version != live.version:
        bill_row = replace(bill_row, input_hash=row.input_hash)
    hand.put(lease, bill_row, PushStatus.STARTED, f"tried again by {hand.actor}")


def _drafted(hand: LeasedBill, live: Bill, route: PushRoute) -> InvoiceDraft:
    outcome = draft_bill(live, route.route, hand.clock.now())
    if isinstance(outcome, InvoiceDraft):
        return outcome
    why = "it cannot be drafted; `reconciler sync explain` says why."
    raise CannotDecideError(live.id, why, Page.BLOCKED)


def _instead(step: NextStep) -> str:
    """Say what came instead of the refused step."""
    match step:
        case Stop(reason):
            return f"{reason.text} ({reason.hint})"
        case WaitForInvoice(_, why):
            return why
        case Step() | Complete():
            return "the refused step is no longer the next one"
