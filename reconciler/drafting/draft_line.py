"""One part of a bill to one line: priced, dated, shaped and named, with its trace."""

from __future__ import annotations

from reconciler.drafting.bill_context import BillContext
from reconciler.drafting.bill_parts import BillPart
from reconciler.drafting.draft import (
    BlockCode,
    BlockReason,
    CataloguePricing,
    DraftLine,
    Period,
    PriceChoice,
    Trace,
)
from reconciler.drafting.negative_lines import NegativeLine
from reconciler.drafting.periods import line_period
from reconciler.drafting.pricing import choose_price
from reconciler.drafting.quantities import figures, shape
from reconciler.drafting.route import Readings
from reconciler.kernel.rounding import AmountTooLargeError, to_money

Row = DraftLine | NegativeLine | tuple[BlockReason, ...]


def row_of(part: BillPart, frame: BillContext) -> Row:
    """Draft one part, or give every reason why it blocks the bill."""
    price = choose_price(part, frame.route)
    period = line_period(part, frame.period, frame.zone, frame.route.readings)
    if isinstance(price, BlockReason) or isinstance(period, BlockReason):
        return tuple(reason for reason in (price, period) if isinstance(reason, BlockReason))
    if part.source.amount is None:
        return _from_catalogue(part, price, period, frame)
    try:
        return _billed(part, price, period, frame)
    except AmountTooLargeError as error:
        return (BlockReason(BlockCode.AMOUNT, str(error), "send this bill by hand", part.source),)


def _billed(
    part: BillPart, price: PriceChoice, period: Period, frame: BillContext
) -> DraftLine | NegativeLine:
    amount, readings = part.source.amount, frame.route.readings
    assert amount is not None
    notes = _notes(part, price, frame)
    name = name_of(part, readings)
    billed = to_money(amount, frame.currency)
    if billed.minor < 0:
        trace = Trace(part.source, price, (), notes)
        return NegativeLine(price.chosen.price_id, billed, period, name, trace)
    flat = price.chosen.price_id in frame.route.flat_prices
    done = shape(amount, part.units, frame.rules, flat=flat)
    text = ""
    if done.why_one:
        text = figures(amount, part.units, part.line.unit, frame.currency)
        notes = (*notes, f"sent as quantity 1 at {done.billed}: {done.why_one}")
    return DraftLine(
        price.chosen.price_id,
        done.pricing,
        period,
        name,
        details_of(part, text, readings),
        done.billed,
        done.expected,
        Trace(part.source, price, done.steps, notes),
    )


def _from_catalogue(part: BillPart, price: PriceChoice, period: Period, frame: BillContext) -> Row:
    readings = frame.route.readings
    if part.line.type not in readings.catalogue_types:
        text = f"m3ter gives no amount for {part.source}"
        hint = "recalculate the bill in m3ter, or exclude the line item type"
        return (BlockReason(BlockCode.AMOUNT, text, hint, part.source),)
    notes = (*_notes(part, price, frame), "m3ter gives no amount: the catalogue's price is used")
    return DraftLine(
        price.chosen.price_id,
        CataloguePricing(),
        period,
        name_of(part, readings),
        details_of(part, "", readings),
        None,
        None,
        Trace(part.source, price, (), notes),
    )


def _notes(part: BillPart, price: PriceChoice, frame: BillContext) -> tuple[str, ...]:
    if price.fallback and frame.route.fallback == "warn":
        return (*part.notes, f"falls to the default price {price.chosen.price_id}")
    return part.notes


_ELLIPSIS = "…"


def name_of(part: BillPart, readings: Readings) -> str:
    """Name a row: m3ter's description, else the type in words; with band and child account."""
    line = part.line
    text = line.description or line.type.replace("_", " ").capitalize()
    endings = ""
    if part.source.band is not None:
        endings += f", band {part.source.band}"
    if child := line.child_account_code or line.child_account_id:
        endings += f" ({' '.join(child.split())})"
    return fit(text, readings.description_limit, endings)


def details_of(part: BillPart, figures: str, readings: Readings) -> str:
    """Write the text under a row: the real figures first, then what they are about."""
    line = part.line
    product = line.product_name or line.product_code
    facts = [figures, product and f"product {product}"]
    facts.extend(f"{key} {value}" for key, value in sorted(line.segment.items()))
    return fit("; ".join(fact for fact in facts if fact), readings.details_limit)


def fit(text: str, limit: int, ending: str = "") -> str:
    """Put a text on one line and cut it to so many characters; the ending is kept."""
    text = " ".join(text.split())
    if len(text) + len(ending) <= limit:
        return text + ending
    ending = ending[: max(0, limit - 1)]
    return text[: limit - 1 - len(ending)] + _ELLIPSIS + ending
