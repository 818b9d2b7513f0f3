"""A run that m3ter leaves in the middle says what it had sent: its error speaks of one call only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fakes.sync_place import SyncPlace

from reconciler.errors import ReconcilerError
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.ports import BillQuery
from reconciler.sync.judge.run_filter import RunFilter
from reconciler.sync.model.standing import Group
from reconciler.sync.push.limits import RunLimits


class Lost:
    """An organisation whose list of bills breaks off after so many."""

    def __init__(self, organisation: Any, most: int) -> None:
        self._organisation = organisation
        self.bills = LostBills(organisation.bills, most)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._organisation, name)


class LostBills:
    """m3ter's bills; it cannot be reached after so many of them."""

    def __init__(self, bills: Any, most: int) -> None:
        self._bills = bills
        self._most = most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bills, name)

    def list(self, query: BillQuery) -> Iterator[Bill]:
        for number, entry in enumerate(self._bills.list(query)):
            if query.lines and number == self._most:
                raise ReconcilerError("m3ter could not be asked to list the bills")
            yield entry


def lost_after(place: SyncPlace, most: int) -> str:
    """Run until m3ter is lost; gives what the error says besides itself."""
    with place.open() as opened:
        organisation: Any = Lost(opened.organisation, most)
        broken = replace(opened, organisation=organisation)
        with pytest.raises(ReconcilerError) as lost:
            broken.run(RunFilter(), RunLimits(), lambda: False)
    (note,) = lost.value.__notes__
    return note


def test_a_run_that_loses_m3ter_in_the_middle_says_what_it_had_sent(
    month_end: Callable[..., SyncPlace],
) -> None:
    place = month_end(60)
    note = lost_after(place, 55)
    told = re.search(r"it had sent ([0-9]+) bills \((.+)\); they and", note)
    assert told is not None, note
    assert "£" in told[2]
    assert "sends nothing twice" in note
    assert 1 <= int(told[1]) <= place.run().tally.bills(Group.UNCHANGED)


def test_a_run_that_loses_m3ter_before_its_first_bill_claims_nothing(
    month_end: Callable[..., SyncPlace],
) -> None:
    assert lost_after(month_end(40), 0).endswith("no bill was seen through to its end before.")
