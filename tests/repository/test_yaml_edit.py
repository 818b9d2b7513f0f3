from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.definitions.model import DocumentPath
from reconciler.errors import ExitCode
from reconciler.kernel.value import JsonValue
from reconciler.repository.edit.proof import why_not_proven
from reconciler.repository.edit.writer import field_order
from reconciler.repository.edit.yaml_edit import (
    EditedDocument,
    EditRefusedError,
    with_documents,
    with_value,
    without_value,
)
from reconciler.repository.yaml.reader import read_yaml

DEFINITION = """\
# integrations.d/chargebee-uk/integration.yaml
apiVersion: m3ter-reconciler/v1   # the format
kind: Integration
metadata: {name: chargebee-uk}    # who
spec:
  # shown in the Console
  displayName: "Chargebee UK"     # name
  entity:
    onlySendBillOnApproval: true
    excludedLineItemTypes: [A, B]   # types
    accountFilter: >-   # filter
      currency == "GBP"
      AND true
  global:
    accountIds:
      - {code: acme}    # first
      # about globex
      - {code: globex}
      - code: initech   # third
        # inside
        note: x
  empty:   # nothing yet
  list:
  - x
  - y   # y
  factor: 0.1666666666666666666
"""


def _set(path: DocumentPath, value: JsonValue, text: str = DEFINITION) -> str:
    return with_value(EditedDocument("f.yaml", text.encode(), 0), path, value, field_order).decode()


def _removed(path: DocumentPath, text: str = DEFINITION) -> str:
    return without_value(EditedDocument("f.yaml", text.encode(), 0), path).decode()


def _refused(path: DocumentPath, value: JsonValue, text: str) -> str:
    with pytest.raises(EditRefusedError) as raised:
        _set(path, value, text)
    assert raised.value.exit_code is ExitCode.INVALID
    assert "The file is unchanged" in str(raised.value)
    return raised.value.reason


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (
            ("spec", "displayName"),
            "New: name",
            '  displayName: "Chargebee UK"     # name\n',
            '  displayName: "New: name"     # name\n',
        ),
        (
            ("spec", "displayName"),
            {"a": 1, "b": [True]},
            '  displayName: "Chargebee UK"     # name\n',
            "  displayName:     # name\n    a: 1\n    b:\n      - true\n",
        ),
        (
            ("spec", "entity", "onlySendBillOnApproval"),
            False,
            "onlySendBillOnApproval: true\n",
            "onlySendBillOnApproval: false\n",
        ),
        (
            ("spec", "entity", "excludedLineItemTypes"),
            ["A", "C", "a, b"],
            "[A, B]   # types",
            '[A, C, "a, b"]   # types',
        ),
        (
            ("spec", "entity", "excludedLineItemTypes"),
            ["Z", "A", "B"],
            "[A, B]   # types",
            "[Z, A, B]   # types",
        ),
        (("spec", "entity", "excludedLineItemTypes"), [], "[A, B]   # types", "[]   # types"),
        (
            ("spec", "entity", "accountFilter"),
            'currency == "EUR"',
            '>-   # filter\n      currency == "GBP"\n      AND true\n',
            'currency == "EUR"   # filter\n',
        ),
        (
            ("spec", "entity", "accountFilter"),
            "one\n\ntwo",
            '>-   # filter\n      currency == "GBP"\n      AND true\n',
            "|-   # filter\n      one\n\n      two\n",
        ),
        (
            ("spec", "entity", "accountFilter"),
            ["q"],
            ' >-   # filter\n      currency == "GBP"\n      AND true\n',
            "   # filter\n      - q\n",
        ),
        (
            ("spec", "global", "accountIds"),
            [{"code": "globex"}, {"code": "new"}, {"code": "initech", "note": "y"}],
            "      - {code: acme}    # first\n      # about globex\n      - {code: globex}\n",
            "      - {code: globex}\n      - code: new\n      - code: initech   # third\n",
        ),
        (
            ("spec", "global", "accountIds"),
            "all",
            None,
            "    accountIds: all\n    # first\n    # about globex\n    # third\n    # inside\n  empty",
        ),
        (
            ("spec", "global", "accountIds"),
            {"k": 1},
            None,
            "    accountIds:\n      k: 1\n    # first\n    # about globex\n    # third\n",
        ),
        (
            ("spec", "global", "accountIds", 2),
            "plain",
            "      - code: initech   # third\n        # inside\n        note: x\n",
            "      - plain\n      # third\n      # inside\n",
        ),
        (
            ("spec", "global", "accountIds", 0),
            {"id": 1, "more": 2},
            "      - {code: acme}    # first\n",
            "      - {id: 1, more: 2}    # first\n",
        ),
        (
            ("spec", "list", 0),
            {"id": 1, "more": 2},
            "  - x\n",
            "  - id: 1\n    more: 2\n",
        ),
        (("spec", "list", 0), "a\nb", "  - x\n", "  - |-\n    a\n    b\n"),
        (("spec", "list"), ["w", "x", "y", "z"], "  - x\n", "  - w\n  - x\n"),
        (("spec", "empty"), 5, "empty:   # nothing", "empty: 5   # nothing"),
        (
            ("spec", "empty"),
            {"k": {}},
            "  empty:   # nothing yet\n",
            "  empty:   # nothing yet\n    k: {}\n",
        ),
        (
            ("spec", "empty", "deep", 0, "er"),
            "v",
            "  empty:   # nothing yet\n",
            "  empty:   # nothing yet\n    deep:\n      - er: v\n",
        ),
        (("spec", "empty", 0), "v", "nothing yet\n", "nothing yet\n    - v\n"),
        (("spec", "list", 2), "z", "  - y   # y\n", "  - y   # y\n  - z\n"),
        (
            ("metadata", "environment"),
            "sandbox",
            "{name: chargebee-uk}    # who",
            "{name: chargebee-uk, environment: sandbox}    # who",
        ),
        (
            ("spec", "destination"),
            "Chargebee",
            '"Chargebee UK"     # name\n',
            '"Chargebee UK"     # name\n  destination: Chargebee\n',
        ),
        (
            ("spec", "entity", "enforceExternalMappingsForConfig"),
            True,
            "      AND true\n",
            "      AND true\n    enforceExternalMappingsForConfig: true\n",
        ),
        (
            ("spec", "global", "accountIds", 2, "more"),
            7,
            "        note: x\n",
            "        note: x\n        more: 7\n",
        ),
        (
            ("spec", "push"),
            {"since": "2026-12-01"},
            None,
            '      - code: initech   # third\n        # inside\n        note: x\n  push:\n    since: "2026-12-01"\n',
        ),
        (("spec", "anything"), Decimal("0.10"), None, "0.1666666666666666666\n  anything: 0.10\n"),
    ],
)
def test_an_edit_touches_its_own_lines_only(
    path: DocumentPath, value: JsonValue, old: str | None, new: str
) -> None:
    result = _set(path, value)
    assert new in result
    if old is not None and path[-1] != "accountIds" and path != ("spec", "list"):
        assert result == DEFINITION.replace(old, new, 1)
    assert "0.1666666666666666666\n" in result
    assert result.count("#") == DEFINITION.count("#")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (("spec", "displayName"), '  displayName: "Chargebee UK"     # name\n', "  # name\n"),
        (("spec", "entity", "onlySendBillOnApproval"), "    onlySendBillOnApproval: true\n", ""),
        (("spec", "entity", "excludedLineItemTypes", 0), "[A, B]", "[B]"),
        (("spec", "entity", "excludedLineItemTypes", 1), "[A, B]", "[A]"),
        (("metadata", "name"), "{name: chargebee-uk}", "{}"),
        (("spec", "empty"), "  empty:   # nothing yet\n", "  # nothing yet\n"),
        (("spec", "list", 0), "  - x\n", ""),
        (("spec", "list", 1), "  - y   # y\n", "  # y\n"),
        (
            ("spec", "global", "accountIds", 2, "code"),
            "      - code: initech   # third\n",
            "      - # third\n",
        ),
        (("spec", "global", "accountIds", 2, "note"), "        note: x\n", ""),
        (
            ("spec", "global", "accountIds"),
            None,
            "  global: {}\n  # first\n  # about globex\n  # third\n  # inside\n  empty",
        ),
        (("kind",), "kind: Integration\n", ""),
        (("spec", "none"), "", ""),
        (("spec", "list", 9), "", ""),
        (("spec", "displayName", "x"), "", ""),
    ],
)
def test_a_removal_takes_its_own_lines_and_leaves_the_comments(
    path: DocumentPath, old: str | None, new: str
) -> None:
    result = _removed(path)
    assert new in result
    if old is not None:
        assert result == DEFINITION.replace(old, new, 1)
    assert result.count("#") == DEFINITION.count("#")


@pytest.mark.parametrize(
    ("text", "path", "value", "wanted"),
    [
        ("a: [\n  x, # one\n  y # two\n]\n", ("a", 2), "z", "a: [\n  x, # one\n  y, z # two\n]\n"),
        ("a: [x, y,]\n", ("a", 2), "z", "a: [x, y, z,]\n"),
        ("a: {b, c: 1}\n", ("a", "b"), 5, "a: {b: 5, c: 1}\n"),
        ("a: {b: , c: 1}\n", ("a", "b"), 5, "a: {b: 5 , c: 1}\n"),
        ("a: {b: 1}\n", ("a", "b"), {"x": [1, {}]}, "a: {b: {x: [1, {}]}}\n"),
        ("a: {b: 'x'}\n", ("a", "b"), "it's", "a: {b: 'it''s'}\n"),
        ("a: 'x'\n", ("a",), "y", "a: 'y'\n"),
        ("a: 'x'\n", ("a",), "y\tz", 'a: "y\\tz"\n'),
        ("a: x\n", ("a",), "NO", 'a: "NO"\n'),
        ("a: !!str 5 # c\n", ("a",), 6, "a: 6 # c\n"),
        ("a:\n  x # c\n", ("a",), "q", "a:\n  q # c\n"),
        ("a:\n  # above\n  x # c\n", ("a",), [1], "a: # c\n  # above\n  - 1\n"),
        ("a: &x 1\nb: 2\n", ("b",), 3, "a: &x 1\nb: 3\n"),
        ("a: &x 1\nb: *x\n", ("b",), 3, "a: &x 1\nb: 3\n"),
        ("a: &x\n  k: 1\n", ("a", "k"), 2, "a: &x\n  k: 2\n"),
        ("a: &x\n  k: 1\n", ("a",), 2, "a: 2\n"),
        ("a:\n  b: 1\n\n  c: 2\n", ("a", "d"), 3, "a:\n  b: 1\n\n  c: 2\n  d: 3\n"),
        ("a: 1", ("b",), "x\ny\n", "a: 1\nb: |\n  x\n  y\n"),
        ("a: 1\r\n", ("b",), {"c": 2}, "a: 1\r\nb:\r\n  c: 2\r\n"),
        ("a: 1\r", ("b",), 2, "a: 1\rb: 2\r"),
        ("a: |\r  x\r  y\rb: 1\r", ("a",), "z", "a: z\rb: 1\r"),
        ("a: |\n  x\n", ("a",), ["q"], "a:\n  - q\n"),
        ("- a: 1\n", (0, "b"), 2, "- a: 1\n  b: 2\n"),
        ("- - a\n  - b\n", (0, 0), "c", "- - c\n  - b\n"),
        ("- - a\n  - b\n", (0,), ["c", "a", "b"], "- - c\n  - a\n  - b\n"),
        ("-\n  a: 1\n-\n  b: 1\n", (1, "c"), 2, "-\n  a: 1\n-\n  b: 1\n  c: 2\n"),
        ("a:\n- b: 1\n", ("a", 0), "x\ny", "a:\n- |-\n  x\n  y\n"),
        ("a:\n  # c\n  b: 1\n", ("a",), "x\ny", 'a: "x\\ny"\n  # c\n'),
        ("a: [] # c\n", ("a",), [1, 2], "a: # c\n  - 1\n  - 2\n"),
        ("a: [1, # one\n  2]\nb: 1\n", ("a",), 3, "a: 3\n# one\nb: 1\n"),
        ("a: 1.50\n", ("a",), Decimal("1.5"), "a: 1.50\n"),
        ("a: x # c\n...\n---\nb: 1\n", ("a",), "q", "a: q # c\n...\n---\nb: 1\n"),
        ("a: 'x\n\n  y' # c\n", ("a",), 1, "a: 1 # c\n"),
    ],
)
def test_odd_but_valid_styles_are_edited_too(
    text: str, path: DocumentPath, value: JsonValue, wanted: str
) -> None:
    assert _set(path, value, text) == wanted


@pytest.mark.parametrize(
    ("text", "path", "wanted"),
    [
        ("- a: 1\n  b: 2\n", (0, "a"), "- b: 2\n"),
        ("- a: 1\n  # b\n  b: 2\n", (0, "a"), "-\n  # b\n  b: 2\n"),
        ("- a: 1 # a\n  b: 2\n", (0, "a"), "- # a\n  b: 2\n"),
        ("- a: # a\n    x: 1 # x\n  b: 2\n", (0, "a"), "- # a\n  # x\n  b: 2\n"),
        ("- - 1\n  - 2\n", (0, 0), "- - 2\n"),
        ("[1, 2, 3]\n", (1,), "[1, 3]\n"),
        ("[1 , 2 , 3]\n", (0,), "[2 , 3]\n"),
        (
            "[\n  1, # one\n  2, # two\n  3 # three\n]\n",
            (1,),
            "[\n  1 # one\n  , # two\n  3 # three\n]\n",
        ),
        ("[\n  1, # one\n  2\n]\n", (0,), "[\n   # one\n  2\n]\n"),
        ("{a: 1, b: 2}\n", ("a",), "{b: 2}\n"),
        ("a:\n  b: 1\n", ("a", "b"), "a: {}\n"),
        ("a:\n  - 1 # one\n", ("a", 0), "a: []\n# one\n"),
        ("a: 1\nb: |+\n  x\n\nc: 1\n", ("b",), "a: 1\nc: 1\n"),
        ("a: 1\nb: 2", ("b",), "a: 1\n"),
    ],
)
def test_removals_in_odd_but_valid_styles(text: str, path: DocumentPath, wanted: str) -> None:
    try:
        result = _removed(path, text)
    except EditRefusedError as error:
        result = error.reason
    if result != wanted:
        after = read_yaml("f", result.encode())
        assert not after.problems, result
        assert result == wanted


@pytest.mark.parametrize(
    ("text", "path", "value", "reason"),
    [
        ("a: &x {k: 1}\nb: *x\n", ("b", "k"), 2, "behind an alias"),
        ("a: &x {k: 1}\nb: *x\n", ("a", "k"), 2, "something else in the file would change"),
        ("a: &x 1\nb: *x\n", ("a",), 2, "no longer be sound: there is no anchor `&x`"),
        ("? a\n: 1\n", ("a",), 2, "written with `?`"),
        ("a: 1\n", ("a", "b"), 2, "`a.b` does not fit"),
        ("a: []\n", ("a", 1), 2, "`a.1` does not fit"),
        ("a: {}\n", ("a", 0), 2, "`a.0` does not fit"),
        ("a: []\n", ("a", "k"), 2, "`a.k` does not fit"),
        ("a: 1\n", ("b", 1), 2, "a new list has no place 1"),
        ("a:\n", ("a", 1), 2, "`a.1` does not fit"),
        ("a: 1\n", (), [2], "a whole document"),
        ("{}\n", ("a",), 2, "a whole document"),
        ("a: 1\na: 2\n", ("a",), 2, "the file has a problem: `a` stands twice"),
        ("a: [1, # one\n  2]\n", ("a",), 2, ""),
        ("a: {b: [1, # one\n  2]}\n", ("a", "b"), 2, "comments stand inside"),
        ("a: 1\n", ("b",), "\ud800", "surrogate"),
        ("a: 1\n", ("b",), int("9" * 2000), "more than 1,000 digits"),
        ("a: |\n  x", ("b",), 1, "something else in the file would change"),
        ("a: &x\n  k: 1\n", ("a",), [1], "an anchor or tag"),
        ("a: [b: 1, c]\n", ("a", 0, "d"), 1, "something else"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused_with_the_reason(
    text: str, path: DocumentPath, value: JsonValue, reason: str
) -> None:
    if reason:
        assert reason in _refused(path, value, text)
    else:
        _set(path, value, text)


def test_a_removal_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(EditRefusedError, match="a whole document"):
        _removed((), "a: 1\n")
    with pytest.raises(EditRefusedError, match="a whole document"):
        _removed(("a",), "a: 1\n")
    with pytest.raises(EditRefusedError, match="a comment would be lost"):
        _removed((0,), "[1 # one\n, 2]\n")


def test_a_key_put_first_leaves_the_comment_above_the_key_it_is_about() -> None:
    text = "kind: Integration\nspec:\n  # about it\n\n  # and more\n  destination: Chargebee\n"
    wanted = text.replace("  # and", "  displayName: UK\n  # and")
    assert _set(("spec", "displayName"), "UK", text) == wanted
    assert _set(("apiVersion",), "v1", "# header\nkind: Integration\n").startswith("# header\napi")


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ("a: 2 # c\n", ""),
        ("a: 2\n", "a comment would be lost"),
        ("a: 2 # c\nb: 1\n", "something else in the file would change too"),
        ("a: 2 # c\n---\nb: 1\n", "something else in the file would change too"),
        ("a: true # c\n", "something else in the file would change too"),
        ("a: [ # c\n", "the file would no longer be sound"),
    ],
)
def test_the_proof_refuses_every_difference_that_was_not_meant(after: str, reason: str) -> None:
    files = [read_yaml("f", text.encode()) for text in ("a: 1 # c\n", after)]
    found = why_not_proven(files[0], files[1], 0, {"a": 2})
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def test_only_the_document_that_is_meant_is_edited() -> None:
    text = b"a: 1\n---\n# second\na: 1\n---\n---\na: 1\n"
    assert with_value(EditedDocument("f", text, 1), ("a",), 2) == text.replace(
        b"second\na: 1", b"second\na: 2"
    )
    assert with_value(EditedDocument("f", text, 3), ("a",), 2) == text[:-2] + b"2\n"
    with pytest.raises(EditRefusedError, match="no document number 3"):
        with_value(EditedDocument("f", text, 2), ("a",), 2)


def test_a_byte_order_mark_stays() -> None:
    assert (
        with_value(EditedDocument("f", b"\xef\xbb\xbfa: 1\n", 0), ("a",), 2)
        == b"\xef\xbb\xbfa: 2\n"
    )


def test_documents_are_written_new_or_behind_those_that_are_there() -> None:
    assert with_documents("f", None, [{"a": 1}]) == b"a: 1\n"
    assert with_documents("f", b"# header\n", [{"a": 1}]) == b"# header\na: 1\n"
    assert with_documents("f", b"a: 1 # c\r\n", [{"b": 1}]) == b"a: 1 # c\r\n---\r\nb: 1\r\n"
    assert with_documents("f", b"a: 1", [{"b": 1}]) == b"a: 1\n---\nb: 1\n"
    assert with_documents("f", b"a: 1", []) == b"a: 1"
    assert with_documents("f", None, []) == b""


@pytest.mark.parametrize(
    ("data", "document", "reason"),
    [
        (b"a: |\n  x", {"b": 1}, "something else in the file would change"),
        (b"a: [\n", {"b": 1}, "the file has a problem"),
        (b"a: 1\n", {"b": "\ud800"}, "surrogate"),
        (b"a: 1\n", {"b": int("9" * 2000)}, "more than 1,000 digits"),
    ],
)
def test_documents_that_cannot_be_appended_safely_are_refused(
    data: bytes, document: dict[str, JsonValue], reason: str
) -> None:
    with pytest.raises(EditRefusedError, match=reason):
        with_documents("f", data, [document])


def test_empty_items_of_a_list_that_is_not_indented_stand_behind_their_own_dash() -> None:
    text = "b:\n- # note\n-\n---\na: 1\n"
    document = read_yaml("f", text.encode()).documents[0]
    starts = [node.start for path, node in document.nodes() if len(path) == 2]
    assert [text[:start].count("-") for start in starts] == [1, 2]


@pytest.mark.parametrize(
    ("kind", "path", "names"),
    [
        (
            "Integration",
            ("spec", "push", "pending"),
            ("waitUpTo", "closesAfter", "matchDays", "then"),
        ),
        ("Integration", ("spec", "global", "accountIds", 0), ("code",)),
        ("Integration", ("spec", "chargebee", "priceIdMapping"), ()),
        ("Nothing", (), ()),
    ],
)
def test_new_keys_go_where_the_schema_lists_them(
    kind: str, path: DocumentPath, names: tuple[str, ...]
) -> None:
    assert field_order({"kind": kind}, path) == names
    assert field_order(None, path) == ()
