from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.repository.edit.csv_edit import with_rows, without_row
from reconciler.repository.edit.writer import csv_line
from reconciler.repository.edit.yaml_edit import EditRefusedError

HEADER = ("account_code", "sandbox", "production")
cells = st.text(st.sampled_from('ab ,"\n\r;ä='), max_size=4)
tables = st.dictionaries(cells.filter(bool), st.tuples(cells, cells), max_size=5)


def _rows(table: dict[str, tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    return {key: (key, *others) for key, others in table.items()}


def _line(line: tuple[str, ...], *, quoted: bool) -> str:
    if not quoted:
        return csv_line(line)
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in line)


def _read(data: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(data.decode(), newline="")))


@settings(deadline=None)
@given(
    tables,
    tables,
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_rows_are_merged_by_key_and_all_others_stay(
    old: dict[str, tuple[str, str]], new: dict[str, tuple[str, str]], line_end: str, quoted: bool
) -> None:
    lines = [HEADER, *(_rows(old)[key] for key in sorted(old))]
    before = "".join(_line(line, quoted=quoted) + line_end for line in lines).encode()
    after = with_rows("f.csv", before, HEADER, _rows(new))
    merged = _rows({**old, **new})
    assert _read(after) == [list(HEADER), *(list(merged[key]) for key in sorted(merged))]
    assert with_rows("f.csv", after, HEADER, _rows(new)) == after
    if not new.keys() - old.keys() and all(old[key] == new[key] for key in new):
        assert after == before


@settings(deadline=None)
@given(tables.filter(bool), st.data())
def test_removing_a_row_leaves_all_others(
    table: dict[str, tuple[str, str]], data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(table)))
    before = with_rows("f.csv", None, HEADER, _rows(table))
    after = without_row("f.csv", before, key)
    others = {other: row for other, row in _rows(table).items() if other != key}
    assert after == with_rows("f.csv", None, HEADER, others)


def test_untouched_rows_keep_their_quotes_and_the_file_its_mark_and_line_ends() -> None:
    before = b'\xef\xbb\xbfcode,sandbox\r\n"b","1"\r\n\r\nz,"2"'
    after = with_rows("f.csv", before, ("code", "sandbox"), {"c": ("c", "x,y")})
    assert after == b'\xef\xbb\xbfcode,sandbox\r\n"b","1"\r\nc,"x,y"\r\nz,"2"\r\n'
    assert (
        without_row("f.csv", before, "none") == b'\xef\xbb\xbfcode,sandbox\r\n"b","1"\r\nz,"2"\r\n'
    )


def test_columns_are_matched_by_name_and_new_ones_go_to_the_right() -> None:
    before = b"code,note,sandbox\na,keep,1\nb,keep,2\n"
    after = with_rows("f.csv", before, ("code", "sandbox", "pro,d"), {"b": ("b", "3", "4")})
    assert after == b'code,note,sandbox,"pro,d"\na,keep,1,\nb,keep,3,4\n'


@pytest.mark.parametrize(
    ("data", "header", "row", "reason"),
    [
        (b"other,x\n", ("code", "x"), ("a", "1"), "its first column is `other`"),
        (b"", ("code", "x"), ("a", "1"), "it has no header"),
        (b"code,x\na,1\na,2\n", ("code", "x"), ("a", "3"), "it stands there twice"),
        (b'code,x\na,1"2\n', ("code", "x"), ("a", "3"), "a quote stands where"),
        (b'code,x\na,"1\n', ("code", "x"), ("a", "3"), "a quote stands where"),
        (b"code,x\nb\n", ("code", "x", "y"), ("a", "3", "4"), "not as many cells as the header"),
        (b"code,x\n\xff\n", ("code", "x"), ("a", "3"), "not UTF-8"),
        (b"code,x\n", ("code", "x"), ("b", "3"), "its cells do not fit the header"),
        (b"code,x\n", ("code", "x"), ("a",), "its cells do not fit the header"),
    ],
)
def test_what_does_not_fit_is_refused(
    data: bytes, header: tuple[str, ...], row: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(EditRefusedError, match=reason):
        with_rows("f.csv", data, header, {"a": row})
