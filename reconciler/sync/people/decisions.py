"""What only a person can decide about a bill, and how the ledger takes it.

Every decision is made under the bill's lease, which proves that nothing of it is in flight, and is
recorded with who made it and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.drafting.draft import InvoiceDraft
from reconciler.drafting.draft_bill import draft_bill
from reconciler.drafting.draft_json import draft_from_json
from reconciler.kernel.address import BillId
from reconciler.sync.judge.standings import SENT, STOPPED
from reconciler.sync.model.push import (
    Effect,
    Found,
    InvoiceId,
    PushKey,
    PushState,
    PushStatus,
    Resolved,
    Step,
    StepKind,
    StepName,
    StoredRequest,
)
from reconciler.sync.people.leased_bill import CannotDecideError, LeasedBill, retry_bill
from reconciler.sync.people.lines import ours_on, taken_over, there_now
from reconciler.sync.ports.ledger import BillRow, Lease

NOT_SENT_BY_M3TER = "m3ter sent nothing"
NOT_SENT_BY_LEDGER = "not sent"
_CREDITS = frozenset({StepKind.CREDIT_NOTE, StepKind.PROMOTIONAL_CREDIT})


@dataclass(frozen=True, slots=True)
class BillDecisions(LeasedBill):
    """A person at the ledger of one site."""

    def sent_as(self, bill: BillId, invoice: InvoiceId, reason: str) -> str:
        """Take a person's word that a bill was sent, as an invoice that is there."""
        with self.held(bill) as (lease, row):
            begun = self.begun(bill, row)
            if row is not None and begun is not None:
                self._refuse_other(bill, row, begun, invoice)
                self._take(lease, row, begun, invoice, reason)
                text = f"{self.actor} says it was sent as {invoice}: {reason}"
                self.put(lease, row, PushStatus.STARTED, text)
                return f"bill {bill} counts as sent as {invoice}; the next run reads it back."
        if row is not None and row.status is PushStatus.COMPLETE:
            raise CannotDecideError(bill, "it is sent and read back; there is nothing to decide.")
        return self.adopt(bill, invoice, reason)

    def _take(
        self, lease: Lease, row: BillRow, begun: Effect, invoice: InvoiceId, reason: str
    ) -> None:
        """Record the open step as sent; of lines also those after it that stand there already."""
        found = ours_on(invoice, self, row, begun)
        line = None if begun.draft_line is None else found.pop(begun.draft_line, None)
        decision = Resolved(invoice, reason, () if line is None else (line,))
        self.ledger.resolved(lease, begun.key, decision, self.actor)
        live = self.bills.get(row.bill_id) if found else None
        for position, other in found.items():
            assert live is not None, "it was read for them"
            step = taken_over(begun, invoice, position)
            key = replace(begun.key, step=step.name)
            self.ledger.intend(lease, key, step, self.why(live, self.route(live)))
            self.ledger.resolved(lease, key, Resolved(invoice, reason, (other,)), self.actor)

    def not_sent(self, bill: BillId, reason: str) -> str:
        """Take a person's word that nothing of a bill's open step arrived."""
        with self.held(bill) as (lease, row):
            begun = self.begun(bill, row)
            if row is not None and begun is not None:
                self._refuse_there(row, begun)
                decision = Resolved(None, reason, there_now(begun, self.destination))
                self.ledger.resolved(lease, begun.key, decision, self.actor)
                text = f"{self.actor} says that nothing arrived: {reason}"
                self.put(lease, row, PushStatus.AWAITING_RETRY, text)
                return f"bill {bill} counts as not sent; the next run sends it."
            return self._not_by_others(lease, self._in_doubt(bill, row), reason)

    def _refuse_there(self, row: BillRow, begun: Effect) -> None:
        """Refuse that a step counts as not sent whose outcome can be seen in Chargebee.

        Of a line that the ledger has never sent, one just like it may be anybody's.
        """
        if begun.key.step.kind is StepKind.ADD_LINE and begun.round_started_at is None:
            return
        effects = self.ledger.effects(self.site, row.bill_id)
        found = self.destination.look_up(begun, draft_from_json(row.draft), effects)
        if isinstance(found, Found):
            bill, key = row.bill_id, found.object_id
            why = f"its step {begun.key.step} is in Chargebee, as or on {key}: "
            raise CannotDecideError(bill, f"{why}`reconciler sync decide {bill} --sent {key}`.")

    def _not_by_others(self, lease: Lease, row: BillRow, reason: str) -> str:
        """Take a person's word that neither m3ter nor a ledger that was lost sent a bill."""
        bill, text = row.bill_id, f"{self.actor}: {reason}"
        if row.status is PushStatus.TIMEOUT_LIMIT_EXCEEDED:
            subject = f"native/{bill}"
            self.history.decide(self.site, subject, NOT_SENT_BY_M3TER, self.actor, reason)
            self.put(lease, row, PushStatus.BLOCKED, text)
            return f"m3ter counts as having sent nothing of bill {bill}; the next run sends it."
        if row.status is PushStatus.PARTIAL and not self.ledger.effects(self.site, bill):
            self.history.decide(self.site, f"bill/{bill}", NOT_SENT_BY_LEDGER, self.actor, reason)
            self.put(lease, row, PushStatus.WAITING, text)
            return f"bill {bill} counts as not sent by the lost ledger; the next run sends it."
        why = "nothing of it is in doubt; `sync retry` tries a refused bill again."
        raise CannotDecideError(bill, why)

    def _in_doubt(self, bill: BillId, row: BillRow | None) -> BillRow:
        """Give the row of a bill in doubt; judge it where no run has seen yet that it is."""
        if row is not None and (row.status in STOPPED or self.ledger.effects(self.site, bill)):
            return row
        return self._unseen(bill)

    def _unseen(self, bill: BillId) -> BillRow:
        """Judge a bill as the next run would."""
        live = self.bills.get(bill)
        about = self.judge.watch.one(live.id, live.account_code)
        judged = self.judge.judge(live, about, None).standing
        row = self.row(live, self.route(live), 1, None)
        return replace(row, status=judged.status or row.status)

    def adopt(self, bill: BillId, invoice: InvoiceId, reason: str) -> str:
        """Record the invoice that a bill was sent as by other means; nothing is sent for it."""
        self._refuse_other_invoice(bill, invoice)
        live = self.bills.get(bill)
        with self.held(bill) as (lease, row):
            if self.begun(bill, row) is not None:
                raise CannotDecideError(bill, "a step of it is open; use `sync decide`.")
            if row is not None and row.status in SENT:
                raise CannotDecideError(bill, f"it is sent already: {row.message}")
            route = self.route(live)
            outcome = draft_bill(live, route.route, self.clock.now())
            draft = outcome if isinstance(outcome, InvoiceDraft) else None
            generation = row.generation if row is not None else 1
            name = StepName(StepKind.CREATE_INVOICE)
            key = PushKey(self.site, bill, generation, name)
            step = Step(name, StoredRequest("(adopted)", b""))
            self.ledger.intend(lease, key, step, self.why(live, route))
            self.ledger.resolved(lease, key, Resolved(invoice, reason), self.actor)
            text = f"adopted as invoice {invoice} by {self.actor}: {reason}"
            bill_row = self.row(live, route, generation, draft)
            self.ledger.put_bill(lease, replace(bill_row, status=PushStatus.COMPLETE, message=text))
        return f"bill {bill} is bound to invoice {invoice}; nothing was sent for it."

    def skip(self, bill: BillId, reason: str) -> str:
        """Never send a bill, also when it changes; `sync retry` takes that back."""
        live = self.bills.get(bill)
        with self.held(bill) as (lease, row):
            begun = self.begun(bill, row)
            if begun is not None and begun.state in {PushState.SENDING, PushState.IN_DOUBT}:
                raise CannotDecideError(bill, "whether it was sent is not known; resolve it first.")
            if row is not None and row.status is PushStatus.COMPLETE:
                raise CannotDecideError(bill, f"it is sent already: {row.message}")
            text = f"skipped by {self.actor}: {reason}"
            bill_row = row or self.row(live, self.route(live), 1, None)
            self.put(lease, bill_row, PushStatus.DISABLED, text)
        self.history.decide(self.site, f"bill/{bill}", "skip", self.actor, reason)
        return f"bill {bill} is not sent; `reconciler sync retry {bill}` takes that back."

    def retry(self, bill: BillId) -> str:
        """Try a bill again that was refused, gave up or was skipped, from corrected data."""
        return retry_bill(self, bill)

    def refused(self) -> Iterator[BillId]:
        """Give every bill that Chargebee refused."""
        wanted = (PushStatus.ERROR, PushStatus.ACCOUNTING_PERIOD_CLOSED)
        yield from [bill.bill_id for bill in self.ledger.bills(self.site, wanted)]

    def _refuse_other(
        self, bill: BillId, row: BillRow, begun: Effect, invoice_id: InvoiceId
    ) -> None:
        """Refuse an object that is not there, or is of another bill."""
        if begun.key.step.kind not in _CREDITS:
            self._refuse_other_invoice(bill, invoice_id)
            return
        claimed = replace(begun, state=PushState.DONE, object_id=invoice_id, invoice_id=None)
        amount = self.destination.given(draft_from_json(row.draft), [claimed])
        if amount is not None and not amount.minor:
            raise CannotDecideError(bill, f"Chargebee has no credit {invoice_id} that stands.")

    def _refuse_other_invoice(self, bill: BillId, invoice: InvoiceId) -> None:
        found = self.destination.read(invoice)
        if found is None:
            raise CannotDecideError(bill, f"Chargebee has no invoice {invoice}.")
        if found.deleted or found.status == "voided":
            raise CannotDecideError(bill, f"invoice {invoice} was voided or deleted.")
        if found.stamp not in {None, bill}:
            why = f"invoice {invoice} carries the stamp of bill {found.stamp}."
            raise CannotDecideError(bill, why)
