"""Limits of one run: how many bills, and how much money; it stops before the send too many."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from reconciler.drafting.draft import InvoiceDraft
from reconciler.errors import InvalidError
from reconciler.kernel.money import Money, UnknownCurrencyError, chargebee_currencies


class NotAnAmountError(InvalidError):
    """``--max-amount`` cannot be understood."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"--max-amount {text!r} is not CUR:AMOUNT. Nothing was sent. Write it as GBP:1000."
        )


@dataclass(slots=True)
class Limits:
    """Counts what a run begins to send; safe from many threads.

    Attributes:
        bills: At most so many; ``None`` is no limit.
        amounts: At most so much, by currency code; a currency that is not named has no limit.
        reached: Which limit ended the run; empty while none did.
    """

    bills: int | None = None
    amounts: Mapping[str, Money] = field(default_factory=dict)
    reached: str = ""
    begun: int = 0
    _spent: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def first(self, bills: int) -> Limits:
        """Give the limits of a canary."""
        fewer = bills if self.bills is None else min(bills, self.bills)
        return Limits(fewer, self.amounts)

    def after(self, canary: Limits) -> Limits:
        """Give what a canary left."""
        left = None if self.bills is None else max(0, self.bills - canary.begun)
        return Limits(left, self.amounts, _spent=dict(canary._spent))

    def admit(self, draft: InvoiceDraft) -> str:
        """Count a bill that is about to be sent, or say which limit forbids it."""
        with self._lock:
            if not self.reached:
                self.reached = self._exceeded(draft)
            if self.reached:
                return self.reached
            code = draft.currency.code
            self.begun += 1
            self._spent[code] = self._spent.get(code, 0) + draft.billed.minor
            return ""

    def _exceeded(self, draft: InvoiceDraft) -> str:
        if self.bills is not None and self.begun >= self.bills:
            return f"the limit of {self.bills} bills is reached"
        code = draft.currency.code
        limit = self.amounts.get(code)
        if limit is None:
            return ""
        spent = Money(self._spent.get(code, 0), draft.currency)
        if (spent + draft.billed).major <= limit.major:
            return ""
        return f"{spent} was sent, and the next bill of {draft.billed} would exceed {limit}"


def parse_amounts(texts: Iterable[str]) -> dict[str, Money]:
    """Read ``CUR:AMOUNT`` of the command line.

    Raises:
        NotAnAmountError: When one cannot be read, or has too many decimals.
    """
    return dict(_amount(one) for one in texts)


def _amount(text: str) -> tuple[str, Money]:
    code, _, figure = text.partition(":")
    try:
        currency = chargebee_currencies().currency(code)
        minor = Decimal(figure).scaleb(currency.places)
    except (UnknownCurrencyError, InvalidOperation):
        raise NotAnAmountError(text) from None
    if not minor.is_finite() or minor != int(minor) or minor < 0:
        raise NotAnAmountError(text)
    return code, Money(int(minor), currency)
