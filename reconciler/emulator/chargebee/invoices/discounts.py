"""Manual discounts of an invoice: for one item price first, then for the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reconciler.emulator.chargebee.money import split
from reconciler.emulator.chargebee.parameters.parameters import IndexedRow
from reconciler.emulator.chargebee.parameters.refusals import wrong_value
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject

LineDiscount = tuple[JsonObject, int]


def discounted(
    site: EmulatedSite, lines: Sequence[JsonObject], rows: Sequence[IndexedRow]
) -> tuple[list[JsonObject], list[JsonObject], list[JsonObject]]:
    """Apply discounts.

    Returns:
        The lines, their ``line_item_discounts``, and the invoice's ``discounts``.

    Raises:
        RefusalError: A discount says neither or both of amount and percentage, names no price of
            this invoice, or exceeds its base where the site refuses that.
    """
    current = list(lines)
    parts: list[JsonObject] = []
    shown: list[JsonObject] = []
    specific = [row for row in rows if row.values["apply_on"] == "specific_item_price"]
    whole = [row for row in rows if row.values["apply_on"] == "invoice_amount"]
    for row in (*specific, *whole):
        kind = "item_level_discount" if row in specific else "document_level_discount"
        chosen = _chosen(current, row, item_level=row in specific)
        amount = _amount(site, row, sum(_left(line) for line in chosen))
        shares = split(amount, [_left(line) for line in chosen])
        taken = {line["id"]: share for line, share in zip(chosen, shares, strict=True) if share}
        current = [reduced(line, taken.get(line["id"], 0), kind) for line in current]
        parts += parts_of(taken, kind, row.values.get("item_price_id"))
        shown.append(_discount(row, kind, amount))
    return current, parts, shown


def reduced(line: JsonObject, amount: int, kind: str) -> JsonObject:
    """A line with so much more discount."""
    if not amount:
        return line
    item_level = amount if kind == "item_level_discount" else 0
    return line | {
        "discount_amount": line["discount_amount"] + amount,
        "item_level_discount_amount": line["item_level_discount_amount"] + item_level,
    }


def parts_of(taken: dict[str, int], kind: str, entity: str | None) -> list[JsonObject]:
    """The ``line_item_discounts`` of one discount."""
    return [
        {
            "line_item_id": line,
            "discount_type": kind,
            "discount_amount": amount,
            "object": "line_item_discount",
            **({"entity_id": entity} if entity else {}),
        }
        for line, amount in taken.items()
    ]


def _left(line: JsonObject) -> int:
    return int(line["amount"] - line["discount_amount"])


def _wire(row: IndexedRow) -> Callable[[str], str]:
    return lambda field: f"discounts[{field}][{row.index}]"


def _chosen(lines: Sequence[JsonObject], row: IndexedRow, *, item_level: bool) -> list[JsonObject]:
    if not item_level:
        return list(lines)
    name = _wire(row)
    price = row.values.get("item_price_id")
    if price is None:
        raise wrong_value(name("item_price_id"), "cannot be blank")
    chosen = [line for line in lines if line["entity_id"] == price]
    if not chosen:
        raise wrong_value(name("item_price_id"), "is not an item price of this invoice")
    return chosen


def _amount(site: EmulatedSite, row: IndexedRow, base: int) -> int:
    name = _wire(row)
    amount, percentage = row.values.get("amount"), row.values.get("percentage")
    if (amount is None) == (percentage is None):
        raise wrong_value(name("amount"), "give either amount or percentage")
    wanted: int = amount or 0 if percentage is None else site.money.share(base, percentage)
    if wanted > base and site.switches.text("discount_over_base") == "refuse":
        raise wrong_value(name("amount"), "is more than what it applies to")
    return min(wanted, base)


def _discount(row: IndexedRow, kind: str, amount: int) -> JsonObject:
    entity: dict[str, Any] = {}
    if "item_price_id" in row.values:
        entity["entity_id"] = row.values["item_price_id"]
    return {
        "amount": amount,
        "description": "Manual discount",
        "entity_type": kind,
        "discount_type": "percentage" if "percentage" in row.values else "fixed_amount",
        "object": "discount",
        **entity,
    }
