"""Reading back: stamps, deleted and voided invoices, renamed ones, money of every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from fakes.chargebee_world import START, US, ChargebeeWorld, draft_of, pending_draft
from fakes.push_data import line

from reconciler.drafting.draft import DecimalPricing
from reconciler.sync.core.readback.invoice_lines import Recorded, compare_lines
from reconciler.sync.model.push import (
    Effect,
    Found,
    InvoiceId,
    NotFound,
    PushKey,
    PushState,
    StepKind,
    StepName,
    Undecidable,
)
from reconciler.sync.ports.destination import Complete, Sending

Open = Callable[..., ChargebeeWorld]
LONG_AGO = START - timedelta(days=60)


def test_a_bill_whose_ledger_was_lost_is_found_by_its_stamp(world: Open) -> None:
    site, draft = world(), draft_of()
    site.drive(draft)
    site.effects = []
    (found,) = site.destination.by_bill(draft.bill_id, draft)
    assert found.stamp == draft.bill_id
    assert compare_lines(Recorded(draft, {}), found).findings == ()
    (indexed,) = site.destination.stamped(LONG_AGO)
    assert indexed == found
    assert list(site.destination.stamped(START + timedelta(days=1))) == []


@pytest.mark.parametrize(("act", "word"), [("void", "voided"), ("delete", "deleted")])
def test_a_found_invoice_that_was_voided_or_deleted_stops_for_a_person(
    world: Open, act: str, word: str
) -> None:
    site, draft = world(), draft_of()
    site.fault("lost_response")
    site.drive(draft)
    (invoice,) = site.invoices()
    site.post(f"/invoices/{invoice['id']}/{act}")
    looked = site.look(site.effects[0], draft)
    assert isinstance(looked, Undecidable)
    assert word in looked.reason
    read = site.destination.read(InvoiceId(invoice["id"]))
    assert read is not None
    assert (read.deleted, read.status == "voided") == (act == "delete", act == "void")
    (indexed,) = site.destination.stamped(LONG_AGO)
    assert indexed.deleted == (act == "delete")


def test_two_invoices_with_one_stamp_are_for_a_person(world: Open) -> None:
    site, draft = world(), draft_of()
    there = site.destination
    site.fault("lost_response")
    site.drive(draft)
    there.perform(site.effects[0].key, site.effects[0].request, "other" * 10)
    looked = site.look(site.effects[0], draft)
    assert isinstance(looked, Undecidable)
    assert "several invoices" in looked.reason


def test_an_edited_invoice_is_found_without_naming_lines(world: Open) -> None:
    site, draft = world(), draft_of()
    site.fault("lost_response")
    site.drive(draft)
    (invoice,) = site.invoices()
    site.edit(invoice["id"], line_items=invoice["line_items"][:1])
    assert site.look(site.effects[0], draft) == Found(invoice["id"])


def test_an_id_that_does_not_resolve_reads_as_none(world: Open) -> None:
    assert world().destination.read(InvoiceId("no/where")) is None


def test_lines_recorded_for_a_bill_are_found_after_the_closing(world: Open) -> None:
    site, draft = world(), pending_draft()
    assert site.drive(draft, Sending(waiting_since=START)) == Complete()
    site.post(f"/invoices/{site.effects[0].object_id}/close")
    (found,) = site.destination.by_bill(draft.bill_id, draft, site.effects)
    assert found.id == site.invoices(US)[0]["id"]
    assert found.id != site.effects[0].object_id
    assert site.destination.by_bill(draft.bill_id, draft) == ()


def test_effects_that_name_nothing_are_undecidable(world: Open) -> None:
    site, draft = world(), draft_of()
    step = site.destination.next_step(draft, ())
    request = step.request  # type: ignore[union-attr]
    for kind, reason in (
        (StepKind.ADD_LINE, "does not say"),
        (StepKind.DELETE_LINES, "is not there"),
        (StepKind.VOID_INVOICE, "gone or deleted"),
    ):
        key = PushKey(site.destination.site, draft.bill_id, 1, StepName(kind, 1))
        looked = site.look(Effect(key, PushState.SENDING, request), draft)
        assert isinstance(looked, Undecidable)
        assert reason in looked.reason


def test_promotional_credits_are_payment_and_no_discount(world: Open) -> None:
    site, draft = world(), draft_of()
    credit = {"amount": "500", "currency_code": "GBP", "description": "Sorry"}
    site.post("/promotional_credits/add", customer_id="cust_acme_uk", **credit)
    site.drive(draft)
    (invoice,) = site.destination.by_bill(draft.bill_id, draft)
    assert compare_lines(Recorded(draft, {}), invoice).findings == ()
    assert invoice.paid is not None
    assert invoice.paid.minor == 500


@pytest.mark.parametrize(
    ("currency", "account", "amounts", "minor"),
    [
        ("JPY", "sub-acct-00006", ("400", "7"), [400, 7]),
        ("KWD", "sub-acct-00013", ("400.05", "7.12"), [40005, 712]),
        ("EUR", "sub-acct-00003", ("400.05", "7.12"), [40005, 712]),
    ],
)
def test_every_currency_is_counted_as_chargebee_counts_it(
    world: Open, currency: str, account: str, amounts: tuple[str, str], minor: list[int]
) -> None:
    site = world("month-end", month_end_bills=20)
    lines = (line(amount=amounts[0], units="3"), line("AD_HOC", amounts[1]))
    draft = draft_of(*lines, subscription=account, currency=currency)
    assert site.destination.check(draft) == ()
    assert site.drive(draft) == Complete()
    (invoice,) = site.destination.by_bill(draft.bill_id, draft)
    assert [line.amount.minor for line in invoice.lines] == minor
    assert compare_lines(Recorded(draft, {}), invoice).findings == ()


def test_decimals_come_back_with_every_digit_and_the_predicted_amount(world: Open) -> None:
    site = world()
    page = {
        "use_multidecimal": True,
        "multi_decimal_price_decimal_places": 5,
        "multi_decimal_units_decimal_places": 3,
    }
    push = {"rounding": "as-m3ter"}
    draft = draft_of(line(amount="400.05", units="3000.5"), page=page, push=push)
    assert isinstance(draft.lines[0].pricing, DecimalPricing)
    assert site.destination.check(draft) == ()
    assert site.drive(draft) == Complete()
    (invoice,) = site.destination.by_bill(draft.bill_id, draft)
    (found,) = invoice.lines
    assert (found.quantity, found.unit_price) == (Decimal("3000.5"), Decimal("0.13333"))
    assert found.amount == draft.lines[0].expected
    assert compare_lines(Recorded(draft, {}), invoice).findings == ()


def test_a_discount_reduces_the_lines_of_its_price_by_exactly_its_amount(world: Open) -> None:
    negative = (line(amount="400"), line("CREDIT_DEDUCTION", "-30.50", product_id=""))
    site, draft = world(), draft_of(*negative, push={"negative_lines": "discount"})
    assert site.drive(draft) == Complete()
    (invoice,) = site.destination.by_bill(draft.bill_id, draft)
    assert invoice.lines[0].discount.minor == 3050
    assert compare_lines(Recorded(draft, {}), invoice).findings == ()


def test_more_invoices_than_a_page_are_all_streamed_once(world: Open) -> None:
    site = world(max_lines=0)
    there = site.destination
    for number in range(103):
        draft = draft_of(line("AD_HOC", "1"), bill_id=f"bill-{number:03}")
        step = there.next_step(draft, ())
        there.perform(
            PushKey(there.site, draft.bill_id, 1, step.name),  # type: ignore[union-attr]
            step.request,  # type: ignore[union-attr]
            f"key-{number}",
        )
    found = [invoice.stamp for invoice in there.stamped(LONG_AGO)]
    assert sorted(str(bill_id) for bill_id in found) == [
        f"bill-{number:03}" for number in range(103)
    ]
    site.http.fault(
        "empty_page", match={"vendor": "chargebee", "path": "/api/v2/invoices"}, times=1
    )
    assert len([*there.stamped(LONG_AGO)]) == 103


def test_another_subscription_does_not_answer_for_ours(world: Open) -> None:
    site, draft = world(), draft_of()
    site.drive(draft)
    other = draft_of(bill_id="bill-2")
    effect = replace(site.effects[0], key=replace(site.effects[0].key, bill_id=other.bill_id))
    assert site.look(effect, other) == NotFound()


def test_a_removed_subscription_is_searched_by_its_id(world: Open) -> None:
    site, draft = world(), draft_of()
    site.drive(draft)
    nobody = replace(draft, target=replace(draft.target, external_id="nobody"))
    assert site.destination.by_bill(draft.bill_id, nobody) == ()
