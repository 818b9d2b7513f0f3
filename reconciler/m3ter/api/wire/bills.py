"""Bills and both wire shapes of their lines -> domain (pure).

Source: m3ter OpenAPI 2026-08-03. A line inside a bill (BillLineItem) calls its bands
``usagePerPricingBand``; the line item resource (BillLineItemResponse) calls them ``bandUsage``
and knows no child account.
"""

from __future__ import annotations

from datetime import date

from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.line_item import LineItemType
from reconciler.kernel.value import JsonObject
from reconciler.m3ter.api.wire.fields import (
    FieldError,
    calendar_date,
    date_time,
    flag,
    number,
    objects,
    required,
    text,
    texts,
    version_of,
    when,
    whole,
)
from reconciler.m3ter.bill import Band, Bill, BillLine, CurrencyConversion, LineId

_LINE_TEXTS = {
    "description": "description",
    "unit": "unit",
    "currency": "currency",
    "product_id": "productId",
    "product_code": "productCode",
    "product_name": "productName",
    "aggregation_id": "aggregationId",
    "contract_id": "contractId",
    "reason_id": "reasonId",
    "referenced_line_id": "referencedLineItemId",
    "child_account_id": "childAccountId",
    "child_account_code": "childAccountCode",
}
"""Field of a line -> its wire key, for plain texts."""


def decode_bill(found: JsonObject) -> Bill:
    """Read a bill with the lines it holds.

    Raises:
        UnreadableAnswerError: When a field is missing that no bill is without.
    """
    return Bill(
        id=BillId(required(found, "id")),
        version=version_of(found),
        account_id=AccountId(required(found, "accountId")),
        account_code=text(found, "accountCode"),
        status=required(found, "status"),
        currency=required(found, "currency"),
        start_date=_day(found, "startDate"),
        end_date=_day(found, "endDate"),
        lines=tuple(decode_line(line) for line in objects(found, "lineItems")),
        start_at=date_time(found, "startDateTimeUTC"),
        end_at=date_time(found, "endDateTimeUTC"),
        bill_date=calendar_date(found, "billDate"),
        external_invoice_date=calendar_date(found, "externalInvoiceDate"),
        time_zone=text(found, "timezone") or "UTC",
        locked=flag(found, "locked") or False,
        purchase_order=text(found, "purchaseOrderNumber"),
        created_at=date_time(found, "dtCreated"),
        calculated_at=date_time(found, "lastCalculatedDate"),
        approved_at=date_time(found, "dtApproved"),
        total=number(found, "billTotal"),
        conversions=tuple(
            _conversion(conversion) for conversion in objects(found, "currencyConversions")
        ),
    )


def decode_line(found: JsonObject) -> BillLine:
    """Read a line of either shape; an unknown type stays m3ter's word."""
    kind = required(found, "lineItemType")
    return BillLine(
        id=LineId(text(found, "id")),
        type=LineItemType(kind) if kind in LineItemType.__members__ else kind,
        quantity=number(found, "quantity"),
        units=number(found, "units"),
        subtotal=number(found, "subtotal"),
        conversion_rate=number(found, "conversionRate"),
        converted_subtotal=number(found, "convertedSubtotal"),
        bands=_bands(found),
        segment=texts(found, "segment"),
        group=texts(found, "group"),
        service_from=when(found, "servicePeriodStartDate"),
        service_to=when(found, "servicePeriodEndDate"),
        sequence=whole(found, "sequenceNumber"),
        **{name: text(found, key) for name, key in _LINE_TEXTS.items()},
    )


def decode_band(found: JsonObject) -> Band:
    """Read what one pricing band contributed to a line."""
    return Band(
        id=text(found, "pricingBandId"),
        lower_limit=number(found, "lowerLimit"),
        units=number(found, "bandUnits"),
        quantity=number(found, "bandQuantity"),
        fixed_price=number(found, "fixedPrice"),
        unit_price=number(found, "unitPrice"),
        unit_subtotal=number(found, "unitSubtotal"),
        subtotal=number(found, "bandSubtotal"),
        converted_subtotal=number(found, "convertedBandSubtotal"),
    )


def _bands(found: JsonObject) -> tuple[Band, ...]:
    many = objects(found, "usagePerPricingBand") or objects(found, "bandUsage")
    return tuple(decode_band(band) for band in many)


def _conversion(found: JsonObject) -> CurrencyConversion:
    multiplier = number(found, "multiplier")
    if multiplier is None:
        raise FieldError(found, "multiplier", "a number")
    return CurrencyConversion(required(found, "from"), required(found, "to"), multiplier)


def _day(found: JsonObject, key: str) -> date:
    value = calendar_date(found, key)
    if value is None:
        raise FieldError(found, key, "a date")
    return value
