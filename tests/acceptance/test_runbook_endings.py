"""Each page about how a command ends, and the two checklists, walked as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.small_month import ACCOUNTS, GBP, USD_PENDING
from fakes.walking import Walked, page_in, walked_month, walks

from reconciler.emulator.running import RunningEmulator
from reconciler.emulator.world import World

ON_TIME, LATE = 4, 24
DAY = 24 * 3600
PRICE = "integration/month-end-gbp#chargebee.defaultPriceId"


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    with walked_month(tmp_path_factory.mktemp("endings"), GBP) as made:
        yield made


def price_in_m3ter(month: Walked, price: str) -> None:
    """Edit the default price in the Console."""
    configs = month.store.all("m3ter/integrationconfigs")
    mine = next(config["id"] for config in configs if config["name"] == GBP)
    month.edit(mine, configData={"chargebeeDefaultPriceId": price})


def approvals(text: str) -> list[str]:
    """What a plan asks a person to approve."""
    asked = sorted(set(re.findall(r"[a-z-]+@[0-9a-f]{12}", text)))
    return [part for entry in asked for part in ("--approve", entry)]


def plan_and_apply(month: Walked, anchor: str) -> None:
    """Follow a page's plan and apply."""
    planned = month.follow(anchor, "-o plan.json")
    ended = month.follow(anchor, "apply plan.json", "--yes", *approvals(planned.out))
    assert ended.code == 0, ended


@walks("exit-1")
def test_an_outage_ends_with_1_and_the_same_command_goes_on(month: Walked) -> None:
    bill = month.bill(0)
    ended = month.push(bill, CHARGEBEE_BASE_URL="http://127.0.0.1:9")
    assert ended.code == 1, ended
    page_in(ended, "exit-1")
    assert month.push(bill).code == 0
    assert len(month.invoices(bill)) == 1


@walks("exit-2", "exit-13")
def test_what_was_merged_is_planned_approved_and_applied(month: Walked) -> None:
    month.define(chargebee={"defaultPriceId": "adhoc-GBP"})
    assert month.go("plan --env production --exit-code").code == 2
    planned = month.follow("exit-2", "-o plan.json")
    asked = approvals(planned.out)
    if asked:
        refused = month.follow("exit-2", "apply plan.json", "--yes")
        assert refused.code == 13, refused
        page_in(refused, "exit-13")
    assert month.follow("exit-2", "apply plan.json", "--yes", *asked).code == 0
    assert month.go("plan --env production --exit-code").code == 0


@walks("exit-4")
def test_a_conflict_is_decided_for_git_or_for_m3ter(month: Walked) -> None:
    for git, live, decide in (
        ("usage-GBP", "compute-GBP", "keep-git"),
        ("standing-GBP", "min-spend-GBP", "accept-live"),
    ):
        month.define(chargebee={"defaultPriceId": git})
        price_in_m3ter(month, live)
        assert month.go("plan --env production --exit-code").code == 4
        assert "defaultPriceId" in month.follow("exit-4", "plan --env").out
        decided = month.follow("exit-4", decide, **{"ADDRESS#FIELD": PRICE})
        assert decided.code == 0, decided
        plan_and_apply(month, "exit-4")
        assert month.go("plan --env production --exit-code").code == 0


@walks("exit-10")
def test_a_file_that_cannot_be_understood_is_named_and_corrected(month: Walked) -> None:
    broken = month.folder / "integrations.d" / "broken.yaml"
    broken.write_text("kind: [", encoding="utf-8")
    ended = month.go("plan --env production")
    assert ended.code == 10
    assert "broken.yaml:1" in ended.out + ended.err
    assert month.follow("exit-10", "validate").code == 10
    broken.unlink()
    assert month.follow("exit-10", "validate").code == 0


@walks("first-set-up")
def test_the_first_set_up_as_it_is_written(tmp_path: Path) -> None:
    calm = {"requests_per_second": 0, "requests_per_minute": 0, "month_end_bills": ACCOUNTS}
    with RunningEmulator(World("month-end", 1, calm)) as emulator:
        month = Walked.of(tmp_path, emulator, GBP)
        field = month.take_field()
        bill = month.bill(0, "10")
        month.bill(2, "11")
        month.store.put("chargebee/custom_field_configs", field)
        for part in ("discover", "validate"):
            assert month.follow("first-set-up", part).code == 0
        plan_and_apply(month, "first-set-up")
        assert month.go("sync run --env production").code == 11
        for part in ("ledger init", "sync plan"):
            assert month.follow("first-set-up", part).code == 0
        assert "10.00" in month.follow("first-set-up", "explain", BILL=bill).out
        assert month.follow("first-set-up", "--canary 1").code == 0
        assert len(month.invoices(bill)) == 1
        assert month.follow("first-set-up", "reconciler reconcile").code == 0


@walks("month-end")
def test_a_month_is_ended_as_it_is_written(tmp_path: Path) -> None:
    with walked_month(tmp_path, GBP, USD_PENDING) as month:
        for part in ("status", "doctor"):
            assert month.follow("month-end", part).code == 0
        bills = [month.bill(account, "10", status="PENDING") for account in (0, 2, 5, 8, 10)]
        pending, late = month.bill(ON_TIME, "20"), month.bill(LATE, "21")
        wrong = month.bill(12, "30", "-2")
        assert "a line below zero" in month.follow("month-end", "sync plan").out
        for bill in bills:
            month.approve(bill)
        assert "£50.00" in month.follow("month-end", "sync plan").out
        assert month.follow("month-end", "--canary 5").code == 14
        assert [len(month.invoices(bill)) for bill in bills] == [1] * len(bills)
        assert month.follow("month-end", "status").code == 0
        month.pass_time(DAY)
        assert wrong in month.follow("month-end", "explain", BILL=wrong).out.replace("…", wrong)
        month.recalculate(wrong, "28")
        for _ in range(3):
            month.follow("month-end", "sync run")
            month.pass_time(DAY)
        assert month.follow("month-end", "status --env production --exit-code").code == 0
        month.pass_time(DAY)
        ended = month.follow("month-end", "reconciler reconcile")
        assert ended.code == 0, ended
        assert (tmp_path / "reconcile-2026-11.csv").exists()
        assert [month.status(text) for text in (pending, late, wrong)] == ["COMPLETE"] * 3
        assert month.lines_for(ON_TIME) == [2000]
        assert month.lines_for(LATE) == [2100]
