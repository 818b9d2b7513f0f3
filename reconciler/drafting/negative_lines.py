"""Negative lines: refused, discounted or credited. Chargebee takes no line below zero.

Source: Chargebee OpenAPI 2026-09-24: unit_price at least 0, discounts[amount] at least 0; discounts
exist on create_for_charge_items_and_charges and not on add_charge_item.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from reconciler.drafting.draft import (
    BlockCode,
    BlockReason,
    DraftCredit,
    DraftDiscount,
    DraftLine,
    Period,
    Trace,
    Way,
)
from reconciler.kernel.money import Money
from reconciler.kernel.rounding import plain

NegativePolicy = Literal[
    "refuse", "discount", "credit-note", "credit-note-standalone", "promotional-credit"
]


@dataclass(frozen=True, slots=True)
class NegativeLine:
    """A part below zero, priced and dated; ``amount`` is m3ter's, below zero."""

    price_id: str
    amount: Money
    period: Period
    description: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What negative lines become."""

    discounts: tuple[DraftDiscount, ...] = ()
    credits: tuple[DraftCredit, ...] = ()
    reasons: tuple[BlockReason, ...] = ()


def adjust(
    negative: Sequence[NegativeLine], lines: Sequence[DraftLine], policy: NegativePolicy, way: Way
) -> Adjusted:
    """Apply the policy to all negative lines of a bill.

    Args:
        negative: In the order of the draft.
        lines: The lines that are sent, whose prices are the base of discounts.
        policy: ``negativeLines``.
        way: How the bill travels; a pending invoice takes no discounts.
    """
    match policy:
        case "refuse":
            return Adjusted(reasons=tuple(_refused(line) for line in negative))
        case "credit-note" | "credit-note-standalone":
            return _credited(negative, lines, alone=policy == "credit-note-standalone")
        case "promotional-credit":
            # a balance of the customer: no invoice has to bear it
            return Adjusted(credits=tuple(_credit(line) for line in negative))
        case "discount":
            if way == "pending":
                return Adjusted(reasons=tuple(_no_discounts(line) for line in negative))
            return _discounted(negative, lines)
        case _:
            assert_never(policy)


def _credited(
    negative: Sequence[NegativeLine], lines: Sequence[DraftLine], *, alone: bool
) -> Adjusted:
    """Credit all of it, unless its invoice is too small for the note.

    Source: third-party digest of the Chargebee specification, credit_notes create: an adjustment
    is at most what is due. A line at a catalogue price has no amount yet, so nothing is known then.
    """
    if negative and not lines and not alone:
        return Adjusted(reasons=(_alone(negative),))
    billed = [line.expected.minor for line in lines if line.expected is not None]
    credit = -sum(line.amount.minor for line in negative)
    if lines and len(billed) == len(lines) and credit > sum(billed):
        first = negative[0]
        base = Money(sum(billed), first.amount.currency)
        return Adjusted(reasons=(_below_zero(first, Money(credit, base.currency), base),))
    return Adjusted(credits=tuple(_credit(line) for line in negative))


def _discounted(negative: Sequence[NegativeLine], lines: Sequence[DraftLine]) -> Adjusted:
    discounts: list[DraftDiscount] = []
    reasons: list[BlockReason] = []
    for discount in _by_price(negative):
        base = sum(
            line.expected.minor
            for line in lines
            if line.price_id == discount.price_id and line.expected is not None
        )
        if discount.amount.minor > base:
            reasons.append(_too_much(discount, Money(base, discount.amount.currency)))
        else:
            discounts.append(discount)
    return Adjusted(discounts=tuple(discounts), reasons=tuple(reasons))


def _by_price(negative: Sequence[NegativeLine]) -> Iterator[DraftDiscount]:
    groups: dict[str, list[NegativeLine]] = {}
    for line in negative:
        groups.setdefault(line.price_id, []).append(line)
    for price_id, group in groups.items():
        minor = -sum(line.amount.minor for line in group)
        description = "; ".join(line.description for line in group)
        amount = Money(minor, group[0].amount.currency)
        yield DraftDiscount(price_id, amount, description, tuple(line.trace for line in group))


def _credit(line: NegativeLine) -> DraftCredit:
    return DraftCredit(line.price_id, -line.amount, line.period, line.description, line.trace)


def _refused(line: NegativeLine) -> BlockReason:
    exact = plain(line.trace.source.amount) if line.trace.source.amount is not None else line.amount
    return BlockReason(
        BlockCode.NEGATIVE_LINE,
        f"{line.trace.source} is below zero ({line.amount.currency} {exact}), which Chargebee does"
        " not take as a line",
        "exclude its type, or set push.negativeLines to discount, credit-note or"
        " promotional-credit",
        line.trace.source,
    )


def _below_zero(line: NegativeLine, credit: Money, base: Money) -> BlockReason:
    return BlockReason(
        BlockCode.NEGATIVE_LINE,
        f"the negative lines of the bill come to {credit}, more than the {base} that is billed:"
        " no invoice can bear a credit note above what is due",
        "exclude their type, set push.negativeLines to promotional-credit, or credit the customer"
        " in Chargebee by hand and skip this bill",
        line.trace.source,
    )


def _alone(negative: Sequence[NegativeLine]) -> BlockReason:
    """Credits alone would be a refundable note, which is money out, where more of them block."""
    first, minor = negative[0], -sum(line.amount.minor for line in negative)
    credit = Money(minor, first.amount.currency)
    return BlockReason(
        BlockCode.NEGATIVE_LINE,
        f"the bill has nothing but negative lines, {credit} together: there is no invoice that"
        " bears a credit note, and one that stands alone is refundable",
        "set push.negativeLines to promotional-credit, which gives the customer a balance, or to"
        " credit-note-standalone, which gives a refundable note",
        first.trace.source,
    )


def _no_discounts(line: NegativeLine) -> BlockReason:
    return BlockReason(
        BlockCode.NEGATIVE_LINE,
        f"{line.trace.source} is below zero ({line.amount}), and a pending invoice takes no "
        "discount",
        "exclude its type, or set push.negativeLines to credit-note",
        line.trace.source,
    )


def _too_much(discount: DraftDiscount, base: Money) -> BlockReason:
    return BlockReason(
        BlockCode.NEGATIVE_LINE,
        f"the negative lines of price {discount.price_id} come to {discount.amount}, more than the"
        f" {base} that is billed at that price",
        "exclude their type, map them to the price they reduce, or set push.negativeLines to"
        " credit-note",
        discount.traces[0].source,
    )
