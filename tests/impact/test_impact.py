"""What a change of settings would have done to recent bills."""

from __future__ import annotations

from fakes.push_data import NOW, bill, line, route

from reconciler.impact.core.price_shifts import Impact, impact
from reconciler.kernel.address import BillId
from reconciler.kernel.line_item import LineItemType

BEFORE = route()


def said(found: Impact) -> list[tuple[str, str]]:
    return [(shift.price_id, str(shift.amount)) for shift in found.shifts]


def test_money_moves_between_prices_and_the_total_stays() -> None:
    after = route(page={"price_id_mapping": {LineItemType.USAGE: "usage-GBP"}})
    found = impact([bill(line(), line("AD_HOC", "7"))], BEFORE, after, NOW)
    assert said(found) == [("other-GBP", "-£400.00"), ("usage-GBP", "£400.00")]
    assert (found.totals, found.newly_blocked, found.unblocked) == ((), (), ())


def test_nothing_moves_when_nothing_changes() -> None:
    assert impact([bill(line())], BEFORE, BEFORE, NOW) == Impact((), (), (), ())


def test_bills_that_become_blocked_are_named_both_ways() -> None:
    forbids = route(fallback="forbid")
    lost = impact([bill(line(), id=BillId("b7"))], BEFORE, forbids, NOW)
    assert (lost.newly_blocked, lost.unblocked) == (("b7",), ())
    assert [str(total) for total in lost.totals] == ["-£400.00"]
    assert impact([bill(line(), id=BillId("b7"))], forbids, BEFORE, NOW).unblocked == ("b7",)


def test_discounts_credits_and_catalogue_prices_are_counted_as_they_are() -> None:
    some = bill(line("USAGE", "10"), line("USAGE", "-3"), line("MINIMUM_SPEND", None))
    discount = route(push={"negative_lines": "discount"})
    credit = route(push={"negative_lines": "credit-note"})
    assert said(impact([some], discount, credit, NOW)) == []
    assert said(impact([some], BEFORE, credit, NOW)) == [("other-GBP", "£7.00")]
