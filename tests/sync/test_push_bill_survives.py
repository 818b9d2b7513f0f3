"""A push is killed at every call of a port, and goes on: exactly one invoice, always."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.sync_place import ENV, Killed, Life, SyncPlace

from reconciler.kernel.address import BillId
from reconciler.sync.judge.run_filter import RunFilter
from reconciler.sync.model.standing import Group
from reconciler.sync.run.bill_stream import stream

pytestmark = pytest.mark.chaos


def ready(place: SyncPlace, *integrations: str) -> list[str]:
    """Bills that some integrations would send now, one by one."""
    found = []
    with place.open(reading=True) as opened:
        judge = opened.judge(RunFilter())
        for bill in stream(judge, opened.organisation.bills, lambda _: None):
            about = opened.watch.one(bill.id, bill.account_code)
            standing = judge.judge(bill, about, None).standing
            if standing.group is Group.READY and standing.integration in integrations:
                found.append(str(bill.id))
    return found


def finish(place: SyncPlace, bill: str) -> None:
    """Run on until nothing is under way; time passes as at month end."""
    for _ in range(12):
        result = place.run(bill)
        if not result.tally.bills(Group.UNDER_WAY):
            assert not result.tally.differing
            return
        place.advance(20 * 60)
    raise AssertionError(bill)


def die_everywhere(place: SyncPlace, bills: list[str], stride: int, *, after: bool) -> list[str]:
    """Kill the push of one bill at its first call, of the next at its second, and so on."""
    dies_at = 1 - stride
    for bill in bills:
        dies_at += stride
        life = Life(dies_at, after)
        try:
            place.run(bill, life=life)
        except Killed:
            finish(place, bill)
            continue
        assert dies_at > len(life.calls)
        return life.calls
    raise AssertionError("more calls than bills")


@pytest.mark.parametrize("after", [False, True])
def test_a_bill_whose_push_dies_anywhere_becomes_one_invoice(
    month_end: Callable[..., SyncPlace], stride: int, after: bool
) -> None:
    place = month_end(110)
    bills = ready(place, "month-end-gbp", "month-end-usd", "month-end-eur", "month-end-jpy")
    calls = die_everywhere(place, bills, stride, after=after)
    assert {"claim", "put_bill", "intend", "sending", "perform", "ended", "read"} <= set(calls)
    for bill in bills[: len(calls) // stride]:
        assert len(place.invoices_of(bill)) == 1


@pytest.mark.parametrize("after", [False, True])
def test_lines_of_a_pending_invoice_are_added_once_whatever_dies(
    month_end: Callable[..., SyncPlace], stride: int, after: bool
) -> None:
    place = month_end(160)
    bills = ready(place, "month-end-gbp-pending", "month-end-usd-pending")[::stride]
    assert bills
    for number, bill in enumerate(bills):
        # each bill dies several times on its way, at other calls than the one before
        for dies_at in (7 + number, 9 + number, 12 + number):
            try:
                place.run(bill, life=Life(dies_at, after))
            except Killed:
                continue
        finish(place, bill)
    sent = place.plan().tally
    assert sent.bills(Group.UNCHANGED) == len(bills)
    with place.open(reading=True) as opened:
        for bill in bills:
            effects = opened.view.effects(opened.scope.site, BillId(bill))
            lines = [key for effect in effects for key in effect.line_ids]
            assert len(lines) == len(set(lines)) == len(effects)
            ours = {effect.object_id for effect in effects}
            there = [
                line["id"]
                for invoice in place.state("chargebee", "invoices")
                if invoice["id"] in ours
                for line in invoice["line_items"]
                if line["entity_type"] == "charge_item_price"
            ]
            assert sorted(there) == sorted(lines)


@pytest.mark.parametrize("after", [False, True])
def test_a_promotional_credit_is_given_once_whatever_dies(
    tmp_path: Path, emulate: Any, stride: int, after: bool
) -> None:
    running = emulate("month-end", month_end_bills=160, clock="still", requests_per_second=0)
    place = SyncPlace(tmp_path, running.url)
    place.write()
    for name in ("month-end-eur", "month-end-gbp"):
        place.edit(f"{name}/integration.yaml", "credit-note", "promotional-credit")
    place.apply()
    assert place.reconciler("ledger", "init", "--env", ENV)[0] == 0
    drafts = place.drafts("month-end-eur", "month-end-gbp")
    bills = [key for key, draft in drafts.items() if draft.credits][:: max(1, stride // 2)]
    assert bills
    for number, bill in enumerate(bills):
        # from the sending of the invoice to the last word about the credit
        life = Life(22 + number * stride, after)
        try:
            place.run(bill, life=life)
        except Killed:
            finish(place, bill)
        given = [
            credit["amount"]
            for credit in place.state("chargebee", "promotional_credits")
            if credit["reference"] == bill
        ]
        assert given == [sum(credit.amount.minor for credit in drafts[bill].credits)]
    assert place.plan().tally.bills(Group.UNCHANGED) == len(bills)
