from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.wire import MalformedJsonError, decode, encode

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=7)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


@given(json_values)
def test_what_is_written_is_read_back_with_every_digit(value: Any) -> None:
    assert decode(encode(value)) == value


def test_a_fraction_keeps_the_digits_that_a_float_would_lose() -> None:
    assert decode(b"12345678901234567.891") == Decimal("12345678901234567.891")
    assert encode({"amount": Decimal("0.10")}) == b'{"amount":0.10}'


def test_empty_containers_and_tuples_are_written() -> None:
    assert encode({"a": [], "b": {}, "c": (1, 2)}) == b'{"a":[],"b":{},"c":[1,2]}'


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"[Infinity]", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedJsonError):
        decode(body)


@pytest.mark.parametrize("value", [1.5, Decimal("NaN"), object(), {"a": b"x"}])
def test_values_without_an_exact_form_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        encode(value)
