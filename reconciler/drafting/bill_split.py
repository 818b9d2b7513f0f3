"""A whole bill to parts: what is sent, what is not and why, what is in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.drafting.bill_context import Frame
from reconciler.drafting.draft import BlockCode, BlockReason, LineSource, Unsent, UnsentReason
from reconciler.drafting.line_split import Part, SplitLine, SplitRules, source_of, split_line
from reconciler.drafting.sorting import sorted_lines
from reconciler.kernel.line_item import LineItemType
from reconciler.kernel.money import Currency
from reconciler.kernel.rounding import AmountTooLargeError, to_money
from reconciler.m3ter.bill import BillLine

_TYPES = frozenset(LineItemType)


@dataclass(frozen=True, slots=True)
class SplitBill:
    """A bill's parts in the order in which they are sent, and the rest with reasons."""

    parts: tuple[Part, ...]
    unsent: tuple[Unsent, ...]
    reasons: tuple[BlockReason, ...]


def split_bill(frame: Frame) -> SplitBill:
    """Split and sort every line; every line and band is in one of the answer's fields."""
    done = [_split(line, number, frame) for number, line in enumerate(frame.bill.lines, start=1)]
    groups = sorted_lines([one.parts for one in done], frame.route.page.sort_line_items_by)
    return SplitBill(
        tuple(part for group in groups for part in group),
        tuple(unsent for one in done for unsent in one.unsent),
        tuple(reason for one in done for reason in one.reasons),
    )


def adds_up_to_zero(parts: Sequence[Part], currency: Currency) -> bool:
    """Whether what would be sent comes to nothing, each row in minor units."""
    minor = 0
    for part in parts:
        if part.source.amount is None:
            return False
        try:
            minor += to_money(part.source.amount, currency).minor
        except AmountTooLargeError:
            return False
    return minor == 0


def _split(line: BillLine, number: int, frame: Frame) -> SplitLine:
    page, source = frame.route.page, source_of(line, number)
    if line.type in frame.route.defined.spec.entity.excluded_line_item_types:
        origin = frame.route.defined.at("entity", "excludedLineItemTypes")
        return SplitLine(unsent=(Unsent(source, UnsentReason.EXCLUDED_TYPE, origin),))
    if line.type not in _TYPES:
        return _doubtful(source, (_unknown_type(source),))
    split = page.split_usage_line_items or "itemPerUsageBand"
    rules = SplitRules(frame.currency, split, frame.route.readings.band_tolerance)
    done = split_line(line, number, frame.bill, rules)
    return _doubtful(source, done.reasons) if done.reasons else done


def _doubtful(source: LineSource, reasons: tuple[BlockReason, ...]) -> SplitLine:
    return SplitLine(unsent=(Unsent(source, UnsentReason.BLOCKED),), reasons=reasons)


def _unknown_type(source: LineSource) -> BlockReason:
    return BlockReason(
        BlockCode.LINE_TYPE,
        f"{source} is of a type that this version does not know",
        "update m3ter-reconciler",
        source,
    )
