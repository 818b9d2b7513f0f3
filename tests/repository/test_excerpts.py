from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.core.secrets import BLANK
from reconciler.kernel.problem import Excerpt, Origin, Problem
from reconciler.repository.excerpts import with_excerpt
from reconciler.repository.yaml.source_text import SourceText

KEY = "live_" + "a1B2c3D4e5F6g7H8i9J0"


def excerpt(text: str, line: int, column: int, width: int = 1) -> Excerpt:
    source = SourceText("f", text)
    problem = Problem("R001", "error", Origin("f", line, column), "wrong")
    found = with_excerpt(problem, source, source.offset(line, max(column, 1)) + width).excerpt
    assert found is not None
    return found


def underlined(found: Excerpt) -> str:
    return found.lines[-1][found.column - 1 : found.column - 1 + found.width]


def test_the_line_before_is_shown_too() -> None:
    found = excerpt("a: 1\nbb: 22\nc: 3\n", 2, 5, 2)
    assert found == Excerpt(1, ("a: 1", "bb: 22"), 5, 2)
    assert excerpt("a: 1\n", 1, 1) == Excerpt(1, ("a: 1",), 1, 1)


def test_the_caret_ends_with_the_line_and_has_one_character_at_least() -> None:
    assert underlined(excerpt("a: |\n  text\n", 1, 4, 9)) == "|"
    assert excerpt("a:\n", 1, 3, 0) == Excerpt(1, ("a:",), 3, 1)
    assert excerpt("", 1, 1) == Excerpt(1, ("",), 1, 1)
    assert excerpt("abc\n", 1, 0, 2) == Excerpt(1, ("abc",), 1, 2)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"x: {KEY} # c\n", 1),
        (f"x: {KEY}\ny: 1\n", 2),
        ("apiKey: hunter2\n", 1),
        (f"apiKey: {KEY}\n", 1),
        ("  url: 'hunter2'\n", 1),
        ("m3ter: {apiSecret: hunter2, a: 1}\n", 1),
        ("my_password: hunter2 and more\n", 1),
        ("-----BEGIN PRIVATE KEY-----\nhunter2\nabc\n-----END PRIVATE KEY-----\n", 2),
        ("-----BEGIN PRIVATE KEY-----\nabc\nhunter2\n-----END PRIVATE KEY-----\n", 4),
    ],
)
def test_a_secret_is_blanked_wherever_it_stands(text: str, line: int) -> None:
    shown = "\n".join(excerpt(text, line, 1).lines)
    assert BLANK in shown
    assert "hunter2" not in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    "text",
    ["apiKey: {env: CHARGEBEE_API_KEY}\n", "apiKey: {file: /run/key}\n", "baseUrl: https://a.b\n"],
)
def test_a_reference_is_shown(text: str) -> None:
    assert excerpt(text, 1, 1).lines == (text.strip(),)


def test_the_caret_stays_under_what_it_meant_when_a_secret_is_blanked() -> None:
    found = excerpt(f"{{x: {KEY}, wrong: 1}}\n", 1, len(KEY) + 7, 5)
    assert found.lines == (f"{{x: {BLANK}, wrong: 1}}",)
    assert underlined(found) == "wrong"
    assert underlined(excerpt(f"x: {KEY}\n", 1, 4, len(KEY))) == BLANK
    assert excerpt(f"x: {KEY}\n", 1, 9, 3).column == 4


def test_long_lines_are_cut_around_the_caret() -> None:
    found = excerpt("a" * 300 + "wrong" + "b" * 300 + "\n", 1, 301, 5)
    assert len(found.lines[0]) == 160
    assert underlined(found) == "wrong"
    far = excerpt("x: 1\n" + "a" * 50_000 + "wrong\n", 2, 50_001, 5)
    assert far.first_line == 2
    assert underlined(far) == "wrong"


@given(st.text("ab\n\r:{ ", max_size=60), st.integers(1, 9), st.integers(0, 60), st.integers(0, 60))
def test_an_excerpt_always_fits_its_lines(text: str, line: int, column: int, width: int) -> None:
    source = SourceText("f", text)
    if line > len(source.line_starts) or column > len(source.line(line)):
        return
    found = excerpt(text, line, column, width)
    assert found.first_line + len(found.lines) - 1 == line
    assert found.width >= 1
    assert 1 <= found.column <= len(found.lines[-1]) + 1
