"""Bill line items in m3ter's two shapes.

Stored is the shape inside a bill. The line item endpoints say ``bandUsage`` where the bill says
``usagePerPricingBand``, have audit fields and leave the child account out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import CallHandler, ReceivedCall, RefusedCall, ok, public
from reconciler.emulator.m3ter.http.paging import page
from reconciler.emulator.store import StoredRow

JsonObject = dict[str, Any]
BILLS = "m3ter/bills"
# Source: m3ter OpenAPI 2026-08-03, BillLineItem against BillLineItemResponse
_ONLY_IN_BILLS = ("usagePerPricingBand", "childAccountId", "childAccountCode")


def endpoint_shape(bill: Mapping[str, Any], line: JsonObject) -> JsonObject:
    """A stored line as the line item endpoints show it."""
    shown = {key: value for key, value in line.items() if key not in _ONLY_IN_BILLS}
    if "usagePerPricingBand" in line:
        shown["bandUsage"] = line["usagePerPricingBand"]
    audit = {key: bill[key] for key in entities.AUDIT if key != "id" and key in bill}
    return public(shown | audit | {"billId": bill["id"], "jsonUsageGenerated": False})


def _of_bill(call: ReceivedCall) -> HttpAnswer:
    bill = entities.find(call.store, BILLS, call.params["billId"])
    return _page(call, [bill])


def _one(call: ReceivedCall) -> HttpAnswer:
    bill = entities.find(call.store, BILLS, call.params["billId"])
    for line in bill["lineItems"]:
        if line["id"] == call.params["id"]:
            return ok(endpoint_shape(bill, line))
    raise RefusedCall(404, f"lineitems with id {call.params['id']} not found")


def _of_organisation(call: ReceivedCall) -> HttpAnswer:
    key = call.query.get("billId")
    if key is not None:
        return _page(call, [entities.find(call.store, BILLS, key)])
    return _page(call, [row.data for row in call.store.table(BILLS).newest()])


def _page(call: ReceivedCall, bills: list[JsonObject]) -> HttpAnswer:
    wanted, commitment = call.query.get("lineItemType"), call.query.get("commitmentId")

    def keep(line: JsonObject) -> bool:
        return (wanted is None or line["lineItemType"] == wanted) and (
            commitment is None or line.get("commitmentId") == commitment
        )

    rows = list(_rows(call, bills))
    return page(
        call,
        lambda before: rows if before is None else [row for row in rows if row.position < before],
        maximum=100,
        keep=keep,
    )


def _rows(call: ReceivedCall, bills: list[JsonObject]) -> Iterator[StoredRow]:
    """Lines as rows of a passing table, in the order of the bills and of their lines."""
    lines = [endpoint_shape(bill, line) for bill in bills for line in bill["lineItems"]]
    for number, line in enumerate(lines):
        yield StoredRow(len(lines) - number, line, call.store.clock.beginning)


ROUTES: list[tuple[str, str, CallHandler]] = [
    ("GET", "/bills/{billId}/lineitems", _of_bill),
    ("GET", "/bills/{billId}/lineitems/{id}", _one),
    ("GET", "/lineitems", _of_organisation),
]
