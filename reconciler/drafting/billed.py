"""What m3ter bills in a bill, also in one that cannot be drafted."""

from __future__ import annotations

from reconciler.drafting.line_split import SplitRules, split_line
from reconciler.kernel.money import CurrencyTable, Money, UnknownCurrencyError
from reconciler.kernel.rounding import AmountTooLargeError, to_money
from reconciler.m3ter.bill import Bill


def billed(bill: Bill, currencies: CurrencyTable) -> Money | None:
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
            minor += sum(to_money(one, currency).minor for one in amounts if one is not None)
    except (UnknownCurrencyError, AmountTooLargeError):
        return None
    if not bill.lines and bill.total is not None:
        return to_money(bill.total, currency)
    return Money(minor, currency)
