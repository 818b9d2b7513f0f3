"""Which lines of an answered invoice are those of the request (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from reconciler.chargebee.form import Row
from reconciler.kernel.value import JsonObject
from reconciler.sync.model.push import InvoiceLineId

# Request field -> field of the line that Chargebee makes of it.
_SAME = {"item_price_id": "entity_id", "date_from": "date_from", "date_to": "date_to"}
_FIGURES = {
    "quantity": "quantity",
    "quantity_in_decimal": "quantity_in_decimal",
    "unit_price": "unit_amount",
    "unit_price_in_decimal": "unit_amount_in_decimal",
}


@dataclass(frozen=True, slots=True)
class OurLines:
    """What an answer shows of the lines that were sent.

    Attributes:
        ids: One per row, in the order of the request; empty unless every row was found, for
            positions must not shift.
        spare: Lines that are just like one of ours beyond those: which is ours is anybody's guess.
        others: Further lines of the answer that were not there before.
    """

    ids: tuple[InvoiceLineId, ...]
    spare: tuple[InvoiceLineId, ...] = ()
    others: tuple[InvoiceLineId, ...] = ()


def our_lines(
    sent: Sequence[Row], invoice: JsonObject, before: Collection[str] | None = None
) -> OurLines:
    """Find the lines of a request on the invoice that the answer shows.

    Chargebee sweeps waiting charges into a new invoice, and a person may add to a pending one, so
    not every line is ours. Figures may be shown otherwise than they were sent; then a line with
    the price and the days of exactly one row is that row's.

    Args:
        sent: The rows of the request.
        invoice: As the answer shows it.
        before: Line ids on it before the request.
    """
    left = [one for one in _lines(invoice) if one["id"] not in (before or ())]
    found: dict[int, InvoiceLineId] = {}
    spare: set[InvoiceLineId] = set()
    for fields in ({**_SAME, **_FIGURES}, _SAME):
        missing = [one for one in range(len(sent)) if one not in found]
        for position in missing:
            line = next((one for one in left if _equal(sent[position], one, fields)), None)
            if line is not None:
                found[position] = _id(line)
                left.remove(line)
        new = [sent[one] for one in missing if one in found]
        spare |= {_id(one) for one in left if any(_equal(row, one, fields) for row in new)}
    ids = tuple(found[one] for one in range(len(sent))) if len(found) == len(sent) else ()
    others = tuple(_id(one) for one in left if _id(one) not in spare)
    return OurLines(ids, tuple(sorted(spare)), others)


def _id(line: JsonObject) -> InvoiceLineId:
    return InvoiceLineId(str(line["id"]))


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
