"""One bill, one invoice, whatever the clocks say: of this machine, the database and Chargebee."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chaos.due import Due
from chaos.inside import Inside
from chaos.pushing import DAY, MINUTE, first_due, init, only, push

Ground = Callable[..., Inside]
HOUR = 60 * MINUTE
WAYS = pytest.mark.parametrize("pending", [False, True], ids=["create", "pending"])
REST = (2 * MINUTE, 38 * MINUTE, 3 * MINUTE, 38 * MINUTE, 3 * MINUTE)


@pytest.fixture
def ground(make_ground: Callable[..., Inside]) -> Ground:
    """A ground with its ledger made; what was just made is not listed yet."""

    def make(**switches: object) -> Inside:
        place = make_ground(15, **switches)
        init(place)
        return place

    return make


def cut(place: Inside, fault: str = "cut_after_commit", **more: object) -> None:
    match = {"method": "POST", "path": "/api/v2/invoices/*"}
    place.control.fault({"fault": fault, "match": match, "times": 1, **more})


def standing(place: Inside, bill: str) -> list[tuple[str, int]]:
    """The charge lines of the bill's subscription, as they stand."""
    due = place.before.due()[bill]
    assert isinstance(due, Due)
    return sorted(
        (line["entity_id"], line["amount"])
        for invoice in place.after().chargebee["invoices"]
        if invoice["subscription_id"] == due.owner
        and (due.pending or invoice.get("cf_m3ter_bill_id") == bill)
        for line in invoice["line_items"]
        if line["entity_type"].startswith("charge_item")
    )


def once(place: Inside, bill: str) -> None:
    """Go on, at the right time, until it is over; every line stands once."""
    place.skew = 0
    for seconds in REST:
        place.pass_time(seconds)
        only(place, bill)
    due = place.before.due()[bill]
    assert isinstance(due, Due)
    assert standing(place, bill) == sorted(element[:2] for element in due.lines.elements())


@WAYS
def test_an_own_clock_an_hour_ahead_that_is_put_right(ground: Ground, *, pending: bool) -> None:
    place = ground()
    bill = first_due(place, pending=pending)
    place.skew = HOUR
    cut(place)
    assert only(place, bill) in {14, 16}
    place.skew = 0
    for seconds in (40 * MINUTE, 22 * MINUTE):
        place.pass_time(seconds)
        only(place, bill)
    once(place, bill)


@WAYS
def test_another_machine_25_minutes_behind(ground: Ground, *, pending: bool) -> None:
    place = ground()
    bill = first_due(place, pending=pending)
    cut(place)
    assert only(place, bill) in {14, 16}
    place.skew = -25 * MINUTE
    place.pass_time(40 * MINUTE)
    only(place, bill)
    once(place, bill)


@WAYS
def test_a_machine_that_was_paused_for_forty_minutes(ground: Ground, *, pending: bool) -> None:
    place = ground()
    bill = first_due(place, pending=pending)
    cut(place)
    assert only(place, bill) in {14, 16}
    place.pass_time(40 * MINUTE)
    place.skew = -39 * MINUTE
    only(place, bill)
    once(place, bill)


@WAYS
def test_clocks_that_are_apart_send_nothing_again_and_name_their_page(
    ground: Ground, *, pending: bool
) -> None:
    place = ground()
    bill = first_due(place, pending=pending)
    cut(place, "cut_before_commit")
    assert only(place, bill) in {14, 16}
    before = standing(place, bill)
    place.skew = -25 * MINUTE
    for seconds in (2 * MINUTE, 40 * MINUTE, 40 * MINUTE, DAY):
        place.pass_time(seconds)
        ended = push(place, "--bill", bill)
        assert ended.code in {14, 16}
        assert "the clock of Chargebee is" in " ".join(ended.out.split())
        assert "docs/runbook.md#clocks-apart" in ended.out
        assert standing(place, bill) == before
    once(place, bill)


@WAYS
def test_without_chargebees_time_a_doubt_is_only_looked_for_and_others_go_on(
    ground: Ground, *, pending: bool
) -> None:
    place = ground(date_header=False)
    bill = first_due(place, pending=pending)
    cut(place, "cut_before_commit")
    assert only(place, bill) in {14, 16}
    before = standing(place, bill)
    for seconds in (2 * MINUTE, 40 * MINUTE, 3 * MINUTE):
        place.pass_time(seconds)
        told = push(place, "--bill", bill).out
        assert "bear no time" in " ".join(told.split())
    assert standing(place, bill) == before
    sent = len(place.after().chargebee["invoices"])
    push(place)
    assert len(place.after().chargebee["invoices"]) > sent


def test_without_chargebees_time_what_arrived_is_found(ground: Ground) -> None:
    place = ground(date_header=False)
    bill = first_due(place)
    cut(place)
    assert only(place, bill) in {14, 16}
    once(place, bill)
