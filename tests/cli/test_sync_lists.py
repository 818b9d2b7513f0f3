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
    assert {one["bill"] for one in rows} == {one["id"] for one in place.state("m3ter", "bills")}
    assert len(rows) == sum(one["bills"] for one in body["groups"].values())
    for group, found in body["groups"].items():
        mine = [one for one in rows if one["group"] == group and one["currency"] == "GBP"]
        total = sum((Decimal(one["amount"]) for one in mine), Decimal(0))
        assert total == Decimal(found["money"].get("GBP", "0"))


def test_bills_that_nobody_sends_are_named_and_the_text_says_where(place: SyncPlace) -> None:
    code, text = asked(place, "sync", "plan")
    assert code == 0, text
    assert f"Bills {IN_NONE} are not sent; `--list FILE` names them" in text
    body: Any = decode(asked(place, "sync", "plan", "--format", "json")[1].encode())
    counted = {one["reason"]: one["bills"] for one in body["reasons"]}
    named = [one for one in body["bills"] if one["reason"] == IN_NONE]
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
    assert [(one["bill"], one["status"]) for one in body["pushes"]] == [(bill, "COMPLETE")]
    one: Any = decode(asked(place, "runs", "--bill", bill, "--format", "json")[1].encode())
    assert "pushes" not in one
    assert one["requests"][0]["attempt"] == 1
    assert one["requests"][0]["step"] in asked(place, "runs", "--bill", bill)[1]


def test_bills_that_are_not_sent_keep_their_money(place: SyncPlace) -> None:
    body: Any = decode(asked(place, "sync", "plan", "--format", "json")[1].encode())
    held = [one for one in body["bills"] if one["group"] in {"blocked", "waiting", "not ours"}]
    assert held
    totals = {one["id"]: one for one in place.state("m3ter", "bills")}
    for one in held:
        if one["reason"] == "a currency that is not known":
            continue
        assert one["currency"] == totals[one["bill"]]["currency"]
        assert one["amount"] is not None, one
