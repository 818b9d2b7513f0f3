"""Chargebee's form encoding: fields first, index last, holes stay holes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.chargebee import form
from reconciler.emulator.chargebee.parameters.forms import read_form

FIELDS = st.sampled_from(["item_price_id", "quantity", "description", "date_from"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
ROWS = st.lists(st.dictionaries(FIELDS, TEXTS, min_size=1), max_size=6)


def test_an_item_without_a_price_leaves_a_hole_and_moves_nobody() -> None:
    pairs = form.rows("p", [{"id": "a", "price": "1"}, {"id": "b", "price": ""}, {"id": "c"}])
    assert pairs == (("p[id][0]", "a"), ("p[price][0]", "1"), ("p[id][1]", "b"), ("p[id][2]", "c"))


@given(ROWS)
def test_rows_come_back_as_they_were(rows: list[dict[str, str]]) -> None:
    sent = form.form_body(form.rows("item_prices", rows))
    assert form.read_rows(form.form_pairs(sent), "item_prices") == tuple(rows)


@given(ROWS)
def test_the_emulated_chargebee_joins_the_same_rows(rows: list[dict[str, str]]) -> None:
    tree: Any = read_form(form.form_body(form.rows("item_prices", rows)))
    joined: dict[int, dict[str, str]] = {}
    for field, column in tree.get("item_prices", {}).items():
        for index, value in column.items():
            joined.setdefault(int(index), {})[field] = value
    assert [joined[number] for number in sorted(joined)] == rows


def test_a_group_is_one_row_and_plain_values_are_found_by_name() -> None:
    pairs = (*form.group("item_price", {"item_price_id": "a", "quantity": ""}), ("comment", "c"))
    assert form.read_rows(pairs, "item_price") == ({"item_price_id": "a"},)
    assert form.value_of(pairs, "comment") == "c"
    assert form.value_of(pairs, "absent") == ""


def test_a_segment_of_a_path_never_holds_a_slash() -> None:
    assert form.segment("s 1/é") == "s%201%2F%C3%A9"
