"""A character of a value is found in the text, however the value was written."""

from __future__ import annotations

import pytest
from fakes.broken_repository import problems_of
from fakes.repository_in_memory import document
from fakes.sound_repository import UK, sound_repository

from reconciler.definitions.core.place_inside import cell, inside
from reconciler.kernel.problem import Origin

START = Origin("f.yaml", 10, 5)


@pytest.mark.parametrize(
    ("source", "value", "word", "place"),
    [
        ("a == b\nx: 1", "a == b", "b", "10:10"),
        ("'it''s == b'", "it's == b", "b", "10:15"),
        (r'"say \"x\" == b"', 'say "x" == b', "b", "10:19"),
        (r'"\u0041\x41 == b"', "AA == b", "b", "10:20"),
        ('"one \\\n    == b"', "one == b", "b", "11:8"),
        ("one\n    == b", "one == b", "b", "11:8"),
        ("one\r\n  == b", "one == b", "b", "11:6"),
        ("one\n\n    == b", "one\n== b", "b", "12:8"),
        ("|\n  one\n  == b\n", "one\n== b\n", "b", "12:6"),
        ("|-  # why\n  one\n    == b\n", "one\n  == b", "b", "12:8"),
        (">-\n  one\n  == b\n", "one == b", "b", "12:6"),
        ("!!str &x 'one == b'", "one == b", "b", "10:22"),
        ("one == b", "one == b", "one", "10:5"),
    ],
)
def test_a_character_is_found_in_every_style(
    source: str, value: str, word: str, place: str
) -> None:
    found = inside(START, source, value, value.index(word))

    assert str(found) == f"f.yaml:{place}"


def test_the_end_of_a_value_has_a_place() -> None:
    assert inside(START, "one", "one", 3) == Origin("f.yaml", 10, 8)


def test_without_its_text_a_value_begins_where_it_begins() -> None:
    assert inside(START, "", "one", 2) == START
    assert inside(START, "two", "one", 2) == START


@pytest.mark.parametrize(
    ("source", "index", "place"),
    [
        ("a,b,c\nd", 2, "10:9"),
        ('"a,""x",b', 1, "10:13"),
        ('"a\nb",c', 1, "11:4"),
        ("a", 3, "10:5"),
    ],
)
def test_a_cell_is_found_behind_quoted_ones(source: str, index: int, place: str) -> None:
    assert str(cell(START, source, index)) == f"f.yaml:{place}"


def test_a_filter_problem_points_into_the_filter() -> None:
    repository = sound_repository()
    text = 'customFields != null AND\ncurrencyy == "GBP"'
    repository.specs[UK]["entity"]["accountFilter"] = text  # type: ignore[index]
    place = document(*UK, repository.specs[UK]).origin(("spec", "entity", "accountFilter"))  # type: ignore[arg-type,index]
    repository.texts[place] = '|-\n      customFields != null AND\n      currencyy == "GBP"\n'

    (problem,) = problems_of(repository)

    assert problem.origin == Origin(place.file, place.line + 2, 7)
