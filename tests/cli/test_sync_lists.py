"""Lists of what a plan judged and of what was pushed: complete, exact, and of bounded size."""

from __future__ import annotations

import csv
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from fakes.sync_place import ENV, SyncPlace

from reconciler.kernel.exact_json import decode
from reconciler.sync.core.tally import IN_NONE

ACCOUNT = "acct-00000"


@pytest.fixture
def place(month_end: Callable[..., SyncPlace]) -> SyncPlace:
    return month_end(40)


def asked(place: SyncPlace, *arguments: str) -> tuple[int, str]:
    return place.reconciler(*arguments, "--env", ENV)


def test_a_list_names_every_bill_with_its_reason_and_money(place: SyncPlace) -> None:
    file = place.root / "bills.csv"
    code, text = asked(place, "sync", "plan", "--format", "json", "--list", str(file))
    assert code == 0, text
    body: Any = decode(text.encode())
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["bill"] for row in rows} == {bill["id"] for bill in place.state("m3ter", "bills")}
    assert len(rows) == sum(group["bills"] for group in body["groups"].values())
    for group, found in body["groups"].items():
        mine = [row for row in rows if row["group"] == group and row["currency"] == "GBP"]
        total = sum((Decimal(entry["amount"]) for entry in mine), Decimal(0))
        assert total == Decimal(found["money"].get("GBP", "0"))


def test_bills_that_nobody_sends_are_named_and_the_text_says_where(place: SyncPlace) -> None:
    code, text = asked(place, "sync", "plan")
    assert code == 0, text
    assert f"Bills {IN_NONE} are not sent; `--list FILE` names them" in text
    body: Any = decode(asked(place, "sync", "plan", "--format", "json")[1].encode())
    counted = {reason["reason"]: reason["bills"] for reason in body["reasons"]}
    named = [bill for bill in body["bills"] if bill["reason"] == IN_NONE]
    assert len(named) == counted[IN_NONE] > 0
    assert body["groups"]["not ours"]["named"] == len(named)


def test_a_list_that_cannot_be_written_is_said_before_anything_is_read(place: SyncPlace) -> None:
    code, text = asked(place, "sync", "plan", "--list", str(place.root / "none" / "bills.csv"))
    assert code == 10
    assert "No bill was looked at" in text


def test_runs_as_json_give_the_pushes_that_the_text_gives(place: SyncPlace) -> None:
    empty: Any = decode(asked(place, "runs", "--format", "json")[1].encode())
    assert empty["pushes"] == []
    bill = place.bill_of(ACCOUNT)
    assert asked(place, "sync", "run", "--bill", bill)[0] == 0
    body: Any = decode(asked(place, "runs", "--format", "json")[1].encode())
    assert [(push["bill"], push["status"]) for push in body["pushes"]] == [(bill, "COMPLETE")]
    one: Any = decode(asked(place, "runs", "--bill", bill, "--format", "json")[1].encode())
    assert "pushes" not in one
    assert one["requests"][0]["attempt"] == 1
    assert one["requests"][0]["step"] in asked(place, "runs", "--bill", bill)[1]


def test_bills_that_are_not_sent_keep_their_money(place: SyncPlace) -> None:
    body: Any = decode(asked(place, "sync", "plan", "--format", "json")[1].encode())
    held = [bill for bill in body["bills"] if bill["group"] in {"blocked", "waiting", "not ours"}]
    assert held
    totals = {bill["id"]: bill for bill in place.state("m3ter", "bills")}
    for row in held:
        if row["reason"] == "a currency that is not known":
            continue
        assert row["currency"] == totals[row["bill"]]["currency"]
        assert row["amount"] is not None, row
