from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from fakes.chargebee_bench import NOW, Bench

CREATE = "invoices/create_for_charge_items_and_charges"
DAY = 86_400


@pytest.fixture
def bench() -> Bench:
    return Bench()


def form(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    lines = list(items) or [{"item_price_id": "api-USD", "quantity": 3}]
    return {"customer_id": "c1", "currency_code": "USD", "item_prices": lines, **more}


def test_the_catalogue_price_is_taken_without_another(bench: Bench) -> None:
    invoice = bench.invoice()
    line = invoice["line_items"][0]
    assert (line["unit_amount"], line["quantity"], line["amount"]) == (10, 3, 30)
    assert (line["unit_amount_in_decimal"], line["quantity_in_decimal"]) == ("0.1", "3")
    assert (line["entity_id"], line["description"]) == ("api-USD", "api-USD")
    assert line["date_from"] == line["date_to"] == NOW
    assert (invoice["id"], invoice["total"], invoice["generated_at"]) == ("1", 30, NOW)


def test_repeated_prices_are_lines_of_their_own_unless_refused(bench: Bench) -> None:
    twice = ({"item_price_id": "api-USD"}, {"item_price_id": "api-USD", "quantity": 2})
    assert [line["amount"] for line in bench.invoice(*twice)["line_items"]] == [10, 20]
    strict = Bench(repeated_item_price="refuse")
    refused = strict.refused(CREATE, form(*twice))
    assert refused == (400, "param_wrong_value", "item_prices[item_price_id][1]")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"customer_id": "x"}, (404, "resource_not_found", "customer_id")),
        ({"subscription_id": "x"}, (404, "resource_not_found", "subscription_id")),
        ({"customer_id": ""}, (400, "param_wrong_value", "customer_id")),
        ({"currency_code": ""}, (400, "param_wrong_value", "currency_code")),
        ({"currency_code": "usd"}, (400, "param_wrong_value", "currency_code")),
        ({"currency_code": "EUR"}, (400, "param_wrong_value", "currency_code")),
        ({"item_prices": []}, (400, "invalid_request", "")),
        ({"invoice_date": NOW + 60}, (400, "param_wrong_value", "invoice_date")),
        ({"invoice_date": NOW - 32 * DAY}, (400, "param_wrong_value", "invoice_date")),
        ({"coupon_ids": ["C"]}, (404, "resource_not_found", "coupon_ids[0]")),
        ({"coupon": "C"}, (404, "resource_not_found", "coupon")),
        ({"charges": [{"description": "d"}]}, (400, "param_wrong_value", "charges[amount][0]")),
        ({"create_pending_invoice": True}, (400, "param_wrong_value", "subscription_id")),
        ({"cf_nothing": "1"}, (400, "param_wrong_value", "cf_nothing")),
    ],
)
def test_a_request_that_cannot_be_billed_is_refused(
    bench: Bench, change: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    before = bench.store.writes
    assert bench.refused(CREATE, {**form(), **change}) == expected
    assert bench.store.writes == before


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"item_price_id": "x"}, (404, "resource_not_found", "item_price_id")),
        ({"item_price_id": "plan-USD"}, (400, "invalid_request", "item_price_id")),
        ({"item_price_id": "api-EUR"}, (400, "param_wrong_value", "")),
        ({"quantity": 1}, (400, "param_wrong_value", "item_price_id")),
        ({"item_price_id": "api-USD", "quantity": "1.5"}, (400, "param_wrong_value", "quantity")),
        (
            {"item_price_id": "api-USD", "quantity_in_decimal": "0"},
            (400, "param_wrong_value", "quantity_in_decimal"),
        ),
        (
            {"item_price_id": "api-USD", "quantity_in_decimal": "1.1234567"},
            (400, "param_wrong_value", "quantity_in_decimal"),
        ),
        (
            {"item_price_id": "api-USD", "quantity": 1, "quantity_in_decimal": "1"},
            (400, "param_wrong_value", "quantity_in_decimal"),
        ),
        (
            {"item_price_id": "api-USD", "unit_price_in_decimal": "-1"},
            (400, "param_wrong_value", "unit_price_in_decimal"),
        ),
        (
            {"item_price_id": "api-USD", "date_from": NOW, "date_to": NOW - 1},
            (400, "param_wrong_value", "date_to"),
        ),
    ],
)
def test_a_line_that_cannot_be_billed_names_its_row(
    bench: Bench, item: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    status, code, name = expected
    param = f"item_prices[{name}][1]" if name else "currency_code"
    good = {"item_price_id": "api-USD"}
    assert bench.refused(CREATE, form(good, item)) == (status, code, param)


def test_archived_and_deleted_prices(bench: Bench) -> None:
    bench.ok("item_prices/api-USD", {"status": "archived"})
    assert bench.refused(CREATE, form())[:2] == (400, "invalid_request")
    lenient = Bench(archived_price="accept")
    lenient.ok("item_prices/api-USD", {"status": "archived"})
    lenient.invoice()
    lenient.ok("item_prices/api-USD/delete")
    assert lenient.refused(CREATE, form())[:2] == (404, "resource_not_found")
    assert lenient.refused("item_prices/api-USD", {"name": "x"})[0] == 409


def test_what_the_site_has_not_is_a_matter_of_configuration() -> None:
    decimal = {"item_price_id": "api-USD", "quantity_in_decimal": "1"}
    bench = Bench(multidecimal=False, metered_billing=False)
    assert bench.refused(CREATE, form(decimal))[:2] == (400, "configuration_incompatible")
    assert "amount_in_decimal" not in bench.invoice()["line_items"][0]
    pending = form(subscription_id="s1", create_pending_invoice=True)
    expected = (400, "configuration_incompatible", "create_pending_invoice")
    assert bench.refused(CREATE, pending) == expected
    plan = [{"item_price_id": "plan-USD"}]
    subscription = {"subscription_items": plan, "create_pending_invoices": True}
    refused = bench.refused("customers/c1/subscription_for_items", subscription)
    assert refused[1:] == ("configuration_incompatible", "create_pending_invoices")
    price = {"id": "p", "name": "p", "item_id": "api", "price_in_decimal": "0.1"}
    assert bench.refused("item_prices", price)[1] == "configuration_incompatible"
    promo = {
        "customer_id": "c1",
        "description": "d",
        "amount_in_decimal": "1",
        "currency_code": "USD",
    }
    assert bench.refused("promotional_credits/add", promo)[1] == "configuration_incompatible"


def test_a_site_with_one_currency_needs_none() -> None:
    bench = Bench(multicurrency=False)
    invoice = bench.ok(CREATE, {"customer_id": "c1", "charges": [{"amount": 5}]})["invoice"]
    assert invoice["currency_code"] == "USD"
    refused = bench.refused(CREATE, form(currency_code="EUR"))
    assert refused == (400, "param_wrong_value", "currency_code")


def test_switches_decide_about_odd_quantities() -> None:
    bench = Bench(zero_quantity="accept", both_forms="decimal", excess_decimals="round")
    zero = {"item_price_id": "api-USD", "quantity_in_decimal": "0"}
    both = {"item_price_id": "api-USD", "quantity": 1, "quantity_in_decimal": "2"}
    long = {"item_price_id": "api-USD", "unit_price_in_decimal": "0.0000005"}
    lines = bench.invoice(zero, both, long)["line_items"]
    assert [line["amount"] for line in lines] == [0, 20, 0]
    assert lines[2]["unit_amount_in_decimal"] == "0.000001"


def test_the_decimal_amount_is_exact_or_rounded() -> None:
    item = {"item_price_id": "api-USD", "unit_price_in_decimal": "0.005"}
    exact = Bench().invoice(item)["line_items"][0]
    rounded = Bench(amount_in_decimal="rounded").invoice(item)["line_items"][0]
    even = Bench(rounding_tie="even").invoice(item)["line_items"][0]
    assert (exact["amount"], exact["amount_in_decimal"]) == (1, "0.005")
    assert (rounded["amount"], rounded["amount_in_decimal"]) == (1, "0.01")
    assert even["amount"] == 0


def test_a_flat_fee_has_no_quantity(bench: Bench) -> None:
    bench.price("flat", "api", "USD", pricing_model="flat_fee", price=700)
    line = bench.invoice({"item_price_id": "flat", "quantity": 5})["line_items"][0]
    assert (line["amount"], line["quantity"]) == (700, 1)
    strict = Bench(flat_fee_quantity="refuse")
    strict.price("flat", "api", "USD", pricing_model="flat_fee", price=700)
    refused = strict.refused(CREATE, form({"item_price_id": "flat", "quantity": 5}))
    assert refused == (400, "param_wrong_value", "item_prices[quantity][0]")


def test_tiered_prices_take_quantities_and_tiers_but_no_unit_price(bench: Bench) -> None:
    tiers = [
        {"starting_unit": 1, "ending_unit": 10, "price": 100},
        {"starting_unit": 11, "price": 50},
    ]
    bench.price("t", "tiers", "USD", pricing_model="tiered", tiers=tiers)
    bench.price("v", "tiers", "USD", pricing_model="volume", tiers=tiers)
    invoice = bench.invoice(
        {"item_price_id": "t", "quantity": 15}, {"item_price_id": "v", "quantity": 15}
    )
    tiered, volume = invoice["line_items"]
    assert (tiered["amount"], volume["amount"]) == (1250, 750)
    assert [tier["quantity_used"] for tier in invoice["line_item_tiers"]] == [10, 5, 15]
    for name in ("unit_price", "unit_price_in_decimal"):
        refused = bench.refused(CREATE, form({"item_price_id": "t", name: 1}))
        assert refused == (400, "param_wrong_value", f"item_prices[{name}][0]")
    own = [{"item_price_id": "t", "starting_unit": 1, "price_in_decimal": "0.5"}]
    cheaper = bench.invoice({"item_price_id": "t", "quantity": 15}, item_tiers=own)
    assert cheaper["total"] == 750


def test_free_units_are_not_charged(bench: Bench) -> None:
    bench.price("free", "api", "USD", price=10, free_quantity=4)
    invoice = bench.invoice({"item_price_id": "free", "quantity": 6}, {"item_price_id": "free"})
    assert [line["amount"] for line in invoice["line_items"]] == [20, 0]


def test_discounts_for_a_price_come_before_those_for_the_whole(bench: Bench) -> None:
    bench.price("other", "api", "USD", price=100)
    discounts = [
        {"apply_on": "invoice_amount", "percentage": 10},
        {"apply_on": "specific_item_price", "item_price_id": "other", "amount": 40},
    ]
    invoice = bench.invoice(
        {"item_price_id": "api-USD", "quantity": 4}, {"item_price_id": "other"}, discounts=discounts
    )
    assert invoice["sub_total"] == invoice["total"] == 140 - 40 - 10
    assert [line["discount_amount"] for line in invoice["line_items"]] == [4, 46]
    assert [line["item_level_discount_amount"] for line in invoice["line_items"]] == [0, 40]
    assert [discount["amount"] for discount in invoice["discounts"]] == [40, 10]
    assert sum(discount["discount_amount"] for discount in invoice["line_item_discounts"]) == 50


def test_a_discount_is_capped_at_what_it_applies_to(bench: Bench) -> None:
    more = [{"apply_on": "invoice_amount", "amount": 999}]
    invoice = bench.invoice(discounts=more)
    assert (invoice["total"], invoice["status"]) == (0, "paid")
    strict = Bench(discount_over_base="refuse")
    refused = strict.refused(CREATE, form(discounts=more))
    assert refused == (400, "param_wrong_value", "discounts[amount][0]")


@pytest.mark.parametrize(
    ("discount", "param"),
    [
        ({"amount": 1}, "apply_on"),
        ({"apply_on": "invoice_amount"}, "amount"),
        ({"apply_on": "invoice_amount", "amount": 1, "percentage": 1}, "amount"),
        ({"apply_on": "invoice_amount", "percentage": "0.001"}, "percentage"),
        ({"apply_on": "specific_item_price", "amount": 1}, "item_price_id"),
        ({"apply_on": "specific_item_price", "amount": 1, "item_price_id": "x"}, "item_price_id"),
    ],
)
def test_a_discount_that_means_nothing_is_refused(
    bench: Bench, discount: dict[str, Any], param: str
) -> None:
    refused = bench.refused(CREATE, form(discounts=[discount]))
    assert refused == (400, "param_wrong_value", f"discounts[{param}][0]")


def test_terms_make_an_invoice_posted_and_due_later(bench: Bench) -> None:
    bench.ok("customers/c1", {"net_term_days": 14})
    invoice = bench.invoice()
    assert (invoice["status"], invoice["due_date"]) == ("posted", NOW + 14 * DAY)
    own = bench.invoice(net_term_days=0)
    assert (own["status"], own["due_date"]) == ("payment_due", NOW)


def test_a_charge_that_is_due_now_needs_something_to_charge(bench: Bench) -> None:
    refused = bench.refused(CREATE, form(auto_collection="on"))
    assert refused[:2] == (400, "payment_method_not_present")
    assert bench.get("invoices")["list"] == []
    paid = bench.invoice(auto_collection="on", card={"number": "4111"})
    assert (paid["status"], paid["amount_due"], paid["amount_paid"]) == ("paid", 0, 30)
    bench.ok("customers", {"id": "c2", "card": {"number": "4111"}})
    rich = bench.ok(CREATE, {**form(), "customer_id": "c2"})["invoice"]
    transaction = rich["linked_payments"][0]["txn_id"]
    assert bench.get(f"transactions/{transaction}")["transaction"]["amount"] == 30
    assert "payment_succeeded" in bench.events()


@pytest.mark.parametrize(("left", "count"), [("nothing", 0), ("invoice", 1)])
def test_a_charge_that_fails_may_leave_an_invoice(left: str, count: int) -> None:
    bench = Bench(collection="fails", failed_collection=left)
    bench.ok("customers", {"id": "c2", "card": {"number": "4000"}})
    status, body = bench.post(CREATE, {**form(), "customer_id": "c2"})
    assert (status, body["type"]) == (400, "payment")
    assert body["api_error_code"] == "payment_processing_failed"
    assert len(bench.get("invoices")["list"]) == count


def test_single_charges_and_single_items(bench: Bench) -> None:
    charge = {"customer_id": "c1", "currency_code": "USD", "amount": 9, "description": "d"}
    assert bench.ok("invoices/charge", charge)["invoice"]["total"] == 9
    decimal = {**charge, "amount_in_decimal": "0.125"}
    del decimal["amount"]
    assert bench.ok("invoices/charge", decimal)["invoice"]["total"] == 13
    item = {"item_price_id": "api-JPY", "quantity": 2}
    made = bench.ok("invoices/create_for_charge_item", {"customer_id": "c1", "item_price": item})
    assert (made["invoice"]["currency_code"], made["invoice"]["total"]) == ("JPY", 20)


def test_lines_are_limited(bench: Bench) -> None:
    small = Bench(max_lines=2)
    many = [{"item_price_id": "api-USD"}] * 3
    assert small.refused(CREATE, form(*many))[1] == "resource_limit_exceeded"
    assert len(Bench(max_lines=0).invoice(*many)["line_items"]) == 3


def test_a_cancelled_subscription_cannot_be_billed_unless_the_site_does(bench: Bench) -> None:
    for entry, status in ((bench, 409), (Bench(cancelled_subscription="accept"), 200)):
        entry.ok("subscriptions/s1/cancel_for_items", {"cancel_option": "immediately"})
        assert entry.post(CREATE, {**form(), "subscription_id": "s1"})[0] == status


def test_the_subscription_must_be_the_customers(bench: Bench) -> None:
    bench.ok("customers", {"id": "c2"})
    refused = bench.refused(CREATE, {**form(), "customer_id": "c2", "subscription_id": "s1"})
    assert refused == (400, "param_wrong_value", "subscription_id")
    refused = bench.refused(CREATE, {**form(), "subscription_id": "s1", "currency_code": "EUR"})
    assert refused == (400, "param_wrong_value", "currency_code")


def test_an_invoice_may_be_dated_back_by_a_calendar_month(bench: Bench) -> None:
    first = int(datetime(2026, 11, 1, 9, tzinfo=UTC).timestamp())
    assert bench.invoice(invoice_date=first)["date"] == first
    refused = bench.refused(CREATE, form(invoice_date=first - 1))
    assert refused == (400, "param_wrong_value", "invoice_date")
    late = Bench(future_invoice_date="accept")
    assert late.invoice(invoice_date=NOW + 120)["date"] == NOW + 120


def test_unbilled_charges_are_swept_in_behind_the_lines(bench: Bench) -> None:
    held = {"subscription_id": "s1", "currency_code": "USD", "charges": [{"amount": 70}]}
    bench.ok("unbilled_charges", held)
    assert bench.get("customers/c1")["customer"]["unbilled_charges"] == 70
    estimate = {**form(), "invoice": {"customer_id": "c1"}}
    shown = bench.ok("estimates/create_invoice_for_items", estimate)["estimate"]
    assert shown["invoice_estimate"]["total"] == 100
    invoice = bench.invoice()
    assert [line["amount"] for line in invoice["line_items"]] == [30, 70]
    assert not any(name.startswith("_") for line in invoice["line_items"] for name in line)
    assert bench.get("unbilled_charges")["list"] == []
    assert bench.get("customers/c1")["customer"]["unbilled_charges"] == 0
    lazy = Bench(sweep_unbilled_charges=False)
    lazy.ok("unbilled_charges", held)
    assert lazy.invoice()["total"] == 30
    assert len(lazy.get("unbilled_charges")["list"]) == 1


def test_unbilled_charges_can_be_estimated_and_invoiced_for_a_customer(bench: Bench) -> None:
    charges = [{"amount": 70}]
    held = {"subscription_id": "s1", "currency_code": "USD", "charges": charges}
    assert bench.refused("unbilled_charges", {**held, "charges": []})[1] == "invalid_request"
    bench.ok("unbilled_charges", held)
    shown = bench.ok("unbilled_charges/invoice_now_estimate", {"subscription_id": "s1"})
    assert shown["estimate"]["invoice_estimates"][0]["total"] == 70
    path = "unbilled_charges/invoice_unbilled_charges"
    assert bench.refused(path, {})[1] == "invalid_request"
    assert bench.ok(path, {"customer_id": "c1"})["invoices"][0]["total"] == 70
    assert bench.refused(path, {"customer_id": "c1"})[1] == "invalid_request"


def test_notes_addresses_and_purchase_orders_stay_on_the_invoice(bench: Bench) -> None:
    more = {"invoice_note": "n", "po_number": "p", "shipping_address": {"city": "Bath"}}
    invoice = bench.invoice(**more, cf_m3ter_bill_id="b")
    assert [note["note"] for note in invoice["notes"]] == ["n"]
    assert (invoice["po_number"], invoice["shipping_address"]) == ("p", {"city": "Bath"})
    assert invoice["cf_m3ter_bill_id"] == "b"


@pytest.mark.parametrize(("longest", "length", "status"), [(500, 501, 400), (2000, 2000, 200)])
def test_the_length_of_the_text_under_a_line_is_a_switch(
    longest: int, length: int, status: int
) -> None:
    bench = Bench(entity_description_length=longest)
    item = {"item_price_id": "api-USD", "entity_description": "x" * length}
    assert bench.post(CREATE, form(item))[0] == status


def test_an_owner_must_be_named(bench: Bench) -> None:
    estimate = {"invoice": {}, "currency_code": "USD", "charges": [{"amount": 1}]}
    refused = bench.refused("estimates/create_invoice_for_items", estimate)
    assert refused == (400, "param_wrong_value", "invoice[customer_id]")
    empty = {"invoice": {"customer_id": "c1"}, "currency_code": "USD"}
    assert bench.refused("estimates/create_invoice_for_items", empty)[1] == "invalid_request"


def test_a_closed_invoice_does_not_stand_in_the_way_of_a_pending_one() -> None:
    bench = Bench(second_pending_invoice="refuse")
    bench.invoice()
    bench.pending()
