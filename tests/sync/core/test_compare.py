"""m3ter bill, ledger and invoice side by side: every class of difference, and none where none is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from fakes.push_data import (
    NOW,
    bill,
    drafted,
    invoice_of,
    line,
    route,
    sent_line,
)
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drafting.draft import InvoiceDraft
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Currency, Money
from reconciler.sync.core.readback.compare import ThreeSides, compare_all, outside, reconcile_bill
from reconciler.sync.core.readback.invoice_lines import Recorded
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import InvoiceId, InvoiceLineId
from reconciler.sync.model.reconciliation import DifferenceClass

C = DifferenceClass
BILL = bill(line("USAGE", "400", units="8"), line("AD_HOC", "7"))
DRAFT = drafted(BILL, route())
INVOICE = invoice_of(DRAFT)
IDS = {0: InvoiceLineId("li_1"), 1: InvoiceLineId("li_2")}
GBP = Currency("GBP", 2)
SETUP = replace(INVOICE.lines[1], id=InvoiceLineId("li_9"), description="Set-up fee")
MULTI = {
    "use_multidecimal": True,
    "multi_decimal_price_decimal_places": 3,
    "multi_decimal_units_decimal_places": 3,
}


def case(*invoices: Invoice, **more: Any) -> ThreeSides:
    sent = more.pop("sent", Recorded(DRAFT, IDS))
    due = more.pop("due", DRAFT)
    return ThreeSides(BillId("bill-1"), AccountId("acc-acme"), due, sent, invoices, **more)


def edited(position: int, **changes: Any) -> Invoice:
    lines = list(INVOICE.lines)
    lines[position] = replace(lines[position], **changes)
    return replace(INVOICE, lines=tuple(lines))


def kinds(sides: ThreeSides) -> list[tuple[DifferenceClass, str | None]]:
    result = reconcile_bill(sides)
    assert result is not None
    return [
        (difference.kind, None if difference.unexplained is None else str(difference.unexplained))
        for difference in result.differences
    ]


def test_what_was_sent_as_billed_has_no_difference() -> None:
    found = compare_all([case(INVOICE)])
    assert found.differences == ()
    (row,) = found.totals
    assert (row.currency, row.bills) == ("GBP", 1)
    amounts = (row.billed, row.sent, row.invoiced, row.rounding, row.unexplained, row.catalogue)
    assert [amount.minor for amount in amounts] == [40700, 40700, 40700, 0, 0, 0]


def test_announced_rounding_is_not_unexplained() -> None:
    small = bill(line("USAGE", "0.99", units="333"), line())
    draft = drafted(small, route(page=MULTI, push={"rounding": "as-m3ter"}))
    found = compare_all([case(invoice_of(draft), sent=Recorded(draft, IDS), due=draft)])
    (row,) = found.totals
    assert (row.rounding.minor, row.unexplained.minor) == (1, 0)
    assert row.sent == row.invoiced
    assert found.differences == ()


def test_ids_that_changed_when_the_invoice_closed_are_no_difference() -> None:
    renamed = tuple(
        replace(line, id=InvoiceLineId(f"new_{n}")) for n, line in enumerate(INVOICE.lines)
    )
    assert kinds(case(replace(INVOICE, lines=renamed[::-1]))) == []


@pytest.mark.parametrize(
    ("invoice", "wanted"),
    [
        (edited(0, amount=Money(40001, GBP)), [(C.AMOUNT, "£0.01")]),
        (edited(0, amount=Money(45000, GBP), quantity=Decimal(9)), [(C.EDITED, "£50.00")]),
        (edited(0, unit_price=Decimal(1), amount=Money(800, GBP)), [(C.EDITED, "-£392.00")]),
        (edited(0, price_id="other"), [(C.EDITED, None)]),
        (edited(0, price_id=""), [(C.EDITED, None)]),
        (edited(0, date_to=NOW), [(C.PERIOD, None)]),
        (edited(0, date_from=None, date_to=None), []),
        (edited(0, discount=Money(100, GBP)), [(C.AMOUNT, "-£1.00")]),
        (replace(INVOICE, lines=INVOICE.lines[:1]), [(C.EDITED, "-£7.00")]),
        (replace(INVOICE, lines=(*INVOICE.lines, SETUP)), [(C.EXTRA, "£7.00")]),
        (replace(INVOICE, currency="USD"), [(C.CURRENCY, None)]),
        (replace(INVOICE, status="voided"), [(C.MISSING, "-£407.00")]),
        (replace(INVOICE, deleted=True), [(C.MISSING, "-£407.00")]),
        (
            replace(
                INVOICE,
                subscription_id="sub_x",
                lines=tuple(replace(line, subscription_id="sub_x") for line in INVOICE.lines),
            ),
            [(C.CUSTOMER, None)],
        ),
        (replace(INVOICE, subscription_id=""), []),
    ],
)
def test_every_difference_has_its_class_and_its_money(
    invoice: Invoice, wanted: list[tuple[DifferenceClass, str | None]]
) -> None:
    assert kinds(case(invoice)) == wanted
    result = reconcile_bill(case(invoice))
    assert result is not None
    explained = sum(
        difference.unexplained.minor for difference in result.differences if difference.unexplained
    )
    if wanted != [(C.CURRENCY, None)]:
        assert result.unexplained.minor == explained


def test_an_edited_line_under_a_new_id_is_told_from_a_missing_one() -> None:
    changed = edited(1, id=InvoiceLineId("li_7"), amount=Money(800, GBP), unit_price=Decimal(8))
    assert kinds(case(changed, sent=Recorded(DRAFT, {}))) == [(C.EDITED, "£1.00")]


def test_a_decimal_line_is_compared_as_it_was_sent() -> None:
    draft = drafted(bill(line("USAGE", "1.50", units="1.5")), route(page=MULTI))
    made = sent_line(1, draft.lines[0])
    for quantity, kind in (("1.500", C.AMOUNT), ("2", C.EDITED)):
        lines = (replace(made, amount=Money(151, GBP), quantity=Decimal(quantity)),)
        found = case(invoice_of(draft, lines=lines), sent=Recorded(draft, IDS), due=draft)
        assert kinds(found) == [(kind, "£0.01")]


def test_a_customers_invoice_is_compared_by_customer() -> None:
    draft = drafted(BILL, route(push={"account_is": "customer"}))
    sent = Recorded(draft, IDS)
    right = invoice_of(draft, customer_id="acc-acme", subscription_id="")
    assert kinds(case(right, sent=sent, due=draft)) == []
    wrong = replace(right, customer_id="")
    assert kinds(case(wrong, sent=sent, due=draft)) == [(C.CUSTOMER, None)]


def test_a_pending_invoice_holds_the_subscriptions_own_lines() -> None:
    draft = drafted(BILL, route(page={"create_invoice": False}))
    own = replace(SETUP, id=InvoiceLineId("li_0"), price_id="plan", amount=Money(9900, GBP))
    known = Recorded(draft, IDS, frozenset({own.id}))
    late = replace(own, id=InvoiceLineId("li_5"))
    there = invoice_of(draft)
    both = replace(there, lines=(own, *there.lines, late))
    assert kinds(case(both, sent=known, due=draft)) == []
    twice = replace(there, lines=(*there.lines, replace(there.lines[1], id=InvoiceLineId("li_6"))))
    assert kinds(case(twice, sent=known, due=draft)) == [(C.EXTRA, "£7.00")]


def test_a_second_invoice_for_a_bill_is_extra_with_all_its_money() -> None:
    found = case(INVOICE, replace(INVOICE, id=InvoiceId("inv_2")))
    assert kinds(found) == [(C.EXTRA, "£407.00")]
    result = reconcile_bill(found)
    assert result is not None
    assert str(result.unexplained) == "£407.00"
    assert result.differences[0].invoice_id == "inv_2"


def test_a_due_bill_that_was_not_sent_is_missing_with_its_reason() -> None:
    result = reconcile_bill(case(sent=None, why_not_sent="blocked: no price"))
    assert result is not None
    (difference,) = result.differences
    assert (difference.kind, str(difference.unexplained)) == (C.MISSING, "-£407.00")
    assert difference.text.endswith("was not sent: blocked: no price")
    assert str(result.unexplained) == "-£407.00"


def test_an_invoice_that_the_ledger_does_not_know_is_extra() -> None:
    assert kinds(case(INVOICE, sent=None)) == [(C.MISSING, "-£407.00"), (C.EXTRA, "£407.00")]
    assert kinds(case(INVOICE, sent=None, due=None)) == [(C.EXTRA, "£407.00")]


def test_what_is_on_no_side_or_voided_is_nothing() -> None:
    assert reconcile_bill(case(sent=None, due=None)) is None
    gone = replace(INVOICE, status="voided")
    assert reconcile_bill(case(gone, sent=None, due=None)) is None
    found = compare_all([case(sent=None, due=None), case(INVOICE)])
    assert found.totals[0].bills == 1


def test_a_recalculated_bill_differs_by_what_m3ter_bills_now() -> None:
    more = drafted(bill(line("USAGE", "410", units="8"), line("AD_HOC", "7")), route())
    assert kinds(case(INVOICE, due=more)) == [(C.AMOUNT, "-£10.00")]
    same = drafted(bill(line("USAGE", "399", units="8"), line("AD_HOC", "8")), route())
    assert kinds(case(INVOICE, due=same)) == [(C.AMOUNT, None)]
    assert kinds(case(INVOICE, due=None)) == [(C.AMOUNT, "£407.00")]


def test_discounts_and_credit_notes_count() -> None:
    some = bill(line("USAGE", "10"), line("USAGE", "-3"))
    less = drafted(some, route(push={"negative_lines": "discount"}))
    lines = (sent_line(1, less.lines[0], discount=Money(300, GBP)),)
    discounted = case(invoice_of(less, lines=lines), sent=Recorded(less, IDS), due=less)
    assert kinds(discounted) == []
    credit = drafted(some, route(push={"negative_lines": "credit-note"}))
    noted = Recorded(credit, IDS, credited=Money(300, GBP))
    assert kinds(case(invoice_of(credit), sent=noted, due=credit)) == []
    lacking = case(invoice_of(credit), sent=Recorded(credit, IDS), due=credit)
    assert kinds(lacking) == [(C.AMOUNT, "£3.00")]


def test_lines_at_catalogue_prices_stand_apart() -> None:
    draft = drafted(bill(line("MINIMUM_SPEND", None), line()), route())
    lines = (
        sent_line(1, draft.lines[0], amount=Money(700, GBP)),
        sent_line(2, draft.lines[1]),
    )
    sent = Recorded(draft, IDS)
    result = reconcile_bill(case(invoice_of(draft, lines=lines), sent=sent, due=draft))
    assert result is not None
    assert (str(result.catalogue), result.unexplained.minor) == ("£7.00", 0)
    assert result.differences == ()
    gone = case(invoice_of(draft, lines=lines[1:]), sent=sent, due=draft)
    assert kinds(gone) == [(C.EDITED, None)]


def test_the_tolerance_is_for_each_difference_and_never_hides_one_by_another() -> None:
    up = case(edited(0, amount=Money(40002, GBP)))
    down = case(edited(0, amount=Money(39998, GBP)))
    period = case(edited(0, date_to=NOW))
    found = compare_all([up, down, period])
    assert found.totals[0].unexplained.minor == 0
    assert len(outside(found, Decimal("0.01"))) == 3
    assert [difference.kind for difference in outside(found, Decimal("0.02"))] == [C.PERIOD]


def test_extra_money_in_another_currency_is_listed_and_not_added() -> None:
    dollars = Money(500, Currency("USD", 2))
    foreign = replace(
        INVOICE, lines=(replace(SETUP, amount=dollars, discount=Money(0, dollars.currency)),)
    )
    result = reconcile_bill(case(foreign, sent=None))
    assert result is not None
    assert str(result.invoiced) == "£0.00"
    assert str(result.differences[1].unexplained) == "$5.00"


@given(st.lists(st.sampled_from([DRAFT]), max_size=3), st.integers(-50, 50))
def test_unexplained_is_what_the_invoice_differs_by(drafts: list[InvoiceDraft], by: int) -> None:
    cases = [case(edited(0, amount=Money(40000 + by, GBP))) for _ in drafts]
    found = compare_all(cases)
    assert sum(total.unexplained.minor for total in found.totals) == by * len(drafts)


def test_credits_alone_stand_on_no_invoice() -> None:
    push = {"negative_lines": "promotional-credit"}
    draft = drafted(bill(line("USAGE_CREDIT", "-7")), route(push=push))
    right = case(due=draft, sent=Recorded(draft, {}, credited=Money(700, GBP)))
    result = reconcile_bill(right)
    assert result is not None
    assert not result.differences
    assert result.unexplained == Money(0, GBP)
    less = case(due=draft, sent=Recorded(draft, {}, credited=Money(600, GBP)))
    assert kinds(less) == [(C.AMOUNT, "£1.00")]
    none = case(due=draft, sent=Recorded(draft, {}))
    assert kinds(none) == [(C.AMOUNT, "£7.00")]
