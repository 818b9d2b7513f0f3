"""What Chargebee's own client encodes, the emulator reads back without a difference."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from chargebee.util import serialize
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.chargebee.lists.filters import Attribute, read_filters
from reconciler.emulator.chargebee.parameters.facts_billing import CREATE_INVOICE
from reconciler.emulator.chargebee.parameters.forms import read_form, read_pairs
from reconciler.emulator.chargebee.parameters.parameters import SAFE_INTEGER, Strictness

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
DECIMALS = st.decimals("0", "999999", places=6).map(lambda amount: format(amount, "f"))
ITEMS = st.fixed_dictionaries(
    {"item_price_id": WORDS},
    optional={
        "quantity": st.integers(1, SAFE_INTEGER),
        "quantity_in_decimal": DECIMALS,
        "unit_price": st.integers(0, SAFE_INTEGER),
        "unit_price_in_decimal": DECIMALS,
        "date_from": st.integers(0, 2**33),
        "description": WORDS,
        "entity_description": WORDS,
    },
)
CHARGES = st.fixed_dictionaries(
    {"description": WORDS},
    optional={"amount": st.integers(1, SAFE_INTEGER), "taxable": st.booleans()},
)
FORMS = st.fixed_dictionaries(
    {"customer_id": WORDS, "item_prices": st.lists(ITEMS, max_size=5)},
    optional={
        "charges": st.lists(CHARGES, max_size=3),
        "coupon_ids": st.lists(WORDS, max_size=3),
        "remove_general_note": st.booleans(),
        "cf_m3ter_bill_id": WORDS,
        "statement_descriptor": st.fixed_dictionaries({"descriptor": WORDS}),
    },
)


def plain(value: Any) -> Any:
    """Values as they were before they were sent: rows as objects, decimals as text."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [
            plain(dict(element.values)) if hasattr(element, "values") else plain(element)
            for element in value
        ]
    return value if isinstance(value, str | int) else format(value, "f")


@given(FORMS)
def test_a_form_is_read_back_as_it_was_meant(form: dict[str, Any]) -> None:
    body = urlencode(list(serialize(form).items())).encode()
    reading = Strictness(custom_fields=frozenset({"cf_m3ter_bill_id"}))
    read = reading.read(CREATE_INVOICE, read_form(body))
    # An empty list sends nothing at all.
    assert plain(read) == {name: value for name, value in form.items() if value != []}


@given(
    st.lists(
        st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1),
        min_size=1,
    )
)
def test_list_filters_are_read_in_pythons_notation(words: list[str]) -> None:
    pairs = list(serialize({"id": {"in": words}}).items())
    filters = read_filters({"id": Attribute()}, read_pairs(pairs))
    assert filters[0].operands == tuple(words)
