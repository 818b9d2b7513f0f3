"""What will be sent for a bill: lines, credits, what stays behind, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Currency, Money
from reconciler.kernel.problem import Origin
from reconciler.m3ter.bill import LineId


class PriceRule(StrEnum):
    """Where the price id of a line came from, in order of precedence."""

    LINKED_MAPPING = "mapping linked to this integration"
    UNLINKED_MAPPING = "mapping linked to no integration"
    MINIMUM_SPEND = "minimumSpendItemPrice"
    STANDING_CHARGE = "standingChargeItemPrice"
    TYPE_MAPPING = "priceIdMapping"
    DEFAULT = "defaultPriceId"


@dataclass(frozen=True, slots=True)
class PriceSource:
    """A rule that offers a price id, and where it stands.

    Attributes:
        rule: Which rule.
        price_id: What it offers.
        what: In words, for example ``product api-calls`` or ``priceIdMapping.USAGE``.
        origin: The place in the files that set it; ``None`` for a mapping that git does not hold.
    """

    rule: PriceRule
    price_id: str
    what: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class PriceChoice:
    """The rule that won, and those that were not used although they offered something."""

    chosen: PriceSource
    not_used: tuple[PriceSource, ...] = ()

    @property
    def fallback(self) -> bool:
        """Whether the line fell to the default price."""
        return self.chosen.rule is PriceRule.DEFAULT


@dataclass(frozen=True, slots=True)
class RoundingStep:
    """One place where digits were given up, or would have been.

    Attributes:
        what: For example ``unit price`` or ``amount``.
        exact: Before; up to the working precision when it is a quotient.
        places: Decimal places kept.
        rounded: After, half up (half away from zero).
    """

    what: str
    exact: Decimal
    places: int
    rounded: Decimal


@dataclass(frozen=True, slots=True)
class LineSource:
    """The part of the bill that a line was made from.

    Attributes:
        number: Position of the m3ter line on the bill, from 1.
        line_id: m3ter's id of it.
        type: Line item type.
        description: m3ter's words.
        band: Position of the band in the line, from 1; ``None`` for the whole line.
        band_id: Pricing band, or empty.
        amount: What m3ter billed, exact, in the bill's currency; ``None`` when it gives none.
        amount_from: Which field the amount was taken from, in words.
    """

    number: int
    line_id: LineId
    type: str
    description: str
    band: int | None
    band_id: str
    amount: Decimal | None
    amount_from: str

    def __str__(self) -> str:
        band = "" if self.band is None else f", band {self.band}"
        return f"line {self.number} ({self.type}{band})"


@dataclass(frozen=True, slots=True)
class Trace:
    """How one drafted line came about.

    Attributes:
        source: The m3ter line, or the band of it.
        price: Which price id and why; ``None`` for what needs none.
        rounding: Every rounding step, in order.
        notes: Anything else that a reader must know, one sentence each.
    """

    source: LineSource
    price: PriceChoice | None
    rounding: tuple[RoundingStep, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WholePricing:
    """Integer quantity and a price in minor units."""

    quantity: int
    unit_price: Money


@dataclass(frozen=True, slots=True)
class DecimalPricing:
    """Decimal quantity and price in major units; only with multi-decimal support."""

    quantity: Decimal
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class CataloguePricing:
    """m3ter gives no amount: the item price's own price is used."""

    quantity: int = 1


Pricing = WholePricing | DecimalPricing | CataloguePricing


@dataclass(frozen=True, slots=True)
class Period:
    """A service period: instants in UTC, ``end`` as the destination is told."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line of the invoice.

    Attributes:
        price_id: Item price at the destination.
        pricing: Quantity and unit price in the form that is sent.
        period: Service period.
        description: Name of the line, within the destination's limit.
        details: Text under the line, within the destination's limit; holds the real figures of a
            line that is sent as quantity 1.
        billed: m3ter's amount, rounded half up to minor units; ``None`` for a catalogue price.
        expected: What the destination will compute; ``None`` for a catalogue price.
        trace: How it came about.
    """

    price_id: str
    pricing: Pricing
    period: Period
    description: str
    details: str
    billed: Money | None
    expected: Money | None
    trace: Trace

    @property
    def rounding(self) -> Money | None:
        """What the destination will compute beyond m3ter's amount; zero under ``exact``."""
        if self.billed is None or self.expected is None:
            return None
        return self.expected - self.billed


@dataclass(frozen=True, slots=True)
class DraftDiscount:
    """A negative amount, sent as a discount on one item price.

    Attributes:
        price_id: The item price that the discount applies to.
        amount: Above zero.
    """

    price_id: str
    amount: Money
    description: str
    traces: tuple[Trace, ...]


@dataclass(frozen=True, slots=True)
class DraftCredit:
    """A negative line, credited after the invoice; ``amount`` is above zero."""

    price_id: str
    amount: Money
    period: Period
    description: str
    trace: Trace


class UnsentReason(StrEnum):
    """Why a part of a bill is not sent."""

    EXCLUDED_TYPE = "excludedLineItemTypes names its type"
    EMPTY_BAND = "the band has neither units nor money"
    NOTHING_TO_SEND = "the bill adds up to zero, nothing is sent"
    BLOCKED = "the bill is blocked"


@dataclass(frozen=True, slots=True)
class UnsentPart:
    """A part of the bill that is not sent; never dropped silently."""

    source: LineSource
    reason: UnsentReason
    origin: Origin | None = None


class BlockCode(StrEnum):
    """Why a whole bill is blocked."""

    ACCOUNT_MAPPING = "account-mapping"
    AMBIGUOUS_MAPPING = "ambiguous-mapping"
    AMOUNT = "amount"
    BANDS = "bands"
    CURRENCY = "currency"
    DECIMAL_PLACES = "decimal-places"
    FALLBACK = "fallback"
    LINE_TYPE = "line-type"
    NEGATIVE_LINE = "negative-line"
    PERIOD = "period"
    PREFLIGHT = "preflight"
    PRICE = "price"
    TIME_ZONE = "time-zone"
    TOO_MANY_LINES = "too-many-lines"


# Source: m3ter guide "Reviewing and resolving integration events", event names
EventName = Literal[
    "integration.validation.error",
    "integration.missingaccountmapping.error",
    "integration.authentication.error",
    "integration.perform.error",
    "integration.disabled.error",
]


@dataclass(frozen=True, slots=True)
class BlockReason:
    """One reason that blocks a bill: what is wrong, and what to do.

    Attributes:
        code: Kind of reason.
        text: What is wrong, in one sentence, with the object it is about.
        hint: What to do.
        source: The part of the bill, when it is one.
        origin: The place in the files to look at, when there is one.
    """

    code: BlockCode
    text: str
    hint: str
    source: LineSource | None = None
    origin: Origin | None = None

    @property
    def event(self) -> EventName:
        """The event that m3ter's own integration would raise."""
        if self.code is BlockCode.ACCOUNT_MAPPING:
            return "integration.missingaccountmapping.error"
        return "integration.validation.error"


@dataclass(frozen=True, slots=True)
class BilledParty:
    """Who is billed: a subscription or a customer, by its external id.

    Attributes:
        origin: The mapping row in git, or ``None`` when the m3ter account id itself is used.
    """

    kind: Literal["subscription", "customer"]
    external_id: str
    origin: Origin | None = None


CreditsAs = Literal["credit-note", "promotional-credit"]
"""A note on the invoice, or alone; or a balance of the customer that any later invoice uses."""
Way = Literal["create", "create-open", "pending"]
"""One new invoice, one new invoice left open, or lines on the subscription's pending invoice."""


@dataclass(frozen=True, slots=True)
class InvoiceDraft:
    """Everything that will be sent for one bill.

    Attributes:
        integration: Name of the definition.
        bill_version: m3ter's version that was drafted; recorded, never part of an identity.
        way: How it travels.
        invoice_at: Date of the invoice as an instant; ``None`` leaves it to the destination.
        collection: Whether the destination may collect inside the call.
        stamp_field: Custom field that carries the bill id.
        lines: In the order in which they are sent.
        unsent: What is not sent, with reasons.
        notes: What a reader must know: assumptions, fall-backs, moved dates.
        input_hash: SHA-256 of the canonical draft input; equal means nothing to send again.
        credits_as: How ``credits`` are given.
    """

    bill_id: BillId
    bill_version: int
    account_id: AccountId
    account_code: str
    integration: str
    way: Way
    currency: Currency
    target: BilledParty
    invoice_at: datetime | None
    purchase_order: str
    collection: Literal["off", "customer-default"]
    stamp_field: str
    period: Period
    lines: tuple[DraftLine, ...]
    discounts: tuple[DraftDiscount, ...]
    credits: tuple[DraftCredit, ...]
    unsent: tuple[UnsentPart, ...]
    notes: tuple[str, ...]
    input_hash: str
    credits_as: CreditsAs = "credit-note"

    @property
    def billed(self) -> Money:
        """What m3ter billed in what is sent, each line in minor units; credits count below zero."""
        return self._total([line.billed for line in self.lines])

    @property
    def expected(self) -> Money:
        """What the destination will compute for all effects, catalogue prices aside."""
        return self._total([line.expected for line in self.lines])

    @property
    def fallbacks(self) -> tuple[DraftLine, ...]:
        """The lines that fell to the default price."""
        return tuple(line for line in self.lines if line.trace.price and line.trace.price.fallback)

    def _total(self, amounts: list[Money | None]) -> Money:
        minor = sum(amount.minor for amount in amounts if amount is not None)
        minor -= sum(discount.amount.minor for discount in self.discounts)
        minor -= sum(credit.amount.minor for credit in self.credits)
        return Money(minor, self.currency)


@dataclass(frozen=True, slots=True)
class NothingToSend:
    """The bill adds up to zero, or all of it is excluded."""

    bill_id: BillId
    bill_version: int
    unsent: tuple[UnsentPart, ...]
    why: str
    input_hash: str


@dataclass(frozen=True, slots=True)
class BlockedBill:
    """The bill cannot be sent as it is; all reasons at once, at least one."""

    bill_id: BillId
    bill_version: int
    reasons: tuple[BlockReason, ...]
    unsent: tuple[UnsentPart, ...]


DraftOutcome = InvoiceDraft | NothingToSend | BlockedBill
