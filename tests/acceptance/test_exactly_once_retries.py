"""One bill, one invoice: whatever is lost, late, repeated or changed between two attempts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from chaos.due import Due
from chaos.inside import Inside
from chaos.pushing import (
    CREATE,
    DAY,
    MINUTE,
    creates,
    first_due,
    init,
    invoices,
    listed,
    only,
    push,
)

Ground = Callable[..., Inside]


def lost(place: Inside, fault: str, **more: Any) -> str:
    """Send a bill once, under a fault that leaves the outcome unknown; gives the bill."""
    bill = first_due(place)
    place.control.fault({"fault": fault, "match": {"path": CREATE}, "times": 1, **more})
    assert only(place, bill) in {14, 16}
    place.control.calm()
    return bill


def test_pushing_again_sends_nothing_whenever_that_is(ground: Ground) -> None:
    place = ground(bills=15)
    assert push(place).code in {0, 14}
    made = len(creates(place))
    for seconds in (0, 31 * MINUTE, 3 * DAY):
        place.pass_time(seconds)
        push(place)
        assert len(creates(place)) == made
    assert place.verdict(listed(place)).safe


@pytest.mark.parametrize(
    ("fault", "more", "later"),
    [
        ("cut_before_commit", {}, 2 * MINUTE),
        ("cut_before_commit", {}, 3 * DAY),
        ("cut_after_commit", {}, 2 * MINUTE),
        ("cut_after_commit", {}, 38 * MINUTE),
        ("cut_after_commit", {}, 3 * DAY),
        ("lost_response", {"seconds": 0}, 38 * MINUTE),
        ("commit_after_cut", {"seconds": 20}, 2 * MINUTE),
        ("commit_after_cut", {"seconds": 600}, 2 * MINUTE),
        ("commit_after_cut", {"seconds": 600}, 38 * MINUTE),
        ("http_504", {"commit": True}, 38 * MINUTE),
        ("http_500", {}, 38 * MINUTE),
        ("html_502", {"commit": True}, 3 * DAY),
    ],
    ids=lambda entry: "-".join(map(str, entry.values())) if isinstance(entry, dict) else str(entry),
)
def test_an_unknown_outcome_ends_in_one_invoice(
    ground: Ground, fault: str, more: dict[str, Any], later: int
) -> None:
    place = ground()
    bill = lost(place, fault, **more)
    for seconds in (later, 3 * MINUTE, 38 * MINUTE, 3 * MINUTE):
        place.pass_time(seconds)
        only(place, bill)
    assert len(invoices(place, bill)) == 1
    verdict = place.verdict({})
    assert bill in verdict.sent
    assert not verdict.wrong


def test_a_look_that_a_lagging_list_answers_is_not_the_only_one(ground: Ground) -> None:
    place = ground(chargebee_list_lag_seconds=300)
    bill = lost(place, "cut_after_commit")
    for seconds in (36 * MINUTE, 3 * MINUTE, 38 * MINUTE):
        place.pass_time(seconds)
        only(place, bill)
    assert len(invoices(place, bill)) == 1


@pytest.mark.parametrize("skew", [-120, 120])
@pytest.mark.parametrize("fault", ["cut_after_commit", "commit_after_cut"])
def test_two_minutes_of_clock_skew_double_nothing(ground: Ground, skew: int, fault: str) -> None:
    place = ground()
    place.skew = skew
    bill = lost(place, fault)
    for seconds in (19 * MINUTE, 12 * MINUTE, 8 * MINUTE, 3 * MINUTE, 38 * MINUTE):
        place.pass_time(seconds)
        place.skew = -place.skew
        only(place, bill)
    assert len(invoices(place, bill)) == 1


def merge_a_mapping(place: Inside, bill: str) -> None:
    """Another default price, edited in git and applied."""
    for file in (place.folder / "integrations.d").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace('"usage-GBP"', '"fees-GBP"'), encoding="utf-8")
    ended = place.run("plan", "--env", "chaos")
    names = {line.partition("@")[0].split()[-1] for line in ended.out.splitlines() if "@" in line}
    plan = ended.out.partition("Plan ")[2][:12]
    approvals = [f"--approve={name}@{plan}" for name in sorted(names)]
    assert place.run("apply", "--env", "chaos", "--yes", *approvals).code == 0


def lock(place: Inside, bill: str) -> None:
    """A lock raises the bill's version."""
    found = next(candidate for candidate in place.after().m3ter["bills"] if candidate["id"] == bill)
    place.control.user_edit(bill, {"locked": True, "version": found["version"] + 1})


def approve_again(place: Inside, bill: str) -> None:
    """So does an approval."""
    place.control.user_edit(bill, {"status": "PENDING"})
    place.control.user_edit(bill, {"status": "APPROVED", "dtApproved": "2026-12-01T10:00:00Z"})


@pytest.mark.parametrize("change", [merge_a_mapping, lock, approve_again])
@pytest.mark.parametrize("fault", ["cut_before_commit", "cut_after_commit"])
def test_a_change_between_two_attempts_sends_nothing_new(
    ground: Ground, change: Callable[[Inside, str], None], fault: str
) -> None:
    place = ground()
    bill = lost(place, fault)
    change(place, bill)
    for seconds in (2 * MINUTE, 38 * MINUTE, 3 * MINUTE, DAY):
        place.pass_time(seconds)
        only(place, bill)
    (made,) = invoices(place, bill)
    due = place.before.due()[bill]
    assert isinstance(due, Due)
    sent = sorted((line["entity_id"], line["amount"]) for line in made["line_items"])
    assert sent == sorted(element[:2] for element in due.lines.elements())


def test_a_voided_invoice_stops_for_a_person(ground: Ground) -> None:
    place = ground()
    bill = lost(place, "cut_after_commit")
    (made,) = invoices(place, bill)
    place.control.user_edit(made["id"], {"status": "voided"})
    for seconds in (38 * MINUTE, 3 * MINUTE, 38 * MINUTE):
        place.pass_time(seconds)
        only(place, bill)
    assert [invoice["status"] for invoice in invoices(place, bill)] == ["voided"]
    assert "void" in listed(place)[bill]


@pytest.fixture
def ground(make_ground: Callable[..., Inside]) -> Ground:
    """A ground with its ledger made."""

    def make(bills: int = 15, **switches: object) -> Inside:
        place = make_ground(bills, **switches)
        init(place)
        return place

    return make
