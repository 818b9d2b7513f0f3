"""Discover: from the organisation's options to documents that the plan accepts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from fakes.clock import FakeClock
from fakes.connecting import environment_spec
from fakes.organisation import FakeIntegrations
from fakes.scene import KEYS, Scene

from reconciler.definitions.core.settings import BY_PATH, SETTINGS
from reconciler.definitions.kinds.dialect import Dialect
from reconciler.dialect.core.published import candidates
from reconciler.dialect.discover import discover, document
from reconciler.emulator.running import RunningEmulator, environment
from reconciler.kernel.address import FieldPath
from reconciler.plan.make_plan import is_empty
from reconciler.settings import Settings
from reconciler.wiring.organisation import connect


def published(style: int) -> dict[str, Any]:
    """What an organisation publishes: camelCase or SCREAMING_SNAKE keys."""

    def option(path: str) -> dict[str, Any]:
        setting = BY_PATH[FieldPath(path)]
        listed = [candidates_of(choice) for choice in setting.choices]
        return {
            "key": candidates(setting)[style],
            "label": setting.label,
            "options": [{"id": text, "label": text} for text in listed],
        }

    def panel(name: str) -> list[dict[str, Any]]:
        return [option(setting.path) for setting in SETTINGS if setting.panel == name]

    place = {
        "destination": "Chargebee",
        "apiName": "CHARGEBEE",
        "destinationConfigOptions": panel("chargebee"),
    }
    return {
        "globalConfigurationOptions": panel("global"),
        "supportedEntities": {
            "Bill": {"entityConfigurationOptions": panel("entity"), "destinations": [place]}
        },
    }


def candidates_of(word: str) -> str:
    return "".join(f"_{text}" if text.isupper() else text for text in word).upper()


@pytest.mark.parametrize("style", [0, 1])
def test_a_discovered_dialect_is_enough_to_plan_and_apply(style: int) -> None:
    scene = Scene()
    scene.dialect = None
    scene.organisation.known["Chargebee", "Bill"] = published(style)
    (found,) = discover(scene.effective(), scene.organisation.integrations, scene.clock)
    assert found.findings == ()
    made: Any = document("sandbox", found)
    assert made["metadata"] == {"name": "chargebee-sandbox"}
    Dialect.model_validate(made, strict=False)
    scene.dialect = made["spec"]
    assert scene.organisation.writes == []
    scene.apply()
    assert is_empty(scene.plan())


def test_the_wrong_dialect_writes_nothing_over_what_is_there() -> None:
    scene = Scene()
    scene.apply()
    scene.organisation.writes.clear()
    scene.organisation.known["Chargebee", "Bill"] = published(1)
    (found,) = discover(scene.effective(), scene.organisation.integrations, scene.clock)
    made: Any = document("sandbox", found)
    scene.dialect = made["spec"]
    plan = scene.plan()
    assert [str(unplanned.address) for unplanned in plan.body.unplanned] == ["integration/uk"]
    assert "looks like" in plan.body.unplanned[0].message
    assert {finding.kind for finding in found.findings} == {"changed"}


def test_without_definitions_it_looks_for_chargebee_bills() -> None:
    scene = Scene(integrations={}, sets={})
    (found,) = discover(scene.effective(), scene.organisation.integrations, scene.clock)
    assert (found.destination, found.entity_type, found.spec) == ("Chargebee", "Bill", None)
    assert document("sandbox", found) is None


def test_other_destinations_are_named_by_what_they_send() -> None:
    scene = Scene()
    scene.organisation.known["stripe", "Account_Sync"] = {
        "supportedEntities": {"Account_Sync": {"destinations": [{"destination": "stripe"}]}}
    }
    (found,) = discover(
        scene.effective(),
        scene.organisation.integrations,
        scene.clock,
        [("Stripe", "Account_Sync")],
    )
    made: Any = document("sandbox", found)
    assert made["metadata"]["name"] == "stripe-account-sync-sandbox"
    assert made["spec"]["wireNames"] == {"destination": "stripe", "entityType": "Account_Sync"}


@pytest.mark.parametrize("shape", ["key", "name"])
@pytest.mark.parametrize(("keys", "number"), [("camel", 0), ("screaming", 1)])
def test_the_emulated_organisation_is_understood(
    emulate: Callable[..., RunningEmulator], shape: str, keys: str, number: int
) -> None:
    running = emulate(config_keys=keys, config_setting_shape=shape)
    settings = Settings.from_environment(environment(running.url))
    with connect(environment_spec(running.url), settings, clock=FakeClock()) as organisation:
        (found,) = discover(Scene().effective(), organisation.integrations, FakeClock())
    spec: Any = found.spec
    assert spec["keys"] == {setting.path: candidates(setting)[number] for setting in SETTINGS}
    assert len(spec["keys"]) == len(KEYS)


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        ({"identifier": "CHARGEBEE"}, "CHARGEBEE"),
        ({"identifier": "sys-7", "displayName": "Chargebee"}, "sys-7"),
        ({"displayName": "chargebee"}, "chargebee"),
        ({"identifier": 7, "displayName": "Stripe"}, "Chargebee"),
    ],
)
def test_a_system_is_asked_for_as_the_organisation_spells_it(
    listed: dict[str, Any], asked: str
) -> None:
    @dataclass
    class Listing(FakeIntegrations):
        def systems(self, entity_type: str) -> tuple[dict[str, Any], ...]:
            return (listed,)

    scene = Scene()
    scene.organisation.known[asked, "Bill"] = published(0)
    (found,) = discover(scene.effective(), Listing(scene.organisation), scene.clock)
    assert found.spec is not None
