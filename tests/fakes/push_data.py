"""Bills, routes and invoices as the tests of push need them: short to write, complete to use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from reconciler.definitions.kinds.integration import (
    ChargebeePage,
    EntityPanel,
    GlobalPanel,
    IntegrationSpec,
    PushPolicy,
)
from reconciler.definitions.model import Defined, DocumentPath
from reconciler.drafting.draft import (
    BlockedBill,
    DecimalPricing,
    DraftLine,
    InvoiceDraft,
    NothingToSend,
    WholePricing,
)
from reconciler.drafting.draft_bill import draft_bill
from reconciler.drafting.route import DraftingRules, KnownMapping, Readings, index
from reconciler.kernel.address import AccountId, BillId, IntegrationId
from reconciler.kernel.line_item import Destination
from reconciler.kernel.money import Currency, Money
from reconciler.kernel.problem import Origin
from reconciler.m3ter.bill import Band, Bill, BillLine, LineId
from reconciler.sync.model.invoice import Invoice, InvoiceLine
from reconciler.sync.model.push import InvoiceId, InvoiceLineId

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
THIS = IntegrationId("config-uk")
OTHER = IntegrationId("config-us")
FILE = "integrations.d/chargebee-uk/integration.yaml"


def dec(text: str) -> Decimal:
    return Decimal(text)


def line(kind: str = "USAGE", amount: str | None = "400", **more: Any) -> BillLine:
    """A line in the bill's currency; numbers may be given as text."""
    fields: dict[str, Any] = {"id": LineId("line"), "type": kind, "product_id": "prod-api"}
    fields |= {"description": kind.replace("_", " ").title(), "unit": "calls"}
    if amount is not None:
        fields["subtotal"] = dec(amount)
    for key, value in more.items():
        numeric = key in {"units", "quantity", "subtotal", "converted_subtotal", "conversion_rate"}
        fields[key] = dec(value) if numeric and isinstance(value, str) else value
    return BillLine(**fields)


def band(subtotal: str | None = None, units: str | None = None, **more: str) -> Band:
    numbers: dict[str, Any] = {key: dec(value) for key, value in more.items() if key != "id"}
    return Band(
        id=more.get("id", ""),
        subtotal=None if subtotal is None else dec(subtotal),
        units=None if units is None else dec(units),
        **numbers,
    )


def bill(*lines: BillLine, **more: Any) -> Bill:
    fields: dict[str, Any] = {
        "id": BillId("bill-1"),
        "version": 3,
        "account_id": AccountId("acc-acme"),
        "account_code": "acme-uk",
        "status": "APPROVED",
        "currency": "GBP",
        "start_date": date(2026, 11, 1),
        "end_date": date(2026, 12, 1),
        "external_invoice_date": date(2026, 12, 1),
        "time_zone": "Europe/London",
        "lines": lines,
    }
    return Bill(**(fields | more))


def spec(
    *, page: dict[str, Any] | None = None, push: dict[str, Any] | None = None, **entity: Any
) -> IntegrationSpec:
    settings: dict[str, Any] = {"default_price_id": "other-GBP", "create_invoice": True}
    policy: dict[str, Any] = {
        "since": "2026-12-01",
        "account_is": "subscription",
        "collection": "off",
    }
    return IntegrationSpec(
        display_name="Chargebee UK bills",
        destination=Destination.CHARGEBEE,
        delivery="push",
        connection="disconnected",
        global_=GlobalPanel(account_ids="all"),
        entity=EntityPanel(**({"only_send_bill_on_approval": True} | entity)),
        chargebee=ChargebeePage(**(settings | (page or {}))),
        push=PushPolicy(**(policy | (push or {}))),
    )


def route(
    *,
    page: dict[str, Any] | None = None,
    push: dict[str, Any] | None = None,
    entity: dict[str, Any] | None = None,
    mappings: Iterable[KnownMapping] = (),
    enforced: bool = False,
    readings: Readings | None = None,
    **more: Any,
) -> DraftingRules:
    origins: dict[DocumentPath, Origin] = {
        ("chargebee", "defaultPriceId"): Origin(FILE, 30, 5),
        ("chargebee", "priceIdMapping"): Origin(FILE, 31, 5),
        ("chargebee", "priceIdMapping", "USAGE"): Origin(FILE, 32, 7),
        ("chargebee", "minimumSpendItemPrice"): Origin(FILE, 28, 5),
        ("chargebee", "standingChargeItemPrice"): Origin(FILE, 29, 5),
        ("entity", "excludedLineItemTypes"): Origin(FILE, 20, 5),
    }
    defined = Defined(
        "chargebee-uk", spec(page=page, push=push, **(entity or {})), Origin(FILE, 1), origins
    )
    found = index(mappings, THIS, enforced=enforced)
    return DraftingRules(defined, found, readings=readings or Readings(), **more)


def mapping(
    entity: str,
    m3ter_id: str,
    external_id: str,
    link: IntegrationId | None = None,
    table: str = "ItemPrice",
) -> KnownMapping:
    return KnownMapping(entity, m3ter_id, table, external_id, link, Origin("prices.csv", 12))


def drafted(bill: Bill, by: DraftingRules) -> InvoiceDraft:
    outcome = draft_bill(bill, by, NOW)
    assert isinstance(outcome, InvoiceDraft), outcome
    return outcome


def blocked(bill: Bill, by: DraftingRules) -> BlockedBill:
    outcome = draft_bill(bill, by, NOW)
    assert isinstance(outcome, BlockedBill), outcome
    return outcome


def nothing(bill: Bill, by: DraftingRules) -> NothingToSend:
    outcome = draft_bill(bill, by, NOW)
    assert isinstance(outcome, NothingToSend), outcome
    return outcome


def sent_line(number: int, wanted: DraftLine, **changes: Any) -> InvoiceLine:
    """The line that Chargebee makes of a drafted one."""
    match wanted.pricing:
        case WholePricing(quantity, price):
            figures = (Decimal(quantity), price.major)
        case DecimalPricing(units, unit_price):
            figures = (units, unit_price)
        case _:
            figures = (Decimal(1), Decimal(7))
    amount: Money = changes.get("amount", wanted.expected or Money(700, Currency("GBP", 2)))
    made = InvoiceLine(
        InvoiceLineId(f"li_{number}"),
        wanted.price_id,
        amount,
        Money(0, amount.currency),
        figures[0],
        figures[1],
        wanted.period.start,
        wanted.period.end,
        wanted.description,
        "acc-acme",
    )
    return replace(made, **changes)


def invoice_of(draft: InvoiceDraft, **changes: Any) -> Invoice:
    """The invoice that Chargebee makes of a draft."""
    lines = tuple(sent_line(n, line) for n, line in enumerate(draft.lines, start=1))
    made = Invoice(
        InvoiceId("inv_1"),
        "posted",
        "cust-acme",
        draft.target.external_id,
        draft.currency.code,
        NOW,
        lines,
        draft.bill_id,
    )
    return replace(made, **changes)
