"""A person's hand on one bill: under its lease, with who decides and in whose name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from reconciler.drafting.draft import InvoiceDraft
from reconciler.drafting.draft_json import draft_to_json
from reconciler.drafting.input_hash import input_hash
from reconciler.errors import BusyError, InvalidError
from reconciler.kernel.address import BillId
from reconciler.kernel.ports import Clock
from reconciler.kernel.runbook import Page, page
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.ports import Bills
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.judge.account_facts import membership_of
from reconciler.sync.judge.judge_bill import Judge
from reconciler.sync.model.push import Effect, PushState, PushStatus, SiteName
from reconciler.sync.ports.destination import Destination
from reconciler.sync.ports.history import PushHistory
from reconciler.sync.ports.ledger import BillRow, Lease, Ledger, Provenance

LEASE_SECONDS = 120


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
class BillHand:
    """What a person works on bills of one site with.

    Attributes:
        actor: Who decides.
        run: Id of this call, for the provenance of what it records.
    """

    judge: Judge
    ledger: Ledger
    history: PushHistory
    destination: Destination
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
                one
                for one in self.ledger.effects(self.site, bill)
                if one.key.generation == row.generation and one.state is not PushState.DONE
            ),
            None,
        )

    def route(self, bill: Bill) -> PushRoute:
        """Give the push integration that takes a bill.

        Raises:
            CannotDecideError: When none does.
        """
        about = self.judge.watch.one(bill.id, bill.account_code)
        for one in self.judge.watch.scope.routes:
            if membership_of(one.scope, about, bill).verdict == "in":
                return one
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
