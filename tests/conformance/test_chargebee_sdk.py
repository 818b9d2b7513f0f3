"""Chargebee's own client drives the emulator through every operation that the project uses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from chargebee import APIError, Chargebee, InvalidRequestError, OperationFailedError, PaymentError
from fakes.chargebee_sdk import official_client
from fakes.emulated_http import EmulatedHttp

from reconciler.emulator.running import RunningEmulator, build

KEY = "chargebee-idempotency-key"


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with RunningEmulator(build(scenario="starter", switches=["clock=still"])) as running:
        yield running


@pytest.fixture
def client(emulator: RunningEmulator) -> Chargebee:
    emulator.world.reset()
    sdk = official_client(emulator.url)
    sdk.ItemFamily.create({"id": "f", "name": "Family"})
    sdk.Item.create({"id": "api", "name": "API", "type": "charge", "item_family_id": "f"})
    sdk.Item.create({"id": "plan", "name": "Plan", "type": "plan", "item_family_id": "f"})
    price = {"pricing_model": "per_unit", "currency_code": "USD"}
    sdk.ItemPrice.create({"id": "api-USD", "name": "API", "item_id": "api", "price": 10, **price})
    term = {"period": 1, "period_unit": "month"}
    sdk.ItemPrice.create(
        {"id": "plan-USD", "name": "Plan", "item_id": "plan", "price": 900, **price, **term}
    )
    sdk.Customer.create({"id": "c1", "auto_collection": "off", "company": "Acme"})
    items = {"subscription_items": [{"item_price_id": "plan-USD", "quantity": 2}]}
    sdk.Subscription.create_with_items("c1", {"id": "s1", "create_pending_invoices": True, **items})
    return sdk


def fits(answer: Any, kind: type) -> None:
    """Every field of the answer is one that the client's model knows, but for custom fields."""
    known = {field.name for field in dataclasses.fields(kind)}
    extra = {name for name in answer.raw_data if name not in known and name != "object"}
    assert {name for name in extra if not name.startswith("cf_")} <= {
        "base_currency_code",
        "payment_owner",
        "customer_notes",
    }


def bill(**more: Any) -> dict[str, Any]:
    return {
        "customer_id": "c1",
        "subscription_id": "s1",
        "currency_code": "USD",
        "invoice_note": "m3ter Rechnung für Juni",
        "item_prices": [
            {
                "item_price_id": "api-USD",
                "quantity_in_decimal": "10.625",
                "unit_price_in_decimal": "4.4556",
                "description": "Aufrufe, größte Stufe",
                "entity_description": "line 1",
                "date_from": 1793491200,
                "date_to": 1796083200,
            },
            {"item_price_id": "api-USD", "quantity": 10, "unit_price": 250},
        ],
        "charges": [{"amount": 500, "description": "Minimum spend", "taxable": False}],
        "discounts": [{"apply_on": "invoice_amount", "amount": 100}],
        "cf_m3ter_bill_id": "bill-1",
        **more,
    }


def test_an_invoice_comes_back_with_the_lines_that_were_sent(client: Chargebee) -> None:
    answer = client.Invoice.create_for_charge_items_and_charges(bill(po_number="PO-1"))
    invoice = answer.invoice
    fits(invoice, type(invoice))
    for line in invoice.line_items:
        fits(line, type(line))
    first, second, third = invoice.line_items
    assert (first.amount, second.amount, third.amount) == (4734, 2500, 500)
    assert first.amount_in_decimal == "47.34075"
    assert first.description == "Aufrufe, größte Stufe"
    assert first.entity_type == "charge_item_price"
    assert third.entity_type == "adhoc"
    assert (invoice.sub_total, invoice.total, invoice.status) == (7634, 7634, "payment_due")
    assert invoice.cf_m3ter_bill_id == "bill-1"
    assert client.Invoice.retrieve(invoice.id).invoice.raw_data == invoice.raw_data


def test_a_repeat_with_the_same_key_is_replayed(client: Chargebee) -> None:
    first = client.Invoice.create_for_charge_items_and_charges(bill(), {KEY: "k1"})
    again = client.Invoice.create_for_charge_items_and_charges(bill(), {KEY: "k1"})
    assert not first.is_idempotency_replayed
    assert again.is_idempotency_replayed
    assert again.invoice.raw_data == first.invoice.raw_data
    with pytest.raises(InvalidRequestError) as caught:
        client.Invoice.create_for_charge_items_and_charges(bill(po_number="x"), {KEY: "k1"})
    assert caught.value.http_status_code == 422
    assert caught.value.api_error_code == "unable_to_process_request"


def test_a_pending_invoice_takes_lines_and_is_closed_under_another_id(client: Chargebee) -> None:
    pending = client.Invoice.create_for_charge_items_and_charges(bill(create_pending_invoice=True))
    draft = pending.invoice
    assert draft.id.startswith("draft_inv_")
    assert draft.status == "pending"
    item = {"item_price_id": "api-USD", "quantity_in_decimal": "12.345", "unit_price": 7}
    added = client.Invoice.add_charge_item(draft.id, {"item_price": item, "comment": "m3ter"})
    period = {"date_from": 1793491200, "date_to": 1796083200}
    charge = {"amount": 500, "description": "Min spend", "line_item": period}
    added = client.Invoice.add_charge(draft.id, charge)
    lines = added.invoice.line_items
    assert [line.amount for line in lines[-2:]] == [86, 500]
    gone = {"line_items": [{"id": lines[0].id}, {"id": lines[1].id}]}
    left = client.Invoice.delete_line_items(draft.id, gone).invoice
    assert [line.id for line in left.line_items] == [line.id for line in lines[2:]]
    closed = client.Invoice.close(draft.id, {"comment": "c", "invoice_note": "n"}).invoice
    assert closed.id.isdigit()
    assert [line.id for line in closed.line_items] == [line.id for line in left.line_items]
    with pytest.raises(InvalidRequestError) as caught:
        client.Invoice.retrieve(draft.id)
    assert caught.value.http_status_code == 404
    with pytest.raises(InvalidRequestError) as state:
        client.Invoice.add_charge(closed.id, charge)
    assert state.value.api_error_code == "invalid_state_for_request"
    remarks = client.Comment.list({"entity_type": "invoice", "entity_id": closed.id}).list
    assert [remark.comment.notes for remark in remarks] == ["c"]


def test_invoices_are_listed_by_page_and_filter(client: Chargebee) -> None:
    made = [client.Invoice.create_for_charge_items_and_charges(bill()).invoice for _ in range(3)]
    query = {
        "limit": 2,
        "status": {"in": ["payment_due", "pending"]},
        "customer_id": {"is": "c1"},
        "subscription_id": {"is": "s1"},
        "date": {"between": [1700000000, 1900000000]},
        "total": {"gte": 7634},
        "sort_by": {"desc": "date"},
        "include_deleted": False,
    }
    first = client.Invoice.list(query)
    rest = client.Invoice.list({**query, "offset": first.next_offset})
    found = [entry.invoice.id for entry in (*first.list, *rest.list)]
    assert found == [entry.id for entry in reversed(made)]
    assert rest.next_offset is None


def test_an_invoice_is_voided_deleted_written_off_and_described(client: Chargebee) -> None:
    first, second, third = (
        client.Invoice.create_for_charge_items_and_charges(bill()).invoice for _ in range(3)
    )
    voided = client.Invoice.void_invoice(first.id, {"comment": "c", "void_reason_code": "dup"})
    assert (voided.invoice.status, voided.invoice.void_reason_code) == ("voided", "dup")
    with pytest.raises(InvalidRequestError) as caught:
        client.Invoice.void_invoice(first.id, {})
    assert caught.value.http_status_code == 409
    assert client.Invoice.delete(second.id, {"comment": "c"}).invoice.deleted
    named = {entry.invoice.id for entry in client.Invoice.list({"limit": 100}).list}
    assert second.id not in named
    everything = client.Invoice.list({"limit": 100, "include_deleted": True}).list
    assert second.id in {position.invoice.id for position in everything}
    details = client.Invoice.update_details(third.id, {"po_number": "p", "cf_m3ter_bill_id": "y"})
    assert (details.invoice.po_number, details.invoice.cf_m3ter_bill_id) == ("p", "y")
    off = client.Invoice.write_off(third.id, {"comment": "lost"})
    fits(off.credit_note, type(off.credit_note))
    assert (off.invoice.amount_due, off.invoice.write_off_amount) == (0, 7634)
    assert off.credit_note.reason_code == "write_off"


def test_credit_notes_and_promotional_credits(client: Chargebee) -> None:
    invoice = client.Invoice.create_for_charge_items_and_charges(bill()).invoice
    line = {"reference_line_item_id": invoice.line_items[0].id, "amount": 34}
    form = {"reference_invoice_id": invoice.id, "type": "adjustment", "line_items": [line]}
    noted = client.CreditNote.create(form)
    fits(noted.credit_note, type(noted.credit_note))
    assert (noted.credit_note.total, noted.invoice.amount_due) == (34, 7600)
    assert client.CreditNote.retrieve(noted.credit_note.id).credit_note.status == "adjusted"
    note = {"customer_id": "c1", "type": "refundable", "total": 600, "currency_code": "USD"}
    standalone = client.CreditNote.create(note).credit_note
    assert (standalone.status, standalone.amount_available) == ("refund_due", 600)
    used = client.Invoice.apply_credits(invoice.id, {"credit_notes": [{"id": standalone.id}]})
    assert (used.invoice.credits_applied, used.invoice.amount_due) == (600, 7000)
    promo = {"customer_id": "c1", "amount": 100, "description": "d", "currency_code": "USD"}
    promo["reference"] = "bill-1"
    added = client.PromotionalCredit.add(promo)
    fits(added.promotional_credit, type(added.promotional_credit))
    fits(added.customer, type(added.customer))
    assert added.customer.promotional_credits == 100
    later = client.Invoice.create_for_charge_items_and_charges(bill()).invoice
    assert later.total == 7534
    found = client.CreditNote.list({"limit": 10, "type": {"in": ["adjustment"]}}).list
    assert [entry.credit_note.id for entry in found] == [noted.credit_note.id]
    asked = {"customer_id": {"is": "c1"}, "type": {"is": "increment"}}
    (listed,) = client.PromotionalCredit.list(asked).list
    key = added.promotional_credit.id
    again = client.PromotionalCredit.retrieve(key).promotional_credit
    assert (listed.promotional_credit.id, again.id) == (key, key)
    assert (again.reference, again.amount, again.currency_code) == ("bill-1", 100, "USD")


def test_an_estimate_says_what_creating_would_make(client: Chargebee) -> None:
    form = {
        name: value
        for name, value in bill().items()
        if name not in {"customer_id", "cf_m3ter_bill_id"}
    }
    owner = {"subscription_id": form.pop("subscription_id"), "customer_id": "c1"}
    estimate = client.Estimate.create_invoice_for_items({**form, "invoice": owner}).estimate
    shown = estimate.invoice_estimate
    fits(shown, type(shown))
    made = client.Invoice.create_for_charge_items_and_charges(bill()).invoice
    assert (shown.total, [line.amount for line in shown.line_items]) == (
        made.total,
        [line.amount for line in made.line_items],
    )


def test_unbilled_charges_are_held_listed_deleted_and_swept(client: Chargebee) -> None:
    items = [{"item_price_id": "api-USD", "quantity": 2}]
    charges = [{"amount": 1, "description": "d"}]
    form = {"subscription_id": "s1", "currency_code": "USD", "item_prices": items}
    held = client.UnbilledCharge.create({**form, "charges": charges}).unbilled_charges
    fits(held[0], type(held[0]))
    assert [entry.amount for entry in held] == [20, 1]
    assert client.UnbilledCharge.delete(held[1].id).unbilled_charge.deleted
    found = client.UnbilledCharge.list({"subscription_id": {"is": "s1"}}).list
    assert [entry.unbilled_charge.id for entry in found] == [held[0].id]
    made = client.Invoice.create_for_charge_items_and_charges(bill()).invoice
    assert [line.amount for line in made.line_items] == [4734, 2500, 500, 20]
    client.UnbilledCharge.create({**form, "charges": charges})
    now = client.UnbilledCharge.invoice_unbilled_charges({"subscription_id": "s1"}).invoices
    assert [entry.total for entry in now] == [21]


def test_the_catalogue_and_the_parties_are_read_back(client: Chargebee) -> None:
    fits(client.Customer.retrieve("c1").customer, type(client.Customer.retrieve("c1").customer))
    found = client.Subscription.retrieve("s1")
    fits(found.subscription, type(found.subscription))
    assert found.customer.id == "c1"
    price = client.ItemPrice.retrieve("api-USD").item_price
    fits(price, type(price))
    fits(client.Item.retrieve("api").item, type(client.Item.retrieve("api").item))
    query = {"limit": 100, "item_type": {"is": "charge"}, "currency_code": {"in": ["USD", "EUR"]}}
    own = {**query, "item_id": {"is": "api"}}
    assert [entry.item_price.id for entry in client.ItemPrice.list(own).list] == ["api-USD"]
    families = {"type": {"in": ["charge", "plan"]}, "item_family_id": {"is": "f"}}
    assert len(client.Item.list(families).list) == 2
    archived = client.ItemPrice.update("api-USD", {"status": "archived"}).item_price
    assert archived.status == "archived"
    assert client.Subscription.list({"customer_id": {"is": "c1"}, "sort_by": {"asc": "created_at"}})
    assert [entry.customer.id for entry in client.Customer.list({"id": {"in": ["c1"]}}).list] == [
        "c1"
    ]
    cancelled = client.Subscription.cancel_for_items("s1", {"cancel_option": "immediately"})
    assert cancelled.subscription.status == "cancelled"


def test_events_tell_what_happened_in_order(client: Chargebee) -> None:
    client.Invoice.create_for_charge_items_and_charges(bill())
    wanted = ["invoice_generated", "pending_invoice_created"]
    query = {"event_type": {"in": wanted}, "sort_by": {"asc": "occurred_at"}, "limit": 100}
    found = [entry.event for entry in client.Event.list(query).list]
    fits(found[-1], type(found[-1]))
    assert found[-1].content["invoice"]["object"] == "invoice"
    assert (found[-1].source, found[-1].user) == ("api", "full_access_key_v1")
    assert client.Event.retrieve(found[-1].id).event.raw_data == found[-1].raw_data


def test_events_of_a_person_name_that_person(client: Chargebee, emulator: RunningEmulator) -> None:
    made = client.Invoice.create_for_charge_items_and_charges(bill()).invoice
    with EmulatedHttp(emulator.url) as http:
        patch = {"po_number": "PO-9"}
        http.control("POST", "/user-edit", {"id": made.id, "patch": patch, "user": "k.smith"})
    query = {"event_type": {"in": ["invoice_updated"]}, "sort_by": {"asc": "occurred_at"}}
    (event,) = [entry.event for entry in client.Event.list(query).list]
    fits(event, type(event))
    assert (event.source, event.user) == ("admin_console", "k.smith")
    assert event.content["invoice"]["po_number"] == "PO-9"


def test_errors_are_those_that_the_client_knows(
    client: Chargebee, emulator: RunningEmulator
) -> None:
    with pytest.raises(InvalidRequestError) as missing:
        client.Invoice.create_for_charge_items_and_charges(bill(customer_id="nobody"))
    assert (missing.value.http_status_code, missing.value.param) == (404, "customer_id")
    wrong = [{"item_price_id": "api-USD"}, {"item_price_id": "api-USD", "quantity": 0}]
    with pytest.raises(InvalidRequestError) as value:
        client.Invoice.create_for_charge_items_and_charges(bill(item_prices=wrong))
    assert value.value.param == "item_prices[quantity][1]"
    assert value.value.api_error_code == "param_wrong_value"
    with pytest.raises(PaymentError) as card:
        client.Invoice.create_for_charge_items_and_charges(bill(auto_collection="on"))
    assert card.value.api_error_code == "payment_method_not_present"
    with pytest.raises(APIError) as key:
        official_client(emulator.url, "wrong").Customer.retrieve("c1")
    assert (key.value.http_status_code, key.value.api_error_code) == (
        401,
        "api_authentication_failed",
    )
    emulator.world.faults.add([{"match": {"vendor": "chargebee"}, "fault": "lock_timeout"}])
    with pytest.raises(OperationFailedError) as locked:
        client.Customer.retrieve("c1")
    assert (locked.value.http_status_code, locked.value.api_error_code) == (429, "lock_timeout")


def test_webhook_endpoints_are_registered_on_this_machine_only(client: Chargebee) -> None:
    form = {"name": "n", "url": "http://127.0.0.1:9/", "enabled_events": ["invoice_generated"]}
    made = client.WebhookEndpoint.create(form).webhook_endpoint
    fits(made, type(made))
    assert client.WebhookEndpoint.retrieve(made.id).webhook_endpoint.raw_data == made.raw_data
    client.WebhookEndpoint.delete(made.id)
    assert client.WebhookEndpoint.list().list == []
