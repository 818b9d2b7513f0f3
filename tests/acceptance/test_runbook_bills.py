"""Each page about a bill, walked: the state is made, the page is named, its commands end it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes.small_month import GBP, USD_PENDING
from fakes.walking import Walked, page_in, walked_month, walks

NEVER = 44
ADD = {"method": "POST", "path": "/api/v2/invoices/*"}


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    with walked_month(tmp_path_factory.mktemp("bills"), GBP, USD_PENDING) as made:
        yield made


def assert_sent_once(month: Walked, bill: str) -> None:
    assert month.status(bill) == "COMPLETE"
    assert len(month.invoices(bill)) == 1


@walks("exit-0")
def test_a_run_with_nothing_to_do_ends_with_0(month: Walked) -> None:
    bill = month.bill(0)
    assert month.push(bill).code == 0
    assert month.push(bill).code == 0
    assert_sent_once(month, bill)


@walks("waiting")
def test_a_bill_that_waits_for_approval_is_sent_once_it_is_approved(month: Walked) -> None:
    bill = month.bill(0, status="PENDING")
    assert "not approved yet" in month.push(bill).out
    page_in(month.follow("waiting", "explain", BILL=bill), "waiting")
    month.approve(bill)
    assert month.push(bill).code == 0
    assert_sent_once(month, bill)


@walks("waiting")
def test_a_bill_that_never_gets_an_invoice_is_adopted_under_the_one_made_by_hand(
    month: Walked,
) -> None:
    bill = month.bill(NEVER, "6")
    month.push(bill)
    assert month.status(bill) == "WAITING"
    page_in(month.go("status --env production"), "waiting")
    invoice = month.invoice_by_hand(NEVER, 600)
    ended = month.follow("waiting", "--sent", BILL=bill, INVOICE=invoice)
    assert ended.code == 0, ended
    month.push(bill)
    assert month.status(bill) == "COMPLETE"
    assert month.invoices(bill) == []


@walks("retrying", "exit-14")
def test_a_bill_that_met_a_lock_is_tried_again_by_itself(month: Walked) -> None:
    bill = month.bill(0)
    month.control.fault({"fault": "lock_timeout", "match": ADD, "times": 1})
    ended = month.push(bill)
    assert ended.code == 14
    page_in(ended, "retrying")
    month.pass_time(90)
    month.follow("retrying", "sync run", "--bill", bill)
    assert_sent_once(month, bill)


@walks("retrying")
def test_a_bill_that_gave_up_is_tried_again_when_told_to(month: Walked) -> None:
    bill = month.bill(0)
    month.control.fault({"fault": "lock_timeout", "match": ADD, "times": 1})
    month.push(bill)
    assert month.follow("retrying", "sync retry", BILL=bill).code == 0
    assert month.push(bill).code == 0
    assert_sent_once(month, bill)


@walks("refused-line", "exit-14")
def test_a_refused_bill_is_sent_once_its_cause_is_put_right(month: Walked) -> None:
    bill = month.bill(0)
    field = month.take_field()
    ended = month.push(bill, RECONCILER_CHARGEBEE="custom_fields=trust")
    assert ended.code == 14, ended
    page_in(ended, "refused-line")
    page_in(month.go("status --env production"), "refused-line")
    explained = month.follow("refused-line", "explain", BILL=bill)
    assert "cf_m3ter_bill_id" in explained.out
    month.store.put("chargebee/custom_field_configs", field)
    assert month.follow("refused-line", "sync retry", BILL=bill).code == 0
    assert month.push(bill).code == 0
    assert_sent_once(month, bill)


@walks("refused-key", "exit-11")
def test_a_refused_key_stops_the_run_and_blames_no_bill(month: Walked) -> None:
    bill = month.bill(0)
    ended = month.push(bill, CHARGEBEE_API_KEY="revoked")
    assert ended.code == 11
    page_in(ended, "refused-key")
    m3ter = month.push(bill, M3TER_API_SECRET="revoked")
    assert m3ter.code == 11
    page_in(m3ter, "refused-key")
    assert month.status(bill) == ""
    assert month.follow("refused-key", "doctor").code == 0
    month.follow("refused-key", "sync run", "--bill", bill)
    assert_sent_once(month, bill)


@walks("invoice-already-paid")
def test_a_bill_that_changed_after_it_was_paid_is_left_to_a_person(month: Walked) -> None:
    bill = month.bill(0)
    month.push(bill)
    (invoice,) = month.invoices(bill)
    month.edit(invoice["id"], status="paid", amount_paid=invoice["total"], amount_due=0)
    month.recalculate(bill, "12")
    ended = month.push(bill)
    assert ended.code == 14, ended
    page_in(ended, "invoice-already-paid")
    page_in(month.go("status --env production"), "invoice-already-paid")
    explained = month.follow("invoice-already-paid", "explain", BILL=bill).out
    assert "10.00" in explained
    assert "12.00" in explained
    assert month.follow("invoice-already-paid", "--skip", BILL=bill).code == 0
    assert month.push(bill).code == 0
    assert month.status(bill) == "DISABLED"
    assert len(month.invoices(bill)) == 1


@walks("accounting-period-closed")
def test_a_bill_of_a_closed_period_is_sent_once_the_period_is_open(month: Walked) -> None:
    bill = month.bill(0)
    month.edit("acme-test", books_closed_before=int(month.control.now()))
    ended = month.push(bill)
    page_in(ended, "accounting-period-closed")
    assert month.status(bill) == "ACCOUNTING_PERIOD_CLOSED"
    month.edit("acme-test", books_closed_before=0)
    assert month.follow("accounting-period-closed", "sync retry", BILL=bill).code == 0
    assert month.push(bill).code == 0
    assert_sent_once(month, bill)


@walks("reopened")
def test_a_reopened_bill_is_at_rest_again_once_it_is_approved(month: Walked) -> None:
    bill = month.bill(0)
    month.push(bill)
    month.take_back(bill)
    ended = month.push(bill)
    assert ended.code == 14
    page_in(ended, "reopened")
    page_in(month.go("status --env production"), "reopened")
    month.approve(bill)
    assert month.push(bill).code == 0
    assert_sent_once(month, bill)


@walks("reopened")
def test_a_bill_that_was_recalculated_stays_as_it_was_sent(month: Walked) -> None:
    bill = month.bill(0)
    month.push(bill)
    month.recalculate(bill, "12")
    ended = month.push(bill)
    page_in(ended, "reopened")
    assert month.follow("reopened", "explain", BILL=bill).code == 0
    assert month.follow("reopened", "--skip", BILL=bill).code == 0
    assert month.push(bill).code == 0
    assert len(month.invoices(bill)) == 1


@walks("nothing-to-send")
def test_a_bill_of_nothing_is_at_rest(month: Walked) -> None:
    bill = month.bill(0, "0")
    assert month.push(bill).code == 0
    page_in(month.follow("nothing-to-send", "explain", BILL=bill), "nothing-to-send")
    assert month.invoices(bill) == []


@walks("skipped")
def test_a_bill_that_a_person_skipped_is_sent_when_told_to(month: Walked) -> None:
    bill = month.bill(0)
    assert month.go(f"sync decide {bill} --skip --env production --reason 'by hand'").code == 0
    assert month.push(bill).code == 0
    assert month.invoices(bill) == []
    page_in(month.follow("skipped", "explain", BILL=bill), "skipped")
    assert month.follow("skipped", "sync retry", BILL=bill).code == 0
    assert month.push(bill).code == 0
    assert_sent_once(month, bill)


@walks("not-ours")
def test_a_bill_from_before_the_push_is_sent_by_a_backfill(month: Walked) -> None:
    bill = month.bill(0, endDate="2026-11-10", startDate="2026-10-10", billDate="2026-11-10")
    assert month.push(bill).code == 0
    page_in(month.follow("not-ours", "explain", BILL=bill), "not-ours")
    ended = month.follow(
        "not-ours", "backfill", "--bill", bill, "--yes", FROM="2026-11-10", UNTIL="2026-11-11"
    )
    assert ended.code == 0, ended
    assert_sent_once(month, bill)


@walks("overdue", "exit-17")
def test_an_overdue_bill_is_told_first_and_sent_by_a_run(month: Walked) -> None:
    bill = month.bill(0, endDate="2026-11-20")
    month.control.fault({"fault": "lock_timeout", "match": ADD, "times": 1})
    month.push(bill)
    ended = month.go("status --env production --exit-code")
    assert ended.code == 17, ended
    page_in(ended, "overdue")
    assert bill in month.follow("overdue", "status").out
    month.pass_time(90)
    month.follow("overdue", "sync run", "--bill", bill)
    assert_sent_once(month, bill)


@walks("difference", "exit-17")
def test_a_difference_is_explained_and_gone_once_it_is_undone(month: Walked) -> None:
    bill = month.bill(2, "41")
    month.push(bill)
    (invoice,) = month.invoices(bill)
    lines = invoice["line_items"]
    changed = [line | {"amount": line["amount"] + 7, "unit_amount": 4107} for line in lines]
    month.edit(invoice["id"], line_items=changed)
    ended = month.follow("difference", "reconciler reconcile")
    assert ended.code == 17, ended
    report = (month.folder / "reconcile-2026-11.csv").read_text(encoding="utf-8")
    assert bill in report
    page_in(month.go("sync reconcile --env production --period 2026-11"), "difference")
    assert "41.07" in month.follow("difference", "explain", BILL=bill).out
    month.edit(invoice["id"], line_items=lines)
    assert bill not in month.go("sync reconcile --env production --period 2026-11").out
