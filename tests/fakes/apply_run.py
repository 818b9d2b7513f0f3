"""Plan and apply as workflows at a place, over HTTP, with a clock that waits for nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from fakes.clock import FakeClock
from fakes.killer import Killed, Killer, MortalChain, mortal_organisation
from fakes.place import Place
from fakes.state import MemoryLock

from reconciler.cli.progress import SilentProgress
from reconciler.definitions.model import Effective
from reconciler.m3ter.ports import Organisation
from reconciler.plan.apply import ApplyPorts, Consent, apply
from reconciler.plan.core.guards.approval import approve
from reconciler.plan.make_plan import PlanPorts, PlanSource, is_empty, plan
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.plan import Plan
from reconciler.settings import Settings
from reconciler.wiring.desk import open_desk

Way = Literal["saved plan", "new plan"]
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


@dataclass
class Run:
    """A place, a chain and what git wants; commands without a command line."""

    place: Place
    chain: MortalChain
    wanted: Effective
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))

    def plan(self, organisation: Organisation) -> Plan:
        return plan(
            self.wanted,
            self.chain.head("sandbox"),
            PlanSource("test"),
            PlanPorts(organisation, self.clock, SilentProgress()),
        )

    def apply(
        self,
        made: Plan,
        organisation: Organisation,
        stopped: Callable[[], bool] = lambda: False,
    ) -> AppliedRecord:
        guards = {hit.guard for hit in made.body.hits if hit.needs == "approval"}
        given = tuple(approve(made, f"{guard}@{made.id}", by="x", at="now") for guard in guards)
        ports = ApplyPorts(organisation, self.chain, MemoryLock(), self.clock, SilentProgress())
        return apply(made, Consent("tester", given, confirmed=True), ports, stopped)

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
    configs = {config["id"]: config for config in place.configs()}
    names = {key: config.get("name") for key, config in configs.items()}
    return (
        Counter(
            (
                config.get("name"),
                config.get("integrationCredentialsId") is not None,
                config.get("enabled"),
                repr(sorted(config["configData"].items())),
            )
            for config in configs.values()
        ),
        Counter(
            (
                mapping["m3terEntity"],
                mapping["m3terId"],
                mapping["externalTable"],
                mapping["externalId"],
                names.get(mapping.get("integrationConfigId", "")),
            )
            for mapping in place.mappings()
        ),
    )
