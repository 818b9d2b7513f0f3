"""What would be refused or billed wrongly, from the site's own catalogue (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.drafting.draft import (
    BlockCode,
    BlockReason,
    CataloguePricing,
    DecimalPricing,
    DraftLine,
    InvoiceDraft,
)

# Source: Chargebee API docs, unit_price: it applies to these pricing models only
_UNIT_PRICED = frozenset({"flat_fee", "per_unit"})
_BILLABLE = frozenset({"active", "non_renewing", "in_trial"})
_PAUSED = frozenset({"paused", "future"})
# Source: Chargebee OpenAPI 2026-09-24: unit_price_in_decimal and quantity_in_decimal
_PRICE_LENGTH_MAX = 39
_QUANTITY_LENGTH_MAX = 33
COLLECTION_HINT = "turn it off in Chargebee, or set push.collection: customer-default"
UNKNOWN_PRICE = "does not exist in Chargebee"


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """What the catalogue says of an item price."""

    item_type: str
    status: str
    currency: str
    model: str
    inclusive: bool
    priced: bool


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """Whoever is billed: a subscription with its customer, or a customer.

    Attributes:
        customer_id: Empty when it is not there.
        status: Of the subscription; empty for a customer.
        currency: Of the subscription; empty for a customer.
        why: Why it cannot be billed at all, or empty.
        collects: Whose setting lets Chargebee collect by itself, for example ``customer 7``; empty
            when auto-collection is off.
    """

    customer_id: str
    status: str
    currency: str
    why: str = ""
    collects: str = ""


@dataclass(frozen=True, slots=True)
class DraftReads:
    """Everything that was read about a draft.

    Attributes:
        owner: Whoever is billed.
        prices: By id; one that is missing does not exist.
        unbilled: Charges that would be swept into the invoice.
        fields: Kinds of objects by custom field; ``None`` when the site does not list them.
        lost_stamp: A stamp that did not come back, or empty.
    """

    owner: OwnerFacts
    prices: Mapping[str, PriceFacts]
    unbilled: int
    fields: Mapping[str, frozenset[str]] | None
    lost_stamp: str = ""


@dataclass(frozen=True, slots=True)
class DecimalPlaces:
    """Places that the site takes; ``None`` without multi-decimal support."""

    price: int | None = None
    quantity: int | None = None


def preflight(
    draft: InvoiceDraft, facts: DraftReads, places: DecimalPlaces, switches: ChargebeeSwitches
) -> tuple[BlockReason, ...]:
    """List every reason why a draft must not be sent."""
    return (
        *_owner(draft, facts.owner, switches),
        *_site(draft, facts),
        *_size(draft, switches),
        *_discounts(draft, switches),
        *(reason for line in draft.lines for reason in _line(line, draft, facts, places)),
    )


def stamp_lost(field: str) -> BlockReason:
    """Say that nothing more may be sent, because stamps do not come back."""
    return BlockReason(
        BlockCode.PREFLIGHT,
        f"Chargebee took an invoice without its stamp {field}: it could not be found again",
        f"make {field} a custom field of invoices on the site, then start the run again",
    )


def _owner(
    draft: InvoiceDraft, owner: OwnerFacts, switches: ChargebeeSwitches
) -> Iterator[BlockReason]:
    name = f"{draft.target.kind} {draft.target.external_id}"
    hint = "correct the account's mapping, or the object in Chargebee"
    if owner.why:
        yield _reason(f"{name} {owner.why}", hint, draft)
        return
    if owner.status and not _billable(owner.status, switches):
        yield _reason(f"{name} is {owner.status} in Chargebee, so it cannot be billed", hint, draft)
    if owner.currency and owner.currency != draft.currency.code:
        text = f"{name} is billed in {owner.currency}, and the bill is in {draft.currency}"
        yield _reason(text, hint, draft)
    if why := collects_at_closing(draft, owner):
        yield _reason(why, COLLECTION_HINT, draft)


def collects_at_closing(draft: InvoiceDraft, owner: OwnerFacts) -> str:
    """Say that closing the bill's open invoice would collect although it must not; else empty.

    Source: chargebee changelog 3.29.0, create_pending_invoice: not with ``auto_collection``.
    Source: Chargebee OpenAPI 2026-09-24, close: collects if the subscription's setting, else the
    customer's, is on.
    """
    if draft.way != "create-open" or draft.collection != "off" or not owner.collects:
        return ""
    return (
        f"push.collection is off, and closing an open invoice of {draft.target.kind}"
        f" {draft.target.external_id} would collect by itself: auto-collection of {owner.collects}"
        " is on, and an open invoice cannot be told otherwise"
    )


def _billable(status: str, switches: ChargebeeSwitches) -> bool:
    if status in _PAUSED:
        return switches.paused_billing == "allow"
    if status == "cancelled":
        return switches.cancelled_billing == "allow"
    return status in _BILLABLE


def _site(draft: InvoiceDraft, facts: DraftReads) -> Iterator[BlockReason]:
    if facts.lost_stamp:
        yield stamp_lost(facts.lost_stamp)
    if facts.unbilled and draft.way != "pending":
        yield _reason(
            f"{facts.unbilled} unbilled charge{'s' if facts.unbilled > 1 else ''} of"
            f" {draft.target.kind} {draft.target.external_id} would be swept into the invoice",
            "invoice or delete them in Chargebee first",
            draft,
        )
    if facts.fields is None:
        return
    needed = ["invoice", *(["credit_note"] if _by_note(draft) else [])]
    kinds = facts.fields.get(draft.stamp_field, frozenset())
    for kind in needed:
        if kind not in kinds:
            yield _reason(
                f"the site has no custom field {draft.stamp_field} on objects of kind {kind}",
                "create it in Chargebee as a text field",
                draft,
            )


def _by_note(draft: InvoiceDraft) -> bool:
    return bool(draft.credits) and draft.credits_as == "credit-note"


def _size(draft: InvoiceDraft, switches: ChargebeeSwitches) -> Iterator[BlockReason]:
    if len(draft.lines) > switches.max_lines:
        yield _reason(
            f"the bill makes {len(draft.lines)} lines, more than the {switches.max_lines} that an"
            " invoice is trusted with",
            "set splitUsageLineItems: itemPerProduct, or exclude line item types",
            draft,
            BlockCode.TOO_MANY_LINES,
        )


def _discounts(draft: InvoiceDraft, switches: ChargebeeSwitches) -> Iterator[BlockReason]:
    if switches.repeated_discount == "send":
        return
    for discount in draft.discounts:
        if sum(1 for line in draft.lines if line.price_id == discount.price_id) > 1:
            yield _reason(
                f"the discount on price {discount.price_id}, which stands in several lines, may be"
                " given several times",
                "set push.negativeLines to credit-note",
                draft,
            )


def _line(
    line: DraftLine, draft: InvoiceDraft, facts: DraftReads, places: DecimalPlaces
) -> Iterator[BlockReason]:
    price = facts.prices.get(line.price_id)
    texts = [] if price is None else list(_price(line, price, draft))
    if price is None:
        texts = [UNKNOWN_PRICE]
    for text in texts:
        chosen = line.trace.price
        yield BlockReason(
            BlockCode.PRICE,
            f"{line.trace.source}: item price {line.price_id} {text}",
            "map the line to a charge that fits, or correct it in Chargebee",
            line.trace.source,
            chosen.chosen.origin if chosen else None,
        )
    if isinstance(line.pricing, DecimalPricing):
        yield from _places(line, line.pricing, places)


def unfit(price: PriceFacts) -> Iterator[str]:
    """Say why an item price can bill no line, whatever the line."""
    if price.item_type != "charge":
        yield f"is of type {price.item_type}, not charge"
    if price.status != "active":
        yield f"is {price.status}"
    if price.model not in _UNIT_PRICED:
        yield f"is {price.model}; only flat fees and per-unit prices take our amounts"
    if price.inclusive:
        yield "includes tax, and m3ter's amounts do not"


def _price(line: DraftLine, price: PriceFacts, draft: InvoiceDraft) -> Iterator[str]:
    yield from unfit(price)
    if price.currency != draft.currency.code:
        yield f"is in {price.currency}, and the bill is in {draft.currency}"
    if isinstance(line.pricing, CataloguePricing) and not price.priced:
        yield "has no price of its own, and m3ter gives no amount"
    if price.model == "flat_fee" and line.pricing.quantity != 1:
        yield f"is a flat fee, and quantity {line.pricing.quantity} would be ignored"


def _places(
    line: DraftLine, pricing: DecimalPricing, places: DecimalPlaces
) -> Iterator[BlockReason]:
    asked = (
        ("unit price", pricing.unit_price, places.price, _PRICE_LENGTH_MAX),
        ("quantity", pricing.quantity, places.quantity, _QUANTITY_LENGTH_MAX),
    )
    for what, number, allowed, longest in asked:
        digits = format(number.normalize(), "f")
        used = len(digits.partition(".")[2])
        if allowed is None or used > allowed or len(digits) > longest:
            limit = "no decimal places" if allowed is None else f"at most {allowed} decimal places"
            yield BlockReason(
                BlockCode.DECIMAL_PLACES,
                f"{line.trace.source}: {what} {_shown(number)}, and the site takes {limit}",
                "lower multiDecimalPriceDecimalPlaces or multiDecimalUnitsDecimalPlaces, or tell"
                " the environment what the site takes",
                line.trace.source,
            )


def _shown(number: Decimal) -> str:
    return format(number, "f")


def _reason(
    text: str, hint: str, draft: InvoiceDraft, code: BlockCode = BlockCode.PREFLIGHT
) -> BlockReason:
    return BlockReason(code, text, hint, origin=draft.target.origin)
