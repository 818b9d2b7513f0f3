from __future__ import annotations

from typing import Any

import pytest
from fakes.chargebee_bench import NOW, Bench

ITEM = {"item_price": {"item_price_id": "api-USD", "quantity": 2}}
CREATE = "invoices/create_for_charge_items_and_charges"


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_pending_invoice_is_not_collected_and_has_no_number(bench: Bench) -> None:
    invoice = bench.pending()
    assert invoice["id"].startswith("draft_inv_")
    assert invoice["status"] == "pending"
    assert "generated_at" not in invoice
    assert "due_date" not in invoice
    assert "pending_invoice_created" in bench.events()


@pytest.mark.parametrize(
    "more", [{"auto_collection": "on"}, {"payment_source_id": "p"}, {"card": {"number": "4"}}]
)
def test_a_pending_invoice_takes_no_payment(bench: Bench, more: dict[str, Any]) -> None:
    charges = [{"amount": 1}]
    form = {"subscription_id": "s1", "currency_code": "USD", "charges": charges}
    refused = bench.refused(CREATE, {**form, "create_pending_invoice": True, **more})
    assert refused == (400, "param_wrong_value", next(iter(more)))


def test_a_second_pending_invoice_may_be_refused(bench: Bench) -> None:
    bench.pending()
    bench.pending()
    strict = Bench(second_pending_invoice="refuse")
    strict.pending()
    form = {"subscription_id": "s1", "currency_code": "USD", "charges": [{"amount": 1}]}
    refused = strict.refused(CREATE, {**form, "create_pending_invoice": True})
    assert refused[1] == "invalid_state_for_request"


def test_lines_are_added_and_deleted(bench: Bench) -> None:
    key = bench.pending()["id"]
    bench.ok(f"invoices/{key}/add_charge_item", {**ITEM, "comment": "why"})
    invoice = bench.ok(f"invoices/{key}/add_charge", {"amount": 5, "description": "d"})["invoice"]
    assert [line["amount"] for line in invoice["line_items"]] == [30, 20, 5]
    gone = {"line_items": [{"id": line["id"]} for line in invoice["line_items"][:2]]}
    left = bench.ok(f"invoices/{key}/delete_line_items", gone)["invoice"]
    assert (left["total"], len(left["line_items"])) == (5, 1)
    again = bench.refused(f"invoices/{key}/delete_line_items", gone)
    assert again == (400, "param_wrong_value", "line_items[id][0]")
    comments = bench.get("comments", entity_type="invoice", entity_id=key)["list"]
    assert [comment["comment"]["notes"] for comment in comments] == ["why"]
    assert bench.events().count("pending_invoice_updated") == 3
    quiet = Bench(updated_event_per_line=False)
    quiet.ok(f"invoices/{quiet.pending()['id']}/add_charge_item", ITEM)
    assert "pending_invoice_updated" not in quiet.events()


def test_deleting_a_line_takes_its_discount_with_it(bench: Bench) -> None:
    bench.price("b", "api", "USD", price=100)
    discounts = [
        {"apply_on": "specific_item_price", "item_price_id": "b", "amount": 40},
        {"apply_on": "invoice_amount", "amount": 9},
    ]
    lines = ({"item_price_id": "api-USD", "quantity": 3}, {"item_price_id": "b"})
    invoice = bench.pending(*lines, discounts=discounts)
    assert invoice["total"] == 81
    gone = {"line_items": [{"id": invoice["line_items"][1]["id"]}]}
    left = bench.ok(f"invoices/{invoice['id']}/delete_line_items", gone)["invoice"]
    assert left["total"] == 27
    assert [discount["amount"] for discount in left["discounts"]] == [0, 3]


def test_lines_can_name_the_subscription_of_a_consolidated_invoice(bench: Bench) -> None:
    key = bench.pending()["id"]
    path = f"invoices/{key}/add_charge_item"
    assert bench.refused(path, {**ITEM, "subscription_id": "x"})[0] == 404
    line = bench.ok(path, {**ITEM, "subscription_id": "s1"})["invoice"]["line_items"][-1]
    assert line["subscription_id"] == "s1"
    plan = [{"item_price_id": "plan-USD"}]
    other = {"id": "s2", "subscription_items": plan, "invoice_immediately": False}
    bench.ok("customers/c1/subscription_for_items", other)
    refused = bench.refused(path, {**ITEM, "subscription_id": "s2"})
    assert refused == (400, "param_wrong_value", "subscription_id")


def test_closing_gives_a_number_and_the_old_id_is_gone(bench: Bench) -> None:
    draft = bench.pending()
    form = {"invoice_note": "n", "cf_m3ter_bill_id": "b", "comment": "c"}
    closed = bench.ok(f"invoices/{draft['id']}/close", form)["invoice"]
    assert (closed["id"], closed["status"]) == ("1", "payment_due")
    assert closed["cf_m3ter_bill_id"] == "b"
    assert [line["id"] for line in closed["line_items"]] == [
        line["id"] for line in draft["line_items"]
    ]
    assert bench.status(f"invoices/{draft['id']}") == 404
    assert bench.invoice()["id"] == "2"
    for action in ("close", "add_charge_item", "delete_line_items", "add_charge"):
        full = {**ITEM, "line_items": [{"id": "x"}], "amount": 1, "description": "d"}
        assert bench.refused(f"invoices/1/{action}", full)[0] == 409


def test_ids_at_closing_are_a_matter_of_switches() -> None:
    alias = Bench(draft_id_after_close=200, line_ids_stable=False)
    draft = alias.pending(discounts=[{"apply_on": "invoice_amount", "amount": 1}])
    closed = alias.ok(f"invoices/{draft['id']}/close")["invoice"]
    assert alias.get(f"invoices/{draft['id']}")["invoice"]["id"] == closed["id"]
    assert closed["line_items"][0]["id"] != draft["line_items"][0]["id"]
    assert closed["line_item_discounts"][0]["line_item_id"] == closed["line_items"][0]["id"]
    stable = Bench(id_changes_at_close=False)
    draft = stable.pending()
    assert stable.ok(f"invoices/{draft['id']}/close")["invoice"]["id"] == draft["id"]


def test_an_invoice_without_lines_cannot_be_closed(bench: Bench) -> None:
    draft = bench.pending()
    gone = {"line_items": [{"id": draft["line_items"][0]["id"]}]}
    bench.ok(f"invoices/{draft['id']}/delete_line_items", gone)
    assert bench.refused(f"invoices/{draft['id']}/close")[1] == "invalid_state_for_request"
    bench.advance(50 * 3600)
    assert bench.get(f"invoices/{draft['id']}")["invoice"]["status"] == "pending"


def test_the_date_at_closing(bench: Bench) -> None:
    draft = bench.pending()
    bench.advance(3600)
    path = f"invoices/{draft['id']}/close"
    for date in (NOW - 1, NOW + 3601):
        refused = bench.refused(path, {"invoice_date": date})
        assert refused == (400, "param_wrong_value", "invoice_date")
    assert bench.ok(path, {"invoice_date": NOW + 60})["invoice"]["date"] == NOW + 60
    closing = Bench(closed_invoice_date="closing", close_date_override=False)
    draft = closing.pending()
    closing.advance(3600)
    path = f"invoices/{draft['id']}/close"
    assert closing.refused(path, {"invoice_date": NOW})[1] == "configuration_incompatible"
    assert closing.ok(path)["invoice"]["date"] == NOW + 3600


def test_a_pending_invoice_closes_itself_after_two_days(bench: Bench) -> None:
    draft = bench.pending()
    bench.advance(48 * 3600 - 1)
    assert bench.get(f"invoices/{draft['id']}")["invoice"]["status"] == "pending"
    bench.advance(1)
    assert bench.status(f"invoices/{draft['id']}") == 404
    closed = bench.get("invoices/1")["invoice"]
    assert closed["status"] == "payment_due"
    events = bench.query("events", [("event_type[is]", "invoice_generated")])["list"]
    assert events[0]["event"]["source"] == "scheduled_job"


def test_auto_closing_can_be_switched_off_anywhere() -> None:
    never = Bench(auto_close_hours=0)
    key = never.pending()["id"]
    never.advance(90 * 24 * 3600)
    assert never.get(f"invoices/{key}")["invoice"]["status"] == "pending"
    bench = Bench()
    bench.ok("customers/c1", {"auto_close_invoices": False})
    key = bench.pending()["id"]
    bench.advance(49 * 3600)
    assert bench.get(f"invoices/{key}")["invoice"]["status"] == "pending"


def test_an_auto_closed_invoice_that_cannot_be_charged_stays_due(bench: Bench) -> None:
    bench.ok("customers/c1", {"auto_collection": "on"})
    draft = bench.pending()
    refused = bench.refused(f"invoices/{draft['id']}/close")
    assert refused[1] == "payment_method_not_present"
    bench.advance(49 * 3600)
    assert bench.get("invoices/1")["invoice"]["status"] == "payment_due"


def test_pending_invoices_need_metered_billing() -> None:
    bench = Bench()
    key = bench.pending()["id"]
    off = Bench(metered_billing=False)
    off.site.keep("invoice", bench.site.need("invoice", key))
    assert off.refused(f"invoices/{key}/add_charge_item", ITEM)[1] == "configuration_incompatible"


def test_voiding_and_deleting_a_pending_invoice(bench: Bench) -> None:
    key = bench.pending()["id"]
    assert bench.ok(f"invoices/{key}/void")["invoice"]["status"] == "voided"
    other = bench.pending()["id"]
    assert bench.ok(f"invoices/{other}/delete", {"comment": "c"})["invoice"]["deleted"]
    strict = Bench(void_pending="refuse")
    key = strict.pending()["id"]
    assert strict.refused(f"invoices/{key}/void")[0] == 409
