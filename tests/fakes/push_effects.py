"""Keys, steps, rows and invoices as the tests of the ledger and of workers need them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Currency, Money
from reconciler.ledger.opening import Expected
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import (
    InvoiceId,
    InvoiceLineId,
    PushKey,
    PushStatus,
    SiteName,
    Step,
    StepKind,
    StepName,
    StoredRequest,
)
from reconciler.sync.ports.ledger import BillRow, Provenance
from reconciler.sync.ports.workers import Job

SITE = SiteName("acme-test")
OTHER_SITE = SiteName("acme-live")
BILL = BillId("bill-1")
GBP = Currency("GBP", 2)
WHY = Provenance("run-1", "chargebee-uk", 7, "0123abc", 3, "a" * 64)
LEDGER_ID = "6f0c2d1e-0000-4000-8000-000000000001"
OTHER_ID = "6f0c2d1e-0000-4000-8000-000000000002"


def key(
    number: int = 0, *, bill: str = BILL, generation: int = 1, kind: str = "create-invoice"
) -> PushKey:
    return PushKey(SITE, BillId(bill), generation, StepName(StepKind(kind), number))


def step(key: PushKey, body: bytes = b"a=1&b=%C3%A9") -> Step:
    headers = (("chargebee-a", "1"), ("chargebee-b", "2"))
    request = StoredRequest("/invoices/create_for_charge_items_and_charges", body, headers)
    return Step(key.step, request)


def line_step(key: PushKey, *before: str) -> Step:
    request = StoredRequest("/invoices/inv_1/add_charge_item", b"\x00\xff\x80")
    lines = frozenset(map(InvoiceLineId, before))
    return Step(key.step, request, InvoiceId("inv_1"), lines, 4)


def row(bill: str = BILL, status: PushStatus = PushStatus.STARTED, **changes: Any) -> BillRow:
    made = BillRow(
        site=SITE,
        bill_id=BillId(bill),
        account_id=AccountId("acc-1"),
        integration="chargebee-uk",
        generation=1,
        status=status,
        input_hash="b" * 64,
        draft=b'{"a":0.1666666666666666666}',
        billed=Money(-1234, GBP),
        expected=Money(1230, GBP),
        period_end=date(2026, 12, 1),
        next_at=None,
        changed_at=datetime(2026, 12, 1, 6, tzinfo=UTC),
        message="under way",
    )
    return replace(made, **changes)


def stamped(number: int, bill: str | None = BILL, **changes: Any) -> Invoice:
    made = Invoice(
        id=InvoiceId(f"inv_{number:05d}"),
        status="posted",
        customer_id="cust-1",
        subscription_id="sub-1",
        currency="GBP",
        date=datetime(2026, 12, 1, tzinfo=UTC),
        lines=(),
        stamp=BillId(bill) if bill else None,
    )
    return replace(made, **changes)


def job(number: int, serial: str | None = None) -> Job:
    return Job(SITE, BillId(f"bill-{number}"), serial or f"sub-{number}")


def expected(
    identity: str = LEDGER_ID, seen: Any = None, notes: list[Any] | None = None
) -> Expected:
    kept: list[Any] = [] if notes is None else notes
    return Expected(identity, seen, kept.append)
