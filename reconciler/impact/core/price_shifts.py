"""Recent bills through two routes: the money that moves from one price to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reconciler.drafting.draft import BlockedBill, InvoiceDraft
from reconciler.drafting.draft_bill import draft_bill
from reconciler.drafting.route import DraftingRules
from reconciler.kernel.address import BillId
from reconciler.kernel.money import Currency, Money
from reconciler.m3ter.bill import Bill


@dataclass(frozen=True, slots=True)
class PriceShift:
    """What one price id gains, or loses when below zero."""

    price_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change of settings or mappings would have done to some bills.

    Attributes:
        shifts: By currency and price id; without those that stay the same.
        totals: Change of what is sent, per currency that changes.
        newly_blocked: Bills that could be sent before and no longer can.
        unblocked: Bills that could not be sent before and now can.
    """

    shifts: tuple[PriceShift, ...]
    totals: tuple[Money, ...]
    newly_blocked: tuple[BillId, ...]
    unblocked: tuple[BillId, ...]


def impact(
    bills: Iterable[Bill], before: DraftingRules, after: DraftingRules, now: datetime
) -> Impact:
    """Draft every bill both ways and compare; one bill is held at a time."""
    moved: Counter[tuple[Currency, str]] = Counter()
    newly_blocked: list[BillId] = []
    unblocked: list[BillId] = []
    for bill in bills:
        old, new = draft_bill(bill, before, now), draft_bill(bill, after, now)
        if isinstance(new, BlockedBill) and not isinstance(old, BlockedBill):
            newly_blocked.append(bill.id)
        if isinstance(old, BlockedBill) and not isinstance(new, BlockedBill):
            unblocked.append(bill.id)
        if isinstance(new, InvoiceDraft):
            moved.update(_by_price(new))
        if isinstance(old, InvoiceDraft):
            moved.subtract(_by_price(old))
    return Impact(_shifts(moved), _totals(moved), tuple(newly_blocked), tuple(unblocked))


def _by_price(draft: InvoiceDraft) -> Counter[tuple[Currency, str]]:
    amounts: Counter[tuple[Currency, str]] = Counter()
    for line in draft.lines:
        if line.expected is not None:
            amounts[draft.currency, line.price_id] += line.expected.minor
    for discount in draft.discounts:
        amounts[draft.currency, discount.price_id] -= discount.amount.minor
    for credit in draft.credits:
        amounts[draft.currency, credit.price_id] -= credit.amount.minor
    return amounts


def _shifts(moved: Counter[tuple[Currency, str]]) -> tuple[PriceShift, ...]:
    return tuple(
        PriceShift(price_id, Money(minor, currency))
        for (currency, price_id), minor in sorted(moved.items())
        if minor
    )


def _totals(moved: Counter[tuple[Currency, str]]) -> tuple[Money, ...]:
    totals: Counter[Currency] = Counter()
    for (currency, _), minor in moved.items():
        totals[currency] += minor
    return tuple(Money(minor, currency) for currency, minor in sorted(totals.items()) if minor)
