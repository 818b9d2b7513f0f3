"""Request bodies, byte for byte, against golden files."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fakes.chargebee_world import draft_of
from fakes.push_data import NOW, invoice_of, line
from hypothesis import given
from hypothesis import strategies as st

from reconciler.chargebee import form, wire
from reconciler.chargebee.steps import crediting
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.drafting.draft import CataloguePricing, DecimalPricing, InvoiceDraft
from reconciler.kernel.money import Currency, Money
from reconciler.sync.model.push import InvoiceId, InvoiceLineId, StoredRequest

GOLDEN = Path(__file__).parent / "golden"
PLAIN = ChargebeeSwitches()
NEGATIVE = (line(amount="400"), line("CREDIT_DEDUCTION", "-30.50", product_id=""))
MULTI: dict[str, Any] = {
    "use_multidecimal": True,
    "multi_decimal_price_decimal_places": 5,
    "multi_decimal_units_decimal_places": 3,
}


def shown(request: StoredRequest) -> str:
    """A request as its golden file holds it: one pair a line, in the order of the wire."""
    head = [f"{request.method} {request.path}", *(f"{k}: {v}" for k, v in request.headers)]
    return "\n".join([*head, "", *request.body.decode("ascii").split("&")]) + "\n"


def numbered(draft: InvoiceDraft) -> InvoiceDraft:
    return replace(draft, purchase_order="PO 7/é", invoice_at=NOW)


def created(draft: InvoiceDraft, **more: Any) -> StoredRequest:
    return wire.create_invoice(draft, more.pop("flat", ()), ChargebeeSwitches(**more))


def credit_note() -> StoredRequest:
    draft = draft_of(*NEGATIVE, push={"negative_lines": "credit-note"})
    return crediting.credit_negative(
        draft, crediting.CreditOn(InvoiceId("17"), "adjustment"), PLAIN
    )


def credit_alone() -> StoredRequest:
    draft = draft_of(*NEGATIVE, push={"negative_lines": "credit-note"})
    on = crediting.CreditOn(None, "refundable", "cust_1")
    return crediting.credit_negative(draft, on, ChargebeeSwitches(credit_reason="Bill changed"))


def credit_former() -> StoredRequest:
    draft = draft_of()
    invoice = invoice_of(draft)
    reduced = replace(invoice.lines[0], discount=Money(5, Currency("GBP", 2)))
    free = replace(invoice.lines[1], discount=invoice.lines[1].amount)
    on = crediting.CreditOn(invoice.id, "refundable")
    return crediting.credit_lines(draft, on, (reduced, free), PLAIN)


def consolidated() -> StoredRequest:
    draft = draft_of()
    return wire.add_line_request(
        draft, 1, replace(invoice_of(draft), subscription_id=""), (), PLAIN
    )


REQUESTS = {
    "create": created(numbered(draft_of())),
    "create-open": created(draft_of(push={"open": True})),
    "create-customer": created(
        draft_of(push={"account_is": "customer", "collection": "customer-default"})
    ),
    "create-decimals": created(
        draft_of(line(amount="400.05", units="3000.5"), page=MULTI, push={"rounding": "as-m3ter"})
    ),
    "create-discount": created(draft_of(*NEGATIVE, push={"negative_lines": "discount"})),
    "create-flat-fee": created(draft_of(), flat={"usage-GBP"}, response_schema="items"),
    "add-line": wire.add_line_request(draft_of(), 0, InvoiceId("draft_inv/1"), (), PLAIN),
    "add-line-consolidated": consolidated(),
    "delete-lines": wire.delete_lines(
        InvoiceId("d1"), [InvoiceLineId("li_1"), InvoiceLineId("li_2")], PLAIN
    ),
    "void": wire.void_invoice(
        InvoiceId("17"), draft_of().bill_id, ChargebeeSwitches(void_reason="Wrong bill")
    ),
    "credit-note": credit_note(),
    "credit-note-alone": credit_alone(),
    "credit-note-former": credit_former(),
}


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_a_request_is_what_its_golden_file_holds(name: str) -> None:
    assert shown(REQUESTS[name]) == (GOLDEN / f"{name}.txt").read_text()


def test_a_line_at_the_catalogues_price_sends_a_quantity_and_no_price() -> None:
    draft = draft_of()
    at_catalogue = replace(draft.lines[0], pricing=CataloguePricing(), expected=None)
    request = created(replace(draft, lines=(at_catalogue,)))
    (row,) = form.read_rows(form.form_pairs(request.body), "item_prices")
    assert row["quantity"] == "1"
    assert "unit_price" not in row


@given(
    st.decimals(min_value=0, max_value=10**12, places=20, allow_nan=False),
    st.decimals(min_value=0, max_value=10**9, places=20, allow_nan=False),
)
def test_no_decimal_is_written_with_an_exponent_or_loses_a_digit(
    price: Decimal, quantity: Decimal
) -> None:
    draft = draft_of()
    priced = replace(draft.lines[0], pricing=DecimalPricing(quantity, price))
    request = created(replace(draft, lines=(priced,)))
    (row,) = form.read_rows(form.form_pairs(request.body), "item_prices")
    assert set(row["unit_price_in_decimal"] + row["quantity_in_decimal"]) <= set("0123456789.")
    assert Decimal(row["unit_price_in_decimal"]) == price
    assert Decimal(row["quantity_in_decimal"]) == quantity
