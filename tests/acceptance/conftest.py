"""A place to work at for every acceptance test: the example repository beside an emulator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from chaos.inside import Inside, beginning, inside
from fakes.place import Place
from fakes.prepared import PreparedOnce

from reconciler.emulator.running import RunningEmulator
from reconciler.emulator.world import World

MakePlace = Callable[..., Place]
MakeGround = Callable[..., Inside]


@pytest.fixture
def make_place(emulate: Callable[..., RunningEmulator], tmp_path: Path) -> MakePlace:
    """Make a place; the arguments are switches of the emulator."""

    def make(scenario: str = "starter", **switches: object) -> Place:
        place = Place(tmp_path, emulate(scenario, **{"requests_per_second": 0, **switches}))
        place.patch_sandbox()
        return place

    return make


@pytest.fixture
def place(make_place: MakePlace) -> Place:
    """The example with a discovered dialect; nothing was applied yet."""
    made = make_place()
    made.discover()
    return made


@pytest.fixture
def applied(place: Place) -> Place:
    """The example, applied; the request log starts anew."""
    place.apply()
    place.forget()
    return place


@pytest.fixture
def make_ground(
    prepared: PreparedOnce, running: Callable[[World], RunningEmulator], tmp_path: Path
) -> MakeGround:
    """Make scenario `month-end` with its definitions applied; takes bills and switches."""

    def make(bills: int = 15, **switches: object) -> Inside:
        calm = {"requests_per_second": 0, "requests_per_minute": 0, "month_end_bills": bills}
        world, before = prepared.world(tmp_path, "month-end", calm | switches, beginning)
        return inside(tmp_path, running(world), before)

    return make
