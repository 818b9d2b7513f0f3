from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.transport.body import BodyDamagedError, BodyTooLargeError, read_body


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(data=st.binary(max_size=2000), size=st.integers(1, 300))
def test_what_was_sent_is_read_plain_or_compressed(data: bytes, size: int) -> None:
    assert read_body(_cut(data, size), "", 2000) == data
    assert read_body(_cut(gzip.compress(data), size), "gzip", 2000) == data


def test_a_bomb_never_unfolds_beyond_the_cap() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    taken = []

    def chunks() -> list[bytes]:
        taken.append(1)
        return [bomb]

    with pytest.raises(BodyTooLargeError):
        read_body(chunks(), "gzip", 1000)


def test_the_rest_of_a_body_that_is_too_large_is_not_read() -> None:
    read = []

    def chunks() -> object:
        for number in range(100):
            read.append(number)
            yield b"x" * 100

    with pytest.raises(BodyTooLargeError):
        read_body(chunks(), "identity", 250)  # type: ignore[arg-type]
    assert len(read) == 3


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"not gzip", "gzip"), (gzip.compress(b"abc" * 100, mtime=0)[:-10], "gzip"), (b"x", "br")],
)
def test_a_damaged_body_is_said_to_be_damaged(body: bytes, encoding: str) -> None:
    with pytest.raises(BodyDamagedError):
        read_body([body], encoding, 10_000)


def test_an_empty_compressed_body_is_empty() -> None:
    assert read_body([], "gzip", 10) == b""
