"""The one JSON codec: no digit is lost, equal values have one form, hostile numbers are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.exact_json import (
    NotExactError,
    NotJsonError,
    canonical,
    decode,
    digest,
    encode,
    number_text,
)

numbers = st.one_of(
    st.integers(-(10**30), 10**30),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.text(), numbers),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_what_is_written_is_read_back_equal(value: Any) -> None:
    assert decode(encode(value)) == value
    assert decode(encode(value, indent=2)) == value
    assert decode(canonical(value)) == value


@given(values)
def test_the_canonical_form_is_one_for_all_spellings(value: Any) -> None:
    once = canonical(value)
    assert canonical(decode(once)) == once
    assert digest(value) == digest(decode(encode(value, indent=1)))
    assert b": " not in canonical({"a": 1, "b": [1, 2]})


def test_numbers_keep_every_digit() -> None:
    text = '{"a":12345678901234567.891,"b":0.1000,"c":-0,"d":123456789012345678901234567890}'
    decoded = decode(text)
    assert decoded == {
        "a": Decimal("12345678901234567.891"),
        "b": Decimal("0.1000"),
        "c": 0,
        "d": 123456789012345678901234567890,
    }
    assert encode(decoded) == text.replace("-0", "0")


def test_equal_numbers_have_one_canonical_form() -> None:
    for same in ("1", "1.0", "1.00", "1e0", "10e-1"):
        assert canonical(decode(same)) == b"1"
    assert canonical(Decimal("-0.00")) == b"0"
    assert canonical(Decimal("1E+3")) == b"1000"
    assert canonical(Decimal("1.50")) == b"1.5"


def test_keys_are_sorted_by_code_point_and_text_is_utf_8() -> None:
    assert canonical({"é": 1, "z": (2,), "a": None}) == '{"a":null,"z":[2],"é":1}'.encode()


def test_indented_text_is_for_people() -> None:
    assert encode({"a": [1, {}], "b": []}, indent=2) == (
        '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}'
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999999999",
        "1e-999999999",
        "1e401",
        "1e99999999999999999999999",
        "0." + "1" * 401,
        "9" * 401,
        "[" * 100_000,
        b"\xff",
    ],
)
def test_what_is_no_exact_json_is_refused(text: bytes | str) -> None:
    with pytest.raises(NotJsonError, match="this is not JSON"):
        decode(text)


@pytest.mark.parametrize(
    "value", [1.5, Decimal("NaN"), Decimal("Infinity"), Decimal("1e500"), {1, 2}, [object()], b"x"]
)
def test_what_has_no_exact_form_is_not_written(value: Any) -> None:
    with pytest.raises(NotExactError, match="has no exact JSON form"):
        encode(value)
    with pytest.raises(NotExactError):
        canonical({"a": value})


def test_numbers_are_written_without_exponent() -> None:
    assert number_text(Decimal("1E+5")) == "100000"
    assert number_text(Decimal("1E-7")) == "0.0000001"
    assert number_text(7) == "7"
