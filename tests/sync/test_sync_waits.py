"""A run waits for bills that are due again soon: so long and no longer, and hears a stop at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from fakes.clock import FakeClock
from fakes.emulated_http import EmulatedHttp
from fakes.push_effects import job
from fakes.sync_place import START, SyncPlace, standing_of

from reconciler.errors import ExitCode
from reconciler.kernel.address import AccountId, BillId
from reconciler.sync.judge.run_filter import RunFilter
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import BillStanding, Group, Who
from reconciler.sync.ports.workers import BillBusyError
from reconciler.sync.push.limits import RunLimits
from reconciler.sync.run.due_again import KEPT_MAX, DueAgain, RunPatience

ACCOUNT = "acct-00000"
OTHER = "acct-00002"


@dataclass
class WaitingClock(FakeClock):
    """Whoever waits lets time pass for Chargebee too."""

    url: str = ""
    behind: float = field(default=0.0)

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        self.behind += seconds
        if self.behind >= 30 and self.url:
            with EmulatedHttp(self.url) as http:
                http.control("POST", "/clock", {"advance_seconds": int(self.behind)})
            self.behind -= int(self.behind)


@pytest.fixture
def place(month_end: Callable[..., SyncPlace]) -> SyncPlace:
    made, clock = month_end(40), WaitingClock(START)
    made.clock = clock
    clock.url = made.url
    return made


def patient(minutes: float) -> tuple[RunPatience, list[str]]:
    told: list[str] = []
    return RunPatience(timedelta(minutes=minutes), told.append), told


def test_a_bill_that_failed_is_tried_again_a_minute_later_in_the_same_run(place: SyncPlace) -> None:
    bill = place.bill_of(ACCOUNT)
    place.fault("http_500")
    patience, told = patient(2)
    result = place.run(bill, patience=patience)
    assert result.tally.bills(Group.SENT) == 1
    assert result.exit_code is ExitCode.DONE
    assert told == [f"waiting until 09:01 UTC for 1 bill (next: {ACCOUNT} at 09:01:00)"]
    assert place.notices == []
    assert len(place.invoices_of(bill)) == 1


def test_a_run_that_may_not_wait_leaves_the_bill_to_the_next_one(place: SyncPlace) -> None:
    bill = place.bill_of(ACCOUNT)
    place.fault("http_500")
    result = place.run(bill)
    assert standing_of(result, bill).status is PushStatus.UNKNOWN
    assert result.tally.due_again == 1
    assert result.tally.due_first is not None
    assert f"{result.tally.due_first:%H:%M}" == "09:01"
    assert place.clock.now() < START + timedelta(seconds=30)


def test_what_is_due_later_than_that_is_not_waited_for(place: SyncPlace) -> None:
    bill = place.bill_of(ACCOUNT)
    place.fault("http_500", times=2)
    patience, told = patient(2)
    result = place.run(bill, patience=patience)
    # the second retry is due three minutes after the first attempt
    assert standing_of(result, bill).status is PushStatus.UNKNOWN
    assert len(told) == 1
    assert place.clock.now() < START + timedelta(minutes=2)
    assert [event for event, _, _ in place.notices] == ["perform"]


def test_forty_minutes_are_enough_for_an_outcome_that_must_be_looked_for(place: SyncPlace) -> None:
    bill = place.bill_of(ACCOUNT)
    place.fault("http_500", times=4)
    patience, told = patient(60)
    result = place.run(bill, patience=patience)
    assert result.tally.bills(Group.SENT) == 1, result.tally.listed
    assert len(place.invoices_of(bill)) == 1
    assert len(told) > 2


def test_a_stop_ends_the_waiting_at_once_and_lists_what_was_waited_for(place: SyncPlace) -> None:
    bill = place.bill_of(ACCOUNT)
    place.fault("http_500")
    patience, told = patient(40)
    result = place.run(bill, patience=patience, stopped=lambda: bool(told))
    assert result.exit_code is ExitCode.INTERRUPTED
    assert standing_of(result, bill).group is Group.UNDER_WAY
    assert place.clock.now() < START + timedelta(seconds=5)


def test_others_go_on_while_one_bill_is_waited_for(place: SyncPlace) -> None:
    first, second = place.bill_of(ACCOUNT), place.bill_of(OTHER)
    place.fault("http_500")
    patience, _ = patient(2)
    result = place.run(first, second, patience=patience)
    assert result.tally.bills(Group.SENT) == 2


def test_a_bill_that_another_run_holds_is_waited_for_and_read_at_the_end(place: SyncPlace) -> None:
    bill = BillId(place.bill_of(ACCOUNT))
    patience, _ = patient(1)
    with place.open() as opened:
        held = opened.ports.ledger.claim(opened.scope.site, bill, "another", 20)
        assert held is not None
        result = opened.run(
            RunFilter(bills=frozenset({bill})), RunLimits(), lambda: False, patience
        )
    assert result.tally.bills(Group.SENT) == 1
    assert START + timedelta(seconds=20) <= place.clock.now() < START + timedelta(seconds=40)


def test_a_bill_that_stays_held_is_listed_and_not_counted_as_sent(place: SyncPlace) -> None:
    bill = BillId(place.bill_of(ACCOUNT))
    with place.open() as opened:
        assert opened.ports.ledger.claim(opened.scope.site, bill, "another", 600) is not None
        result = opened.run(RunFilter(bills=frozenset({bill})), RunLimits(), lambda: False)
    assert standing_of(result, bill).short == "another worker has it"
    assert result.exit_code is ExitCode.PARTLY_DONE


def test_what_another_run_began_meanwhile_is_looked_at_again(place: SyncPlace) -> None:
    bill = place.bill_of(ACCOUNT)
    place.fault("http_500")
    place.run(bill)
    with place.open() as opened:
        ledger = opened.ports.ledger
        hidden: Any = NothingBegun(ledger)
        assert opened.opened is not None
        held = ledger.claim(opened.scope.site, BillId(bill), "another", 5)
        assert held is not None
        blind = replace(opened, opened=replace(opened.opened, ledger=hidden), view=hidden)
        patience, _ = patient(3)
        narrow = RunFilter(bills=frozenset({BillId(bill)}))
        result = blind.run(narrow, RunLimits(), lambda: False, patience)
    assert result.tally.bills(Group.SENT) == 1
    assert not result.tally.bills(Group.UNDER_WAY)


class NothingBegun:
    """A ledger as it was before another run began a bill."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def bills(self, *_: Any) -> Any:
        return iter(())


def under_way(number: int, clock: FakeClock, seconds: float, *, new: bool = False) -> BillStanding:
    who = Who(BillId(f"bill-{number}"), AccountId("a"))
    at = clock.now() + timedelta(seconds=seconds)
    status = PushStatus.UNKNOWN
    return BillStanding(Group.UNDER_WAY, who, status=status, again_at=at, new=new)


def test_bills_come_back_in_the_order_in_which_they_are_due() -> None:
    clock = FakeClock()
    again = DueAgain(clock)
    for number, seconds in ((1, 30), (2, 10), (3, 60)):
        assert again.ended(job(number), under_way(number, clock, seconds)) is None
    assert list(again.due()) == []
    clock.advance(30)
    assert [job.bill_id for job in again.between([job(9)])] == ["bill-2", "bill-1", "bill-9"]
    assert again.next_at(clock.now()) is None
    assert again.next_at(clock.now() + timedelta(minutes=1)) is not None
    # what was brought and did not end is not forgotten
    assert sorted(standing.who.bill_id for standing in again.left()) == [
        "bill-1",
        "bill-2",
        "bill-3",
    ]
    assert list(again.left()) == []


def test_what_nobody_was_told_of_stays_news_when_it_comes_back_unchanged() -> None:
    clock = FakeClock()
    again = DueAgain(clock)
    assert again.ended(job(1), under_way(1, clock, 0, new=True)) is None
    assert [job.bill_id for job in again.due()] == ["bill-1"]
    assert again.ended(job(1), under_way(1, clock, 60)) is None
    assert [standing.new for standing in again.left()] == [True]


def test_more_bills_than_memory_has_room_for_are_left_for_the_next_run() -> None:
    clock = FakeClock()
    again = DueAgain(clock)
    for number in range(KEPT_MAX):
        assert again.ended(job(number), under_way(number, clock, 60)) is None
    late = under_way(KEPT_MAX, clock, 60)
    assert again.ended(job(KEPT_MAX), late) is late


def test_a_busy_bill_is_looked_at_again_ever_more_rarely() -> None:
    clock = FakeClock()
    again = DueAgain(clock)
    busy = BillBusyError(BillId("bill-1"), 0.25)
    waits = []
    for _ in range(3):
        at = again.busy(job(1), busy).again_at
        assert at is not None
        waits.append((at - clock.now()).total_seconds())
    assert waits == [0.25, 0.5, 1.0]
