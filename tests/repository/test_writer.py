from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.kernel.value import JsonValue
from reconciler.repository.edit.block_text import KEY_LENGTH_MAX, NotWritableError, scalar_text
from reconciler.repository.edit.steps import same
from reconciler.repository.edit.writer import csv_text, yaml_text
from reconciler.repository.yaml.reader import read_yaml

characters = st.characters(exclude_categories=["Cs"]) | st.sampled_from(
    " \n\t:#-?'\"\\{}[],&*!|>%@`=\r"
)
texts = st.text(characters, max_size=12)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20),
    texts,
)
values: st.SearchStrategy[JsonValue] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
documents = st.lists(st.dictionaries(texts, values, max_size=4), min_size=1, max_size=3)


@settings(deadline=None)
@given(documents, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_is_written_reads_back_as_it_was(
    wanted: list[dict[str, JsonValue]], line_end: str, pure: bool
) -> None:
    text = yaml_text(wanted, line_end=line_end)
    found = read_yaml("new.yaml", text.encode(), pure=pure)
    assert found.problems == ()
    assert same([document.value for document in found.documents], wanted)


@settings(deadline=None)
@given(texts)
def test_a_text_is_text_to_other_yaml_tools_too(text: str) -> None:
    line = scalar_text(text)
    for version in ((1, 1), (1, 2)):
        yaml = YAML(typ="safe", pure=True)
        yaml.version = version
        assert yaml.load(f"%YAML {version[0]}.{version[1]}\n---\n- {line}\n") == [text]


@settings(deadline=None)
@given(st.from_regex(r"[-+]?[0-9_.]{1,4}([eE:xob,-][-+0-9a-fA-F_:.]{0,5})?", fullmatch=True))
def test_a_text_that_looks_like_a_number_stays_text(text: str) -> None:
    found = read_yaml("new.yaml", yaml_text([{text: text, "list": [text]}]).encode())
    assert [document.value for document in found.documents] == [{text: text, "list": [text]}]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("usage-GBP", "usage-GBP"),
        ("Chargebee UK (test)", "Chargebee UK (test)"),
        ('customFields != null AND address.country == "UK"', None),
        ("https://api.m3ter.com", "https://api.m3ter.com"),
        ("a:b", "a:b"),
        ("billing-oncall@example.com", "billing-oncall@example.com"),
        ("24h", "24h"),
        ("größe", "größe"),
        ("", '""'),
        ("NO", '"NO"'),
        ("y", '"y"'),
        ("on", '"on"'),
        ("null", '"null"'),
        ("~", '"~"'),
        ("True", '"True"'),
        ("0", '"0"'),
        ("007", '"007"'),
        ("1_000", '"1_000"'),
        ("1e3", '"1e3"'),
        ("-.5", '"-.5"'),
        (".inf", '".inf"'),
        ("0x1F", '"0x1F"'),
        ("12:30:45", '"12:30:45"'),
        ("2026-12-01", '"2026-12-01"'),
        ("2026-12-01T10:00:00Z", '"2026-12-01T10:00:00Z"'),
        ("<<", '"<<"'),
        ("=", '"="'),
        ("- a", '"- a"'),
        ("-a", '"-a"'),
        ("a: b", '"a: b"'),
        ("a:", '"a:"'),
        ("a # b", '"a # b"'),
        ("#a", '"#a"'),
        (" a", '" a"'),
        ("a ", '"a "'),
        ("---", '"---"'),
        ("*a", '"*a"'),
        ('say "a: b"', "'say \"a: b\"'"),
        ('it\'s "a: b"', "'it''s \"a: b\"'"),
        ("C:\\ ", "'C:\\ '"),
        ("a\tb", '"a\\tb"'),
        ("a\r\nb", '"a\\r\\nb"'),
        ("\x07\x85\u2028\ufeff", '"\\u0007\\u0085\\u2028\\uFEFF"'),
        ("😀", "😀"),
        ("9" * 2000, '"' + "9" * 2000 + '"'),
    ],
)
def test_quotes_stand_only_where_they_are_needed(text: str, written: str | None) -> None:
    assert scalar_text(text) == (text if written is None else written)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (-12, "-12"),
        (Decimal("0.1666666666666666666"), "0.1666666666666666666"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
    ],
)
def test_other_scalars_are_written_exactly(value: JsonValue, written: str) -> None:
    assert scalar_text(value) == written


def test_inside_brackets_a_text_with_a_comma_or_bracket_gets_quotes() -> None:
    assert scalar_text("a, b") == "a, b"
    assert scalar_text("a, b", flow=True) == '"a, b"'
    assert scalar_text("a]", flow=True) == '"a]"'


def test_documents_are_block_style_with_two_spaces_in_the_order_given() -> None:
    document: dict[str, JsonValue] = {
        "kind": "Integration",
        "spec": {
            "b": True,
            "a": "UK: yes",
            "list": [{"code": "x", "more": {"deep": 1}}, "plain", [1, []], {}],
            "none": {},
            "text": "one\n\n  two\n",
            "open": "one\ntwo",
            "odd": "one \ntwo",
            "led": " one\ntwo",
        },
    }
    assert yaml_text([document, {}, {"a": 1}]) == (
        "kind: Integration\n"
        "spec:\n"
        "  b: true\n"
        '  a: "UK: yes"\n'
        "  list:\n"
        "    - code: x\n"
        "      more:\n"
        "        deep: 1\n"
        "    - plain\n"
        "    - - 1\n"
        "      - []\n"
        "    - {}\n"
        "  none: {}\n"
        "  text: |\n"
        "    one\n"
        "\n"
        "      two\n"
        "  open: |-\n"
        "    one\n"
        "    two\n"
        '  odd: "one \\ntwo"\n'
        '  led: " one\\ntwo"\n'
        "---\n"
        "{}\n"
        "---\n"
        "a: 1\n"
    )


def test_what_yaml_cannot_hold_is_refused() -> None:
    with pytest.raises(NotWritableError, match="surrogate"):
        yaml_text([{"a": "\ud800"}])
    odd: Any = 1.5
    with pytest.raises(NotWritableError, match="a value of type float"):
        yaml_text([{"a": odd}])
    with pytest.raises(NotWritableError, match="a key of 1,001 characters"):
        yaml_text([{"k" * (KEY_LENGTH_MAX + 1): 1}])


def test_rows_are_sorted_by_key_and_quoted_only_where_needed() -> None:
    rows = {"b": ("b", "x, y"), "B": ("B", 'say "x"'), "a": ("a", ""), "ä": ("ä", "1\n2")}
    assert csv_text(("code", "sandbox"), rows) == (
        'code,sandbox\nB,"say ""x"""\na,\nb,"x, y"\nä,"1\n2"\n'
    )
    assert csv_text(("code",), {"": ("",)}) == 'code\n""\n'
