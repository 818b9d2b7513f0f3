from __future__ import annotations

from typing import Any

import pytest
from fakes.chargebee_bench import NOW, Bench

from reconciler.emulator.chargebee.protocol import ChargebeeHalf

SUBSCRIBE = "customers/c1/subscription_for_items"
MONTH = 31 * 24 * 3600


@pytest.fixture
def bench() -> Bench:
    return Bench()


def plan(**more: Any) -> dict[str, Any]:
    return {"id": "s2", "subscription_items": [{"item_price_id": "plan-USD"}], **more}


@pytest.mark.parametrize(
    ("path", "form", "expected"),
    [
        ("item_families", {"id": "f", "name": "x"}, (400, "duplicate_entry", "id")),
        ("item_families", {"id": "g"}, (400, "param_wrong_value", "name")),
        (
            "items",
            {"id": "api", "name": "x", "type": "charge", "item_family_id": "f"},
            (400, "duplicate_entry", "id"),
        ),
        (
            "items",
            {"id": "x", "name": "x", "type": "charge", "item_family_id": "no"},
            (404, "resource_not_found", "item_family_id"),
        ),
        (
            "items",
            {"id": "x", "name": "x", "type": "charge", "item_family_id": "f", "metered": True},
            (400, "param_wrong_value", "metered"),
        ),
        (
            "item_prices",
            {"id": "api-USD", "name": "x", "item_id": "api"},
            (400, "duplicate_entry", "id"),
        ),
        (
            "item_prices",
            {"id": "x", "name": "x", "item_id": "no"},
            (404, "resource_not_found", "item_id"),
        ),
        (
            "item_prices",
            {"id": "x", "name": "x", "item_id": "api"},
            (400, "param_wrong_value", "price"),
        ),
        (
            "item_prices",
            {"id": "x", "name": "x", "item_id": "plan", "price": 1},
            (400, "param_wrong_value", "period"),
        ),
        (
            "item_prices",
            {"id": "x", "name": "x", "item_id": "api", "pricing_model": "tiered"},
            (400, "param_wrong_value", "tiers"),
        ),
        (
            "item_prices",
            {"id": "x", "name": "x", "item_id": "api", "pricing_model": "volume", "price": 1},
            (400, "param_wrong_value", "price"),
        ),
        (
            "item_prices",
            {
                "id": "x",
                "name": "x",
                "item_id": "api",
                "pricing_model": "volume",
                "tiers": [{"price": 1}],
            },
            (400, "param_wrong_value", "tiers[starting_unit][0]"),
        ),
        ("customers", {"id": "c1"}, (400, "duplicate_entry", "id")),
        ("customers/no", {"company": "x"}, (404, "resource_not_found", "")),
        ("customers/c1/delete", {}, (400, "param_wrong_value", "id")),
        (SUBSCRIBE, {"id": "s2"}, (400, "param_wrong_value", "subscription_items")),
        (SUBSCRIBE, plan(id="s1"), (400, "duplicate_entry", "id")),
        (
            SUBSCRIBE,
            {"subscription_items": [{"item_price_id": "api-USD"}]},
            (400, "param_wrong_value", "subscription_items"),
        ),
        (
            SUBSCRIBE,
            {"subscription_items": [{"item_price_id": "plan-USD"}, {"item_price_id": "api-EUR"}]},
            (400, "param_wrong_value", "subscription_items"),
        ),
        (
            SUBSCRIBE,
            {"subscription_items": [{"item_price_id": "no"}]},
            (404, "resource_not_found", "subscription_items[item_price_id][0]"),
        ),
        ("customers/no/subscription_for_items", plan(), (404, "resource_not_found", "")),
        ("subscriptions/no/cancel_for_items", {}, (404, "resource_not_found", "")),
        (
            "comments",
            {"entity_type": "item", "entity_id": "no", "notes": "n"},
            (404, "resource_not_found", "entity_id"),
        ),
    ],
)
def test_what_cannot_be_created_is_refused(
    bench: Bench, path: str, form: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    assert bench.refused(path, form) == expected


def test_prices_keep_their_exact_amount(bench: Bench) -> None:
    price = bench.price("x", "api", "USD", price_in_decimal="0.004500")
    assert (price["price"], price["price_in_decimal"]) == (0, "0.0045")
    assert "_price" not in price
    line = bench.invoice({"item_price_id": "x", "quantity": 1000})["line_items"][0]
    assert line["amount"] == 450
    renamed = bench.ok("item_prices/x", {"name": "y"})["item_price"]
    assert (renamed["name"], renamed["price_in_decimal"]) == ("y", "0.0045")
    dearer = bench.ok("item_prices/x", {"price": 7})["item_price"]
    assert dearer["price_in_decimal"] == "0.07"


def test_archived_plans_cannot_be_subscribed_to(bench: Bench) -> None:
    bench.ok("item_prices/plan-USD", {"status": "archived"})
    refused = bench.refused(SUBSCRIBE, plan())
    assert refused == (400, "param_wrong_value", "subscription_items[item_price_id][0]")


def test_customers_change_and_go(bench: Bench) -> None:
    bench.ok("customers", {"id": "c2", "company": "x", "billing_address": {"city": "Bath"}})
    changed = bench.ok("customers/c2", {"company": "y"})["customer"]
    assert (changed["company"], changed["billing_address"]) == ("y", {"city": "Bath"})
    bench.ok("customers/c2/delete")
    assert bench.refused("customers/c2", {"company": "z"})[0] == 404
    listed = bench.get("customers")["list"]
    assert [customer["customer"]["id"] for customer in listed] == ["c1"]
    everyone = bench.query("customers", [("include_deleted", "true")])["list"]
    assert len(everyone) == 2
    bench.ok("subscriptions/s1/cancel_for_items")
    assert bench.ok("customers/c1/delete")["customer"]["deleted"] is True


def test_comments_are_made_and_taken_away(bench: Bench) -> None:
    form = {"entity_type": "customer", "entity_id": "c1", "notes": "n", "added_by": "me"}
    made = bench.ok("comments", form)["comment"]
    assert bench.get(f"comments/{made['id']}")["comment"]["added_by"] == "me"
    bench.ok(f"comments/{made['id']}/delete")
    assert bench.status(f"comments/{made['id']}") == 404


def test_a_subscription_bills_its_first_term_at_once(bench: Bench) -> None:
    bench.price("gold", "plan", "USD", price=900, period=1, period_unit="month")
    items = [{"item_price_id": "gold", "quantity": 2, "unit_price": 800}]
    body = bench.ok(SUBSCRIBE, {"id": "s2", "subscription_items": items})
    assert (body["invoice"]["total"], body["invoice"]["recurring"]) == (1600, True)
    line = body["invoice"]["line_items"][0]
    assert line["date_to"] == body["subscription"]["current_term_end"]
    assert (line["entity_type"], line["entity_id"]) == ("plan_item_price", "gold")
    first = {"id": "s3", "subscription_items": items, "first_invoice_pending": True}
    assert bench.ok(SUBSCRIBE, first)["invoice"]["status"] == "pending"
    later = {"id": "s4", "subscription_items": items, "start_date": NOW + 60}
    assert "invoice" not in bench.ok(SUBSCRIBE, later)
    bench.advance(61)
    assert bench.get("subscriptions/s4")["subscription"]["status"] == "active"


def test_a_term_ends_in_a_pending_invoice_where_the_subscription_says_so(bench: Bench) -> None:
    bench.price("gold", "plan", "USD", price=900, period=1, period_unit="month")
    items = [{"item_price_id": "gold"}]
    form = {"id": "s2", "subscription_items": items, "create_pending_invoices": True}
    bench.ok(SUBSCRIBE, {**form, "invoice_immediately": False})
    bench.advance(MONTH)
    listed = bench.query("subscriptions/s2/invoices", [("status[is]", "pending")])["list"]
    assert [invoice["invoice"]["total"] for invoice in listed] == [900]
    after = bench.get("subscriptions/s2")["subscription"]
    assert after["current_term_start"] == NOW + MONTH
    assert "subscription_renewed" in bench.events()
    bench.advance(MONTH)
    assert len(bench.get("subscriptions/s2/invoices")["list"]) == 2


def test_a_long_jump_renews_term_by_term(bench: Bench) -> None:
    bench.price("week", "plan", "USD", price=5, period=2, period_unit="week")
    items = [{"item_price_id": "week"}]
    bench.ok(SUBSCRIBE, {"id": "s2", "subscription_items": items})
    bench.advance(57 * 24 * 3600)
    assert len(bench.get("subscriptions/s2/invoices")["list"]) == 5


def test_a_metered_plan_makes_pending_invoices_by_itself(bench: Bench) -> None:
    metered = {"id": "m", "name": "M", "type": "plan", "item_family_id": "f", "metered": True}
    bench.ok("items", metered)
    bench.price("m-USD", "m", "USD", price=5, period=1, period_unit="year")
    made = bench.ok(SUBSCRIBE, {"id": "s2", "subscription_items": [{"item_price_id": "m-USD"}]})
    assert made["subscription"]["create_pending_invoices"] is True
    assert "invoice" not in made
    assert "quantity" not in made["subscription"]["subscription_items"][0]


def test_a_subscription_cancelled_at_term_end_is_not_renewed(bench: Bench) -> None:
    bench.ok("subscriptions/s1/cancel_for_items", {"end_of_term": True})
    assert bench.get("subscriptions/s1")["subscription"]["status"] == "non_renewing"
    bench.advance(MONTH)
    assert bench.get("subscriptions/s1")["subscription"]["status"] == "cancelled"
    assert bench.refused("subscriptions/s1/cancel_for_items")[0] == 409
    bench.advance(MONTH)
    assert bench.get("invoices")["list"] == []


def test_custom_field_configurations_are_listed(bench: Bench) -> None:
    listed = bench.get("custom_field_configs")["list"]
    assert [custom_field_config["custom_field_config"]["id"] for custom_field_config in listed] == [
        "cf_m3ter_bill_id"
    ]


def test_metadata_is_an_object(bench: Bench) -> None:
    made = bench.ok("customers", {"id": "c2", "meta_data": '{"a": 1.50}'})["customer"]
    assert str(made["meta_data"]["a"]) == "1.50"
    for text in ("[1]", "{"):
        assert bench.refused("customers", {"meta_data": text})[2] == "meta_data"


def test_a_subscription_that_was_cancelled_meanwhile_is_not_renewed(bench: Bench) -> None:
    bench.ok("subscriptions/s1/cancel_for_items")
    bench.advance(MONTH)
    assert bench.get("invoices")["list"] == []


def test_an_appointment_that_was_moved_is_not_kept(bench: Bench) -> None:
    subscription = bench.site.need("subscription", "s1")
    moved = {"next_billing_at": subscription["next_billing_at"] + 1}
    bench.site.put("subscription", subscription | moved)
    bench.advance(MONTH)
    assert bench.get("invoices")["list"] == []
    bench.ok("subscriptions/s1/cancel_for_items", {"end_of_term": True})
    ending = bench.site.need("subscription", "s1")
    bench.site.put("subscription", ending | {"cancelled_at": ending["cancelled_at"] + 5})
    bench.advance(MONTH)
    assert bench.get("subscriptions/s1")["subscription"]["status"] == "non_renewing"


def test_appointments_are_made_again_after_a_restart(bench: Bench) -> None:
    key = bench.pending()["id"]
    bench.store._due.clear()
    bench.half = ChargebeeHalf(bench.store)
    bench.advance(48 * 3600)
    assert bench.status(f"invoices/{key}") == 404


def test_a_comment_of_nobody_is_the_apis(bench: Bench) -> None:
    form = {"entity_type": "customer", "entity_id": "c1", "notes": "n"}
    assert bench.ok("comments", form)["comment"]["added_by"] == "api"
