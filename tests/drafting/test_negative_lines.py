"""Negative lines: refused, discounted within their price's base, or credited."""

from __future__ import annotations

from fakes.push_data import bill, blocked, drafted, line, route

from reconciler.drafting.draft import BlockCode
from reconciler.kernel.line_item import LineItemType

PRICES = {"price_id_mapping": {LineItemType.USAGE: "api", LineItemType.USAGE_CREDIT: "api"}}
BILL = bill(line("USAGE", "10", units="1"), line("USAGE_CREDIT", "-3.005"))


def test_refuse_blocks_the_whole_bill_and_names_every_line() -> None:
    both = bill(line(), line("USAGE_CREDIT", "-3"), line("AD_HOC", "-1"))
    reasons = blocked(both, route()).reasons
    assert [reason.code for reason in reasons] == [BlockCode.NEGATIVE_LINE] * 2
    assert "line 2 (USAGE_CREDIT) is below zero (GBP -3)" in reasons[0].text


def test_a_discount_is_taken_off_its_price() -> None:
    draft = drafted(BILL, route(page=PRICES, push={"negative_lines": "discount"}))
    (discount,) = draft.discounts
    assert (discount.price_id, str(discount.amount)) == ("api", "£3.01")
    assert [trace.source.number for trace in discount.traces] == [2]
    assert str(draft.expected) == "£6.99"
    assert draft.expected == draft.billed


def test_discounts_of_one_price_are_one() -> None:
    both = bill(line("USAGE", "10"), line("USAGE_CREDIT", "-3"), line("USAGE_CREDIT", "-7.00"))
    both = bill(*both.lines, line("AD_HOC", "1"))
    draft = drafted(both, route(page=PRICES, push={"negative_lines": "discount"}))
    (discount,) = draft.discounts
    assert str(discount.amount) == "£10.00"
    assert discount.description == "Usage Credit; Usage Credit"


def test_a_discount_above_its_base_blocks() -> None:
    both = bill(line("USAGE", "10"), line("USAGE_CREDIT", "-10.01"), line("AD_HOC", "5"))
    (reason,) = blocked(both, route(page=PRICES, push={"negative_lines": "discount"})).reasons
    assert "come to £10.01, more than the £10.00" in reason.text


def test_a_catalogue_price_is_no_base_for_a_discount() -> None:
    both = bill(line("MINIMUM_SPEND", None), line("AD_HOC", "-1"))
    (reason,) = blocked(both, route(push={"negative_lines": "discount"})).reasons
    assert "more than the £0.00" in reason.text


def test_a_pending_invoice_takes_no_discount() -> None:
    by = route(page=PRICES | {"create_invoice": False}, push={"negative_lines": "discount"})
    (reason,) = blocked(BILL, by).reasons
    assert "a pending invoice takes no discount" in reason.text


def test_a_credit_note_is_an_effect_of_its_own() -> None:
    draft = drafted(BILL, route(page=PRICES, push={"negative_lines": "credit-note"}))
    (credit,) = draft.credits
    assert (credit.price_id, str(credit.amount)) == ("api", "£3.01")
    assert credit.period == draft.period
    assert [drafted.price_id for drafted in draft.lines] == ["api"]
    assert str(draft.billed) == "£6.99"


def test_credits_above_the_whole_bill_block_before_anything_is_sent() -> None:
    below = bill(line("USAGE", "10", units="1"), line("USAGE_CREDIT", "-10.01"))
    by = route(page=PRICES, push={"negative_lines": "credit-note"})
    (reason,) = blocked(below, by).reasons
    assert "come to £10.01, more than the £10.00" in reason.text
    equal = bill(line("USAGE", "10.01"), line("USAGE_CREDIT", "-10"))
    assert drafted(equal, by).credits


def test_credits_alone_are_no_refundable_note_unless_somebody_wants_that() -> None:
    alone = bill(line("USAGE_CREDIT", "-7"), line("AD_HOC", "-3"))
    (reason,) = blocked(alone, route(push={"negative_lines": "credit-note"})).reasons
    assert "nothing but negative lines, £10.00 together" in reason.text
    assert "promotional-credit" in reason.hint
    draft = drafted(alone, route(push={"negative_lines": "credit-note-standalone"}))
    assert [credit.amount.minor for credit in draft.credits] == [700, 300]
    assert draft.credits_as == "credit-note"
    above = bill(line("USAGE", "10"), line("USAGE_CREDIT", "-30"))
    standalone = route(page=PRICES, push={"negative_lines": "credit-note-standalone"})
    assert len(blocked(above, standalone).reasons) == 1


def test_what_a_catalogue_price_comes_to_is_not_known_so_credits_are_tried() -> None:
    by = route(push={"negative_lines": "credit-note"})
    assert drafted(bill(line("MINIMUM_SPEND", None), line("AD_HOC", "-1")), by).credits


def test_a_promotional_credit_needs_no_invoice_that_bears_it() -> None:
    lines = (line("AD_HOC", "5"), line("USAGE_CREDIT", "-7"))
    for page in ({}, {"create_invoice": False}):
        push = {"negative_lines": "promotional-credit"}
        draft = drafted(bill(*lines), route(push=push, page=page))
        assert draft.credits_as == "promotional-credit"
        assert [held_credit.amount.minor for held_credit in draft.credits] == [700]
        assert draft.billed.minor == -200
