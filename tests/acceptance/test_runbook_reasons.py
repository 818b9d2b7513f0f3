"""Each reason that blocks a bill, walked: it is named with its page, corrected, and sent once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fakes.small_month import BILLS, GBP
from fakes.walking import Walked, page_in, walked_month, walks

USD = "Month end USD"
IN_NONE = 7
AMERICAN = 1


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    with walked_month(tmp_path_factory.mktemp("reasons"), USD, GBP) as made:
        yield made


def blocked(month: Walked, bill: str, anchor: str) -> None:
    """Meet the stop as a person does: in the run, in the plan and in explain."""
    ended = month.push(bill)
    assert ended.code == 14, ended
    page_in(ended, f"blocked-{anchor}")
    page_in(month.go(f"sync plan --env production --bill {bill}"), f"blocked-{anchor}")
    page_in(month.go(f"sync explain {bill} --env production"), f"blocked-{anchor}")
    assert month.status(bill) == "BLOCKED"
    assert month.invoices(bill) == []


def assert_sent(month: Walked, bill: str) -> None:
    """The next run sends it, and the one after it does not send it again."""
    assert month.push(bill).code == 0
    assert month.push(bill).code == 0
    assert month.status(bill) == "COMPLETE"
    assert len(month.invoices(bill)) == 1


def lines_of(month: Walked, bill: str, *lines: Any) -> None:
    """Let m3ter have calculated these lines."""
    version = (month.store.get(BILLS, bill) or {})["version"]
    month.edit(bill, lineItems=list(lines), version=version + 1)


@walks("blocked", "blocked-account-mapping")
def test_an_account_without_a_mapping(month: Walked) -> None:
    codes = [{"code": f"acct-{number:05}"} for number in (AMERICAN, IN_NONE)]
    changed: dict[str, Any] = {"global": {"accountIds": codes}}
    month.define(**changed)
    month.apply()
    bill = month.bill(IN_NONE)
    blocked(month, bill, "account-mapping")
    page_in(month.go("status --env production"), "blocked")
    assert bill in month.follow("blocked", "sync plan").out
    month.map("Account", {"code": f"acct-{IN_NONE:05}"}, f"sub-acct-{IN_NONE:05}")
    month.apply()
    month.follow("blocked", "sync run", "--bill", bill)
    assert_sent(month, bill)


@walks("blocked-ambiguous-mapping")
def test_an_account_with_two_mappings(month: Walked) -> None:
    bill = month.bill(AMERICAN)
    (row,) = [
        mapping
        for mapping in month.store.all("m3ter/externalmappings")
        if mapping["externalId"] == f"sub-acct-{AMERICAN:05}"
    ]
    body = {key: row[key] for key in row if key.startswith(("m3ter", "external", "integration"))}
    made = month.m3ter("POST", "/externalmappings", {**body, "externalId": "sub-acct-00003"})
    blocked(month, bill, "ambiguous-mapping")
    month.m3ter("DELETE", f"/externalmappings/{made['id']}", None)
    assert_sent(month, bill)


@walks("blocked-amount")
def test_an_amount_that_chargebee_cannot_hold(month: Walked) -> None:
    bill = month.bill(0, "999999999999999")
    blocked(month, bill, "amount")
    lines_of(month, bill, month.line("10", "GBP"))
    assert_sent(month, bill)


@walks("blocked-bands")
def test_bands_that_do_not_add_up(month: Walked) -> None:
    bill, usage = month.bill(0), month.before_all["lineItems"][0]
    first, *rest = usage["usagePerPricingBand"]
    wrong = {**first, "convertedBandSubtotal": "39", "bandSubtotal": "39"}
    lines_of(month, bill, {**usage, "usagePerPricingBand": [wrong, *rest]})
    blocked(month, bill, "bands")
    lines_of(month, bill, usage)
    assert_sent(month, bill)


@walks("blocked-currency")
def test_a_currency_that_nobody_knows(month: Walked) -> None:
    bill = month.bill(0, currency="XQQ")
    blocked(month, bill, "currency")
    month.edit(bill, currency="GBP")
    assert_sent(month, bill)


@walks("blocked-fallback")
def test_a_line_that_would_fall_to_the_default_price(month: Walked) -> None:
    month.environment_is(fallback="forbid")
    month.apply()
    bill = month.bill(0)
    lines_of(month, bill, month.line("10", "GBP", lineItemType="OVERAGE_SURCHARGE"))
    blocked(month, bill, "fallback")
    month.environment_is(fallback="warn")
    month.apply()
    assert_sent(month, bill)


@walks("blocked-line-type")
def test_a_line_of_a_type_that_came_later(month: Walked) -> None:
    bill = month.bill(0)
    lines_of(month, bill, month.line("10", "GBP", lineItemType="TELEPATHY"))
    blocked(month, bill, "line-type")
    invoice = month.invoice_by_hand(0, 1000)
    ended = month.follow("blocked-line-type", "--sent", BILL=bill, INVOICE=invoice)
    assert ended.code == 0, ended
    assert month.push(bill).code == 0
    assert month.status(bill) == "COMPLETE"
    assert month.invoices(bill) == []


@walks("blocked-negative-line")
def test_a_credit_that_the_policy_has_no_answer_for(month: Walked) -> None:
    bill = month.bill(0, "10", "-2")
    blocked(month, bill, "negative-line")
    month.define("month-end-gbp", push={"negativeLines": "credit-note"})
    month.apply()
    assert_sent(month, bill)


@walks("blocked-period")
def test_a_debit_without_a_service_period(month: Walked) -> None:
    bill, debit = month.bill(0), month.line("10", "GBP", lineItemType="DEBIT_MEMO")
    undated = {key: value for key, value in debit.items() if not key.startswith("servicePeriod")}
    lines_of(month, bill, undated)
    blocked(month, bill, "period")
    lines_of(month, bill, debit)
    assert_sent(month, bill)


@walks("blocked-preflight")
def test_a_subscription_that_was_cancelled(month: Walked) -> None:
    bill = month.bill(0)
    month.edit("sub-acct-00000", status="cancelled")
    blocked(month, bill, "preflight")
    month.edit("sub-acct-00000", status="active")
    assert_sent(month, bill)


@walks("blocked-time-zone")
def test_a_time_zone_that_nobody_knows(month: Walked) -> None:
    bill = month.bill(0, timezone="Mars/Olympus", startDateTimeUTC=None, endDateTimeUTC=None)
    lines_of(month, bill, {**month.line("10", "GBP"), "servicePeriodStartDate": None})
    blocked(month, bill, "time-zone")
    month.edit(bill, timezone="Europe/London")
    assert_sent(month, bill)


@walks("blocked-too-many-lines")
def test_a_bill_of_more_lines_than_an_invoice_is_trusted_with(month: Walked) -> None:
    bill = month.bill(0, *(str(100 + number) for number in range(251)))
    blocked(month, bill, "too-many-lines")
    lines_of(month, bill, month.line("100", "GBP"))
    assert_sent(month, bill)
