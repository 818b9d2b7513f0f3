"""What closing came to: the worst of it decides how the command ends."""

from __future__ import annotations

import pytest

from reconciler.errors import ExitCode
from reconciler.kernel.address import BillId
from reconciler.kernel.money import Currency, Money
from reconciler.sync.core.closed import Closed, ClosedTally, Fate

MONEY = Money(100, Currency("GBP", 2))


def closed(fate: Fate, why: str = "", bill: str = "b1", account: str = "acme") -> Closed:
    return Closed(BillId(bill), fate, why, account=account, money=MONEY)


@pytest.mark.parametrize(
    ("bills", "code"),
    [
        ([], ExitCode.DONE),
        ([closed(Fate.CLOSED), closed(Fate.EARLIER)], ExitCode.DONE),
        ([closed(Fate.CLOSED), closed(Fate.OPEN, "edited")], ExitCode.PARTLY_DONE),
        ([closed(Fate.CLOSED, "its credit was refused")], ExitCode.PARTLY_DONE),
        ([closed(Fate.EARLIER, "its credit was refused")], ExitCode.PARTLY_DONE),
        ([closed(Fate.OPEN, "edited"), closed(Fate.UNKNOWN, "cut")], ExitCode.UNKNOWN_OUTCOME),
    ],
)
def test_the_worst_decides(bills: list[Closed], code: ExitCode) -> None:
    tally = ClosedTally()
    for bill in bills:
        tally.add(bill)
    assert tally.exit_code is code


def test_what_was_closed_earlier_is_counted_and_not_listed() -> None:
    tally = ClosedTally()
    for closing in (closed(Fate.EARLIER), closed(Fate.CLOSED, bill="b3"), closed(Fate.CLOSED)):
        tally.add(closing)
    assert tally.bills(Fate.EARLIER) == 1
    assert tally.bills(Fate.OPEN) == 0
    assert [closing.bill_id for closing in tally.of(*Fate)] == ["b1", "b3"]
    assert tally.money[Fate.CLOSED].money == (Money(200, MONEY.currency),)
