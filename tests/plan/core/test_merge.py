"""The three-way table, row by row and as laws."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.address import FieldPath
from reconciler.kernel.value import ABSENT
from reconciler.plan.core.merge import as_stored, in_form_of, merge
from reconciler.plan.model.applied import BaseField
from reconciler.plan.model.change import FieldValue

PATH = FieldPath("chargebee.defaultPriceId")
values = st.sampled_from(["a", "b", "c", 1, True, ABSENT])
sets = st.frozensets(st.sampled_from("abcd"))


def base(sent: Any, read: Any) -> BaseField:
    return BaseField(PATH, as_stored(sent), as_stored(read))


@pytest.mark.parametrize(
    ("stored", "live", "desired", "verdict"),
    [
        (base("a", "a"), "a", "a", "same"),
        (base("3", 3), 3, "3", "same"),
        (base("a", "A"), "A", "b", "ours"),
        (base("a", "A"), "B", "a", "theirs"),
        (base("a", "A"), "a", "a", "same"),
        (base("a", "A"), "b", "b", "both"),
        (base("a", "a"), "b", "c", "conflict"),
        (base("a", "a"), ABSENT, "a", "theirs"),
        (base("a", "a"), "a", ABSENT, "ours"),
        (base("a", "a"), ABSENT, ABSENT, "both"),
        (base("a", ABSENT), ABSENT, "a", "same"),
        (None, "a", "a", "same"),
        (None, ABSENT, "a", "ours"),
        (None, "a", "b", "conflict"),
        (None, "a", ABSENT, "conflict"),
        (None, 1, True, "conflict"),
    ],
)
def test_each_row_of_the_table(
    stored: BaseField | None, live: Any, desired: Any, verdict: str
) -> None:
    assert merge(stored, live, desired, modelled=True) == (verdict,)


def test_what_git_never_had_is_unmanaged_unless_it_is_modelled() -> None:
    assert merge(None, "a", ABSENT, modelled=False) == ("unmanaged",)
    assert merge(base("a", "a"), "a", ABSENT, modelled=False) == ("ours",)


def test_elements_that_only_git_adds_are_ours_without_a_base() -> None:
    live, more = frozenset("a"), frozenset("ab")
    assert merge(None, live, more, modelled=True) == ("ours",)
    assert merge(None, more, live, modelled=True) == ("conflict",)


def test_a_set_that_both_changed_apart_has_both_verdicts_the_gravest_first() -> None:
    stored = base(frozenset("ab"), frozenset("ab"))
    assert merge(stored, frozenset("abx"), frozenset("aby"), modelled=True) == ("theirs", "ours")
    assert merge(stored, frozenset("ax"), frozenset("ax"), modelled=True) == ("both",)
    assert merge(stored, frozenset("a"), frozenset("ax"), modelled=True) == ("ours", "both")


def test_a_set_beside_a_word_is_compared_whole() -> None:
    stored = base("all", "all")
    assert merge(stored, "all", frozenset("a"), modelled=True) == ("ours",)
    assert merge(stored, frozenset("a"), "all", modelled=True) == ("theirs",)


def test_a_stored_list_is_a_set_only_beside_sets() -> None:
    assert in_form_of(FieldValue(["b", "a"]), frozenset("ab")) == frozenset("ab")
    assert in_form_of(FieldValue(["b", "a"]), "x") == ["b", "a"]
    assert in_form_of(None, "x") is ABSENT
    assert as_stored(frozenset("ba")) == FieldValue(["a", "b"])
    assert as_stored(ABSENT) is None


@given(values, values, values, values)
def test_a_second_merge_after_git_won_finds_nothing(
    sent: Any, read: Any, live: Any, desired: Any
) -> None:
    verdicts = merge(base(sent, read), live, desired, modelled=True)
    after = base(desired, desired)
    assert merge(after, desired, desired, modelled=True) == ("same",)
    if live is desired:
        assert verdicts in {("same",), ("both",)}
    elif verdicts == ("same",):
        assert (desired, live) == (sent, read)


@given(sets, sets, sets)
def test_a_set_merge_says_who_moved_and_never_conflicts(
    stored: frozenset[str], live: frozenset[str], desired: frozenset[str]
) -> None:
    verdicts = set(merge(base(stored, stored), live, desired, modelled=True))
    assert ("theirs" in verdicts) == bool((live ^ stored) - (desired ^ stored))
    assert ("ours" in verdicts) == bool((desired ^ stored) - (live ^ stored))
    assert "conflict" not in verdicts
    assert (verdicts <= {"same", "both"}) == (live == desired)
