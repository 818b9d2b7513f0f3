from __future__ import annotations

import pytest
from fakes.chargebee_bench import NOW, Bench
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.chargebee.lists.filters import Attribute, Filter, read_filters, read_list
from reconciler.emulator.chargebee.parameters.forms import read_pairs
from reconciler.emulator.chargebee.parameters.refusals import RefusalError

Pairs = list[tuple[str, str]]


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    for number in range(5):
        made.invoice({"item_price_id": "api-USD", "quantity": number + 1})
        made.advance(100)
    return made


def ids(bench: Bench, *pairs: tuple[str, str], path: str = "invoices") -> list[str]:
    return [invoice["invoice"]["id"] for invoice in bench.query(path, list(pairs))["list"]]


def every_page(bench: Bench, *pairs: tuple[str, str]) -> list[str]:
    found: list[str] = []
    offset: Pairs = []
    while True:
        page = bench.query("invoices", [("limit", "2"), *pairs, *offset])
        found += [invoice["invoice"]["id"] for invoice in page["list"]]
        if "next_offset" not in page:
            return found
        offset = [("offset", page["next_offset"])]


def test_the_order_without_a_wish_is_a_switch(bench: Bench) -> None:
    assert ids(bench) == ["5", "4", "3", "2", "1"]
    oldest = Bench(list_order="oldest")
    for _ in range(3):
        oldest.invoice()
    assert ids(oldest) == ["1", "2", "3"]
    assert every_page(oldest) == ["1", "2", "3"]


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("sort_by[asc]", "date")],
        [("sort_by[desc]", "date")],
        [("sort_by[asc]", "updated_at")],
        [("customer_id[is]", "c1")],
        [("subscription_id[is]", "s1"), ("sort_by[asc]", "date")],
    ],
)
def test_pages_cover_everything_once(bench: Bench, pairs: Pairs) -> None:
    whole = ids(bench, *pairs)
    assert len(whole) == 5
    assert every_page(bench, *pairs) == whole


def test_an_exact_last_page_has_no_offset(bench: Bench) -> None:
    page = bench.query("invoices", [("limit", "5")])
    assert len(page["list"]) == 5
    assert "next_offset" not in page


def test_pages_survive_what_is_added_meanwhile(bench: Bench) -> None:
    first = bench.query("invoices", [("limit", "2"), ("sort_by[desc]", "date")])
    bench.invoice()
    rest = ids(bench, ("offset", first["next_offset"]), ("sort_by[desc]", "date"))
    assert rest == ["3", "2", "1"]


def test_items_are_sorted_by_name(bench: Bench) -> None:
    page = bench.query("item_prices", [("limit", "1"), ("sort_by[asc]", "name")])
    found = [page["list"][0]["item_price"]["name"]]
    while "next_offset" in page:
        after = ("offset", page["next_offset"])
        page = bench.query("item_prices", [("limit", "1"), ("sort_by[asc]", "name"), after])
        found += [item_price["item_price"]["name"] for item_price in page["list"]]
    assert found == ["api-EUR", "api-JPY", "api-USD", "plan-USD"]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("id[in]", '["1","3"]')], ["3", "1"]),
        ([("id[in]", "['1', '3']")], ["3", "1"]),
        ([("id[in]", "[1,3]")], ["3", "1"]),
        ([("id[not_in]", "[1, 3]")], ["5", "4", "2"]),
        ([("id[is_not]", "1")], ["5", "4", "3", "2"]),
        ([("id[starts_with]", "2")], ["2"]),
        ([("status[is]", "payment_due")], ["5", "4", "3", "2", "1"]),
        ([("status[in]", "['paid', 'voided']")], []),
        ([("total[lt]", "30")], ["2", "1"]),
        ([("total[lte]", "30")], ["3", "2", "1"]),
        ([("total[gt]", "30")], ["5", "4"]),
        ([("total[gte]", "30")], ["5", "4", "3"]),
        ([("total[is]", "30")], ["3"]),
        ([("total[is_not]", "30")], ["5", "4", "2", "1"]),
        ([("total[between]", "[20,40]")], ["4", "3", "2"]),
        ([("date[after]", str(NOW + 100))], ["5", "4", "3"]),
        ([("date[before]", str(NOW + 100))], ["1"]),
        ([("date[on]", str(NOW - 3600))], ["5", "4", "3", "2", "1"]),
        ([("date[on]", str(NOW - 86400))], []),
        ([("date[between]", f"['{NOW + 100}', '{NOW + 300}']")], ["4", "3", "2"]),
        ([("recurring[is]", "true")], []),
        ([("recurring[is]", "false"), ("id[is]", "1")], ["1"]),
        ([("subscription_id[is_present]", "false")], []),
        ([("void_reason_code[is]", "x")], []),
        ([("void_reason_code[is_not]", "x"), ("id[is]", "1")], ["1"]),
        ([("void_reason_code[is_present]", "true")], []),
    ],
)
def test_filters(bench: Bench, pairs: Pairs, expected: list[str]) -> None:
    assert ids(bench, *pairs) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit[x]", "1"),
        ("offset", "nonsense"),
        ("offset", '["1"]'),
        ("offset", '{"a":1}'),
        ("sort_by[asc]", "total"),
        ("sort_by[up]", "date"),
        ("include_deleted", "maybe"),
        ("status[is]", "open"),
        ("status[in]", "[paid, open]"),
        ("id[like]", "x"),
        ("id[is]", ""),
        ("id[is][x]", "1"),
        ("id[in]", "1,2"),
        ("id[in]", "['1"),
        ("total[is]", "many"),
        ("total[between]", "[1]"),
        ("date[after]", "yesterday"),
        ("date[is]", "1"),
        ("recurring[is]", "1"),
        ("subscription_id[is_present]", "yes"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(bench: Bench, name: str, value: str) -> None:
    answer = bench.send("GET", "invoices", query=[(name, value)])
    assert answer.status == 400
    assert b"param_wrong_value" in answer.body


def test_lists_below_a_path_belong_to_it(bench: Bench) -> None:
    bench.ok("customers", {"id": "c2", "auto_collection": "off"})
    charge = {"customer_id": "c2", "currency_code": "USD", "amount": 5, "description": "d"}
    bench.ok("invoices/charge", charge)
    assert ids(bench, path="customers/c2/invoices") == ["6"]
    assert "6" not in ids(bench, path="subscriptions/s1/invoices")
    found = bench.get("customers/c1/subscriptions")["list"]
    assert [subscription["subscription"]["id"] for subscription in found] == ["s1"]
    assert found[0]["customer"]["id"] == "c1"
    assert bench.get("customers/c1/credit_notes")["list"] == []


def test_a_changed_object_is_shown_changed(bench: Bench) -> None:
    bench.get("invoices")
    bench.ok("invoices/5/void")
    assert bench.get("invoices")["list"][0]["invoice"]["status"] == "voided"
    assert ids(bench, ("sort_by[desc]", "updated_at"), ("limit", "1")) == ["5"]


def test_objects_without_the_field_are_left_out_of_its_order(bench: Bench) -> None:
    bench.site.put("item_price", {"id": "nameless"})
    listed = bench.query("item_prices", [("sort_by[asc]", "name"), ("limit", "100")])["list"]
    assert "nameless" not in [item_price["item_price"]["id"] for item_price in listed]


@given(st.text(max_size=60))
def test_no_list_operand_crashes_the_reader(text: str) -> None:
    try:
        found = read_list("id[in]", text)
    except RefusalError:
        return
    assert all(isinstance(word, str) for word in found)


def test_filters_on_flags_read_python_and_json_truth() -> None:
    flag = read_filters({"a": Attribute("flag")}, read_pairs([("a[is]", "true")]))
    assert flag == [Filter("a", "is", ("true",), "flag")]
    assert flag[0].accepts({"a": True})
    assert not flag[0].accepts({"a": False})
