"""Each page about a bill that may be in Chargebee or not, walked: nothing is sent twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.small_month import GBP, USD_PENDING
from fakes.walking import Walked, page_in, walked_month, walks

ON_TIME = 4
ADD = {"method": "POST", "path": "/api/v2/invoices/*"}


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    with walked_month(tmp_path_factory.mktemp("doubts"), GBP, USD_PENDING) as made:
        yield made


@pytest.fixture
def young_month(tmp_path: Path) -> Iterator[Walked]:
    """A month in which no time has passed: its pending invoices are open."""
    with walked_month(tmp_path / "young", GBP, USD_PENDING) as month:
        yield month


def assert_sent_once(month: Walked, bill: str) -> None:
    assert month.status(bill) == "COMPLETE"
    assert len(month.invoices(bill)) == 1


def pending_invoice(month: Walked, account: int) -> str:
    """The pending invoice of an account's subscription."""
    (found,) = (
        invoice["id"]
        for invoice in month.store.where("chargebee/invoices", "status", "pending")
        if invoice.get("subscription_id") == f"sub-acct-{account:05}"
    )
    return str(found)


@walks("lines-like-ours")
@pytest.mark.parametrize("ours", [True, False])
def test_lines_that_were_there_before_are_decided_by_a_person_who_looked(
    young_month: Walked, tmp_path: Path, ours: bool
) -> None:
    month = young_month
    amounts = ("51", "52") if ours else ("53",)
    bill = month.bill(ON_TIME, *amounts)
    state = Path(month.folder, ".reconciler")
    shutil.copytree(state, tmp_path / "copy")
    assert month.push(bill).code == 0
    sent = month.lines_for(ON_TIME)
    shutil.rmtree(state)
    shutil.copytree(tmp_path / "copy", state)
    ended = month.push(bill)
    assert ended.code == 16, ended
    page_in(ended, "lines-like-ours")
    assert month.lines_for(ON_TIME) == sent
    explained = month.follow("lines-like-ours", "explain", BILL=bill)
    assert "lines just like the bill's" in explained.out
    invoice = pending_invoice(month, ON_TIME)
    word = "--sent" if ours else "--not-sent"
    ended = month.follow("lines-like-ours", word, BILL=bill, INVOICE=invoice)
    assert ended.code == 0, ended
    assert month.push(bill).code == 0
    assert month.status(bill) == "COMPLETE"
    again = [] if ours else [5300]
    assert month.lines_for(ON_TIME) == sorted([*sent, *again])


@walks("timeout")
@pytest.mark.parametrize("status", ["ERROR", "TIMEOUT_LIMIT_EXCEEDED"])
def test_a_bill_that_m3ter_may_have_sent_waits_for_a_person(month: Walked, status: str) -> None:
    there, not_there = month.bill(0, "21"), month.bill(0, "22")
    for text in (there, not_there):
        month.native_run(text, status)
    page_in(month.go(f"sync explain {there} --env production"), "timeout")
    ended = month.push(there, not_there)
    assert ended.code == 14
    page_in(ended, "timeout")
    page_in(month.go("status --env production"), "timeout")
    assert month.invoices(there) == month.invoices(not_there) == []
    assert month.follow("timeout", "runs", BILL=there).code == 0
    invoice = month.invoice_by_hand(0, 2100)
    ended = month.follow("timeout", "--sent", BILL=there, INVOICE=invoice)
    assert ended.code == 0, ended
    assert month.follow("timeout", "--not-sent", BILL=not_there).code == 0
    assert month.push(there, not_there).code == 0
    assert month.status(there) == "COMPLETE"
    assert month.invoices(there) == []
    assert_sent_once(month, not_there)


@walks("timeout")
def test_a_person_may_decide_before_any_run_has_seen_what_m3ter_tried(month: Walked) -> None:
    bill = month.bill(0, "23")
    month.native_run(bill, "ERROR")
    ended = month.follow("timeout", "--not-sent", BILL=bill)
    assert ended.code == 0, ended
    assert month.push(bill).code == 0
    assert_sent_once(month, bill)


@walks("clocks-apart", "unknown-outcome")
def test_clocks_that_disagree_leave_only_looking_until_they_are_right(month: Walked) -> None:
    bill = month.bill(0, "25")
    month.control.fault({"fault": "cut_before_commit", "match": ADD, "times": 1})
    assert month.push(bill).code == 16
    month.skew = -25 * 60
    month.pass_time(40 * 60)
    page_in(month.push(bill), "clocks-apart")
    assert month.invoices(bill) == []
    month.skew = 0
    for _ in range(4):
        month.pass_time(38 * 60)
        month.push(bill)
    assert_sent_once(month, bill)


@walks("unknown-outcome", "exit-16")
def test_an_unknown_outcome_decides_itself(month: Walked) -> None:
    bill = month.bill(0)
    month.control.fault({"fault": "cut_after_commit", "match": ADD, "times": 1})
    ended = month.push(bill)
    assert ended.code == 16
    page_in(ended, "unknown-outcome")
    month.pass_time(40 * 60)
    month.follow("unknown-outcome", "sync run", "--bill", bill)
    month.pass_time(3 * 60)
    month.follow("unknown-outcome", "sync run", "--bill", bill)
    assert_sent_once(month, bill)


@walks("unknown-outcome")
@pytest.mark.parametrize("sent", [True, False])
def test_an_unknown_outcome_is_decided_by_a_person_who_looked(month: Walked, sent: bool) -> None:
    bill = month.bill(0)
    fault = "cut_after_commit" if sent else "cut_before_commit"
    month.control.fault({"fault": fault, "match": ADD, "times": 1})
    assert month.push(bill).code == 16
    if sent:
        (invoice,) = month.invoices(bill)
        ended = month.follow("unknown-outcome", "--sent", BILL=bill, INVOICE=invoice["id"])
    else:
        ended = month.follow("unknown-outcome", "--not-sent", BILL=bill)
    assert ended.code == 0, ended
    assert month.push(bill).code == 0
    assert_sent_once(month, bill)


@walks("partial")
def test_a_bill_that_was_sent_in_part_is_finished(month: Walked) -> None:
    bill = month.bill(ON_TIME, "31", "32")
    month.control.fault({"fault": "auto_close", "match": ADD, "times": 1, "after": 1})
    ended = month.push(bill)
    assert ended.code == 14, ended
    page_in(ended, "partial")
    page_in(month.go("status --env production"), "partial")
    explained = month.follow("partial", "explain", BILL=bill)
    assert "32" in explained.out
    assert month.follow("partial", "--skip", BILL=bill).code == 0
    assert month.push(bill).code == 0
    assert month.lines_for(ON_TIME).count(3100) == 1
    assert month.lines_for(ON_TIME).count(3200) == 0
    assert bill in month.go("sync reconcile --env production --period 2026-11").out
