"""Bill + settings + mappings -> draft: who is billed, what is sent, what is not and why.

Nothing is dropped silently: every line and band of the bill is in the draft or in ``unsent``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.drafting.bill_context import BillContext, context_of
from reconciler.drafting.bill_parts import (
    BillPart,
    SplitLine,
    SplitRules,
    sorted_lines,
    source_of,
    split_line,
)
from reconciler.drafting.draft import (
    BilledParty,
    BlockCode,
    BlockedBill,
    BlockReason,
    CreditsAs,
    DraftLine,
    DraftOutcome,
    InvoiceDraft,
    LineSource,
    NothingToSend,
    UnsentPart,
    UnsentReason,
    Way,
)
from reconciler.drafting.draft_line import fit, row_of
from reconciler.drafting.input_hash import input_hash
from reconciler.drafting.negative_lines import Adjusted, NegativeLine, adjust
from reconciler.drafting.periods import invoice_instant, zone_of
from reconciler.drafting.route import DraftingRules, KnownMapping
from reconciler.kernel.line_item import LineItemType
from reconciler.kernel.money import Currency, CurrencyTable, Money, UnknownCurrencyError
from reconciler.kernel.rounding import AmountTooLargeError, to_money
from reconciler.m3ter.bill import Bill, BillLine


@dataclass(frozen=True, slots=True)
class SplitBill:
    """A bill's parts in the order in which they are sent, and the rest with reasons."""

    parts: tuple[BillPart, ...]
    unsent: tuple[UnsentPart, ...]
    reasons: tuple[BlockReason, ...]


def draft_bill(bill: Bill, route: DraftingRules, now: datetime) -> DraftOutcome:
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
    target = billed_party(bill, route)
    frame, reasons = context_of(bill, route)
    if isinstance(target, BlockReason):
        reasons = (target, *reasons)
    if excluded := _all_excluded(bill, route):
        return NothingToSend(bill.id, bill.version, excluded, _NO_LINE, input_hash(bill))
    if frame is None:
        lines_of_bill = [source_of(line, n) for n, line in enumerate(bill.lines, start=1)]
        return _blocked(bill, reasons, (), lines_of_bill)
    split = split_bill(frame)
    if not split.reasons and adds_up_to_zero(split.parts, frame.currency):
        return _nothing(frame, split)
    rows = [row_of(part, frame) for part in split.parts]
    lines = tuple(row for row in rows if isinstance(row, DraftLine))
    negative = tuple(row for row in rows if isinstance(row, NegativeLine))
    adjusted = adjust(negative, lines, route.policy.negative_lines, delivery_of(route))
    reasons += split.reasons
    reasons += tuple(reason for row in rows if isinstance(row, tuple) for reason in row)
    reasons += adjusted.reasons
    if reasons or isinstance(target, BlockReason):
        return _blocked(bill, reasons, split.unsent, [part.source for part in split.parts])
    return _draft(frame, target, now, lines=lines, adjusted=adjusted, unsent=split.unsent)


_NO_LINE = "no line of the bill is of a type that is sent, or has units or money"


def _all_excluded(bill: Bill, route: DraftingRules) -> tuple[UnsentPart, ...]:
    """Give every line where all are of excluded types: then nothing else of the bill matters."""
    types = route.defined.spec.entity.excluded_line_item_types
    if not all(line.type in types for line in bill.lines):
        return ()
    numbered = enumerate(bill.lines, start=1)
    return tuple(_excluded(source_of(line, number), route) for number, line in numbered)


def _excluded(source: LineSource, route: DraftingRules) -> UnsentPart:
    origin = route.defined.at("entity", "excludedLineItemTypes")
    return UnsentPart(source, UnsentReason.EXCLUDED_TYPE, origin)


def _nothing(frame: BillContext, split: SplitBill) -> NothingToSend:
    bill = frame.bill
    rest = tuple(UnsentPart(part.source, UnsentReason.NOTHING_TO_SEND) for part in split.parts)
    if not bill.lines:
        why = "the bill has no lines"
    elif not split.parts:
        why = _NO_LINE
    else:
        why = f"what would be sent adds up to {Money(0, frame.currency)}"
    unsent = _in_bill_order((*split.unsent, *rest))
    return NothingToSend(bill.id, bill.version, unsent, why, input_hash(bill))


def _blocked(
    bill: Bill,
    reasons: tuple[BlockReason, ...],
    unsent: tuple[UnsentPart, ...],
    sources: Iterable[LineSource],
) -> BlockedBill:
    rest = tuple(UnsentPart(source, UnsentReason.BLOCKED) for source in sources)
    return BlockedBill(bill.id, bill.version, reasons, _in_bill_order((*unsent, *rest)))


def _in_bill_order(unsent: Iterable[UnsentPart]) -> tuple[UnsentPart, ...]:
    return tuple(sorted(unsent, key=lambda part: (part.source.number, part.source.band or 0)))


def _draft(
    frame: BillContext,
    target: BilledParty,
    now: datetime,
    *,
    lines: tuple[DraftLine, ...],
    adjusted: Adjusted,
    unsent: tuple[UnsentPart, ...],
) -> InvoiceDraft:
    bill, route = frame.bill, frame.route
    invoice_at, moved = _invoice_at(frame, now)
    return InvoiceDraft(
        bill_id=bill.id,
        bill_version=bill.version,
        account_id=bill.account_id,
        account_code=bill.account_code,
        integration=route.defined.name,
        way=delivery_of(route),
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
        notes=tuple(note for note in (moved, _disputed(frame)) if note),
        input_hash=input_hash(bill),
        credits_as=_credits_as(route),
    )


def _credits_as(route: DraftingRules) -> CreditsAs:
    promotional = route.policy.negative_lines == "promotional-credit"
    return "promotional-credit" if promotional else "credit-note"


def _invoice_at(frame: BillContext, now: datetime) -> tuple[datetime | None, str]:
    route = frame.route
    if delivery_of(route) == "pending" or route.policy.invoice_date == "today":
        return None, ""
    site = zone_of(route.site_zone)
    if site is None:
        return None, f"the site's time zone {route.site_zone!r} is not known; today is used"
    return invoice_instant(frame.bill.external_invoice_date, now, site)


def _disputed(frame: BillContext) -> str:
    currency = frame.currency
    iso = frame.route.readings.currencies.disputed.get(currency.code)
    if iso is None:
        return ""
    return (
        f"{currency} has {currency.places} decimal places at Chargebee by its published list,"
        f" and {iso} in ISO 4217"
    )


def delivery_of(route: DraftingRules) -> Way:
    """Say how the bills of a route travel."""
    if not route.page.create_invoice:
        return "pending"
    return "create-open" if route.policy.open else "create"


def billed_party(bill: Bill, route: DraftingRules) -> BilledParty | BlockReason:
    """Find who is billed, or say why nobody can be."""
    kind = route.policy.account_is
    if kind == "customer" and delivery_of(route) != "create":
        return BlockReason(
            BlockCode.ACCOUNT_MAPPING,
            f"pending invoices belong to subscriptions, and account {_name(bill)} stands for a"
            " customer",
            "set push.accountIs: subscription, or createInvoice: true without push.open",
            origin=route.defined.at("push", "accountIs"),
        )
    if not route.defined.spec.entity.use_external_mapping_account_code:
        return BilledParty(kind, bill.account_id)
    return _mapped(bill, route)


def _mapped(bill: Bill, route: DraftingRules) -> BilledParty | BlockReason:
    kind = route.policy.account_is
    tables = {table.casefold() for table in route.readings.account_tables.get(kind, ())}
    candidates = route.mappings.of(route.readings.account_entity, bill.account_id)
    for level in (candidates.linked, candidates.unlinked):
        usable = [mapping for mapping in level if mapping.table.casefold() in tables]
        if len({mapping.external_id for mapping in usable}) > 1:
            return _ambiguous(bill, usable)
        if usable:
            return BilledParty(kind, usable[0].external_id, usable[0].origin)
    return BlockReason(
        BlockCode.ACCOUNT_MAPPING,
        f"account {_name(bill)} has no external mapping to a Chargebee {kind}",
        "add it to the account mappings of this integration",
    )


def _ambiguous(bill: Bill, level: list[KnownMapping]) -> BlockReason:
    ids = " and ".join(
        f"{candidate.external_id} ({candidate.origin or 'only in m3ter'})" for candidate in level
    )
    return BlockReason(
        BlockCode.AMBIGUOUS_MAPPING,
        f"account {_name(bill)} has several mappings of one level: {ids}",
        "keep one of them",
        origin=level[0].origin,
    )


def _name(bill: Bill) -> str:
    return bill.account_code or bill.account_id


_TYPES = frozenset(LineItemType)


def split_bill(frame: BillContext) -> SplitBill:
    """Split and sort every line; every line and band is in one of the answer's fields."""
    done = [_split(line, number, frame) for number, line in enumerate(frame.bill.lines, start=1)]
    groups = sorted_lines([line.parts for line in done], frame.route.page.sort_line_items_by)
    return SplitBill(
        tuple(part for group in groups for part in group),
        tuple(unsent for line in done for unsent in line.unsent),
        tuple(reason for line in done for reason in line.reasons),
    )


def adds_up_to_zero(parts: Sequence[BillPart], currency: Currency) -> bool:
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


def _split(line: BillLine, number: int, frame: BillContext) -> SplitLine:
    page, source = frame.route.page, source_of(line, number)
    if line.type in frame.route.defined.spec.entity.excluded_line_item_types:
        return SplitLine(unsent=(_excluded(source, frame.route),))
    if line.type not in _TYPES:
        return _doubtful(source, (_unknown_type(source),))
    split = page.split_usage_line_items or "itemPerUsageBand"
    rules = SplitRules(frame.currency, split, frame.route.readings.band_tolerance)
    done = split_line(line, number, frame.bill, rules)
    return _doubtful(source, done.reasons) if done.reasons else done


def _doubtful(source: LineSource, reasons: tuple[BlockReason, ...]) -> SplitLine:
    return SplitLine(unsent=(UnsentPart(source, UnsentReason.BLOCKED),), reasons=reasons)


def _unknown_type(source: LineSource) -> BlockReason:
    return BlockReason(
        BlockCode.LINE_TYPE,
        f"{source} is of a type that this version does not know",
        "update m3ter-reconciler",
        source,
    )


def billed_amount(bill: Bill, currencies: CurrencyTable) -> Money | None:
    """Add a bill up, each line in minor units; excluded types and credits included.

    Returns:
        The sum; m3ter's own total where a line has no amount that can be read; ``None`` where
        neither is known, or the currency is not.
    """
    try:
        currency = currencies.currency(bill.currency)
        rules = SplitRules(currency, "itemPerProduct", 0)
        minor = 0
        for number, line in enumerate(bill.lines, start=1):
            split = split_line(line, number, bill, rules)
            amounts = [part.source.amount for part in split.parts]
            if split.reasons or None in amounts:
                return None if bill.total is None else to_money(bill.total, currency)
            minor += sum(
                to_money(amount, currency).minor for amount in amounts if amount is not None
            )
    except (UnknownCurrencyError, AmountTooLargeError):
        return None
    if not bill.lines and bill.total is not None:
        return to_money(bill.total, currency)
    return Money(minor, currency)
