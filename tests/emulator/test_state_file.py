from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.clock import iso
from reconciler.emulator.journal import BrokenStateFileError
from reconciler.emulator.world import World

STILL = {"clock": "still"}


def contents(world: World) -> dict[str, list[Any]]:
    found = {kind: list(world.store.all(kind)) for kind in world.store.kinds()}
    return {kind: rows for kind, rows in found.items() if rows}


def world_at(path: Path, scenario: str = "starter", seed: int = 1) -> World:
    return World(scenario, seed, STILL, state=path)


def test_a_restarted_emulator_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state"
    first = world_at(path)
    first.store.clock.advance(3600)
    first.store.put("m3ter/products", {"id": "new", "version": 1})
    gone = next(first.store.all("m3ter/accounts"))["id"]
    first.store.delete("m3ter/accounts", gone)
    before = contents(first)
    second = world_at(path, "large", 9)
    assert contents(second) == before
    assert (second.scenario, second.seed) == ("starter", 1)
    assert iso(second.store.now()) == iso(first.store.now())
    assert second.store.new_id() != World("starter", 1, STILL).store.new_id()
    first.close()
    second.close()


def test_a_restart_knows_when_each_object_was_made(tmp_path: Path) -> None:
    path = tmp_path / "state"
    first = world_at(path)
    first.store.clock.advance(3600)
    first.store.put("m3ter/products", {"id": "new"})
    first.close()
    second = world_at(path)
    third = world_at(path)
    for world in (second, third):
        made = {row.data["id"]: row.created for row in world.store.table("m3ter/products").oldest()}
        new = made.pop("new")
        assert all((new - at).total_seconds() >= 3600 for at in made.values())
        world.close()


def test_changes_are_in_the_file_before_the_process_can_die(tmp_path: Path) -> None:
    path = tmp_path / "state"
    world = world_at(path)
    world.store.put("m3ter/products", {"id": "new"})
    assert b'"id":"new"' in path.read_bytes()
    world.close()


def test_a_last_line_that_was_cut_off_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "state"
    world_at(path).close()
    path.write_bytes(path.read_bytes() + b'{"put":"m3ter/products","obj')
    again = world_at(path)
    assert len(list(again.store.all("m3ter/products"))) == 2
    again.close()


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"5", b"\xff", b"{}", b'{"at":"2026-12-01","put":"x"}']
)
def test_a_file_that_is_no_state_file_is_refused_with_its_line(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "state"
    world_at(path).close()
    head, _, rest = path.read_bytes().partition(b"\n")
    path.write_bytes(head + b"\n" + line + b"\n" + rest)
    with pytest.raises(BrokenStateFileError, match="state:2: not a line of an emulator state"):
        world_at(path)


@pytest.mark.parametrize("text", [b"", b"{}\n", b'{"scenario":1}\n', b'{"put":"x"}\n'])
def test_a_file_without_a_head_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "state"
    path.write_bytes(text)
    with pytest.raises(BrokenStateFileError, match="state:1:"):
        world_at(path)
    assert path.read_bytes() == text


def test_a_reset_begins_the_file_anew(tmp_path: Path) -> None:
    path = tmp_path / "state"
    world = world_at(path)
    world.store.put("m3ter/products", {"id": "new"})
    world.reset(seed=5)
    world.store.put("m3ter/products", {"id": "newer"})
    world.close()
    again = world_at(path)
    assert again.seed == 5
    assert again.store.get("m3ter/products", "new") is None
    assert again.store.get("m3ter/products", "newer") is not None
    again.close()
    assert not (tmp_path / "state.new").exists()
