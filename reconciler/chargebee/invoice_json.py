"""JSON of Chargebee -> invoices (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args

from reconciler.chargebee.errors import UnreadableChargebeeAnswerError
from reconciler.kernel.address import BillId
from reconciler.kernel.money import Currency, CurrencyTable, Money, chargebee_currencies
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.sync.model.invoice import Invoice, InvoiceLine, InvoiceStatus
from reconciler.sync.model.push import InvoiceId, InvoiceLineId

# Source: Chargebee API docs, invoice.line_item_discounts[].discount_type; these are a payment, not
# a lower price
_PROMOTIONAL = "promotional_credits"
_STATUSES: Mapping[str, InvoiceStatus] = {arg: arg for arg in get_args(InvoiceStatus)}


@dataclass(frozen=True, slots=True)
class AnswerReading:
    """How answers are read.

    Attributes:
        stamps: Custom fields that carry a bill id.
        currencies: Minor units.
    """

    stamps: tuple[str, ...]
    currencies: CurrencyTable = field(default_factory=chargebee_currencies)


def read_invoice(data: JsonObject, reading: AnswerReading, credited: int | None = None) -> Invoice:
    """Read an invoice.

    Args:
        data: The object, with all of its lines.
        reading: How to read it.
        credited: Credit notes on it before tax, in minor units, when they were read; otherwise the
            invoice's own list counts, tax included.

    Raises:
        UnreadableChargebeeAnswerError: When a field is missing or of another type.
        UnknownCurrencyError: When its currency is not in the table.
    """
    currency = reading.currencies.currency(text(data, "currency_code"))
    discounts = _discounts(data)
    paid = sum(number(data, literal) for literal in ("amount_paid", "credits_applied"))
    return Invoice(
        id=InvoiceId(text(data, "id")),
        status=_status(data),
        customer_id=text(data, "customer_id"),
        subscription_id=text(data, "subscription_id", ""),
        currency=currency.code,
        date=instant(data, "date"),
        lines=tuple(_line(line, currency, discounts) for line in objects(data, "line_items")),
        stamp=stamp_of(data, reading.stamps),
        paid=Money(paid + _promotional(data), currency),
        credited=Money(listed_credits(data) if credited is None else credited, currency),
        deleted=data.get("deleted") is True,
        updated_at=instant(data, "updated_at"),
    )


def stamp_of(data: JsonObject, stamps: Collection[str]) -> BillId | None:
    """Give the bill that an invoice or credit note is stamped with."""
    found = (data.get(stamp) for stamp in stamps)
    return next(
        (BillId(candidate) for candidate in found if isinstance(candidate, str) and candidate), None
    )


def listed_credits(data: JsonObject) -> int:
    """Add up the credit notes as the invoice lists them, in minor units, tax included."""
    names = ("adjustment_credit_notes", "issued_credit_notes")
    notes = [note for name in names for note in objects(data, name)]
    return sum(number(note, "cn_total") for note in notes if note.get("cn_status") != "voided")


def text(data: JsonObject, name: str, default: str | None = None) -> str:
    """Read a text field.

    Raises:
        UnreadableChargebeeAnswerError: When it is missing without a default, or no text.
    """
    value = data.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise UnreadableChargebeeAnswerError(_name(data), f"{name} is no text")
    return value


def number(data: JsonObject, name: str) -> int:
    """Read a whole number; absent is 0.

    Raises:
        UnreadableChargebeeAnswerError: When it is something else.
    """
    value = data.get(name, 0)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnreadableChargebeeAnswerError(_name(data), f"{name} is no whole number")
    return value


def instant(data: JsonObject, name: str) -> datetime | None:
    """Read a time in seconds; ``None`` when it is absent."""
    return datetime.fromtimestamp(number(data, name), UTC) if data.get(name) is not None else None


def objects(data: JsonObject, name: str) -> Iterator[JsonObject]:
    """Read an array of objects; absent is empty.

    Raises:
        UnreadableChargebeeAnswerError: When it is something else.
    """
    value = data.get(name)
    if value is None:
        return
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise UnreadableChargebeeAnswerError(_name(data), f"{name} is no list")
    for element in value:
        yield an_object(element, f"{_name(data)}, {name}")


def an_object(value: JsonValue, subject: str) -> JsonObject:
    """Take a value for an object.

    Raises:
        UnreadableChargebeeAnswerError: When it is none.
    """
    if not isinstance(value, Mapping):
        raise UnreadableChargebeeAnswerError(subject, "it is no object")
    return value


def decimal(data: JsonObject, name: str) -> Decimal | None:
    """Read a decimal written as text; ``None`` when it is absent.

    Raises:
        UnreadableChargebeeAnswerError: When it is no number.
    """
    value = data.get(name)
    if value is None:
        return None
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        found = Decimal("NaN")
    if not found.is_finite():
        raise UnreadableChargebeeAnswerError(_name(data), f"{name} is no number")
    return found


def _line(data: JsonObject, currency: Currency, discounts: Mapping[str, int] | None) -> InvoiceLine:
    key = text(data, "id")
    given = number(data, "discount_amount") if discounts is None else discounts.get(key, 0)
    quantity = decimal(data, "quantity_in_decimal")
    price = decimal(data, "unit_amount_in_decimal")
    return InvoiceLine(
        id=InvoiceLineId(key),
        price_id=text(data, "entity_id", ""),
        amount=Money(number(data, "amount"), currency),
        discount=Money(given, currency),
        quantity=Decimal(number(data, "quantity")) if quantity is None else quantity,
        unit_price=Money(number(data, "unit_amount"), currency).major if price is None else price,
        date_from=instant(data, "date_from"),
        date_to=instant(data, "date_to"),
        description=text(data, "description", ""),
        subscription_id=text(data, "subscription_id", ""),
    )


def _discounts(data: JsonObject) -> Mapping[str, int] | None:
    """Give the discount of each line by its id; ``None`` when the invoice does not tell kinds."""
    if "line_item_discounts" not in data:
        return None
    found: dict[str, int] = {}
    for discount in objects(data, "line_item_discounts"):
        if discount.get("discount_type") != _PROMOTIONAL:
            key = text(discount, "line_item_id")
            found[key] = found.get(key, 0) + number(discount, "discount_amount")
    return found


def _promotional(data: JsonObject) -> int:
    parts = objects(data, "line_item_discounts")
    return sum(
        number(part, "discount_amount")
        for part in parts
        if part.get("discount_type") == _PROMOTIONAL
    )


def _status(data: JsonObject) -> InvoiceStatus:
    status = _STATUSES.get(text(data, "status"))
    if status is None:
        raise UnreadableChargebeeAnswerError(_name(data), f"status is {data.get('status')!r}")
    return status


def _name(data: JsonObject) -> str:
    return f"{data.get('object') or 'object'} {data.get('id') or 'without id'}"
