"""An apply that is ended at any request, and run again, leaves what one apply leaves."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.apply_run import Run, Way, outcome, view
from fakes.killer import Killer, MortalChain, Side, mortal_organisation
from fakes.place import Place

from reconciler.emulator.running import RunningEmulator

UK = "Chargebee UK bills"


def kill_everywhere(prepare: Callable[[], Run], way: Way, side: Side, stride: int) -> int:
    """Kill at the first moment, then at the second, until a run lives to its end."""
    expected: Any = None
    for at in range(0, 10_000, stride):
        run = prepare()
        with mortal_organisation(run.place.emulator.url, Killer()) as organisation:
            made = run.plan(organisation)
        killer = Killer(at, side)
        run.killed_and_run_again(made, killer, way)
        if at == 0:
            expected = outcome(run.place)
        assert outcome(run.place) == expected, (way, side, at)
        if at and not killer.dead:
            return at - 1
    raise AssertionError


@pytest.fixture
def place(emulate: Callable[..., RunningEmulator], tmp_path: Path) -> Place:
    made = Place(tmp_path, emulate(requests_per_second=0))
    made.patch_sandbox()
    made.discover()
    return made


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("way", ["saved plan", "new plan"])
def test_a_first_apply_killed_at_any_request_converges_without_duplicates(
    place: Place, way: Way, side: Side, stride: int
) -> None:
    wanted = view(place)

    def prepare() -> Run:
        place.emulator.world.reset()
        return Run(place, MortalChain(), wanted)

    moments = kill_everywhere(prepare, way, side, stride)
    assert moments >= 14 + 2


@pytest.mark.parametrize("side", ["before", "after"])
def test_what_a_killed_apply_made_needs_no_explicit_adoption(
    place: Place, side: Side, stride: int
) -> None:
    place.edit("project.yaml", "adoption: by-name ", "adoption: explicit ")
    wanted = view(place)

    def prepare() -> Run:
        place.emulator.world.reset()
        return Run(place, MortalChain(), wanted)

    kill_everywhere(prepare, "new plan", side, stride)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("way", ["saved plan", "new plan"])
def test_a_mixed_apply_killed_at_any_request_converges_without_duplicates(
    place: Place, way: Way, side: Side, stride: int
) -> None:
    """Updates, a key change, deletions, a disconnected one, a disabled one, another credential."""
    place.edit("project.yaml", "prune: confirm ", "prune: allow ")
    before = view(place)
    base = MortalChain()
    first = Run(place, base, before)
    with mortal_organisation(place.emulator.url, Killer()) as organisation:
        first.apply(first.plan(organisation), organisation)
    place.edit("chargebee-uk/integration.yaml", "usage-other-GBP", "other-GBP")
    place.edit("chargebee-uk/accounts.csv", "sub_test_acme_uk", "sub_test_acme_uk_2")
    place.edit("chargebee-uk/accounts.csv", "initech-uk,", "umbrella-uk,")
    place.edit("chargebee-uk/prices.yaml", "externalTable: ItemPrice", "externalTable: Price")
    place.edit("chargebee-us/integration.yaml", "{credential: chargebee-us}", "disconnected")
    place.edit("chargebee-us/accounts.csv", "initech-us,sub_test_initech_us,sub_initech_us\n", "")
    place.user_edit(place.config(UK)["id"], enabled=False)
    _kill_after(place, base, way, side, stride, at_least=12)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("way", ["saved plan", "new plan"])
def test_taking_an_integration_down_killed_at_any_request_converges(
    place: Place, way: Way, side: Side, stride: int
) -> None:
    place.edit("project.yaml", "prune: confirm ", "prune: allow ")
    place.edit("chargebee-us/integration.yaml", "protect: true", "protect: false")
    base = MortalChain()
    first = Run(place, base, view(place))
    with mortal_organisation(place.emulator.url, Killer()) as organisation:
        first.apply(first.plan(organisation), organisation)
    for file in ("integration.yaml", "accounts.yaml", "accounts.csv", "prices.yaml"):
        place.remove(f"chargebee-us/{file}")
    _kill_after(place, base, way, side, stride, at_least=14)


def _kill_after(
    place: Place, base: MortalChain, way: Way, side: Side, stride: int, *, at_least: int
) -> None:
    after = view(place)
    store = place.emulator.world.store
    tables = copy.deepcopy(store._tables)

    def prepare() -> Run:
        store._tables = copy.deepcopy(tables)
        return Run(place, MortalChain(list(base.links)), after)

    moments = kill_everywhere(prepare, way, side, stride)
    assert moments >= at_least
