"""Drafts and steps as requests of Chargebee's API; the bytes that are stored and sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import assert_never

from reconciler.chargebee.form import Pairs, form_body, group, rows, segment
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.drafting.draft import (
    CataloguePricing,
    DecimalPricing,
    DraftLine,
    InvoiceDraft,
    Pricing,
    WholePricing,
)
from reconciler.kernel.address import BillId
from reconciler.kernel.rounding import plain
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import InvoiceId, InvoiceLineId, StoredRequest

CREATE_PATH = "/invoices/create_for_charge_items_and_charges"
ADD_SUFFIX = "/add_charge_item"
DELETE_SUFFIX = "/delete_line_items"
VOID_SUFFIX = "/void"
CLOSE_SUFFIX = "/close"
# Source: Chargebee API docs, response headers of sites with both product catalogues
SCHEMA_HEADER = ("chargebee-response-schema-type", "items")
# Source: Chargebee request schemas, npm package chargebee 3.33.0: comment
COMMENT_LENGTH_MAX = 300


def create_invoice(
    draft: InvoiceDraft, flat_prices: Collection[str], switches: ChargebeeSwitches
) -> StoredRequest:
    """Write the one request that makes the whole invoice, stamped with the bill."""
    is_open = draft.way == "create-open"
    # Source: Chargebee API docs, create_pending_invoice must not be combined with auto_collection
    collection = "off" if draft.collection == "off" and not is_open else ""
    head = {
        f"{draft.target.kind}_id": draft.target.external_id,
        "currency_code": draft.currency.code,
        "create_pending_invoice": "true" if is_open else "",
        "auto_collection": collection,
        "invoice_date": "" if draft.invoice_at is None else seconds(draft.invoice_at),
        "po_number": draft.purchase_order,
        draft.stamp_field: draft.bill_id,
    }
    lines = [_line(drafted, flat_prices, switches) for drafted in draft.lines]
    discounts = [
        {
            "apply_on": "specific_item_price",
            "item_price_id": discount.price_id,
            "amount": str(discount.amount.minor),
        }
        for discount in draft.discounts
    ]
    return request_of(
        CREATE_PATH,
        (*given(head), *rows("item_prices", lines), *rows("discounts", discounts)),
        switches,
    )


def add_line_request(
    draft: InvoiceDraft,
    position: int,
    invoice: Invoice | InvoiceId,
    flat_prices: Collection[str],
    switches: ChargebeeSwitches,
) -> StoredRequest:
    """Write the request that adds one drafted line to a pending invoice.

    Source: Chargebee request schemas, npm package chargebee 3.33.0: one item a call, without
    description or custom fields; ``subscription_id`` chooses on a consolidated invoice.
    """
    key = invoice.id if isinstance(invoice, Invoice) else invoice
    consolidated = isinstance(invoice, Invoice) and not invoice.subscription_id
    line = _line(draft.lines[position], flat_prices, switches)
    item = {name: value for name, value in line.items() if "description" not in name}
    comment = f"m3ter bill {draft.bill_id}, line {position + 1} of {len(draft.lines)}"
    head = {
        "comment": comment[:COMMENT_LENGTH_MAX],
        "subscription_id": draft.target.external_id if consolidated else "",
    }
    body = (*group("item_price", item), *given(head))
    return request_of(f"/invoices/{segment(key)}{ADD_SUFFIX}", body, switches)


def delete_lines(
    invoice_id: InvoiceId, lines: Iterable[InvoiceLineId], switches: ChargebeeSwitches
) -> StoredRequest:
    """Write the request that takes lines off a pending invoice."""
    body = rows("line_items", [{"id": line} for line in lines])
    return request_of(f"/invoices/{segment(invoice_id)}{DELETE_SUFFIX}", body, switches)


def void_invoice(
    invoice_id: InvoiceId, bill_id: BillId, switches: ChargebeeSwitches
) -> StoredRequest:
    """Write the request that voids an invoice."""
    body = {"comment": recalculated_comment(bill_id), "void_reason_code": switches.void_reason}
    return request_of(f"/invoices/{segment(invoice_id)}{VOID_SUFFIX}", given(body), switches)


def close_invoice(
    invoice_id: InvoiceId, bill_id: BillId, switches: ChargebeeSwitches
) -> StoredRequest:
    """Write the request that closes a pending invoice: it gets its number and is collected."""
    body = {"comment": f"m3ter bill {bill_id}"[:COMMENT_LENGTH_MAX]}
    return request_of(f"/invoices/{segment(invoice_id)}{CLOSE_SUFFIX}", given(body), switches)


def seconds(moment: datetime) -> str:
    """Write an instant.

    Source: Chargebee OpenAPI 2026-09-24, ``unix-time``: UTC, whole seconds.
    """
    return str(int(moment.timestamp()))


def _line(
    line: DraftLine, flat_prices: Collection[str], switches: ChargebeeSwitches
) -> dict[str, str]:
    figures = _figures(line.pricing)
    flat = line.price_id in flat_prices and line.pricing.quantity == 1
    if flat and switches.flat_fee_quantity == "omit":
        figures = {name: figure for name, figure in figures.items() if "quantity" not in name}
    return {
        "item_price_id": line.price_id,
        **figures,
        "date_from": seconds(line.period.start),
        "date_to": seconds(line.period.end),
        "description": line.description,
        "entity_description": line.details,
    }


def _figures(pricing: Pricing) -> dict[str, str]:
    """Write quantity and price: digits only, never an exponent."""
    match pricing:
        case WholePricing(quantity, price):
            return {"quantity": str(quantity), "unit_price": str(price.minor)}
        case DecimalPricing(units, unit_price):
            return {
                "quantity_in_decimal": plain(units),
                "unit_price_in_decimal": plain(unit_price),
            }
        case CataloguePricing(quantity):
            return {"quantity": str(quantity)}
        case _:
            assert_never(pricing)


def recalculated_comment(bill_id: BillId) -> str:
    """Comment why something of a former sending is undone."""
    return f"m3ter recalculated bill {bill_id}"[:COMMENT_LENGTH_MAX]


def given(fields: Mapping[str, str]) -> Pairs:
    """Leave out what is empty: Chargebee reads an empty value otherwise than none."""
    return tuple((name, value) for name, value in fields.items() if value)


def request_of(path: str, pairs: Pairs, switches: ChargebeeSwitches) -> StoredRequest:
    """Write the bytes that are stored and sent."""
    headers = (SCHEMA_HEADER,) if switches.response_schema == "items" else ()
    return StoredRequest(path, form_body(pairs), headers)
