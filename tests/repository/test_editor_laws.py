"""Laws of edits in place, over generated files of every style a person might write."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.definitions.model import DocumentPath
from reconciler.kernel.value import ABSENT, JsonValue
from reconciler.repository.edit.block_text import flow_text, scalar_text
from reconciler.repository.edit.steps import same, value_at
from reconciler.repository.edit.yaml_edit import (
    EditedDocument,
    with_documents,
    with_value,
    without_value,
)

Draw = Callable[[st.SearchStrategy[Any]], Any]

words = st.sampled_from(
    ["UK", "usage-GBP", "a # b", "x: y", "NO", "", "it's", 'say "x"', "12", "ü", "a, b", "#", "- "]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-99, 99),
    st.decimals(-9, 9, places=3),
    words,
    st.sampled_from(["one\ntwo\n", "one\n\n two", "# no comment\nb: 1\n"]),
)
keys = st.sampled_from(["a", "b", "c", "metadata", "list", "a b", "0", "k: v", "#k"])
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
roots = st.dictionaries(keys, values, min_size=1, max_size=5)


class Author:
    """Writes data as a person would: comments, blank lines, quotes and styles as they please."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self.comments: list[str] = []

    def chance(self, one_in: int) -> bool:
        return bool(self._draw(st.integers(1, one_in)) == 1)

    def comment(self) -> str:
        text = f'# note {len(self.comments)}: it\'s "so" [{{ - |'
        self.comments.append(text)
        return text

    def behind(self) -> str:
        return (
            f"{self._draw(st.sampled_from([' ', '   ']))}{self.comment()}" if self.chance(4) else ""
        )

    def above(self, indent: int) -> Iterator[str]:
        if self.chance(5):
            yield " " * indent + self.comment()
        if self.chance(9):
            yield ""

    def lines(self, value: Mapping[str, Any] | Sequence[Any], indent: int) -> Iterator[str]:
        if isinstance(value, Mapping):
            for key, member in value.items():
                yield from self.above(indent)
                yield from self.entry(
                    " " * indent + flow_text(key) + ":", member, indent, list_in=2
                )
            return
        for element in value:
            yield from self.above(indent)
            yield from self.entry(" " * indent + "-", element, indent, list_in=None)

    def entry(self, mark: str, value: Any, indent: int, list_in: int | None) -> Iterator[str]:
        nested = bool(value) and isinstance(value, Mapping | list)
        if not nested or self.chance(4):
            yield from self.scalar(mark, value, indent)
        elif list_in is None and self.chance(2):
            first, *rest = self.lines(value, indent + 2)
            while not first.strip() or first.lstrip().startswith("#"):
                yield from ([mark + " " + first.strip()] if mark.strip() else [first])
                mark = ""
                first, *rest = rest
            yield (mark + first[len(mark) :]) if mark else first
            yield from rest
        else:
            step = 0 if list_in and isinstance(value, list) and self.chance(2) else 2
            yield mark + self.behind()
            yield from self.lines(value, indent + step)

    def scalar(self, mark: str, value: Any, indent: int) -> Iterator[str]:
        if isinstance(value, str) and "\n" in value and self.chance(2):
            style = "|" if value.endswith("\n") else "|-"
            yield f"{mark} {style}{self.behind()}"
            yield from (
                " " * (indent + 2) + line if line else ""
                for line in value.removesuffix("\n").split("\n")
            )
            return
        if value is None and self.chance(2):
            yield mark + self.behind()
            return
        if isinstance(value, str) and self.chance(2):
            text = scalar_text(value, quotes=self._draw(st.sampled_from(["'", '"'])))
        else:
            text = flow_text(value)
        yield f"{mark} {text}{self.behind()}"


@st.composite
def files(draw: Draw) -> tuple[bytes, list[dict[str, Any]]]:
    """Give the bytes of a file and the documents in it."""
    author = Author(draw)
    documents = draw(st.lists(roots, min_size=1, max_size=2))
    lines: list[str] = []
    for number, document in enumerate(documents):
        lines += ["---" + author.behind()] if number or author.chance(3) else []
        lines += list(author.lines(document, 0))
        lines += [author.comment()] if author.chance(3) else []
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    mark, text = "\ufeff" * author.chance(6), line_end.join(lines)
    # A last line without an end would shorten a text of several lines that stands there.
    unended = author.chance(4) and _read((mark + text).encode()) == _plain(documents)
    result = (mark + text + ("" if unended else line_end)).encode()
    assert _read(result) == _plain(documents), "the author writes what was meant"
    return result, documents


def _paths(value: Any, above: DocumentPath = ()) -> Iterator[DocumentPath]:
    steps: Any = ()
    if isinstance(value, Mapping):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    for step, entry in steps:
        yield (*above, step)
        yield from _paths(entry, (*above, step))


def _leaves(value: Any) -> dict[DocumentPath, Any]:
    return {
        path: one
        for path in _paths(value)
        if not (isinstance(one := value_at(value, path), Mapping | list) and one)
    }


def _read(data: bytes) -> list[Any]:
    """Read with a parser that the editor does not use."""
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = False
    return list(yaml.load_all(data.decode().removeprefix("\ufeff")))


def _notes(data: bytes) -> Counter[str]:
    return Counter(re.findall(r"# note \d+", data.decode()))


def _set(value: Any, path: DocumentPath, new: JsonValue) -> Any:
    if not path:
        return new
    copy: Any = value.copy()
    copy[path[0]] = _set(copy[path[0]], path[1:], new)
    return copy


def _plain(value: Any) -> Any:
    """Turn decimals into the floats of the other parser."""
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(element) for element in value]
    return value if isinstance(value, str | bool | int | None) else float(value)


@settings(deadline=None)
@given(st.data(), files(), values)
def test_setting_a_value_changes_it_and_nothing_else(
    data: st.DataObject, file: tuple[bytes, list[dict[str, Any]]], new: JsonValue
) -> None:
    text, documents = file
    index = data.draw(st.integers(0, len(documents) - 1))
    path = data.draw(st.sampled_from(list(_paths(documents[index]))))
    result = with_value(EditedDocument("f.yaml", text, index), path, new)
    wanted = [
        _set(document, path, new) if number == index else document
        for number, document in enumerate(documents)
    ]
    assert _read(result) == _plain(wanted)
    assert _notes(result) == _notes(text)
    assert (b"\r\n" in result) == (b"\r\n" in text) or b"\n" not in text
    assert result.startswith(b"\xef\xbb\xbf") == text.startswith(b"\xef\xbb\xbf")
    assert with_value(EditedDocument("f.yaml", result, index), path, new) == result


@settings(deadline=None)
@given(st.data(), files(), st.sampled_from(["z", 7, True]))
def test_a_scalar_for_a_scalar_touches_one_line(
    data: st.DataObject, file: tuple[bytes, list[dict[str, Any]]], new: JsonValue
) -> None:
    text, documents = file
    single = [
        path
        for path, value in _leaves(documents[0]).items()
        if "\n" not in str(value) and not isinstance(value, Mapping | list)
    ]
    if not single:
        return
    result = with_value(EditedDocument("f.yaml", text, 0), data.draw(st.sampled_from(single)), new)
    before, after = text.splitlines(keepends=True), result.splitlines(keepends=True)
    assert len(before) == len(after)
    assert sum(entry != other for entry, other in zip(before, after, strict=True)) <= 1


@settings(deadline=None)
@given(st.data(), files())
def test_removing_a_value_leaves_everything_else(
    data: st.DataObject, file: tuple[bytes, list[dict[str, Any]]]
) -> None:
    text, documents = file
    paths = [path for path in _paths(documents[0]) if len(path) > 1 or len(documents[0]) > 1]
    if not paths:
        return
    path = data.draw(st.sampled_from(paths))
    above = value_at(documents[0], path[:-1])
    assert isinstance(above, dict | list)
    smaller: Any = above.copy()
    del smaller[path[-1]]
    result = without_value(EditedDocument("f.yaml", text, 0), path)
    assert _read(result) == _plain([_set(documents[0], path[:-1], smaller), *documents[1:]])
    assert _notes(result) == _notes(text)


@settings(deadline=None)
@given(st.data(), files(), values, st.lists(st.sampled_from(["new", "sub", 0]), max_size=2))
def test_a_missing_value_is_added_with_its_parents(
    data: st.DataObject,
    file: tuple[bytes, list[dict[str, Any]]],
    new: JsonValue,
    below: list[str | int],
) -> None:
    text, documents = file
    mappings: list[DocumentPath] = [
        (),
        *(
            path
            for path in _paths(documents[0])
            if isinstance(value_at(documents[0], path), Mapping)
        ),
    ]
    above = data.draw(st.sampled_from(mappings))
    order = data.draw(st.permutations(["a", "b", "c", "list", "z"]))
    path: DocumentPath = (*above, "z", *below)
    result = with_value(EditedDocument("f.yaml", text, 0), path, new, lambda _body, _path: order)
    (found, *others) = _read(result)
    assert value_at(found, path) == _plain(new)
    del found_at(found, above)["z"]
    assert [found, *others] == _plain(documents)
    assert _notes(result) == _notes(text)


def found_at(data: Any, path: DocumentPath) -> Any:
    for step in path:
        data = data[step]
    return data


lists = st.lists(
    st.sampled_from(["x", "y", 1, None]) | st.dictionaries(keys, words, max_size=2), max_size=6
)


@st.composite
def files_with_a_list(draw: Draw) -> tuple[bytes, list[Any]]:
    """Give a file with one list under ``a``, and that list."""
    author, items = Author(draw), draw(lists)
    lines = [*author.lines({"a": items, "b": 1}, 0), ""]
    return "\n".join(lines).encode(), items


@settings(deadline=None)
@given(files_with_a_list(), lists)
def test_a_list_becomes_any_other_list(file: tuple[bytes, list[Any]], new: list[Any]) -> None:
    text, _ = file
    result = with_value(EditedDocument("f.yaml", text, 0), ("a",), new)
    assert _read(result) == [{"a": new, "b": 1}]
    assert _notes(result) == _notes(text)


@settings(deadline=None)
@given(files(), st.lists(roots, min_size=1, max_size=2))
def test_appended_documents_follow_what_is_there(
    file: tuple[bytes, list[dict[str, Any]]], new: list[dict[str, Any]]
) -> None:
    text, documents = file
    result = with_documents("f.yaml", text, new)
    assert result.startswith(text)
    assert _read(result) == _plain([*documents, *new])


@given(values, values)
def test_equality_is_reflexive_and_tells_kinds_apart(left: JsonValue, right: JsonValue) -> None:
    assert same(left, left)
    assert same(left, right) == same(right, left)
    if same(left, right):
        assert left == right
    assert value_at({"a": left}, ("a",)) is not ABSENT
