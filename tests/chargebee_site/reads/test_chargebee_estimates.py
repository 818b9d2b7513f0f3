"""What Chargebee would make of a draft: asked with the very body of the create request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes.chargebee_world import UK, ChargebeeWorld, draft_of
from fakes.push_data import line

from reconciler.chargebee import form
from reconciler.chargebee.reads.estimates import estimate_request
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.chargebee.wire import create_invoice
from reconciler.drafting.draft import InvoiceDraft
from reconciler.kernel.money import Currency, Money
from reconciler.reconcile.core.explanation import deviations, predicted
from reconciler.sync.model.invoice import Estimated, InvoiceLine, NotEstimated

Open = Callable[..., ChargebeeWorld]
GBP = Currency("GBP", 2)
SWITCHES = ChargebeeSwitches()


def made_of(site: ChargebeeWorld, draft: InvoiceDraft) -> Estimated:
    found = site.destination.estimate(draft)
    assert isinstance(found, Estimated), found
    return found


def test_an_estimate_has_the_parameters_of_the_create_request() -> None:
    for push in ({}, {"open": True}):
        draft = draft_of(push=push)
        create = create_invoice(draft, frozenset(), SWITCHES)
        asked = estimate_request(create, draft.stamp_field, SWITCHES)
        moved = {f"{draft.target.kind}_id", "po_number"}
        assert sorted(form.form_pairs(asked.body)) == sorted(
            (f"invoice[{name}]" if name in moved else name, value)
            for name, value in form.form_pairs(create.body)
            if name not in {draft.stamp_field, "create_pending_invoice"}
        )


def test_what_is_estimated_is_what_is_made(world: Open) -> None:
    site, draft = world(), draft_of()
    made = made_of(site, draft)
    assert deviations(draft, made) == ()
    assert made.sub_total == made.total == predicted(draft) == draft.billed
    assert site.invoices() == []
    site.drive(draft)
    (invoice,) = site.invoices()
    assert invoice["sub_total"] == made.sub_total.minor
    assert [line["amount"] for line in invoice["line_items"]] == [
        invoice_line.amount.minor for invoice_line in made.invoice.lines
    ]


def test_a_discount_is_estimated_too(world: Open) -> None:
    credit = line("CREDIT_DEDUCTION", "-30.50", product_id="")
    draft = draft_of(line(amount="400"), credit, push={"negative_lines": "discount"})
    made = made_of(world(), draft)
    assert (deviations(draft, made), made.sub_total) == ((), Money(36950, GBP))


def test_charges_that_would_be_swept_in_are_named(world: Open) -> None:
    site, draft = world(), draft_of()
    charge = {"charges[amount][0]": "500", "charges[description][0]": "Set-up"}
    site.post("/unbilled_charges", subscription_id=UK, currency_code="GBP", **charge)
    made = made_of(site, draft)
    assert deviations(draft, made) == ('"Set-up", £5.00: not of this bill',)


def test_a_refusal_is_an_answer_in_words(world: Open) -> None:
    found = world().destination.estimate(draft_of(subscription="nobody"))
    assert isinstance(found, NotEstimated)
    assert "Chargebee refuses it (`invoice[subscription_id]`)" in found.why
    assert "nobody" in found.why


def test_an_estimate_is_asked_again_when_the_answer_was_lost(world: Open) -> None:
    site = world()
    site.fault("http_500", path="/api/v2/estimates/*")
    assert deviations(draft_of(), made_of(site, draft_of())) == ()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"amount": Money(1, GBP)}, 'line 1, "{}": £0.01, and £400.05 is predicted'),
        ({"discount": Money(7, GBP)}, "discounts: £0.07, and £0.00 is predicted"),
    ],
)
def test_each_deviation_is_told_by_line(world: Open, body: dict[str, Any], said: str) -> None:
    draft = draft_of()
    made = made_of(world(), draft)
    first: InvoiceLine = replace(made.invoice.lines[0], **body)
    changed = replace(made.invoice, lines=(first, *made.invoice.lines[1:]))
    told = deviations(draft, replace(made, invoice=changed))
    assert told == (said.format(draft.lines[0].description),)


def test_a_line_that_is_left_out_and_another_currency_are_told(world: Open) -> None:
    draft = draft_of()
    made = made_of(world(), draft)
    shorter = replace(made, invoice=replace(made.invoice, lines=made.invoice.lines[1:]))
    assert deviations(draft, shorter) == (
        f'line 1, "{draft.lines[0].description}": not in it; £400.05 is predicted',
    )
    foreign = replace(made, invoice=replace(made.invoice, currency="EUR"))
    assert deviations(draft, foreign) == ("it is in EUR, and the bill in GBP",)
