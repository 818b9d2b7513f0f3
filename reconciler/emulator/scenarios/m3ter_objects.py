"""How scenarios make m3ter's objects: short forms of what its API would be sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from reconciler.emulator.clock import iso
from reconciler.emulator.m3ter import catalogue, entities, resources
from reconciler.emulator.m3ter.bill_state import BILLS
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
ZERO = Decimal(0)
ONE = Decimal(1)


def account(
    store: Store, code: str, name: str, country: str, currency: str, **custom: str
) -> JsonObject:
    """An account with ``address.country`` and ``customFields.country``."""
    body = {
        "name": name,
        "code": code,
        "emailAddress": f"billing@{code}.example",
        "address": {"addressLine1": "1 High Street", "country": country},
        "currency": currency,
        "daysBeforeBillDue": 30,
        "customFields": {"country": country, **custom},
    }
    return entities.create(store, resources.ACCOUNTS, body, quiet=True)


def user(store: Store, email: str, first: str, last: str, organisation: str) -> JsonObject:
    """A person who may use the Console."""
    body = {
        "email": email,
        "firstName": first,
        "lastName": last,
        "organizations": [organisation],
        "supportUser": False,
    }
    return entities.create(store, resources.USERS, body, quiet=True)


def credential(store: Store, name: str, kind: str, destination: str) -> JsonObject:
    """An integration credential; its secret does not exist here at all."""
    body = {"name": name, "type": kind, "destination": destination}
    return entities.create(store, resources.CREDENTIALS, body, quiet=True)


@dataclass(frozen=True, slots=True)
class Metered:
    """A product that is billed by usage, with everything between meter and price.

    Attributes:
        product: The product.
        aggregation: What is counted.
        plan: One plan per currency.
        pricing: One pricing per currency; its bands have ids.
    """

    product: JsonObject
    meter: JsonObject
    aggregation: JsonObject
    plan: Mapping[str, JsonObject]
    pricing: Mapping[str, JsonObject]


def metered(
    store: Store,
    code: str,
    name: str,
    unit: str,
    bands: Mapping[str, Iterable[tuple[str, str, str]]],
) -> Metered:
    """A metered product.

    Args:
        store: Where to put it.
        code: Of the product; the other codes begin with it.
        name: Of the product.
        unit: What is counted.
        bands: Currency -> bands of (lower limit, fixed price, unit price).
    """
    product = entities.create(store, resources.PRODUCTS, {"name": name, "code": code}, quiet=True)
    meter = entities.create(store, resources.METERS, _meter(code, name, unit, product), quiet=True)
    aggregation = entities.create(
        store, resources.AGGREGATIONS, _aggregation(code, name, unit, meter), quiet=True
    )
    plans: dict[str, JsonObject] = {}
    pricings: dict[str, JsonObject] = {}
    for currency, rows in bands.items():
        plans[currency] = _plan(store, f"{code}-{currency.lower()}", name, currency, product)
        pricings[currency] = _pricing(store, plans[currency], aggregation, rows)
    return Metered(product, meter, aggregation, plans, pricings)


def _meter(code: str, name: str, unit: str, product: JsonObject) -> JsonObject:
    fields = [{"category": "MEASURE", "code": "amount", "name": "Amount", "unit": unit}]
    return {
        "name": name,
        "code": f"{code}-meter".replace("-", "_"),
        "productId": product["id"],
        "dataFields": fields,
        "derivedFields": [],
    }


def _aggregation(code: str, name: str, unit: str, meter: JsonObject) -> JsonObject:
    return {
        "name": name,
        "code": f"{code}-sum".replace("-", "_"),
        "rounding": "NONE",
        "quantityPerUnit": 1,
        "unit": unit,
        "meterId": meter["id"],
        "targetField": "amount",
        "aggregation": "SUM",
    }


def _plan(store: Store, code: str, name: str, currency: str, product: JsonObject) -> JsonObject:
    template = entities.create(
        store,
        resources.PLAN_TEMPLATES,
        {
            "productId": product["id"],
            "name": f"{name} {currency}",
            "code": f"{code}-template",
            "currency": currency,
            "standingCharge": 0,
            "billFrequency": "MONTHLY",
        },
        quiet=True,
    )
    body = {"planTemplateId": template["id"], "name": f"{name} {currency}", "code": code}
    extra = catalogue.plan_extra(store, body)
    return entities.create(store, resources.PLANS, body, quiet=True, extra=extra)


def _pricing(
    store: Store,
    plan: JsonObject,
    aggregation: JsonObject,
    rows: Iterable[tuple[str, str, str]],
) -> JsonObject:
    bands = [
        {"lowerLimit": Decimal(low), "fixedPrice": Decimal(fixed), "unitPrice": Decimal(price)}
        for low, fixed, price in rows
    ]
    body = {
        "planId": plan["id"],
        "aggregationId": aggregation["id"],
        "startDate": "2026-01-01T00:00:00Z",
        "pricingBands": bands,
    }
    extra = catalogue.pricing_extra(store, body)
    return entities.create(store, resources.PRICINGS, body, quiet=True, extra=extra)


@dataclass(frozen=True, slots=True)
class Period:
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
    period: Period
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
    period: Period,
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
        _band(one, Decimal(amount), rate)
        for one, amount in zip(pricing["pricingBands"], units, strict=False)
    ]
    total_units = sum((one["bandUnits"] for one in bands), ZERO)
    subtotal = sum((one["bandSubtotal"] for one in bands), ZERO)
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
    period: Period | None,
    rate: Decimal = ONE,
) -> JsonObject:
    """A line of one unit at an amount; without a period it has no service dates."""
    made: JsonObject = {
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
        made["servicePeriodStartDate"] = f"{period.start.isoformat()}T00:00:00Z"
        made["servicePeriodEndDate"] = f"{period.end.isoformat()}T00:00:00Z"
    return made


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
