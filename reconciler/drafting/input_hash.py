"""The canonical draft input of a bill, and its hash: equal means nothing to send again.

It holds what m3ter billed and for when. It does not hold ids of lines (they may change when a bill
is recalculated), versions, status, locks or jobs, nor child accounts (one wire shape lacks them),
nor our settings and mappings: a merge must never make sent bills look changed. The order of lines
and bands, and the way a number or a time is written, make no difference.
"""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.kernel.exact_json import canonical, digest
from reconciler.kernel.value import JsonObject
from reconciler.m3ter.bill import Band, Bill, BillLine, When

_FORM = "draft-input/1"


def input_hash(bill: Bill) -> str:
    """Give the SHA-256 of the canonical draft input, 64 hexadecimal digits."""
    return digest(
        {
            "form": _FORM,
            "bill": bill.id,
            "account": bill.account_id,
            "currency": bill.currency,
            "start": bill.start_date.isoformat(),
            "end": bill.end_date.isoformat(),
            "zone": bill.time_zone,
            "lines": _in_order([_line(line, bill) for line in bill.lines]),
        }
    )


def _line(line: BillLine, bill: Bill) -> JsonObject:
    return {
        "type": line.type,
        "description": line.description,
        "quantity": line.quantity,
        "units": line.units,
        "unit": line.unit,
        "subtotal": line.subtotal,
        "currency": line.currency or bill.currency,
        "rate": line.conversion_rate,
        "converted": line.converted_subtotal,
        "product": line.product_id,
        "aggregation": line.aggregation_id,
        "segment": dict(line.segment),
        "from": _when(line.service_from),
        "to": _when(line.service_to),
        "bands": _in_order([_band(band) for band in line.bands]),
    }


def _band(band: Band) -> JsonObject:
    return {
        "id": band.id,
        "lower": band.lower_limit,
        "units": band.units,
        "fixed": band.fixed_price,
        "price": band.unit_price,
        "unitSubtotal": band.unit_subtotal,
        "subtotal": band.subtotal,
        "converted": band.converted_subtotal,
    }


def _when(when: When | None) -> str | None:
    """Write a time in one way: UTC when it has a zone, else as on the clock."""
    if when is None:
        return None
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day)  # noqa: DTZ001  a date in the bill's zone
    return (when if when.tzinfo is None else when.astimezone(UTC)).isoformat()


def _in_order(values: list[JsonObject]) -> list[JsonObject]:
    return sorted(values, key=canonical)
