"""Estimates: the body of a create request, answered with what Chargebee would make of it."""

from __future__ import annotations

from reconciler.chargebee.form import form_pairs
from reconciler.chargebee.invoice_json import (
    AnswerReading,
    an_object,
    number,
    objects,
    read_invoice,
    text,
)
from reconciler.chargebee.outcomes import Refusal
from reconciler.chargebee.session import SiteSession
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.chargebee.wire import request_of
from reconciler.kernel.money import Money
from reconciler.kernel.value import JsonObject
from reconciler.sync.model.invoice import Estimate, Estimated, NotEstimated
from reconciler.sync.model.push import StoredRequest

ESTIMATE_PATH = "/estimates/create_invoice_for_items"
# Source: Chargebee request schemas, npm package chargebee 3.33.0, create_invoice_for_items: these
# stand in ``invoice``, and there is no ``create_pending_invoice`` and no custom field
_WITHIN = frozenset({"customer_id", "subscription_id", "po_number"})
_CREATE_ONLY = "create_pending_invoice"


def estimate(
    session: SiteSession, create: StoredRequest, stamp: str, reading: AnswerReading
) -> Estimate:
    """Ask what a create request would make; nothing is written, and a refusal is an answer.

    Args:
        session: The site.
        create: The request that would be sent.
        stamp: Its custom field, which an estimate does not take.
        reading: How to read the answer.

    Raises:
        DestinationError: When no usable answer came.
    """
    found = session.try_out(estimate_request(create, stamp, session.switches))
    if isinstance(found, Refusal):
        named = f" (`{found.parameter}`)" if found.parameter else ""
        return NotEstimated(f"Chargebee refuses it{named}: {found.message or found.code}")
    estimate = an_object(found.get("estimate"), "estimate")
    return _read(an_object(estimate.get("invoice_estimate"), "estimate, invoice_estimate"), reading)


def estimate_request(
    create: StoredRequest, stamp: str, switches: ChargebeeSwitches
) -> StoredRequest:
    """Write the same parameters where an estimate has them."""
    pairs = tuple(
        (f"invoice[{name}]" if name in _WITHIN else name, value)
        for name, value in form_pairs(create.body)
        if name not in {stamp, _CREATE_ONLY}
    )
    return request_of(ESTIMATE_PATH, pairs, switches)


def _read(data: JsonObject, reading: AnswerReading) -> Estimated:
    """Read an estimated invoice; what it does not have, an invoice that was not made lacks too."""
    lines = [
        {**line, "id": text(line, "id", "") or f"line {position}"}
        for position, line in enumerate(objects(data, "line_items"), 1)
    ]
    whole = {"id": "estimate", "status": "pending", "customer_id": "", **data, "line_items": lines}
    currency = reading.currencies.currency(text(data, "currency_code"))
    return Estimated(
        invoice=read_invoice(whole, reading, credited=0),
        sub_total=Money(number(data, "sub_total"), currency),
        tax=Money(sum(number(tax, "amount") for tax in objects(data, "taxes")), currency),
        total=Money(number(data, "total"), currency),
    )
