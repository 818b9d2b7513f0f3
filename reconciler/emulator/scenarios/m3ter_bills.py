"""How scenarios make m3ter's bills: periods, lines with bands, totals that add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from reconciler.emulator.clock import iso
from reconciler.emulator.m3ter.bill_state import BILLS
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.scenarios.m3ter_objects import Metered
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class BilledPeriod:
    """A billing period in the bill's time zone.

    Attributes:
        start: First day.
        end: The day after the last one.
    """

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class BillForm:
    """What makes a bill, beside its lines.

    Attributes:
        account: The account.
        period: What it is for.
        currency: Of the bill.
        status: PENDING or APPROVED.
        user: Who approved it.
        timezone: IANA name.
        extra: Fields that replace or join the usual ones.
    """

    account: JsonObject
    period: BilledPeriod
    currency: str
    status: str = "PENDING"
    user: str = entities.SERVICE_USER
    timezone: str = "UTC"
    extra: Mapping[str, Any] = field(default_factory=dict)


def bill(store: Store, form: BillForm, lines: Iterable[JsonObject]) -> JsonObject:
    """Store a bill with its lines, numbered in their order."""
    now = iso(store.now())
    data: JsonObject = {
        "id": store.new_id(),
        "version": 1,
        **_head(form),
        "createdDate": now,
        "lastCalculatedDate": now,
        "currencyConversions": [],
        "dtCreated": now,
        "dtLastModified": now,
        "createdBy": entities.SERVICE_USER,
        "lastModifiedBy": entities.SERVICE_USER,
        "lineItems": [
            {"id": store.new_id(), "sequenceNumber": number, **line}
            for number, line in enumerate(lines, start=1)
        ],
    }
    if form.status == "APPROVED":
        data |= {"version": 2, "dtApproved": now, "approvedBy": form.user}
    data |= form.extra
    store.put(BILLS, data)
    return data


def _head(form: BillForm) -> JsonObject:
    end = form.period.end
    # Source: m3ter OpenAPI 2026-08-03, OrganizationConfigResponse: FIRST_DAY_OF_NEXT_PERIOD
    return {
        "accountId": form.account["id"],
        "accountCode": form.account["code"],
        "startDate": form.period.start.isoformat(),
        "endDate": end.isoformat(),
        "startDateTimeUTC": f"{form.period.start.isoformat()}T00:00:00Z",
        "endDateTimeUTC": f"{end.isoformat()}T00:00:00Z",
        "billDate": end.isoformat(),
        "dueDate": (end + timedelta(days=30)).isoformat(),
        "externalInvoiceDate": end.isoformat(),
        "billingFrequency": "MONTHLY",
        "billFrequencyInterval": 1,
        "timezone": form.timezone,
        "currency": form.currency,
        "locked": False,
        "status": form.status,
        "jsonStatementGenerated": False,
        "csvStatementGenerated": False,
        "statementStale": False,
    }


def usage_line(  # noqa: PLR0917 - the columns of a scenario's table
    metered_by: Metered,
    period: BilledPeriod,
    currency: str,
    units: Iterable[str],
    rate: Decimal = ONE,
    kind: str = "USAGE",
) -> JsonObject:
    """A usage line of a metered product.

    Args:
        metered_by: The product.
        period: The service period.
        currency: Of the pricing.
        units: Units in each band of the pricing, from the lowest.
        rate: Conversion to the bill's currency.
        kind: The line item type.
    """
    pricing = metered_by.pricing[currency]
    bands = [
        _band(band, Decimal(amount), rate)
        for band, amount in zip(pricing["pricingBands"], units, strict=False)
    ]
    total_units = sum((band["bandUnits"] for band in bands), ZERO)
    subtotal = sum((band["bandSubtotal"] for band in bands), ZERO)
    return {
        **line(kind, metered_by.aggregation["name"], subtotal, currency, period, rate),
        "quantity": total_units,
        "units": total_units,
        "unit": metered_by.aggregation["unit"],
        "averageUnitPrice": _average(subtotal, total_units),
        "productId": metered_by.product["id"],
        "productName": metered_by.product["name"],
        "productCode": metered_by.product["code"],
        "aggregationId": metered_by.aggregation["id"],
        "meterId": metered_by.meter["id"],
        "planId": metered_by.plan[currency]["id"],
        "pricingId": pricing["id"],
        "usagePerPricingBand": bands,
    }


def line(  # noqa: PLR0917 - the columns of a scenario's table
    kind: str,
    description: str,
    subtotal: Decimal,
    currency: str,
    period: BilledPeriod | None,
    rate: Decimal = ONE,
) -> JsonObject:
    """A line of one unit at an amount; without a period it has no service dates."""
    item: JsonObject = {
        "lineItemType": kind,
        "description": description,
        "quantity": ONE,
        "units": ONE,
        "unit": "unit",
        "averageUnitPrice": subtotal,
        "subtotal": subtotal,
        "currency": currency,
        "conversionRate": rate,
        "convertedSubtotal": subtotal * rate,
    }
    if period is not None:
        item["servicePeriodStartDate"] = f"{period.start.isoformat()}T00:00:00Z"
        item["servicePeriodEndDate"] = f"{period.end.isoformat()}T00:00:00Z"
    return item


def _band(band: JsonObject, units: Decimal, rate: Decimal) -> JsonObject:
    unit_subtotal = units * band["unitPrice"]
    subtotal = band["fixedPrice"] + unit_subtotal
    return {
        "pricingBandId": band["id"],
        "lowerLimit": band["lowerLimit"],
        "fixedPrice": band["fixedPrice"],
        "unitPrice": band["unitPrice"],
        "unitSubtotal": unit_subtotal,
        "bandUnits": units,
        "bandQuantity": units,
        "bandSubtotal": subtotal,
        "convertedBandSubtotal": subtotal * rate,
    }


def _average(subtotal: Decimal, units: Decimal) -> Decimal:
    return (subtotal / units).quantize(Decimal("0.00000001")).normalize() if units else ZERO
