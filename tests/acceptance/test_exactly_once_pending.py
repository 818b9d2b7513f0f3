"""Lines on a pending invoice: each once, whoever else works on it and whenever it closes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chaos.due import Due
from chaos.inside import Inside
from chaos.pushing import DAY, MINUTE, first_due, init, listed, only

ADD = "/api/v2/invoices/*"
Ground = Callable[..., Inside]
AGAIN = (2 * MINUTE, 38 * MINUTE, 3 * MINUTE, 38 * MINUTE, 3 * MINUTE)


def prices(place: Inside, bill: str) -> list[tuple[str, int]]:
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


@pytest.fixture
def place(make_ground: Callable[..., Inside]) -> Inside:
    """A ground with a bill that waits for a pending invoice which is there."""
    made = make_ground(15)
    init(made)
    return made


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize(
    "fault", ["cut_before_commit", "cut_after_commit", "commit_after_cut", "http_504"]
)
def test_an_unknown_outcome_of_any_line_ends_in_one_line(
    place: Inside, fault: str, after: int
) -> None:
    bill = first_due(place, pending=True, lines=3)
    match = {"method": "POST", "path": ADD}
    place.control.fault({"fault": fault, "match": match, "times": 1, "after": after})
    only(place, bill)
    for seconds in AGAIN:
        place.pass_time(seconds)
        only(place, bill)
    assert prices(place, bill) == wanted(place, bill)


def test_a_person_adding_an_identical_line_leaves_it_to_a_person(place: Inside) -> None:
    bill = first_due(place, pending=True, lines=3)
    match = {"method": "POST", "path": ADD}
    place.control.fault(
        {"fault": "foreign_line", "match": match, "times": 1, "after": 1},
        {"fault": "cut_after_commit", "match": match, "times": 1, "after": 1},
    )
    only(place, bill)
    for seconds in AGAIN:
        place.pass_time(seconds)
        only(place, bill)
    verdict = place.verdict(listed(place))
    assert not verdict.wrong
    assert bill in verdict.sent or listed(place)[bill]
    assert len(prices(place, bill)) <= len(wanted(place, bill)) + 1


def test_an_invoice_that_closes_in_the_middle_is_partial_and_listed(place: Inside) -> None:
    bill = first_due(place, pending=True, lines=3)
    match = {"method": "POST", "path": ADD}
    place.control.fault({"fault": "auto_close", "match": match, "times": 1, "after": 1})
    only(place, bill)
    for seconds in (*AGAIN, DAY):
        place.pass_time(seconds)
        only(place, bill)
    found = prices(place, bill)
    assert len(found) < len(wanted(place, bill))
    assert all(found.count(entry) <= wanted(place, bill).count(entry) for entry in found)
    assert bill in listed(place)
