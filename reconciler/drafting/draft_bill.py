"""Bill + settings + mappings -> draft: what is sent, what is not and why, or why nothing can be.

Nothing is dropped silently: every line and band of the bill is in the draft or in ``unsent``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reconciler.drafting.bill_context import Frame, frame_of
from reconciler.drafting.bill_split import SplitBill, adds_up_to_zero, split_bill
from reconciler.drafting.draft import (
    BlockedBill,
    BlockReason,
    CreditsAs,
    DraftLine,
    DraftOutcome,
    InvoiceDraft,
    LineSource,
    NothingToSend,
    Target,
    Unsent,
    UnsentReason,
)
from reconciler.drafting.draft_line import row_of
from reconciler.drafting.input_hash import input_hash
from reconciler.drafting.line_split import source_of
from reconciler.drafting.negative_lines import Adjusted, NegativeLine, adjust
from reconciler.drafting.periods import invoice_instant, zone_of
from reconciler.drafting.route import Route
from reconciler.drafting.target import target_of, way_of
from reconciler.drafting.wording import fit
from reconciler.kernel.money import Money
from reconciler.m3ter.bill import Bill


def draft_bill(bill: Bill, route: Route, now: datetime) -> DraftOutcome:
    """Draft a bill.

    Args:
        bill: With all of its lines.
        route: The push integration that selects it.
        now: Decides only the date of the invoice.

    Returns:
        The draft; or that nothing is to be sent; or every reason why the bill is blocked.

    Raises:
        NotAPushRouteError: When the definition has no push settings.
    """
    target = target_of(bill, route)
    frame, reasons = frame_of(bill, route)
    if isinstance(target, BlockReason):
        reasons = (target, *reasons)
    if frame is None:
        lines_of_bill = [source_of(one, n) for n, one in enumerate(bill.lines, start=1)]
        return _blocked(bill, reasons, (), lines_of_bill)
    split = split_bill(frame)
    if not split.reasons and adds_up_to_zero(split.parts, frame.currency):
        return _nothing(frame, split)
    rows = [row_of(part, frame) for part in split.parts]
    lines = tuple(one for one in rows if isinstance(one, DraftLine))
    negative = tuple(one for one in rows if isinstance(one, NegativeLine))
    adjusted = adjust(negative, lines, route.policy.negative_lines, way_of(route))
    reasons += split.reasons
    reasons += tuple(reason for one in rows if isinstance(one, tuple) for reason in one)
    reasons += adjusted.reasons
    if reasons or isinstance(target, BlockReason):
        return _blocked(bill, reasons, split.unsent, [one.source for one in split.parts])
    return _draft(frame, target, now, lines=lines, adjusted=adjusted, unsent=split.unsent)


def _nothing(frame: Frame, split: SplitBill) -> NothingToSend:
    bill = frame.bill
    rest = tuple(Unsent(one.source, UnsentReason.NOTHING_TO_SEND) for one in split.parts)
    if not bill.lines:
        why = "the bill has no lines"
    elif not split.parts:
        why = "no line of the bill is of a type that is sent, or has units or money"
    else:
        why = f"what would be sent adds up to {Money(0, frame.currency)}"
    unsent = _in_bill_order((*split.unsent, *rest))
    return NothingToSend(bill.id, bill.version, unsent, why, input_hash(bill))


def _blocked(
    bill: Bill,
    reasons: tuple[BlockReason, ...],
    unsent: tuple[Unsent, ...],
    sources: Iterable[LineSource],
) -> BlockedBill:
    rest = tuple(Unsent(one, UnsentReason.BLOCKED) for one in sources)
    return BlockedBill(bill.id, bill.version, reasons, _in_bill_order((*unsent, *rest)))


def _in_bill_order(unsent: Iterable[Unsent]) -> tuple[Unsent, ...]:
    return tuple(sorted(unsent, key=lambda one: (one.source.number, one.source.band or 0)))


def _draft(
    frame: Frame,
    target: Target,
    now: datetime,
    *,
    lines: tuple[DraftLine, ...],
    adjusted: Adjusted,
    unsent: tuple[Unsent, ...],
) -> InvoiceDraft:
    bill, route = frame.bill, frame.route
    invoice_at, moved = _invoice_at(frame, now)
    return InvoiceDraft(
        bill_id=bill.id,
        bill_version=bill.version,
        account_id=bill.account_id,
        account_code=bill.account_code,
        integration=route.defined.name,
        way=way_of(route),
        currency=frame.currency,
        target=target,
        invoice_at=invoice_at,
        purchase_order=fit(bill.purchase_order, route.readings.order_number_limit),
        collection=route.policy.collection,
        stamp_field=route.policy.stamp,
        period=frame.period,
        lines=lines,
        discounts=adjusted.discounts,
        credits=adjusted.credits,
        unsent=_in_bill_order(unsent),
        notes=tuple(one for one in (moved, _disputed(frame)) if one),
        input_hash=input_hash(bill),
        credits_as=_credits_as(route),
    )


def _credits_as(route: Route) -> CreditsAs:
    promotional = route.policy.negative_lines == "promotional-credit"
    return "promotional-credit" if promotional else "credit-note"


def _invoice_at(frame: Frame, now: datetime) -> tuple[datetime | None, str]:
    route = frame.route
    if way_of(route) == "pending" or route.policy.invoice_date == "today":
        return None, ""
    site = zone_of(route.site_zone)
    if site is None:
        return None, f"the site's time zone {route.site_zone!r} is not known; today is used"
    return invoice_instant(frame.bill.external_invoice_date, now, site)


def _disputed(frame: Frame) -> str:
    currency = frame.currency
    iso = frame.route.readings.currencies.disputed.get(currency.code)
    if iso is None:
        return ""
    return (
        f"{currency} has {currency.places} decimal places at Chargebee by its published list,"
        f" and {iso} in ISO 4217"
    )
