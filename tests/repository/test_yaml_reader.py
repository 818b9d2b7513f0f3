from __future__ import annotations

import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonValue
from reconciler.repository.yaml.events import BrokenSyntax, broken_syntax
from reconciler.repository.yaml.nodes import Origins, YamlFile
from reconciler.repository.yaml.reader import read_yaml
from reconciler.repository.yaml.source_text import SourceText

BOTH_PARSERS = pytest.mark.parametrize("pure", [False, True], ids=["libyaml", "python"])


def read(text: str | bytes, *, pure: bool = False) -> YamlFile:
    return read_yaml("f.yaml", text if isinstance(text, bytes) else text.encode(), pure=pure)


def values(text: str | bytes, *, pure: bool = False) -> list[JsonValue]:
    file = read(text, pure=pure)
    assert not file.problems
    return [document.value for document in file.documents]


def faults(text: str | bytes, *, pure: bool = False) -> list[str]:
    return [f"{problem.rule} {problem.origin}" for problem in read(text, pure=pure).problems]


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("Null", None),
        ("12", 12),
        ("+12", 12),
        ("-0", 0),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.50", Decimal("1.50")),
        (".5", Decimal("0.5")),
        ("1e3", Decimal("1E+3")),
        ("0.1666666666666666666", Decimal("0.1666666666666666666")),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("-x", "-x"),
        ("1.2.3", "1.2.3"),
        ("'12'", "12"),
        ('"a\\u00e9\\n"', "aé\n"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("{&k a: *k}", {"a": "a"}),
        ("!!int '12'", 12),
        ("!!float 12", Decimal(12)),
        ("!!float 1.5", Decimal("1.5")),
        ("!!null ''", None),
        ("!!bool 'true'", True),
        ("!!map {a: 1}", {"a": 1}),
        ("!!seq [1]", [1]),
        (
            "{at: 2026-11-22T10:00:00Z, u: https://a.b/c}",
            {"at": "2026-11-22T10:00:00Z", "u": "https://a.b/c"},
        ),
        (
            "{at: 10:00, t: !<tag:yaml.org,2002:str> 5, q: 'a:b'}",
            {"at": "10:00", "t": "5", "q": "a:b"},
        ),
        ("{'a':1}", {"a": 1}),
        ("a\u2028b", "a\u2028b"),
        ('"a\x85b \u2029 c"', "a\x85b \u2029 c"),
    ],
)
def test_a_scalar_means_what_yaml_1_2_says(written: str, value: JsonValue, pure: bool) -> None:
    [document] = values(f"key: {written}\n", pure=pure)
    assert document == {"key": value}
    assert isinstance(document, dict)
    assert type(document["key"]) is type(value)


def test_several_documents_keep_their_index_and_empty_ones_are_left_out() -> None:
    file = read("# only a comment\n---\n---\na: 1\n---\n\n...\n---\nb: 2\n---\n")
    assert [(document.index, document.value) for document in file.documents] == [
        (1, {"a": 1}),
        (3, {"b": 2}),
    ]
    assert values("") == []
    assert values("# nothing\n") == []


def test_every_node_knows_where_it_and_its_key_stand() -> None:
    text = (
        "a: &x {b: 1, é: [NO, ~]}\n"
        '"q q": |\n  text\n'
        "f:\ng: *x\n"
        "h:\n  -\n  # - no\n  - 1.50 # c\n  - k: v\n"
        "z: &y\n"
    )
    file = read(text)
    [document] = file.documents
    shown = {
        path: (text[node.start : node.end], node.style, text[node.key_start : node.key_end])
        for path, node in document.nodes()
        if path
    }
    assert shown == {
        ("a",): ("&x {b: 1, é: [NO, ~]}", "flow", "a"),
        ("a", "b"): ("1", "plain", "b"),
        ("a", "é"): ("[NO, ~]", "flow", "é"),
        ("a", "é", 0): ("NO", "plain", ""),
        ("a", "é", 1): ("~", "plain", ""),
        ("q q",): ("|\n  text\n", "literal", '"q q"'),
        ("f",): ("", "empty", "f"),
        ("g",): ("*x", "alias", "g"),
        ("h",): ("-\n  # - no\n  - 1.50 # c\n  - k: v", "block", "h"),
        ("h", 0): ("", "empty", ""),
        ("h", 1): ("1.50", "plain", ""),
        ("h", 2): ("k: v", "block", ""),
        ("h", 2, "k"): ("v", "plain", "k"),
        ("z",): ("&y", "empty", "z"),
    }
    assert document.node(("f",)) is not None
    assert text[: document.node(("f",)).start].endswith("f:")  # type: ignore[union-attr]
    assert text[: document.node(("h", 0)).start].endswith("h:\n  -")  # type: ignore[union-attr]
    assert document.node(("g", "b")) is None
    assert document.node(("nothing", "below")) is None


def test_an_empty_value_of_an_explicit_key_stands_behind_the_key() -> None:
    file = read("? a\n? b\n")
    node = file.documents[0].node(("a",))
    assert node is not None
    assert (node.start, node.end, node.style) == (3, 3, "empty")


@BOTH_PARSERS
def test_origins_count_characters_and_only_real_line_ends(pure: bool) -> None:
    text = "\ufeffé: x\r\nb: \u2028y\rc:\n  - 'd'\ne: {f: 1}\n"
    file = read(text, pure=pure)
    assert file.source is not None
    assert file.source.marked
    origins = Origins(file.source, file.documents[0])
    assert origins["é",] == Origin("f.yaml", 1, 4)
    assert origins["b",] == Origin("f.yaml", 2, 4)
    assert origins["c",] == Origin("f.yaml", 3, 1)
    assert origins["c", 0] == Origin("f.yaml", 4, 5)
    assert origins["e", "f"] == Origin("f.yaml", 5, 8)
    assert origins.get(("c", 1)) is None
    assert len(origins) == len(list(origins)) == 7


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\na: 4\n", ["R004 f.yaml:3:1", "R004 f.yaml:4:1"]),
        ("a:\n\tb: 1\n", ["R001 f.yaml:2:1"]),
        ("a: b: c\n", ["R001 f.yaml:1:5"]),
        ("a: [1\nb: 2\n", ["R001 f.yaml:2:2"]),
        ("a: @b\n", ["R001 f.yaml:1:4"]),
        ("1: x\n", ["R006 f.yaml:1:1"]),
        ("null: x\n", ["R006 f.yaml:1:1"]),
        ("true: x\n", ["R006 f.yaml:1:1"]),
        (".inf: x\n", ["R006 f.yaml:1:1"]),
        ("? [a, {b: c}]\n: x\n", ["R006 f.yaml:1:3"]),
        ("? {a: b}\n: x\n", ["R006 f.yaml:1:3"]),
        ("a: &x b\n*x : c\n", ["R006 f.yaml:2:1"]),
        ("<<: {a: 1}\n", ["R008 f.yaml:1:1"]),
        ("x: !!python/object/apply:os.system [ls]\n", ["R005 f.yaml:1:4"]),
        ("x: !!python/name:os.system ls\n", ["R005 f.yaml:1:4"]),
        ("x: !secret y\n", ["R005 f.yaml:1:4"]),
        ("x: !!set {a}\n", ["R005 f.yaml:1:4"]),
        ("x: !!timestamp 2026-01-01\n", ["R005 f.yaml:1:4"]),
        ("x: !!map 1\n", ["R005 f.yaml:1:4"]),
        ("x: !!int 1.5\n", ["R005 f.yaml:1:4"]),
        ("x: !!null y\n", ["R005 f.yaml:1:4"]),
        ("x: .inf\ny: -.Inf\nz: .NaN\n", ["R009 f.yaml:1:4", "R009 f.yaml:2:4", "R009 f.yaml:3:4"]),
        ("x: 1e2000\n", ["R009 f.yaml:1:4"]),
        ("x: *nothing\n", ["R007 f.yaml:1:4"]),
        ("x: &a [1, *a]\n", ["R007 f.yaml:1:11"]),
        ("x: &a {b: *a}\n", ["R007 f.yaml:1:11"]),
    ],
)
def test_a_fault_is_found_where_it_stands(text: str, expected: list[str], pure: bool) -> None:
    assert faults(text, pure=pure) == expected


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 'x\nb: 1\n", "f.yaml:3:1"),
        ('a: "\\q"\n', "f.yaml:1:5"),
        ("a: !e!f x\n", "f.yaml:1:4"),
        ("a: 1\n b: 2\n", "f.yaml:2:3"),
        ("a:\n- b\n c: d\n", "f.yaml:3:3"),
        ("a: 1\nb\n", "f.yaml:3:1"),
        ("a: [b\n", "f.yaml:2:1"),
        ("a: {b: \n", "f.yaml:2:1"),
        ("%FOO x\n", "f.yaml:1:5"),
        ("a: b\n...\nc: d\n", "f.yaml:3:1"),
        ("a: -\n", "f.yaml:1:4"),
        ("a: !<x\n", "f.yaml:1:7"),
        (": x\n", "f.yaml:1:1"),
    ],
)
def test_broken_syntax_is_told_in_plain_words(text: str, place: str) -> None:
    *_, problem = read(text).problems
    assert problem.rule == "R001"
    assert str(problem.origin) == place
    assert problem.message.startswith("this is not YAML: ")
    assert problem.hint


def test_documents_before_a_syntax_error_are_kept() -> None:
    file = read("a: 1\n---\nb: [\n")
    assert [document.value for document in file.documents] == [{"a": 1}]


def test_a_second_colon_error_is_reported_where_it_stands() -> None:
    assert faults("a: {t: 10:00:00, b: 'x':c, d: [\n") == ["R001 f.yaml:1:24"]


@BOTH_PARSERS
def test_another_version_of_yaml_is_refused(pure: bool) -> None:
    [problem] = read("%YAML 1.1\n---\na: 1\n", pure=pure).problems
    assert problem.rule == "R001"
    assert "%YAML" in problem.message
    assert faults("%YAML 1.2\n---\na: 1\n", pure=pure) == []


@pytest.mark.parametrize(
    ("data", "place", "said"),
    [
        (b"a: \xff\n", "f.yaml:1:4", "\\xFF"),
        (b"\xef\xbb\xbfa: b\n\xc3\xa9: \x80", "f.yaml:2:4", "\\x80"),
        (b"\xff\xfea\x00", "f.yaml:1:1", "\\xFF"),
        (b"a: \x00b", "f.yaml:1:4", "NUL"),
        (b"a: b\r\nb: \x07", "f.yaml:2:4", "U+0007"),
        (b"a: \x7f", "f.yaml:1:4", "U+007F"),
        ("a: \ufeffb".encode(), "f.yaml:1:4", "byte order mark"),
        ("a: \ufffe".encode(), "f.yaml:1:4", "U+FFFE"),
    ],
)
def test_what_is_not_text_is_refused_with_its_place(data: bytes, place: str, said: str) -> None:
    file = read(data)
    [problem] = file.problems
    assert (problem.rule, str(problem.origin)) == ("R002", place)
    assert said in problem.message
    assert file.source is None
    assert file.documents == ()


def test_more_bytes_than_allowed_are_refused() -> None:
    [problem] = read(b"#" * (10 * 1024 * 1024 + 1)).problems
    assert (problem.rule, str(problem.origin)) == ("R003", "f.yaml")
    assert read(b"#" * (10 * 1024 * 1024)).problems == ()


@BOTH_PARSERS
def test_a_hundred_levels_are_read_and_one_more_is_refused(pure: bool) -> None:
    assert faults("[" * 100 + "]" * 100, pure=pure) == []
    assert faults("[" * 101 + "]" * 101, pure=pure) == ["R003 f.yaml:1:101"]


def test_an_alias_may_stand_for_ten_thousand_values_and_no_more() -> None:
    within = "a: &a [" + "1," * 9_999 + "]\n" + "".join(f"b{n}: *a\n" for n in range(10))
    assert faults(within) == []
    assert faults(within + "c: *a\n") == ["R003 f.yaml:12:4"]
    assert faults("a: &a [" + "1," * 10_000 + "]\nb: *a\n") == ["R003 f.yaml:2:4"]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
            for old, new in zip("abcdefghijk", "bcdefghijkl", strict=True)
        ),
        "[" * 5_000_000,
        "- " * 2_500_000,
        "{a: " * 1_500_000,
        "? " * 2_500_000,
        "a: 1\n" * 1_000_000,
        "a: '" + "x\n" * 2_000_000,
    ],
    ids=["laughs", "lists", "items", "maps", "keys", "duplicates", "quote"],
)
def test_a_hostile_file_ends_soon_and_never_in_an_error(text: str) -> None:
    before = time.process_time()
    assert read(text).problems
    assert time.process_time() - before < 5


def test_after_a_thousand_problems_the_rest_is_not_looked_at() -> None:
    *_, last = read("a: 1\n" * 5_000).problems
    assert (last.rule, str(last.origin)) == ("R003", "f.yaml")
    assert "1,000 problems" in last.message


def test_a_document_with_a_fault_keeps_what_could_be_understood() -> None:
    [document] = read("a: 1\na: 2\nb: .inf\nc: *x\n3: y\n").documents
    assert not document.sound
    assert document.value == {"a": 1, "b": ".inf", "c": None}


def test_positions_lead_back_to_their_offset() -> None:
    source = SourceText("f", "ab\r\ncd\re\n")
    assert [str(source.position(at)) for at in (0, 4, 7)] == [
        "Position(line=1, column=1)",
        "Position(line=2, column=1)",
        "Position(line=3, column=1)",
    ]
    assert source.offset(2, 2) == 5
    assert source.offset(99, 99) == len(source.text)
    assert [source.line(number) for number in range(6)] == ["", "ab", "cd", "e", "", ""]


def test_the_python_parser_takes_over_where_libyaml_is_missing() -> None:
    program = (
        "import sys; sys.modules['_ruamel_yaml'] = None\n"
        "from reconciler.repository.yaml.reader import read_yaml\n"
        "print(read_yaml('f', b'a: [1, NO]').documents[0].value)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "{'a': [1, 'NO']}\n"


def test_an_error_of_the_parser_itself_is_a_syntax_error() -> None:
    assert broken_syntax(IndexError("x"), "abc") == BrokenSyntax(3, "unreadable (IndexError)")
    [problem] = read("a: [", pure=True).problems
    assert problem.rule == "R001"


def test_a_good_run_imports_neither_jsonschema_nor_anything_of_the_network() -> None:
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from reconciler.repository.repository import Repository\n"
        "assert not Repository(Path('.')).load().problems\n"
        "print([one for one in ('jsonschema', 'deepdiff', 'httpx', 'sqlalchemy') if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout == "[]\n"
