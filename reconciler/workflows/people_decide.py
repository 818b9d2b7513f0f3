"""What only a person can decide about a bill, and how the ledger takes it.

Every decision is made under the bill's lease, which proves that nothing of it is in flight, and is
recorded with who made it and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from reconciler.core.draft_input import input_hash
from reconciler.core.draft_json import draft_from_json, draft_to_json
from reconciler.core.invoicing import draft_bill
from reconciler.core.runbook import Page, page
from reconciler.domain.address import BillId
from reconciler.domain.bill import Bill
from reconciler.domain.draft import InvoiceDraft
from reconciler.domain.kinds.integration import PendingPolicy
from reconciler.domain.push import (
    Effect,
    InvoiceId,
    PushKey,
    PushState,
    PushStatus,
    Resolved,
    SiteName,
    Step,
    StepKind,
    StepName,
    StoredRequest,
)
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.ports.destination import Destination, Sending
from reconciler.ports.history import PushHistory
from reconciler.ports.ledger import BillRow, Lease, Ledger, Provenance
from reconciler.ports.organisation import Bills
from reconciler.ports.runtime import Clock
from reconciler.workflows.account_facts import membership_of
from reconciler.workflows.judge_bill import Judge
from reconciler.workflows.push_route import PushRoute
from reconciler.workflows.standings import SENT

LEASE_SECONDS = 120
NOT_SENT_BY_M3TER = "m3ter sent nothing"


class CannotDecideError(ReconcilerError):
    """A decision does not fit where the bill stands."""

    exit_code = ExitCode.INVALID

    def __init__(self, bill: BillId, why: str, where: Page = Page.UNKNOWN) -> None:
        super().__init__(f"bill {bill}: {why}\nNothing was recorded or sent. See {page(where)}.")


class BillHeldError(ReconcilerError):
    """A worker is at the bill."""

    exit_code = ExitCode.LOCKED

    def __init__(self, bill: BillId) -> None:
        super().__init__(
            f"a worker is at bill {bill} just now. Nothing was recorded. Try again in a moment."
        )


@dataclass(frozen=True, slots=True)
class Decider:
    """A person at the ledger of one site.

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

    def sent_as(self, bill: BillId, invoice: InvoiceId, reason: str) -> str:
        """Take a person's word that a bill was sent, as an invoice that is there."""
        self._refuse_other_invoice(bill, invoice)
        with self._held(bill) as (lease, row):
            begun = self._begun(bill, row)
            if row is not None and begun is not None:
                decision = Resolved(invoice, reason)
                self.ledger.resolved(lease, begun.key, decision, self.actor)
                text = f"{self.actor} says it was sent as {invoice}: {reason}"
                self._put(lease, row, PushStatus.STARTED, text)
                return f"bill {bill} counts as sent as {invoice}; the next run reads it back."
        if row is not None and row.status is PushStatus.COMPLETE:
            raise CannotDecideError(bill, "it is sent and read back; there is nothing to decide.")
        return self.adopt(bill, invoice, reason)

    def not_sent(self, bill: BillId, reason: str) -> str:
        """Take a person's word that nothing of a bill's open step arrived."""
        with self._held(bill) as (lease, row):
            begun = self._begun(bill, row)
            if row is not None and begun is not None:
                self.ledger.resolved(lease, begun.key, Resolved(None, reason), self.actor)
                text = f"{self.actor} says that nothing arrived: {reason}"
                self._put(lease, row, PushStatus.AWAITING_RETRY, text)
                return f"bill {bill} counts as not sent; the next run sends it."
            if row is None or row.status is not PushStatus.TIMEOUT_LIMIT_EXCEEDED:
                why = "nothing of it is in doubt; `sync retry` tries a refused bill again."
                raise CannotDecideError(bill, why)
            subject = f"native/{bill}"
            self.history.decide(self.site, subject, NOT_SENT_BY_M3TER, self.actor, reason)
            self._put(lease, row, PushStatus.BLOCKED, f"{self.actor}: {reason}")
        return f"m3ter counts as having sent nothing of bill {bill}; the next run sends it."

    def adopt(self, bill: BillId, invoice: InvoiceId, reason: str) -> str:
        """Record the invoice that a bill was sent as by other means; nothing is sent for it."""
        self._refuse_other_invoice(bill, invoice)
        live = self.bills.get(bill)
        with self._held(bill) as (lease, row):
            if self._begun(bill, row) is not None:
                raise CannotDecideError(bill, "a step of it is open; use `sync resolve`.")
            if row is not None and row.status is PushStatus.COMPLETE:
                raise CannotDecideError(bill, f"it is sent already: {row.message}")
            route = self._route(live)
            outcome = draft_bill(live, route.route, self.clock.now())
            draft = outcome if isinstance(outcome, InvoiceDraft) else None
            generation = row.generation if row is not None else 1
            name = StepName(StepKind.CREATE_INVOICE)
            key = PushKey(self.site, bill, generation, name)
            step = Step(name, StoredRequest("(adopted)", b""))
            self.ledger.intend(lease, key, step, self._why(live, route))
            self.ledger.resolved(lease, key, Resolved(invoice, reason), self.actor)
            text = f"adopted as invoice {invoice} by {self.actor}: {reason}"
            made = self._row(live, route, generation, draft)
            self.ledger.put_bill(lease, replace(made, status=PushStatus.COMPLETE, message=text))
        return f"bill {bill} is bound to invoice {invoice}; nothing was sent for it."

    def skip(self, bill: BillId, reason: str) -> str:
        """Never send a bill, also when it changes; `sync retry` takes that back."""
        live = self.bills.get(bill)
        with self._held(bill) as (lease, row):
            begun = self._begun(bill, row)
            if begun is not None and begun.state in {PushState.SENDING, PushState.IN_DOUBT}:
                raise CannotDecideError(bill, "whether it was sent is not known; resolve it first.")
            if row is not None and row.status is PushStatus.COMPLETE:
                raise CannotDecideError(bill, f"it is sent already: {row.message}")
            text = f"skipped by {self.actor}: {reason}"
            made = row or self._row(live, self._route(live), 1, None)
            self._put(lease, made, PushStatus.DISABLED, text)
        self.history.decide(self.site, f"bill/{bill}", "skip", self.actor, reason)
        return f"bill {bill} is not sent; `reconciler sync retry {bill}` takes that back."

    def retry(self, bill: BillId) -> str:
        """Try a bill again that was refused, gave up or was skipped, from corrected data."""
        live = self.bills.get(bill)
        with self._held(bill) as (lease, row):
            if row is None:
                return f"bill {bill} was never begun; the next run judges it."
            if row.status in SENT:
                raise CannotDecideError(bill, f"it is sent already: {row.message}")
            begun = self._begun(bill, row)
            if begun is None:
                status = PushStatus.WAITING if self._nothing_sent(bill) else PushStatus.STARTED
                self._put(lease, row, status, f"tried again by {self.actor}")
                return f"bill {bill} is judged again by the next run."
            match begun.state:
                case PushState.REFUSED | PushState.CLOSED:
                    self._redraft(lease, row, begun, live)
                case PushState.RETRY:
                    decision = Resolved(None, f"tried again by {self.actor}")
                    self.ledger.resolved(lease, begun.key, decision, self.actor)
                    self._put(lease, row, PushStatus.AWAITING_RETRY, decision.reason)
                case PushState.INTENDED:
                    self._put(lease, row, PushStatus.STARTED, f"tried again by {self.actor}")
                case _:
                    why = "whether it was sent is not known; `sync resolve` says so."
                    raise CannotDecideError(bill, why)
        return f"bill {bill} is sent again by the next run."

    def refused(self) -> Iterator[BillId]:
        """Give every bill that Chargebee refused."""
        wanted = (PushStatus.ERROR, PushStatus.ACCOUNTING_PERIOD_CLOSED)
        yield from [one.bill_id for one in self.ledger.bills(self.site, wanted)]

    def _redraft(self, lease: Lease, row: BillRow, begun: Effect, live: Bill) -> None:
        """Make the refused step anew; what is done of the bill stays as it was sent."""
        route = self._route(live)
        effects = self.ledger.effects(self.site, live.id)
        draft = draft_from_json(row.draft)
        if not any(one.state is PushState.DONE for one in effects):
            outcome = draft_bill(live, route.route, self.clock.now())
            if not isinstance(outcome, InvoiceDraft):
                why = "it cannot be drafted; `reconciler sync explain` says why."
                raise CannotDecideError(live.id, why, Page.BLOCKED)
            draft = outcome
        sending = Sending(
            generation=row.generation, pending=route.route.policy.pending or PendingPolicy()
        )
        step = self.destination.next_step(draft, effects, sending)
        if not isinstance(step, Step) or step.name != begun.key.step:
            why = getattr(step, "why", "") or "the refused step is no longer the next one"
            if hasattr(step, "reason"):
                why = f"{step.reason.text} ({step.reason.hint})"
            raise CannotDecideError(live.id, f"{why}.", Page.PARTIAL)
        self.ledger.redraft(lease, begun.key, step, self._why(live, route))
        made = self._row(live, route, row.generation, draft)
        if draft.bill_version != live.version:
            made = replace(made, input_hash=row.input_hash)
        text = f"tried again by {self.actor}"
        self._put(lease, made, PushStatus.STARTED, text)

    def _nothing_sent(self, bill: BillId) -> bool:
        return not self.ledger.effects(self.site, bill)

    def _refuse_other_invoice(self, bill: BillId, invoice: InvoiceId) -> None:
        found = self.destination.read(invoice)
        if found is None:
            raise CannotDecideError(bill, f"Chargebee has no invoice {invoice}.")
        if found.deleted or found.status == "voided":
            raise CannotDecideError(bill, f"invoice {invoice} was voided or deleted.")
        if found.stamp not in {None, bill}:
            why = f"invoice {invoice} carries the stamp of bill {found.stamp}."
            raise CannotDecideError(bill, why)

    def _begun(self, bill: BillId, row: BillRow | None) -> Effect | None:
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

    def _route(self, bill: Bill) -> PushRoute:
        about = self.judge.watch.one(bill.id, bill.account_code)
        for one in self.judge.watch.scope.routes:
            if membership_of(one.scope, about, bill).verdict == "in":
                return one
        raise CannotDecideError(bill.id, "no push integration takes its account.", Page.INTERLOCK)

    def _row(
        self, bill: Bill, route: PushRoute, generation: int, draft: InvoiceDraft | None
    ) -> BillRow:
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

    def _put(self, lease: Lease, row: BillRow, status: PushStatus, message: str) -> None:
        changed = replace(
            row, status=status, message=message, next_at=None, changed_at=self.clock.now()
        )
        self.ledger.put_bill(lease, changed)

    def _why(self, bill: Bill, route: PushRoute) -> Provenance:
        scope = self.judge.watch.scope
        return Provenance(
            self.run, route.name, scope.record, scope.commit, bill.version, input_hash(bill)
        )

    @contextmanager
    def _held(self, bill: BillId) -> Iterator[tuple[Lease, BillRow | None]]:
        worker = f"{self.actor} ({self.run})"
        lease = self.ledger.claim(self.site, bill, worker, LEASE_SECONDS)
        if lease is None:
            raise BillHeldError(bill)
        try:
            yield lease, self.ledger.bill(self.site, bill)
        finally:
            self.ledger.release(lease)
