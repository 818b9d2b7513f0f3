"""What people read of a sync that the month in the emulator does not show."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Currency, Money
from reconciler.sync.core.tally import SyncTally
from reconciler.sync.model.standing import BillStanding, Group, Who
from reconciler.sync.show.data import BillList, sync_run_json
from reconciler.sync.show.text import bill_line, sync_plan_text, sync_run_text


@dataclass
class Named:
    name: str


@dataclass
class Scope:
    name: str = "production"
    site: str = "acme"
    record: int = 41
    commit: str = "3f2c9ab0000"
    routes: tuple[Named, ...] = (Named("chargebee-uk"),)


@dataclass
class Plan:
    scope: Scope = field(default_factory=Scope)
    tally: SyncTally = field(default_factory=SyncTally)
    paused: str = "k.smith, 1 Dec: audit"
    disabled: dict[str, str] = field(default_factory=lambda: {"chargebee-uk": "ten failures"})
    per_minute: int = 60
    takes: timedelta = timedelta(minutes=7)


@dataclass
class Result:
    scope: Scope = field(default_factory=Scope)
    tally: SyncTally = field(default_factory=SyncTally)
    run: str = "r1"
    stopped: bool = True
    limit: str = "the limit of 3 bills is reached"
    notes: list[str] = field(default_factory=lambda: ["a note"])


def standing(group: Group, number: int = 1) -> BillStanding:
    who = Who(BillId(f"b{number}"), AccountId("acc"))
    money = Money(-12345, Currency("GBP", 2))
    return BillStanding(group, who, "uk", "a reason", "a reason in full", money=money)


def test_an_empty_plan_says_that_no_bill_is_ready_and_why_nothing_goes() -> None:
    told = sync_plan_text(Plan())
    assert "applied record 41 (commit 3f2c9ab)" in told
    assert "no bill" in told
    assert "paused by k.smith" in told
    assert "chargebee-uk is disabled: ten failures" in told


def test_a_ready_bill_comes_with_the_time_it_takes() -> None:
    made = Plan()
    made.tally.add(standing(Group.READY))
    assert "about 7 minutes at 60 requests a minute" in sync_plan_text(made)
    made.takes = timedelta(minutes=1)
    assert "about 1 minute at" in sync_plan_text(made)


def test_what_is_too_wide_for_a_line_goes_below_it() -> None:
    made = Plan(scope=Scope(name="an-environment-with-a-name-" + "x" * 60))
    for number, code in enumerate(("GBP", "USD", "EUR", "JPY", "KWD")):
        money = Money(123456789, Currency(code, 0 if code == "JPY" else 2))
        ready = replace(standing(Group.READY, number), money=money)
        made.tally.add(ready)
    made.tally.kept_whole = 96
    made.tally.rounding.add(Money(123456789012345, Currency("GBP", 2)))
    made.tally.rounding.add(Money(123456789012345, Currency("USD", 2)))
    told = sync_plan_text(made)
    assert max(map(len, told.splitlines())) <= 100
    assert "about 7 minutes at 60 requests a minute" in told
    assert "\n      (96 lines are sent as quantity 1 to keep it so)" in told


def test_a_reason_that_is_told_in_full_is_not_told_twice() -> None:
    made = replace(standing(Group.BLOCKED), short="no price", why="line 1 has no price")
    assert bill_line(made).endswith("  line 1 has no price")
    assert bill_line(replace(made, short="")).endswith("  line 1 has no price")


def test_long_lists_are_cut_and_counted() -> None:
    made = Plan()
    for number in range(30):
        made.tally.add(standing(Group.BLOCKED, number))
    assert "and 10 more" in sync_plan_text(made)


def test_a_stopped_run_says_so_and_what_is_left() -> None:
    told = sync_run_text(Result())
    assert "Stopped:" in told
    assert "Ended early: the limit of 3 bills is reached" in told
    assert "a note" in told


def test_a_run_that_ended_early_does_not_claim_that_no_bill_is_ready() -> None:
    for ended in (Result(), Result(stopped=False), Result(limit="")):
        assert "no bill" not in sync_run_text(ended)
    assert "ready            no bill" in sync_run_text(Result(stopped=False, limit=""))


def test_a_difference_names_its_page() -> None:
    done = Result()
    done.tally.differing = 1
    assert "docs/runbook.md#difference" in sync_run_text(done)


def test_a_bill_is_told_with_its_money() -> None:
    assert bill_line(standing(Group.BLOCKED)).startswith("acc  bill b1  -£123.45")


def test_a_cell_of_a_list_is_never_a_formula() -> None:
    file = io.StringIO(newline="")
    bills = BillList(file)
    made = standing(Group.BLOCKED)
    bills.add(replace(made, why="=cmd|' /C calc'!A0", who=replace(made.who, account_code="@x")))
    head, row = file.getvalue().splitlines()
    assert head.startswith("bill,account,accountId,integration,group,status,reason,why")
    assert "'@x" in row
    assert "'=cmd" in row
    assert row.endswith(",GBP,-123.45")


def test_bills_that_are_tried_again_are_told_with_their_time() -> None:
    done = Result()
    at = datetime(2026, 12, 1, 6, 14, tzinfo=UTC)
    for number in range(2):
        again_at = at + timedelta(minutes=number)
        done.tally.add(replace(standing(Group.UNDER_WAY, number), again_at=again_at))
    assert "2 bills are tried again, the first at 06:14 UTC" in sync_run_text(done)
    assert '"dueAgain":2,"dueFirst":"2026-12-01T06:14:00+00:00"' in sync_run_json(done)
