"""A bill as m3ter calculated it; both wire shapes of a line come out as these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NewType

from reconciler.kernel.address import AccountId, BillId

LineId = NewType("LineId", str)
"""Id of a bill line; may change when the bill is recalculated, so it never is an identity."""

When = date | datetime
"""A calendar date, or a date with time; a datetime without zone is meant in the bill's."""


@dataclass(frozen=True, slots=True)
class Band:
    """What one pricing band contributed to a line; ``None`` where m3ter says nothing.

    Source: m3ter OpenAPI 2026-08-03, BillLineItemPricingBandUsage.

    Attributes:
        id: ``pricingBandId``, or empty.
        units: ``bandUnits``: rated units in this band.
        quantity: ``bandQuantity``: raw usage in this band.
        fixed_price: Fixed part, in the line's currency.
        unit_price: Price of one unit, in the line's currency.
        unit_subtotal: Units times unit price, in the line's currency.
        subtotal: ``bandSubtotal``, in the line's currency.
        converted_subtotal: ``convertedBandSubtotal``, in the bill's currency.
    """

    id: str = ""
    lower_limit: Decimal | None = None
    units: Decimal | None = None
    quantity: Decimal | None = None
    fixed_price: Decimal | None = None
    unit_price: Decimal | None = None
    unit_subtotal: Decimal | None = None
    subtotal: Decimal | None = None
    converted_subtotal: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a bill; texts are empty and numbers ``None`` where m3ter says nothing.

    Source: m3ter OpenAPI 2026-08-03, BillLineItem (``usagePerPricingBand``) and
    BillLineItemResponse (``bandUsage``, no child account).

    Attributes:
        type: m3ter's word; a ``LineItemType`` when it is a known one.
        quantity: Raw usage.
        units: Rated units; prices are per unit.
        unit: Name of the unit.
        subtotal: In ``currency``, before conversion; negative for credits.
        currency: The line's own currency; empty means the bill's.
        conversion_rate: From the line's currency to the bill's.
        converted_subtotal: In the bill's currency.
        segment: Segment of a segmented aggregation.
        service_from: Start of the service period, inclusive.
        service_to: End of the service period, exclusive.
        sequence: ``sequenceNumber``.
    """

    id: LineId
    type: str
    description: str = ""
    quantity: Decimal | None = None
    units: Decimal | None = None
    unit: str = ""
    subtotal: Decimal | None = None
    currency: str = ""
    conversion_rate: Decimal | None = None
    converted_subtotal: Decimal | None = None
    bands: tuple[Band, ...] = ()
    product_id: str = ""
    product_code: str = ""
    product_name: str = ""
    aggregation_id: str = ""
    contract_id: str = ""
    reason_id: str = ""
    referenced_line_id: str = ""
    segment: Mapping[str, str] = field(default_factory=dict)
    group: Mapping[str, str] = field(default_factory=dict)
    child_account_id: str = ""
    child_account_code: str = ""
    service_from: When | None = None
    service_to: When | None = None
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class CurrencyConversion:
    """A rate that the bill used: one unit of ``source`` is ``multiplier`` units of ``target``."""

    source: str
    target: str
    multiplier: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """One bill with all of its lines.

    Source: m3ter OpenAPI 2026-08-03, BillResponse and AbstractBillResponse.

    Attributes:
        version: Rises with every change, also with locks and approvals.
        status: ``PENDING`` or ``APPROVED``.
        currency: ISO 4217.
        start_date: First day of the period.
        end_date: End of the period as m3ter gives it.
        start_at: ``startDateTimeUTC``: the exact start, with its zone.
        end_at: ``endDateTimeUTC``: the exact end, with its zone.
        time_zone: IANA name; dates of the bill are meant in it.
        purchase_order: ``purchaseOrderNumber``.
        created_at: ``dtCreated``; nothing moves it.
        calculated_at: ``lastCalculatedDate``; only a recalculation moves it.
        total: ``billTotal``, only when asked for.
        lines: In the bill's order.
    """

    id: BillId
    version: int
    account_id: AccountId
    account_code: str
    status: str
    currency: str
    start_date: date
    end_date: date
    lines: tuple[BillLine, ...] = ()
    start_at: datetime | None = None
    end_at: datetime | None = None
    bill_date: date | None = None
    external_invoice_date: date | None = None
    time_zone: str = "UTC"
    locked: bool = False
    purchase_order: str = ""
    created_at: datetime | None = None
    calculated_at: datetime | None = None
    approved_at: datetime | None = None
    total: Decimal | None = None
    conversions: tuple[CurrencyConversion, ...] = ()
