"""Which lines of an answered invoice are those of the request (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from reconciler.destinations.chargebee.form import Row
from reconciler.domain.push import InvoiceLineId
from reconciler.domain.value import JsonObject

# Request field -> field of the line that Chargebee makes of it.
_SAME = {"item_price_id": "entity_id", "date_from": "date_from", "date_to": "date_to"}
_FIGURES = {
    "quantity": "quantity",
    "quantity_in_decimal": "quantity_in_decimal",
    "unit_price": "unit_amount",
    "unit_price_in_decimal": "unit_amount_in_decimal",
}


def created_lines(sent: Sequence[Row], invoice: JsonObject) -> tuple[InvoiceLineId, ...]:
    """Find the lines of a created invoice, in the order of the request.

    Chargebee sweeps waiting charges into it, so not every line is ours.

    Returns:
        One id per row; nothing at all unless every row was found, for positions must not shift.
    """
    left = list(_lines(invoice))
    found: dict[int, InvoiceLineId] = {}
    for fields in ({**_SAME, **_FIGURES}, _SAME):
        for position, row in enumerate(sent):
            line = next((one for one in left if _equal(row, one, fields)), None)
            if position not in found and line is not None:
                found[position] = InvoiceLineId(str(line["id"]))
                left.remove(line)
    return tuple(found[one] for one in range(len(sent))) if len(found) == len(sent) else ()


def added_line(
    sent: Sequence[Row], invoice: JsonObject, before: Collection[str] | None
) -> tuple[InvoiceLineId, ...]:
    """Find the one line that was added; nothing when a person may have added another like it."""
    new = [one for one in _lines(invoice) if one["id"] not in (before or ())]
    for fields in ({**_SAME, **_FIGURES}, _SAME):
        equal = [one for one in new for row in sent if _equal(row, one, fields)]
        if equal:
            return (InvoiceLineId(str(equal[0]["id"])),) if len(equal) == 1 else ()
    return ()


def _lines(invoice: JsonObject) -> Iterator[JsonObject]:
    lines = invoice.get("line_items")
    if isinstance(lines, Sequence) and not isinstance(lines, str):
        yield from (one for one in lines if isinstance(one, Mapping) and one.get("id"))


def _equal(row: Row, line: JsonObject, fields: Mapping[str, str]) -> bool:
    """Whether all that was sent, and that the line shows, is equal."""
    return all(
        _same(row[ours], line[theirs])
        for ours, theirs in fields.items()
        if ours in row and line.get(theirs) is not None
    ) and (row.get("item_price_id") == line.get("entity_id"))


def _same(sent: str, shown: object) -> bool:
    if sent == str(shown):
        return True
    try:
        return Decimal(sent) == Decimal(str(shown))
    except InvalidOperation:
        return False
