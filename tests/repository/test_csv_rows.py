from __future__ import annotations

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.model import CsvRow
from reconciler.repository.csv_rows import CSV_BYTES_MAX, CsvFile, read_csv

CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"],
                              exclude_characters="\ufeff") | st.sampled_from('",\n'), max_size=6)  # fmt: skip


def read(text: str | bytes) -> CsvFile:
    return read_csv("a.csv", text if isinstance(text, bytes) else text.encode())


def faults(text: str | bytes) -> list[str]:
    return [f"{problem.rule} {problem.origin}" for problem in read(text).problems]


def test_rows_have_their_line_numbers_and_blank_lines_are_none() -> None:
    table = read('code,id\r\na,1\r\n\r\n"b","2,\r\n2"\r\nc,"say ""x"""\r\n').table
    assert table is not None
    assert table.header == ("code", "id")
    assert table.rows == (
        CsvRow(2, ("a", "1")),
        CsvRow(4, ("b", "2,\n2")),
        CsvRow(6, ("c", 'say "x"')),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1\n1,2,3\n1,2\n", ["R021 a.csv:2:1", "R021 a.csv:3:1"]),
        ('a,b\n"1"x,2\n', ["R020 a.csv:2:4"]),
        ('a,b\n1,x"2\n3,4\n', ["R020 a.csv:2:4"]),
        ('a,b\n1,"2\n3,4\n', ["R020 a.csv:2:3"]),
        ('a,b\n1,"2\n3"x,4\n', ["R020 a.csv:3:3"]),
        ('"a\n', ["R022 a.csv:1:1"]),
        ("", ["R022 a.csv:1:1"]),
        ("\n\n", ["R022 a.csv:1:1"]),
        ("a, ,a\n", ["R022 a.csv:1:3", "R022 a.csv:1:5"]),
        ("\ufeffa\n1\n", ["R023 a.csv:1:1"]),
        (b"a\n\xff\n", ["R002 a.csv:2:1"]),
        (b"a\nx\x00\n", ["R002 a.csv:2:2"]),
    ],
)
def test_what_is_no_csv_is_found_where_it_stands(text: str | bytes, expected: list[str]) -> None:
    assert faults(text) == expected


def test_good_rows_survive_bad_ones() -> None:
    table = read('a,b\n1\nx"y,1\n3,4\n').table
    assert table is not None
    assert table.rows == (CsvRow(4, ("3", "4")),)


def test_limits_are_kept() -> None:
    assert faults(b"x" * (CSV_BYTES_MAX + 1)) == ["R024 a.csv"]
    problems = read("a,b\n" + "1\n" * 5_000).problems
    assert len(problems) == 1_001
    assert problems[-1].rule == "R024"


def test_a_hundred_thousand_rows_are_read_in_well_under_two_seconds() -> None:
    text = "code,a,b\n" + "".join(f'"acct-{n}",sub_{n},live_{n}\n' for n in range(100_000))
    before = time.process_time()
    table = read(text).table
    assert time.process_time() - before < 2
    assert table is not None
    assert len(table.rows) == 100_000


def test_many_open_quotes_take_no_more_than_linear_time() -> None:
    before = time.process_time()
    assert read("a,b\n" + 'x,"y\n' * 200_001).problems
    assert time.process_time() - before < 5


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_what_the_standard_library_writes_is_read(rows: list[tuple[str, str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("key", "id"), *rows])
    file = read(out.getvalue())
    assert not file.problems
    assert file.table is not None
    assert [row.cells for row in file.table.rows] == rows


@given(st.binary(max_size=80) | st.text('a,"\n\r', max_size=30).map(str.encode))
def test_no_bytes_make_the_reader_fail(data: bytes) -> None:
    file = read(data)
    assert file.table is not None or file.problems
