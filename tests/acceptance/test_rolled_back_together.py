"""Memory and its witness taken back together: lines that stand on pending invoices are seen."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos.due import Due
from chaos.inside import Inside
from chaos.pushing import MINUTE, first_due, init, listed, only

STATE = ".reconciler"


@pytest.fixture
def place(make_ground: Callable[..., Inside]) -> Inside:
    """A ground with a ledger, of which nothing was pushed."""
    made = make_ground(15)
    init(made)
    return made


def lines(place: Inside, bill: str) -> list[tuple[str, int]]:
    """The charge lines on the invoices of the bill's subscription."""
    due = place.before.due()[bill]
    assert isinstance(due, Due)
    return sorted(
        (line["entity_id"], line["amount"])
        for invoice in place.after().chargebee["invoices"]
        if invoice["subscription_id"] == due.owner
        for line in invoice["line_items"]
        if line["entity_type"].startswith("charge_item")
    )


def wanted(place: Inside, bill: str) -> list[tuple[str, int]]:
    """The charge lines that the bill comes to."""
    due = place.before.due()[bill]
    assert isinstance(due, Due)
    return sorted(element[:2] for element in due.lines.elements())


def keep(place: Inside, tmp_path: Path) -> Path:
    """Copy state and ledger."""
    copy = tmp_path / "copy"
    shutil.copytree(place.folder / STATE, copy)
    return copy


def take_back(place: Inside, copy: Path) -> None:
    """Put state and ledger back as they were copied, 45 minutes later."""
    shutil.rmtree(place.folder / STATE)
    shutil.copytree(copy, place.folder / STATE)
    place.pass_time(45 * MINUTE)


def decide(place: Inside, bill: str, *word: str) -> None:
    """A person decides."""
    typed = ("sync", "decide", bill, *word, "--env", "chaos", "--reason", "looked")
    ended = place.run(*typed)
    assert ended.code == 0, ended.err


def pending_invoice(place: Inside, bill: str) -> str:
    """The pending invoice of the bill's subscription."""
    due = place.before.due()[bill]
    assert isinstance(due, Due)
    found = place.after().chargebee["invoices"]
    return next(
        str(candidate["id"])
        for candidate in found
        if candidate["subscription_id"] == due.owner and candidate["status"] == "pending"
    )


def sent_and_taken_back(place: Inside, tmp_path: Path) -> str:
    """Push a bill of three lines, and forget it."""
    bill = first_due(place, pending=True, lines=3)
    copy = keep(place, tmp_path)
    assert only(place, bill) == 0
    assert lines(place, bill) == wanted(place, bill)
    take_back(place, copy)
    return bill


def test_lines_that_no_memory_knows_are_not_sent_again(place: Inside, tmp_path: Path) -> None:
    bill = sent_and_taken_back(place, tmp_path)
    assert only(place, bill) == 16
    assert lines(place, bill) == wanted(place, bill)
    said = listed(place)[bill]
    assert "lines just like the bill's that the ledger does not know" in said
    assert f"sync decide {bill} --sent" in said
    status = place.run("status", "--env", "chaos")
    assert "1  outcome unknown" in status.out


def test_a_person_takes_all_of_them_as_the_bills_by_one_word(place: Inside, tmp_path: Path) -> None:
    bill = sent_and_taken_back(place, tmp_path)
    only(place, bill)
    decide(place, bill, "--sent", pending_invoice(place, bill))
    assert only(place, bill) == 0
    assert lines(place, bill) == wanted(place, bill)
    assert bill not in listed(place) or "already sent" in listed(place)[bill]


def test_a_person_has_them_sent_beside_another_bills_by_one_word(
    place: Inside, tmp_path: Path
) -> None:
    bill = sent_and_taken_back(place, tmp_path)
    only(place, bill)
    decide(place, bill, "--not-sent")
    assert only(place, bill) == 0
    assert lines(place, bill) == sorted([*wanted(place, bill), *wanted(place, bill)])


def test_a_line_that_stands_twice_is_said_to_stand_twice_and_never_to_be_missing(
    place: Inside,
) -> None:
    bill = first_due(place, pending=True, lines=3)
    match = {"method": "POST", "path": "/api/v2/invoices/*"}
    place.control.fault({"fault": "foreign_line", "match": match, "times": 1, "after": 1})
    assert only(place, bill) == 16
    assert "stands twice" in listed(place)[bill]
    period = ("--period", "2026-11", "--format", "json")
    for word in ((), ("--sent", pending_invoice(place, bill))):
        if word:
            decide(place, bill, *word)
            only(place, bill)
        ended = place.run("sync", "reconcile", "--env", "chaos", *period)
        rows = [row for row in ended.json["rows"] if row["bill"] == bill]
        found = [row for row in rows if row["row"] == "difference"]
        assert ["stands twice" in entry["text"] for entry in found] == [True], [
            entry["text"] for entry in found
        ]
        assert found[0]["unexplained"].strip("0.") != ""
    assert len(lines(place, bill)) == len(wanted(place, bill)) + 1
