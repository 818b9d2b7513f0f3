"""Clocks that are read together, and what is said of those that disagree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconciler.sync.core.clocks import Clocks

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
MINUTES = timedelta(minutes=1)


def test_clocks_that_agree_are_not_apart_with_or_without_the_vendors() -> None:
    assert Clocks(NOW, NOW + MINUTES).apart(2 * MINUTES) == ""
    assert Clocks(NOW, NOW + MINUTES, NOW - MINUTES).apart(2 * MINUTES) == ""


def test_the_two_that_disagree_most_are_named() -> None:
    said = Clocks(NOW, NOW + MINUTES, NOW - 3 * MINUTES).apart(2 * MINUTES)
    assert said == "the clock of the ledger's database is 240 s ahead of that of Chargebee"
