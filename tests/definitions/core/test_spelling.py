"""Settings to wire words and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from fakes.scene import dialect_spec
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.core.settings import BY_PATH, SETTINGS, settings_of
from reconciler.definitions.core.spelling import (
    default,
    equal,
    folded,
    from_wire,
    lookalikes,
    normal,
    to_wire,
)
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.dialect.core.published import candidates
from reconciler.kernel.address import FieldPath
from reconciler.kernel.value import ABSENT

DIALECT = DialectSpec.model_validate(dialect_spec(), strict=False)
FLAG = BY_PATH[FieldPath("chargebee.createInvoice")]
PLACES = BY_PATH[FieldPath("chargebee.multiDecimalPriceDecimalPlaces")]
ACCOUNTS = BY_PATH[FieldPath("global.accountIds")]
SPLIT = BY_PATH[FieldPath("chargebee.splitUsageLineItems")]
PRICES = BY_PATH[FieldPath("chargebee.priceIdMapping")]
PRICE = BY_PATH[FieldPath("chargebee.defaultPriceId")]


@pytest.mark.parametrize(
    ("path", "wire", "value"),
    [
        (FLAG, True, True),
        (FLAG, "TRUE", True),
        (FLAG, "perhaps", "perhaps"),
        (FLAG, 1, 1),
        (FLAG, ABSENT, False),
        (PLACES, 3, 3),
        (PLACES, "3", 3),
        (PLACES, Decimal("3.0"), 3),
        (PLACES, "three", "three"),
        (ACCOUNTS, [], "all"),
        (ACCOUNTS, None, "all"),
        (ACCOUNTS, ["b", "a"], frozenset("ab")),
        (ACCOUNTS, [1, {"id": "x"}], frozenset({"1", '{"id":"x"}'})),
        (ACCOUNTS, "a", "a"),
        (SPLIT, "ITEM_PER_PRODUCT", "itemPerProduct"),
        (SPLIT, "itemPerUsageBand", "itemPerUsageBand"),
        (SPLIT, "PER_BILL", "PER_BILL"),
        (SPLIT, 4, 4),
        (PRICE, "x", "x"),
        (PRICE, 12, "12"),
        (PRICE, Decimal("12.50"), "12.50"),
        (PRICE, True, True),
        (PRICE, {"a": Decimal("1.0")}, {"a": 1}),
        (PRICES, "not a map", "not a map"),
    ],
)
def test_live_values_are_read_into_one_form(path: Any, wire: Any, value: Any) -> None:
    assert from_wire(path, wire, DIALECT) == {path.path: value}


def test_keys_of_a_map_are_fields_and_nothing_is_nothing() -> None:
    assert from_wire(PRICES, {"USAGE": "a", "NEW": 1}, DIALECT) == {
        "chargebee.priceIdMapping.USAGE": "a",
        "chargebee.priceIdMapping.NEW": "1",
    }
    assert from_wire(PRICES, ABSENT, DIALECT) == {}
    assert from_wire(PRICE, "", DIALECT) == {}
    assert from_wire(SPLIT, "ITEM_PER_PRODUCT", None) == {SPLIT.path: "itemPerProduct"}


def test_only_confirmed_words_are_written() -> None:
    wire = to_wire(SPLIT, "itemPerProduct", DIALECT)
    assert wire is not None
    assert (wire.key, wire.value) == ("splitUsageLineItems", "ITEM_PER_PRODUCT")
    bare = DialectSpec.model_validate(dialect_spec({}) | {"values": {}}, strict=False)
    assert to_wire(SPLIT, "itemPerProduct", bare) is None
    assert to_wire(SPLIT, "itemPerProduct", None) is None
    only_key = DialectSpec.model_validate(dialect_spec() | {"values": {}}, strict=False)
    assert to_wire(SPLIT, "itemPerProduct", only_key) is None


def test_all_accounts_are_an_empty_list_on_the_wire() -> None:
    wire = to_wire(ACCOUNTS, "all", DIALECT)
    assert wire is not None
    assert wire.value == []


@given(st.sampled_from(SETTINGS), st.data())
def test_what_is_written_reads_back_as_it_was(setting: Any, data: st.DataObject) -> None:
    shapes: dict[str, st.SearchStrategy[Any]] = {
        "flag": st.booleans(),
        "number": st.integers(0, 20),
        "text": st.text("abc", min_size=1),
        "choice": st.sampled_from(setting.choices or ("none",)),
        "names": st.frozensets(st.text("ab", min_size=1), min_size=1),
        "map": st.dictionaries(st.sampled_from(["USAGE", "AD_HOC"]), st.text("ab", min_size=1)),
    }
    value = data.draw(shapes[setting.shape])
    wire = to_wire(setting, value, DIALECT)
    assert wire is not None
    if setting.shape == "map":
        expected = {f"{setting.path}.{key}": member for key, member in value.items()}
    else:
        expected = {setting.path: value}
    assert from_wire(setting, wire.value, DIALECT) == expected


def test_keys_that_only_look_like_modelled_ones_are_found() -> None:
    keys = ["createInvoice", "CHARGEBEE_CREATE_INVOICE", "chargebeeCreateInvoice", "other", "c"]
    found = [lookalike.key for lookalike in lookalikes(keys, SETTINGS, DIALECT)]
    assert found == ["createInvoice", "CHARGEBEE_CREATE_INVOICE"]
    odd = DialectSpec.model_validate(
        dialect_spec({"chargebee.createInvoice": "makeInvoice"}), strict=False
    )
    keys = ["MAKE_INVOICE", "makeInvoice", "accountIds"]
    assert [lookalike.key for lookalike in lookalikes(keys, SETTINGS, odd)] == [
        "MAKE_INVOICE",
        "accountIds",
    ]


def test_folding_keeps_a_name_that_is_nothing_but_the_prefix() -> None:
    assert folded("Chargebee") == "chargebee"
    assert folded("CHARGEBEE_PRICE_ID") == folded("priceId") == "priceid"


def test_equality_is_that_of_json() -> None:
    assert equal(1, Decimal("1.0"))
    assert not equal(1, True)
    assert not equal(0, False)
    assert not equal(None, ABSENT)
    assert equal({"a": [1, 2]}, {"a": [1, Decimal(2)]})
    assert not equal("a", frozenset("a"))
    assert normal({"a": [Decimal("2.0"), "x", Decimal("2.5")]}) == {"a": [2, "x", Decimal("2.5")]}


def test_defaults_are_in_comparable_form() -> None:
    assert default(ACCOUNTS) == "all"
    assert default(BY_PATH[FieldPath("entity.excludedLineItemTypes")]) == frozenset()
    assert default(PRICES) == {}


def test_candidates_are_the_label_in_both_spellings() -> None:
    assert candidates(PRICE) == ("chargebeeDefaultPriceId", "CHARGEBEE_DEFAULT_PRICE_ID")
    assert len({candidate for setting in SETTINGS for candidate in candidates(setting)}) == 2 * len(
        SETTINGS
    )


def test_only_chargebee_has_the_chargebee_page() -> None:
    assert settings_of("Chargebee") == SETTINGS
    assert {setting.panel for setting in settings_of("Stripe")} == {"global", "entity"}
