from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from fakes.chargebee_bench import flat
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.chargebee.parameters.forms import read_form, read_pairs
from reconciler.emulator.chargebee.parameters.parameters import (
    ChoiceParameter,
    Digits,
    Flag,
    GroupParameter,
    OperationFacts,
    Ratio,
    Rows,
    Several,
    Strictness,
    TextParameter,
    Whole,
)
from reconciler.emulator.chargebee.parameters.refusals import RefusalError

FACTS = OperationFacts(
    {
        "id": TextParameter(5, 2),
        "count": Whole(1, 9),
        "price": Digits(8),
        "share": Ratio(),
        "yes": Flag(),
        "mode": ChoiceParameter(("on", "off")),
        "one": GroupParameter({"a": TextParameter(), "b": Whole()}, ("a",)),
        "rows": Rows({"a": TextParameter(), "b": Whole()}, ("a",)),
        "several": Several(TextParameter(3)),
    },
    custom_fields=True,
)


def read(text: str, reading: Strictness | None = None) -> dict[str, Any]:
    return (reading or Strictness()).read(FACTS, read_form(text.encode()))


def refused(text: str, reading: Strictness | None = None) -> str:
    with pytest.raises(RefusalError) as caught:
        read(text, reading)
    assert caught.value.body["api_error_code"] == "param_wrong_value"
    return str(caught.value.body["param"])


def test_parallel_arrays_are_joined_by_index_with_holes() -> None:
    rows = read("rows[a][0]=x&rows[a][2]=z&rows[b][2]=7&rows[a][1]=y")["rows"]
    assert [(row.index, dict(row.values)) for row in rows] == [
        (0, {"a": "x"}),
        (1, {"a": "y"}),
        (2, {"a": "z", "b": 7}),
    ]


def test_values_become_what_the_facts_say() -> None:
    values = read("id=ab&count=3&price=0.50&share=12.5&yes=true&mode=on&one[a]=x&several[0]=q")
    assert values["id"] == "ab"
    assert values["count"] == 3
    assert str(values["price"]) == "0.50"
    assert str(values["share"]) == "12.5"
    assert values["yes"] is True
    assert values["one"] == {"a": "x"}
    assert values["several"] == ["q"]


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ("id=a", "id"),
        ("id=abcdef", "id"),
        ("count=0", "count"),
        ("count=10", "count"),
        ("count=1.5", "count"),
        ("count=1e3", "count"),
        ("count=99999999999999999", "count"),
        ("price=-1", "price"),
        ("price=1e-8", "price"),
        ("price=NaN", "price"),
        ("price=.5", "price"),
        ("price=123456789", "price"),
        ("share=0", "share"),
        ("share=100.1", "share"),
        ("share=many", "share"),
        ("yes=True", "yes"),
        ("mode=maybe", "mode"),
        ("one=x", "one"),
        ("one[b]=1", "one[a]"),
        ("rows[b][1]=1", "rows[a][1]"),
        ("rows[b][1]=x&rows[a][1]=y", "rows[b][1]"),
        ("rows[a][x]=1", "rows[a][x]"),
        ("rows[a]=1", "rows[a]"),
        ("several[1]=long", "several[1]"),
        ("id[0]=ab", "id"),
        ("cf_unknown=1", "cf_unknown"),
        ("id=ab&id[x]=1", "id[x]"),
        ("id[x]=1&id=ab", "id"),
        ("[x]=1", "[x]"),
    ],
)
def test_a_wrong_value_names_its_parameter_as_on_the_wire(text: str, param: str) -> None:
    assert refused(text) == param


def test_a_required_parameter_that_is_missing_or_blank_is_named() -> None:
    facts = OperationFacts({"id": TextParameter()}, ("id",))
    for text in ("", "id="):
        with pytest.raises(RefusalError) as caught:
            Strictness().read(facts, read_form(text.encode()))
        assert caught.value.body["param"] == "id"


def test_blank_text_means_absent_or_is_refused() -> None:
    assert read("several[0]=")["several"] == []
    assert "count" not in read("count=")
    assert refused("count=", Strictness(refuse_blank=True)) == "count"


def test_unknown_parameters_are_ignored_or_refused() -> None:
    assert read("what=1&count=2&rows[a][0]=x&rows[zz][0]=1")["count"] == 2
    strict = Strictness(refuse_unknown=True)
    assert refused("what=1", strict) == "what"
    assert refused("rows[zz][0]=1&rows[a][0]=x", strict) == "rows[zz][0]"


def test_custom_fields_must_be_defined() -> None:
    known = Strictness(custom_fields=frozenset({"cf_a"}))
    assert read("cf_a=1", known) == {"cf_a": "1"}
    assert read("cf_b=1", Strictness(refuse_custom=False)) == {}


def test_a_body_that_is_no_form_is_an_invalid_request() -> None:
    for body in (b'{"a": 1}', b"a=%FF"):
        with pytest.raises(RefusalError) as caught:
            read_form(body)
        assert caught.value.body["api_error_code"] == "invalid_request"


def test_a_repeated_key_keeps_its_last_value() -> None:
    assert read_pairs([("a", "1"), ("a", "2")]) == {"a": "2"}


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="[]", min_codepoint=1), max_size=20)


@given(st.text(max_size=200))
def test_no_text_crashes_the_reader(text: str) -> None:
    with suppress(RefusalError):
        Strictness().read(FACTS, read_form(text.encode("utf-8", "surrogatepass")))


@given(st.lists(WORDS.filter(bool), min_size=1, max_size=6))
def test_rows_come_back_as_they_were_sent(words: list[str]) -> None:
    body = urlencode(flat({"rows": [{"a": word} for word in words]})).encode()
    rows = Strictness().read(FACTS, read_form(body))["rows"]
    assert [row.values["a"] for row in rows] == words
