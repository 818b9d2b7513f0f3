"""The budget of a plan on a large organisation, counted in real requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fakes.clock import FakeClock
from fakes.connecting import environment_spec
from fakes.scene import Scene, uk_set

from reconciler.emulator.running import RunningEmulator, environment
from reconciler.m3ter.ports import Organisation
from reconciler.plan.make_plan import is_empty
from reconciler.settings import Settings
from reconciler.wiring.organisation import connect

WARM, COLD = 55, 110
USERS = 1
"""The one look-up that this repository has no reason to make."""


@dataclass
class Connection:
    """Opens the organisation anew, so that every plan pays for its own token."""

    emulator: RunningEmulator

    def __call__(self) -> Any:
        settings = Settings.from_environment(environment(self.emulator.url))
        return connect(environment_spec(self.emulator.url), settings, clock=FakeClock())


def as_git(organisation: Organisation) -> Scene:
    """Definitions that say what the organisation has, and nothing else."""
    codes = {account.id: account.code for account in organisation.codes.all_accounts()}
    rows: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in organisation.mappings.list():
        rows[row.integration_id or "", row.table][codes[row.m3ter_id]] = row.external_id  # type: ignore[index]
    scene = Scene(integrations={}, sets={})
    scene.environment["credentials"] = {"uk": {"name": "Chargebee (test)"}}
    for number, live in enumerate(organisation.integrations.list()):
        accounts: Any = live.config_data["accountIds"]
        scene.integrations[f"i{number}"] = {
            "displayName": live.name,
            "destination": "Chargebee",
            "connection": {"credential": "uk"},
            "global": {
                "accountIds": [{"code": codes[owner]} for owner in accounts],
            },
            "entity": {"onlySendBillOnApproval": live.config_data["onlySendBillOnApproval"]},
        }
        for table in ("Customer", "Subscription"):
            spec, _ = uk_set(integration=f"i{number}", externalTable=table)
            scene.sets[f"s{number}-{table.lower()}"] = (spec, rows[live.id, table])
    return scene


def test_a_plan_of_twenty_integrations_and_ten_thousand_mappings_keeps_its_budget(
    emulate: Callable[..., RunningEmulator],
) -> None:
    opened = Connection(emulate("large", requests_per_second=0))
    with opened() as organisation:
        scene = as_git(organisation)
    assert sum(len(rows) for _, rows in scene.sets.values()) == 10_000
    with opened() as organisation:
        scene.organisation = organisation
        cold = scene.plan()
    assert {change.type for change in cold.body.changes} == {"adopt"}
    assert organisation.calls <= COLD - USERS
    with opened() as organisation:
        scene.organisation = organisation
        scene.apply(cold)
    with opened() as organisation:
        scene.organisation = organisation
        warm = scene.plan()
    assert is_empty(warm)
    assert organisation.calls <= WARM - USERS
    with opened() as organisation:
        scene.organisation = organisation
        fresh = scene.plan(fresh=True)
    assert fresh.body == warm.body
    assert organisation.calls <= COLD - USERS
