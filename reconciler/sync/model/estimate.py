"""What a destination says that it would make of a draft, without making it."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.kernel.money import Money
from reconciler.sync.model.invoice import Invoice


@dataclass(frozen=True, slots=True)
class Estimated:
    """An invoice that was not made.

    Attributes:
        invoice: Its lines and discounts; ids, status and dates mean nothing.
        sub_total: Lines less discounts, before tax.
        tax: On top of them.
        total: With tax.
    """

    invoice: Invoice
    sub_total: Money
    tax: Money
    total: Money


@dataclass(frozen=True, slots=True)
class NotEstimated:
    """There is no estimate; ``why`` says it in words, a refusal of the destination's too."""

    why: str


Estimate = Estimated | NotEstimated
