"""Bill lines to the parts that are sent, in order: whole lines or pricing bands, exact amounts.

Every amount is in the bill's currency: the converted one where m3ter gives it, else the line's own
times its conversion rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from reconciler.drafting.draft import BlockCode, BlockReason, LineSource, UnsentPart, UnsentReason
from reconciler.kernel.money import Currency
from reconciler.kernel.rounding import EXACT, plain, product, scale, total
from reconciler.m3ter.bill import Band, Bill, BillLine

Split = Literal["itemPerUsageBand", "itemPerProduct"]


@dataclass(frozen=True, slots=True)
class BillPart:
    """A line, or one band of it, that becomes one row.

    Attributes:
        source: Where it stands on the bill, and its exact amount.
        line: The whole line.
        band: The band, or ``None`` for the whole line.
        units: Rated units of the part.
        notes: What was derived, in words.
    """

    source: LineSource
    line: BillLine
    band: Band | None
    units: Decimal | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitLine:
    """One line's parts, what of it is not sent, and what is wrong with it."""

    parts: tuple[BillPart, ...] = ()
    unsent: tuple[UnsentPart, ...] = ()
    reasons: tuple[BlockReason, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitRules:
    """How lines are split.

    Attributes:
        currency: The bill's.
        split: One part per band, or one per line.
        tolerance: Minor units by which bands may miss their line.
    """

    currency: Currency
    split: Split
    tolerance: int


SortBy = Literal["none", "subtotal", "aggregationId"]
_WHOLE = Decimal(1)


@dataclass(frozen=True, slots=True)
class _Amount:
    value: Decimal | None
    taken_from: str
    problem: str = ""


def source_of(line: BillLine, number: int) -> LineSource:
    """Name a whole line without saying anything of its amount."""
    return LineSource(number, line.id, line.type, line.description, None, "", None, "")


def split_line(line: BillLine, number: int, bill: Bill, rules: SplitRules) -> SplitLine:
    """Split one line; ``number`` is its position on the bill, from 1."""
    amount = _line_amount(line, bill, rules.currency)
    whole = replace(source_of(line, number), amount=amount.value, amount_from=amount.taken_from)
    if amount.problem:
        text = f"{whole} {amount.problem}"
        return SplitLine(reasons=(_reason(BlockCode.AMOUNT, text, whole),))
    if rules.split == "itemPerProduct" or not line.bands:
        return SplitLine((BillPart(whole, line, None, line.units),))
    return _by_band(whole, tuple(_band_parts(line, whole, _rate(line, bill))), rules)


def _by_band(whole: LineSource, parts: tuple[BillPart, ...], rules: SplitRules) -> SplitLine:
    broken = tuple(_broken(parts))
    if broken:
        return SplitLine(reasons=broken)
    sent = tuple(part for part in parts if part.units or part.source.amount)
    empty = tuple(part for part in parts if not (part.units or part.source.amount))
    unsent = tuple(UnsentPart(part.source, UnsentReason.EMPTY_BAND) for part in empty)
    gap = _gap(parts, whole.amount)
    if abs(gap) >= scale(Decimal(rules.tolerance), -rules.currency.places):
        text = (
            f"the bands of {whole} differ from it by {rules.currency} {plain(gap)}:"
            f" the line says {plain(whole.amount or Decimal(0))}"
        )
        return SplitLine(reasons=(_reason(BlockCode.BANDS, text, whole),))
    return SplitLine(sent, unsent)


def _band_parts(line: BillLine, whole: LineSource, rate: Decimal | None) -> Iterator[BillPart]:
    for position, band in enumerate(line.bands, start=1):
        amount, notes = _band_amount(band, rate)
        source = replace(
            whole,
            band=position,
            band_id=band.id,
            amount=amount.value,
            amount_from=amount.taken_from,
        )
        yield BillPart(source, line, band, band.units, notes)


def _broken(parts: Iterable[BillPart]) -> Iterator[BlockReason]:
    for part in parts:
        if part.source.amount is None and part.units:
            text = f"{part.source} has units but no amount that can be computed"
            yield _reason(BlockCode.BANDS, text, part.source)


def _gap(parts: Iterable[BillPart], amount: Decimal | None) -> Decimal:
    if amount is None:
        return Decimal(0)
    bands = total([part.source.amount for part in parts if part.source.amount is not None])
    return EXACT.subtract(bands, amount)


def _line_amount(line: BillLine, bill: Bill, currency: Currency) -> _Amount:
    rate = _rate(line, bill)
    if line.converted_subtotal is not None:
        return _converted(line, line.converted_subtotal, currency)
    if line.subtotal is None:
        return _Amount(None, "no amount given")
    if rate is None or rate <= 0:
        problem = (
            f"is in {line.currency}, the bill in {bill.currency}, and m3ter gives neither"
            " a converted amount nor a conversion rate above zero"
        )
        return _Amount(None, "", problem)
    return _multiplied(line.subtotal, rate, "subtotal")


def _converted(line: BillLine, converted: Decimal, currency: Currency) -> _Amount:
    """Take the converted amount, unless one currency and two amounts contradict each other."""
    if line.subtotal is not None and line.currency in {"", currency.code}:
        gap = abs(EXACT.subtract(converted, line.subtotal))
        if gap >= scale(Decimal(1), -currency.places):
            problem = (
                f"says {currency} {plain(line.subtotal)} and, converted to the same"
                f" currency, {currency} {plain(converted)}"
            )
            return _Amount(None, "", problem)
    return _Amount(converted, "convertedSubtotal")


def _band_amount(band: Band, rate: Decimal | None) -> tuple[_Amount, tuple[str, ...]]:
    if band.converted_subtotal is not None:
        return _Amount(band.converted_subtotal, "convertedBandSubtotal"), ()
    subtotal = band.subtotal
    notes: tuple[str, ...] = ()
    if subtotal is None and band.unit_subtotal is not None:
        # Source: m3ter OpenAPI 2026-08-03 describes both parts; that they add up is inferred.
        subtotal = total([band.fixed_price or Decimal(0), band.unit_subtotal])
        notes = ("m3ter gives no band subtotal; fixed price and unit subtotal were added",)
    if subtotal is None and band.fixed_price is not None and not band.units:
        subtotal = band.fixed_price
    if subtotal is None or rate is None or rate <= 0:
        return _Amount(None, "no amount given"), ()
    return _multiplied(subtotal, rate, "bandSubtotal"), notes


def _multiplied(subtotal: Decimal, rate: Decimal, name: str) -> _Amount:
    if rate == _WHOLE:
        return _Amount(subtotal, name)
    return _Amount(product(subtotal, rate), f"{name} x conversionRate {plain(rate)}")


def _rate(line: BillLine, bill: Bill) -> Decimal | None:
    return _WHOLE if line.currency in {"", bill.currency} else line.conversion_rate


def _reason(code: BlockCode, text: str, source: LineSource) -> BlockReason:
    if code is BlockCode.BANDS:
        hint = "look at the bill in m3ter, or set splitUsageLineItems: itemPerProduct"
    else:
        hint = "recalculate the bill in m3ter, or exclude the line item type"
    return BlockReason(code, text, hint, source)


def sorted_lines(
    lines: Sequence[Sequence[BillPart]], by: SortBy
) -> tuple[tuple[BillPart, ...], ...]:
    """Sort lines, each with its parts, ascending; lines without the key come last.

    That the order is ascending is inferred; m3ter names only the three settings.
    """
    groups = [tuple(line) for line in lines if line]
    if by == "subtotal":
        groups.sort(key=_by_amount)
    elif by == "aggregationId":
        groups.sort(key=_by_aggregation)
    return tuple(groups)


def _by_amount(parts: tuple[BillPart, ...]) -> tuple[bool, Decimal]:
    if (converted := parts[0].line.converted_subtotal) is not None:
        return False, converted
    amounts = [part.source.amount for part in parts if part.source.amount is not None]
    return not amounts, total(amounts)


def _by_aggregation(parts: tuple[BillPart, ...]) -> tuple[bool, str]:
    identity = parts[0].line.aggregation_id
    return not identity, identity
