from __future__ import annotations

from typing import Any

import pytest
from fakes.chargebee_bench import Bench

CREATE = "invoices/create_for_charge_items_and_charges"


@pytest.fixture
def bench() -> Bench:
    return Bench()


def adjustment(invoice: str, total: int) -> dict[str, Any]:
    return {"reference_invoice_id": invoice, "type": "adjustment", "total": total}


def refundable(total: int, currency: str = "USD") -> dict[str, Any]:
    return {"customer_id": "c1", "type": "refundable", "total": total, "currency_code": currency}


def test_an_adjustment_lowers_what_is_due(bench: Bench) -> None:
    key = bench.invoice()["id"]
    body = bench.ok("credit_notes", {**adjustment(key, 10), "cf_m3ter_bill_id": "b"})
    assert (body["invoice"]["amount_due"], body["invoice"]["amount_adjusted"]) == (20, 10)
    assert body["credit_note"]["cf_m3ter_bill_id"] == "b"
    refused = bench.refused("credit_notes", adjustment(key, 21))
    assert refused == (400, "param_wrong_value", "total")
    paid = bench.ok("credit_notes", adjustment(key, 20))["invoice"]
    assert (paid["amount_due"], paid["status"]) == (0, "paid")
    assert bench.refused("credit_notes", adjustment(key, 1))[1] == "invalid_state_for_request"


def test_an_adjustment_of_a_pending_invoice_is_refused(bench: Bench) -> None:
    key = bench.pending()["id"]
    assert bench.refused("credit_notes", adjustment(key, 1))[1] == "invalid_state_for_request"


def test_voiding_an_adjustment_makes_the_amount_due_again(bench: Bench) -> None:
    key = bench.invoice()["id"]
    note = bench.ok("credit_notes", adjustment(key, 30))["credit_note"]["id"]
    assert (
        bench.ok(f"credit_notes/{note}/void", {"comment": "c"})["credit_note"]["status"] == "voided"
    )
    again = bench.get(f"invoices/{key}")["invoice"]
    assert (again["amount_due"], again["status"]) == (30, "payment_due")
    assert bench.refused(f"credit_notes/{note}/void")[0] == 409


def test_a_standalone_credit_is_used_by_the_next_invoice(bench: Bench) -> None:
    note = bench.ok("credit_notes", refundable(50))["credit_note"]
    euros = bench.ok("credit_notes", refundable(50, "EUR"))["credit_note"]
    assert bench.get("customers/c1")["customer"]["refundable_credits"] == 50
    invoice = bench.invoice()
    assert (invoice["credits_applied"], invoice["status"]) == (30, "paid")
    assert invoice["applied_credits"][0]["cn_id"] == note["id"]
    left = bench.get(f"credit_notes/{note['id']}")["credit_note"]
    assert (left["amount_available"], left["amount_allocated"]) == (20, 30)
    assert bench.get(f"credit_notes/{euros['id']}")["credit_note"]["amount_available"] == 50
    second = bench.invoice()
    assert (second["credits_applied"], second["amount_due"]) == (20, 10)
    used = bench.get(f"credit_notes/{note['id']}")["credit_note"]
    assert (used["status"], used["amount_available"]) == ("adjusted", 0)
    assert bench.refused(f"credit_notes/{note['id']}/void")[0] == 409


def test_voiding_an_invoice_gives_credits_back(bench: Bench) -> None:
    note = bench.ok("credit_notes", refundable(10))["credit_note"]["id"]
    promo = {"customer_id": "c1", "amount": 5, "description": "d", "currency_code": "USD"}
    bench.ok("promotional_credits/add", promo)
    invoice = bench.invoice()
    assert (invoice["total"], invoice["amount_due"]) == (25, 15)
    assert invoice["discounts"][-1]["entity_type"] == "promotional_credits"
    bench.ok(f"invoices/{invoice['id']}/void", {"void_reason_code": "dup"})
    customer = bench.get("customers/c1")["customer"]
    assert (customer["promotional_credits"], customer["refundable_credits"]) == (5, 10)
    back = bench.get(f"credit_notes/{note}")["credit_note"]
    assert (back["status"], back["amount_available"]) == ("refund_due", 10)
    assert bench.ok(f"credit_notes/{note}/void")["credit_note"]["amount_available"] == 0


def test_credits_are_left_alone_where_the_site_says_so() -> None:
    bench = Bench(apply_credits=False)
    bench.ok("credit_notes", refundable(10))
    assert bench.invoice()["amount_due"] == 30


def test_credits_are_applied_on_request(bench: Bench) -> None:
    key = bench.invoice()["id"]
    bench.ok("credit_notes", refundable(5, "EUR"))
    first = bench.ok("credit_notes", refundable(5))["credit_note"]["id"]
    bench.ok("credit_notes", refundable(40))
    named = {"credit_notes": [{"id": first}], "comment": "c"}
    invoice = bench.ok(f"invoices/{key}/apply_credits", named)["invoice"]
    assert (invoice["amount_due"], invoice["status"]) == (25, "payment_due")
    rest = bench.ok(f"invoices/{key}/apply_credits")["invoice"]
    assert (rest["amount_due"], rest["status"]) == (0, "paid")
    assert bench.refused(f"invoices/{key}/apply_credits")[0] == 409
    unknown = {"credit_notes": [{"id": "x"}]}
    refused = bench.refused(f"invoices/{bench.invoice()['id']}/apply_credits", unknown)
    assert refused == (404, "resource_not_found", "credit_notes[id][0]")


def test_refunds_and_store_credits_of_a_paid_invoice(bench: Bench) -> None:
    key = bench.invoice(auto_collection="on", card={"number": "4"})["id"]
    form = {"reference_invoice_id": key, "type": "refundable", "total": 10}
    body = bench.ok("credit_notes", form)
    assert body["credit_note"]["status"] == "refund_due"
    assert body["invoice"]["issued_credit_notes"][0]["cn_total"] == 10
    store = bench.ok("credit_notes", {**form, "type": "store"})["credit_note"]
    assert store["status"] == "refunded"
    assert bench.get("customers/c1")["customer"]["promotional_credits"] == 10
    assert bench.refused("credit_notes", {**form, "total": 11}) == (
        400,
        "param_wrong_value",
        "total",
    )
    assert bench.refused(f"credit_notes/{store['id']}/void")[0] == 409
    assert bench.refused(f"invoices/{key}/void")[1] == "invalid_state_for_request"


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"type": "refundable", "currency_code": "USD", "total": 1}, "customer_id"),
        ({"type": "store", "customer_id": "c1", "total": 1}, "reference_invoice_id"),
        ({"type": "refundable", "customer_id": "c1", "total": 1}, "currency_code"),
        ({"customer_id": "c1", "total": 1}, "type"),
        (
            {**refundable(1), "total": "", "line_items": [{"description": "d"}]},
            "line_items[amount][0]",
        ),
        (
            {**refundable(1), "total": "", "line_items": [{"amount": -1}]},
            "line_items[amount][0]",
        ),
    ],
)
def test_a_credit_note_that_lacks_something_is_refused(
    bench: Bench, form: dict[str, Any], param: str
) -> None:
    assert bench.refused("credit_notes", form) == (400, "param_wrong_value", param)


def test_a_credit_note_has_a_total_or_lines(bench: Bench) -> None:
    lines = [
        {"amount": 5},
        {"unit_amount": 3, "quantity": 2},
        {"unit_amount_in_decimal": "0.125", "quantity_in_decimal": "3"},
    ]
    form = {**refundable(1), "line_items": lines}
    assert bench.refused("credit_notes", form)[1] == "invalid_request"
    del form["total"]
    note = bench.ok("credit_notes", {**form, "comment": "c"})["credit_note"]
    assert (note["total"], [line["amount"] for line in note["line_items"]]) == (49, [5, 6, 38])


def test_promotional_credits_are_added_and_deducted(bench: Bench) -> None:
    form = {"customer_id": "c1", "description": "d", "currency_code": "USD"}
    added = bench.ok("promotional_credits/add", {**form, "amount_in_decimal": "1.5"})
    assert added["promotional_credit"]["amount"] == 150
    key = added["promotional_credit"]["id"]
    assert bench.get(f"promotional_credits/{key}")["promotional_credit"]["type"] == "increment"
    taken = bench.ok("promotional_credits/deduct", {**form, "amount": 50})
    assert taken["promotional_credit"]["closing_balance"] == 100
    refused = bench.refused("promotional_credits/deduct", {**form, "amount": 101})
    assert refused == (400, "param_wrong_value", "amount")
    assert bench.refused("promotional_credits/add", form)[2] == "amount"
    bench.ok("promotional_credits/add", {**form, "currency_code": "EUR", "amount": 7})
    balances = bench.get("customers/c1")["customer"]["balances"]
    assert {balance["currency_code"]: balance["promotional_credits"] for balance in balances} == {
        "USD": 100,
        "EUR": 7,
    }


def test_excess_payments_pay_first(bench: Bench) -> None:
    customer = bench.site.need("customer", "c1")
    balances = [
        {
            "currency_code": "USD",
            "promotional_credits": 0,
            "refundable_credits": 0,
            "excess_payments": 12,
            "unbilled_charges": 0,
        }
    ]
    bench.site.put("customer", customer | {"balances": balances})
    invoice = bench.invoice()
    assert (invoice["amount_paid"], invoice["amount_due"]) == (12, 18)
    assert bench.get("customers/c1")["customer"]["excess_payments"] == 0


def test_writing_off_needs_something_due(bench: Bench) -> None:
    key = bench.invoice()["id"]
    written = bench.ok(f"invoices/{key}/write_off")
    assert (written["invoice"]["status"], written["invoice"]["write_off_amount"]) == ("paid", 30)
    assert bench.refused(f"invoices/{key}/write_off")[0] == 409


def test_voided_and_deleted_invoices(bench: Bench) -> None:
    key = bench.invoice()["id"]
    bench.ok(f"invoices/{key}/void")
    assert bench.refused(f"invoices/{key}/void")[0] == 409
    assert bench.refused(f"invoices/{key}/update_details", {"po_number": "p"})[0] == 409
    bench.ok(f"invoices/{key}/delete")
    assert bench.status(f"invoices/{key}") == 404
    assert bench.refused(f"invoices/{key}/delete")[0] == 404
    shown = Bench(deleted_invoice=200, void_reason_required=True)
    key = shown.invoice()["id"]
    assert shown.refused(f"invoices/{key}/void")[2] == "void_reason_code"
    shown.ok(f"invoices/{key}/delete")
    assert shown.get(f"invoices/{key}")["invoice"]["deleted"] is True
    assert shown.refused(f"invoices/{key}/delete")[0] == 409
    assert shown.refused(f"invoices/{key}/void", {"void_reason_code": "x"})[0] == 409


def test_voiding_an_adjustment_of_a_voided_invoice_leaves_it_voided(bench: Bench) -> None:
    key = bench.invoice()["id"]
    note = bench.ok("credit_notes", adjustment(key, 10))["credit_note"]["id"]
    bench.ok(f"invoices/{key}/void")
    bench.ok(f"credit_notes/{note}/void")
    assert bench.get(f"invoices/{key}")["invoice"]["status"] == "voided"
