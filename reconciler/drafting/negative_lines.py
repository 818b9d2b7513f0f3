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

NegativePolicy = Literal["refuse", "discount", "credit-note", "promotional-credit"]


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
            return Adjusted(reasons=tuple(_refused(one) for one in negative))
        case "credit-note":
            return _credited(negative, lines)
        case "promotional-credit":
            # a balance of the customer: no invoice has to bear it
            return Adjusted(credits=tuple(_credit(one) for one in negative))
        case "discount":
            if way == "pending":
                return Adjusted(reasons=tuple(_no_discounts(one) for one in negative))
            return _discounted(negative, lines)
        case _:
            assert_never(policy)


def _credited(negative: Sequence[NegativeLine], lines: Sequence[DraftLine]) -> Adjusted:
    """Credit all of it, unless its invoice is too small for the note; credits alone need none.

    Source: third-party digest of the Chargebee specification, credit_notes create: an adjustment
    is at most what is due. A line at a catalogue price has no amount yet, so nothing is known then.
    """
    billed = [one.expected.minor for one in lines if one.expected is not None]
    credit = -sum(one.amount.minor for one in negative)
    if lines and len(billed) == len(lines) and credit > sum(billed):
        first = negative[0]
        base = Money(sum(billed), first.amount.currency)
        return Adjusted(reasons=(_below_zero(first, Money(credit, base.currency), base),))
    return Adjusted(credits=tuple(_credit(one) for one in negative))


def _discounted(negative: Sequence[NegativeLine], lines: Sequence[DraftLine]) -> Adjusted:
    discounts: list[DraftDiscount] = []
    reasons: list[BlockReason] = []
    for discount in _by_price(negative):
        base = sum(
            one.expected.minor
            for one in lines
            if one.price_id == discount.price_id and one.expected is not None
        )
        if discount.amount.minor > base:
            reasons.append(_too_much(discount, Money(base, discount.amount.currency)))
        else:
            discounts.append(discount)
    return Adjusted(discounts=tuple(discounts), reasons=tuple(reasons))


def _by_price(negative: Sequence[NegativeLine]) -> Iterator[DraftDiscount]:
    groups: dict[str, list[NegativeLine]] = {}
    for one in negative:
        groups.setdefault(one.price_id, []).append(one)
    for price_id, group in groups.items():
        minor = -sum(one.amount.minor for one in group)
        description = "; ".join(one.description for one in group)
        amount = Money(minor, group[0].amount.currency)
        yield DraftDiscount(price_id, amount, description, tuple(one.trace for one in group))


def _credit(one: NegativeLine) -> DraftCredit:
    return DraftCredit(one.price_id, -one.amount, one.period, one.description, one.trace)


def _refused(one: NegativeLine) -> BlockReason:
    exact = plain(one.trace.source.amount) if one.trace.source.amount is not None else one.amount
    return BlockReason(
        BlockCode.NEGATIVE_LINE,
        f"{one.trace.source} is below zero ({one.amount.currency} {exact}), which Chargebee does"
        " not take as a line",
        "exclude its type, or set push.negativeLines to discount, credit-note or"
        " promotional-credit",
        one.trace.source,
    )


def _below_zero(one: NegativeLine, credit: Money, base: Money) -> BlockReason:
    return BlockReason(
        BlockCode.NEGATIVE_LINE,
        f"the negative lines of the bill come to {credit}, more than the {base} that is billed:"
        " no invoice can bear a credit note above what is due",
        "exclude their type, set push.negativeLines to promotional-credit, or credit the customer"
        " in Chargebee by hand and skip this bill",
        one.trace.source,
    )


def _no_discounts(one: NegativeLine) -> BlockReason:
    return BlockReason(
        BlockCode.NEGATIVE_LINE,
        f"{one.trace.source} is below zero ({one.amount}), and a pending invoice takes no discount",
        "exclude its type, or set push.negativeLines to credit-note",
        one.trace.source,
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
