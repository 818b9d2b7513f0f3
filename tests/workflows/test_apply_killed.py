"""An apply that is ended at any request, and run again, leaves what one apply leaves."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from fakes.clock import FakeClock
from fakes.killer import Killed, Killer, MortalChain, Side, mortal_organisation
from fakes.place import Place
from fakes.state import MemoryLock

from reconciler.core.approval import approve
from reconciler.domain.definitions import Effective
from reconciler.domain.plan import Plan
from reconciler.emulator.running import RunningEmulator
from reconciler.ports.organisation import Organisation
from reconciler.render.progress import SilentProgress
from reconciler.settings import Settings
from reconciler.wiring.desk import open_desk
from reconciler.workflows.apply import ApplyPorts, Consent, apply
from reconciler.workflows.plan import PlanPorts, Source, is_empty, plan

Way = Literal["saved plan", "new plan"]
UK, US = "Chargebee UK bills", "Chargebee US bills"
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


@dataclass
class Run:
    """A place, a chain and what git wants; commands without a command line."""

    place: Place
    chain: MortalChain
    wanted: Effective

    def plan(self, organisation: Organisation) -> Plan:
        return plan(
            self.wanted,
            self.chain.head("sandbox"),
            Source("test"),
            PlanPorts(organisation, FakeClock(), SilentProgress()),
        )

    def apply(self, made: Plan, organisation: Organisation) -> None:
        guards = {one.guard for one in made.body.hits if one.needs == "approval"}
        given = tuple(approve(made, f"{one}@{made.id}", by="x", at="now") for one in guards)
        ports = ApplyPorts(organisation, self.chain, MemoryLock(), FakeClock(NOW), SilentProgress())
        apply(made, Consent("tester", given, confirmed=True), ports)

    def killed_and_run_again(self, made: Plan, killer: Killer, way: Way) -> None:
        """Apply with a killer around, then once more without."""
        self.chain.killer = killer
        with suppress(Killed), mortal_organisation(self.place.emulator.url, killer) as mortal:
            self.apply(made, mortal)
        self.chain.killer = Killer()
        with mortal_organisation(self.place.emulator.url, Killer()) as organisation:
            self.apply(made if way == "saved plan" else self.plan(organisation), organisation)
            assert is_empty(self.plan(organisation))


def view(place: Place) -> Effective:
    settings = Settings.from_environment(place.environ)
    desk = open_desk(place.folder, "sandbox", place.environ, settings, progress=SilentProgress())
    return desk.effective


def outcome(place: Place) -> tuple[Any, ...]:
    """Everything live without ids and versions."""
    configs = {one["id"]: one for one in place.configs()}
    names = {key: one.get("name") for key, one in configs.items()}
    return (
        Counter(
            (
                one.get("name"),
                one.get("integrationCredentialsId") is not None,
                one.get("enabled"),
                repr(sorted(one["configData"].items())),
            )
            for one in configs.values()
        ),
        Counter(
            (
                one["m3terEntity"],
                one["m3terId"],
                one["externalTable"],
                one["externalId"],
                names.get(one.get("integrationConfigId", "")),
            )
            for one in place.mappings()
        ),
    )


def kill_everywhere(prepare: Callable[[], Run], way: Way, side: Side) -> int:
    """Kill at the first moment, then at the second, until a run lives to its end."""
    expected: Any = None
    for at in range(10_000):
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
    place: Place, way: Way, side: Side
) -> None:
    wanted = view(place)

    def prepare() -> Run:
        place.emulator.world.reset()
        return Run(place, MortalChain(), wanted)

    moments = kill_everywhere(prepare, way, side)
    assert moments >= 14 + 2


@pytest.mark.parametrize("side", ["before", "after"])
def test_what_a_killed_apply_made_needs_no_explicit_adoption(place: Place, side: Side) -> None:
    place.edit("project.yaml", "adoption: by-name ", "adoption: explicit ")
    wanted = view(place)

    def prepare() -> Run:
        place.emulator.world.reset()
        return Run(place, MortalChain(), wanted)

    kill_everywhere(prepare, "new plan", side)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("way", ["saved plan", "new plan"])
def test_a_mixed_apply_killed_at_any_request_converges_without_duplicates(
    place: Place, way: Way, side: Side
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
    _kill_after(place, base, way, side, at_least=12)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("way", ["saved plan", "new plan"])
def test_taking_an_integration_down_killed_at_any_request_converges(
    place: Place, way: Way, side: Side
) -> None:
    place.edit("project.yaml", "prune: confirm ", "prune: allow ")
    base = MortalChain()
    first = Run(place, base, view(place))
    with mortal_organisation(place.emulator.url, Killer()) as organisation:
        first.apply(first.plan(organisation), organisation)
    for file in ("integration.yaml", "accounts.yaml", "accounts.csv", "prices.yaml"):
        place.remove(f"chargebee-us/{file}")
    _kill_after(place, base, way, side, at_least=7)


def _kill_after(place: Place, base: MortalChain, way: Way, side: Side, at_least: int) -> None:
    after = view(place)
    store = place.emulator.world.store
    tables = copy.deepcopy(store._tables)

    def prepare() -> Run:
        store._tables = copy.deepcopy(tables)
        return Run(place, MortalChain(list(base.links)), after)

    moments = kill_everywhere(prepare, way, side)
    assert moments >= at_least
