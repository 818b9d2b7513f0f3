"""A month of pushes to read: m3ter's bills, a real ledger, a site in memory, one push route."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from fakes.clock import FakeClock
from fakes.push_data import NOW, invoice_of, route

from reconciler.drafting.draft import BilledParty, BlockReason, DraftOutcome, InvoiceDraft
from reconciler.drafting.draft_bill import draft_bill
from reconciler.drafting.draft_json import draft_to_json
from reconciler.drafting.route import DraftingRules, Readings
from reconciler.kernel.address import BillId
from reconciler.ledger.history import SqlHistory
from reconciler.ledger.ledger import SqlLedger
from reconciler.ledger.opening import Expected, create_ledger
from reconciler.ledger.spooled_invoices import SpooledInvoices, spooled_invoices
from reconciler.ledger.sql.sqlite_file import open_sqlite
from reconciler.m3ter.bill import Bill, BillLine
from reconciler.m3ter.ports import BillQuery, NotFoundError
from reconciler.reconcile.core.month import InForce
from reconciler.reconcile.routes import Ours, RouteStanding
from reconciler.sync.core.when_to_act import RetryTimes
from reconciler.sync.model.invoice import Estimate, Invoice, InvoiceChange, NotEstimated
from reconciler.sync.model.push import (
    Effect,
    InvoiceId,
    InvoiceLineId,
    Performed,
    PushKey,
    PushStatus,
    SiteName,
    Step,
    StepKind,
    StepName,
    StepOutcome,
    StoredRequest,
)
from reconciler.sync.ports.destination import DestinationError
from reconciler.sync.ports.ledger import BillRow, Provenance

SITE = SiteName("acme-test")
LEDGER_ID = "6f0c2d1e-0000-4000-8000-000000000001"
NAME = "chargebee-uk"


@dataclass
class ListedBills:
    """Implements ``m3ter.ports.Bills`` over a list; remembers the queries."""

    bills: list[Bill] = field(default_factory=list)
    queries: list[BillQuery] = field(default_factory=list)

    def list(self, query: BillQuery) -> Iterator[Bill]:
        self.queries.append(query)
        for bill in self.bills:
            dated = bill.bill_date or bill.end_date
            if query.ids is not None and bill.id not in query.ids:
                continue
            if query.since is not None and dated < query.since:
                continue
            if query.until is not None and dated >= query.until:
                continue
            yield bill

    def get(self, identity: BillId) -> Bill:
        for bill in self.bills:
            if bill.id == identity:
                return bill
        raise NotFoundError(identity)

    def lines(self, identity: BillId) -> tuple[BillLine, ...]:
        return self.get(identity).lines


@dataclass
class SiteInMemory:
    """The reading half of ``sync.ports.destination.Destination``; nothing here may be written."""

    invoices: dict[InvoiceId, Invoice] = field(default_factory=dict)
    reasons: tuple[BlockReason, ...] = ()
    reads: list[InvoiceId] = field(default_factory=list)
    estimated: Estimate = field(default_factory=lambda: NotEstimated("not asked"))
    remembered: list[InvoiceChange] = field(default_factory=list)
    forgets: DestinationError | None = None
    asked_changes: list[frozenset[InvoiceId]] = field(default_factory=list)
    site: SiteName = SITE

    def put(self, invoice: Invoice) -> Invoice:
        self.invoices[invoice.id] = invoice
        return invoice

    def expect(self, targets: Sequence[BilledParty]) -> None:
        """Need no list."""

    def check(self, draft: InvoiceDraft) -> tuple[BlockReason, ...]:
        return self.reasons

    def estimate(self, draft: InvoiceDraft) -> Estimate:
        return self.estimated

    def stamped(self, since: datetime) -> Iterator[Invoice]:
        yield from (invoice for invoice in self.invoices.values() if invoice.stamp)

    def read(self, invoice: InvoiceId) -> Invoice | None:
        self.reads.append(invoice)
        return self.invoices.get(invoice)

    def by_bill(
        self, bill: BillId, draft: InvoiceDraft, done: Sequence[Effect] = ()
    ) -> tuple[Invoice, ...]:
        return tuple(invoice for invoice in self.invoices.values() if invoice.stamp == bill)

    def changes(self, invoices: Collection[InvoiceId], since: datetime) -> Iterator[InvoiceChange]:
        self.asked_changes.append(frozenset(invoices))
        yield from (change for change in self.remembered if change.invoice_id in invoices)
        if self.forgets is not None:
            raise self.forgets

    def next_step(self, *_: Any) -> Any:
        raise AssertionError("a reader asks for no step")

    def given(self, *_: Any) -> None:
        """Nothing was credited beside an invoice."""

    def closing(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("a reader closes nothing")

    def perform(self, *_: Any) -> Any:
        raise AssertionError("a reader sends nothing")

    def alike(self, *_: Any) -> Any:
        raise AssertionError("a reader adds no line")

    def look_up(self, *_: Any) -> Any:
        raise AssertionError("a reader looks nothing up")

    def vendor_time(self) -> Any:
        raise AssertionError("a reader asks for no time")


@dataclass
class OneRoute:
    """Implements ``PushRoutes``: one route takes every bill, unless the test says otherwise."""

    by: DraftingRules = field(default_factory=route)
    standings: dict[BillId, RouteStanding] = field(default_factory=dict)
    limit: Decimal = Decimal(0)
    expected: list[int] = field(default_factory=list)
    in_force: InForce = field(default_factory=lambda: InForce("sandbox", 4, "3f2c9ab77"))
    integrations: tuple[str, ...] = (NAME,)
    readings: Readings = field(default_factory=Readings)

    def tolerance(self, integration: str) -> Decimal:
        return self.limit

    def expect(self, bills: Collection[Bill]) -> None:
        self.expected.append(len(bills))

    def standing(self, bill: Bill) -> RouteStanding:
        return self.standings.get(bill.id, Ours(NAME))

    def draft(self, bill: Bill, integration: str) -> DraftOutcome:
        return draft_bill(bill, self.by, NOW)


@dataclass
class Month:
    """Everything a reader of pushes needs."""

    ledger: SqlLedger
    history: SqlHistory
    shelf: SpooledInvoices
    clock: FakeClock
    bills: ListedBills = field(default_factory=ListedBills)
    site: SiteInMemory = field(default_factory=SiteInMemory)
    routes: OneRoute = field(default_factory=OneRoute)

    def billed(self, *bills: Bill) -> None:
        """Let m3ter have these bills."""
        self.bills.bills.extend(bills)

    def drafted(self, bill: Bill) -> InvoiceDraft:
        made = self.routes.draft(bill, NAME)
        assert isinstance(made, InvoiceDraft), made
        return made

    def recorded(
        self, bill: Bill, status: PushStatus, draft: InvoiceDraft | None = None, **changes: Any
    ) -> None:
        """Put a bill into the ledger."""
        lease = self.ledger.claim(SITE, bill.id, "worker", 3600)
        assert lease is not None
        fields: dict[str, Any] = {
            "site": SITE,
            "bill_id": bill.id,
            "account_id": bill.account_id,
            "integration": NAME,
            "generation": 1,
            "status": status,
            "input_hash": draft.input_hash if draft else "",
            "draft": draft_to_json(draft) if draft else b"",
            "billed": draft.billed if draft else None,
            "expected": draft.expected if draft else None,
            "period_end": bill.end_date,
            "next_at": None,
            "changed_at": self.clock.now(),
            "message": "",
        }
        self.ledger.put_bill(lease, BillRow(**(fields | changes)))
        self.ledger.release(lease)

    def sent(self, bill: Bill, number: int = 1, **invoice: Any) -> Invoice:
        """Send a bill in one request, and let its invoice stand at the site."""
        draft = self.drafted(bill)
        identity = InvoiceId(f"inv_{number}")
        made = self.site.put(invoice_of(draft, **({"id": identity} | invoice)))
        self.recorded(bill, PushStatus.COMPLETE, draft)
        lines = tuple(line.id for line in invoice_of(draft).lines)
        self.attempted(bill.id, Performed(identity, lines))
        return made

    def attempted(
        self,
        bill: BillId,
        *outcomes: StepOutcome,
        kind: StepKind = StepKind.CREATE_INVOICE,
        number: int = 0,
        generation: int = 1,
        before: frozenset[InvoiceLineId] | None = None,
        draft_line: int | None = None,
    ) -> PushKey:
        """Record a step and what each of its attempts ended in."""
        lease = self.ledger.claim(SITE, bill, "worker", 3600)
        assert lease is not None
        key = PushKey(SITE, bill, generation, StepName(kind, number))
        request = StoredRequest("/invoices", b"a=1")
        invoice = InvoiceId("inv_p") if before is not None else None
        step = Step(key.step, request, invoice, before, draft_line)
        why = Provenance("run-1", NAME, 4, "3f2c9ab77", 3, "a" * 64)
        self.ledger.intend(lease, key, step, why)
        for outcome in outcomes:
            self.ledger.sending(lease, key)
            self.ledger.ended(lease, key, outcome, None)
            self.clock.advance(60)
        self.ledger.release(lease)
        return key


@contextmanager
def month(folder: Path) -> Iterator[Month]:
    """Open an empty month over a new ledger."""
    clock = FakeClock()
    with closing(open_sqlite(folder / "ledger.sqlite", clock)) as database:
        expected = Expected(LEDGER_ID, None, lambda _: None)
        ledger = create_ledger(database, expected, RetryTimes())
        with spooled_invoices() as shelf:
            yield Month(ledger, SqlHistory(database), shelf, clock)


def texts(rows: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    return [str(row[name]) for row in rows]
