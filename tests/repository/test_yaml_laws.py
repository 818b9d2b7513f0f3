from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconciler.repository.yaml.nodes import YamlFile
from reconciler.repository.yaml.reader import read_yaml

# Pieces of which YAML is made, so that random text is often nearly YAML.
PLAIN_PIECES = [
    *"ab1:-?,[]{}#|>'\"%@`~\t\n \\.", ": ", "- ", "\n  ", "\n", "\r\n", "a: ", "&a ", "*a ",
    "!!str ", "<<: ", "é", "\u2028", "10:00", "---\n", "...\n", "null", "0x1", "'a'", '"b"', "| \n",
]  # fmt: skip
NEARLY_YAML = st.lists(st.sampled_from([*PLAIN_PIECES, "&", "*", "!"]), max_size=30).map("".join)
# The parsers differ in odd names of anchors and tags, and in block texts that have no key.
SURELY_EQUAL = st.lists(
    st.sampled_from([piece for piece in PLAIN_PIECES if not set(piece) & set("|>!")]), max_size=30
).map("".join)

PLAIN = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="\ufeff"
    ),
    max_size=8,
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(abs)
    | PLAIN
)
TREES = st.recursive(
    SCALARS,
    lambda scalar: st.lists(scalar, max_size=3) | st.dictionaries(PLAIN, scalar, max_size=3),
    max_leaves=12,
)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def flow(value: object) -> str:
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{quoted(key)}: {flow(member)}" for key, member in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    return {None: "null", True: "true", False: "false"}.get(value, str(value))  # type: ignore[call-overload, no-any-return]


def summary(file: YamlFile) -> object:
    # The place of a value that is only a tag or an anchor is not the same in both.
    written = {"plain", "single", "double", "alias"}
    places = [
        [(path, node) for path, node in document.nodes() if node.style in written]
        for document in file.documents
    ]
    told = [
        (problem.rule, str(problem.origin)) for problem in file.problems if problem.rule != "R001"
    ]
    return (
        [(document.index, document.value, document.sound) for document in file.documents],
        places,
        told,
    )


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail(data: bytes) -> None:
    file = read_yaml("f", data)
    assert file.source is not None or file.problems


@given(st.text(max_size=100) | NEARLY_YAML)
def test_no_text_makes_the_reader_fail(text: str) -> None:
    file = read_yaml("f", text.encode(errors="replace"))
    assert all(problem.origin is not None for problem in file.problems)


@given(SURELY_EQUAL)
def test_both_parsers_agree_on_what_both_can_read(text: str) -> None:
    fast, slow = read_yaml("f", text.encode()), read_yaml("f", text.encode(), pure=True)
    broken = {problem.rule for problem in (*fast.problems, *slow.problems)} & {"R001"}
    if not broken:
        assert summary(fast) == summary(slow)


@given(NEARLY_YAML)
def test_spans_lie_in_the_text_and_inside_their_parents(text: str) -> None:
    file = read_yaml("f", text.encode())
    for document in file.documents:
        for path, node in document.nodes():
            assert 0 <= node.start <= node.end <= len(text)
            for child in node.children.values():
                assert node.start <= child.start <= child.end <= node.end
            if path and isinstance(path[-1], str):
                assert 0 <= node.key_start <= node.key_end <= node.start


@given(TREES)
def test_what_is_written_is_read(value: object) -> None:
    file = read_yaml("f", f"root: {flow(value)}".encode())
    [document] = file.documents
    assert not file.problems
    assert document.value == {"root": value}


@given(TREES)
def test_a_span_holds_the_text_of_its_value(value: object) -> None:
    text = f"root: {flow(value)}"
    file = read_yaml("f", text.encode())
    for path, node in file.documents[0].nodes():
        again = read_yaml("f", text[node.start : node.end].encode())
        found: object = file.documents[0].value
        for step in path:
            found = found[step]  # type: ignore[index]
        assert [document.value for document in again.documents] == [found]
        if path and isinstance(path[-1], str):
            key = read_yaml("f", text[node.key_start : node.key_end].encode())
            assert key.documents[0].value == path[-1]
