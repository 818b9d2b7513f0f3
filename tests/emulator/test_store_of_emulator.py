from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.emulator.clock import EmulatorClock, iso, parse_instant
from reconciler.emulator.store import Store
from reconciler.emulator.switches.table import Switches

START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def still_store(seed: int = 1) -> Store:
    return Store(start=START, seed=seed, switches=Switches({"clock": "still"}))


def test_objects_are_listed_from_the_youngest_to_the_oldest() -> None:
    store = still_store()
    for name in "abc":
        store.put("m3ter/things", {"id": name})
    assert [row.data["id"] for row in store.table("m3ter/things").newest()] == ["c", "b", "a"]
    assert [thing["id"] for thing in store.all("m3ter/things")] == ["a", "b", "c"]


def test_a_replaced_object_keeps_its_place_and_loses_its_encoded_form() -> None:
    store = still_store()
    store.put("m3ter/things", {"id": "a", "n": 1})
    store.put("m3ter/things", {"id": "b", "n": 1})
    store.table("m3ter/things").rows["a"].encoded["plain"] = b"old"
    store.put("m3ter/things", {"id": "a", "n": 2})
    assert [thing["n"] for thing in store.all("m3ter/things")] == [2, 1]
    assert store.table("m3ter/things").rows["a"].encoded == {}


def test_a_position_limits_lists_in_both_directions_also_after_deletions() -> None:
    store = still_store()
    for name in "abcd":
        store.put("m3ter/things", {"id": name})
    store.delete("m3ter/things", "b")
    table = store.table("m3ter/things")
    assert [row.data["id"] for row in table.newest(before=3)] == ["c", "a"]
    assert [row.data["id"] for row in table.oldest(after=0)] == ["c", "d"]


def test_an_index_follows_puts_and_deletes() -> None:
    store = still_store()
    store.put("m3ter/things", {"id": "a", "of": "x"})
    store.put("m3ter/things", {"id": "b", "of": "x"})
    assert [thing["id"] for thing in store.where("m3ter/things", "of", "x")] == ["b", "a"]
    store.put("m3ter/things", {"id": "a", "of": "y"})
    store.delete("m3ter/things", "b")
    store.put("m3ter/things", {"id": "c", "of": "y"})
    assert store.where("m3ter/things", "of", "x") == []
    assert [thing["id"] for thing in store.where("m3ter/things", "of", "y")] == ["c", "a"]


def test_deleting_what_is_not_there_changes_nothing() -> None:
    store = still_store()
    assert store.delete("m3ter/things", "a") is None
    assert store.writes == 0


def test_ids_depend_on_the_seed_only() -> None:
    assert still_store(7).new_id() == still_store(7).new_id()
    assert still_store(7).new_id() != still_store(8).new_id()


def test_actions_run_when_the_clock_has_reached_them_in_order_of_time() -> None:
    store, done = still_store(), list[str]()
    store.later(20, lambda: done.append("second"))
    store.later(10, lambda: done.append("first"))
    store.later(30, lambda: done.append("third"))
    store.run_due()
    assert done == []
    store.clock.advance(20)
    store.run_due()
    assert done == ["first", "second"]


def test_a_ticking_clock_moves_with_real_time_and_by_command() -> None:
    real = [100.0]
    clock = EmulatorClock(START, monotonic=lambda: real[0])
    real[0] += 5
    clock.advance(60)
    assert iso(clock.now()) == "2026-12-01T09:01:05.000Z"
    clock.set(parse_instant("2026-12-24T18:00:00+01:00"))
    real[0] += 1
    assert iso(clock.now()) == "2026-12-24T17:00:01.000Z"


def test_a_still_clock_moves_by_command_only() -> None:
    real = [100.0]
    clock = EmulatorClock(START, ticks=False, monotonic=lambda: real[0])
    real[0] += 5
    assert clock.now() == START


def test_the_clock_never_advances_backwards() -> None:
    with pytest.raises(ValueError, match="only moves forward"):
        still_store().clock.advance(-1)


def test_an_instant_without_an_offset_is_utc() -> None:
    assert parse_instant("2026-12-01T09:00:00") == START
