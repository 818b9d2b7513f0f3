"""Discover, plan and apply under every way in which an organisation may keep ``configData``."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from fakes.clock import FakeClock
from fakes.connecting import environment_spec
from fakes.scene import UK, Scene, uk_set, uk_spec

from reconciler.dialect.discover import discover, document
from reconciler.emulator.running import RunningEmulator, environment
from reconciler.plan.apply import Consent
from reconciler.plan.core.guards.approval import approve
from reconciler.plan.make_plan import is_empty
from reconciler.plan.model.plan import Plan
from reconciler.settings import Settings
from reconciler.wiring.organisation import connect

WAYS = list(
    product(
        ("camel", "screaming"),
        ("keep", "drop", "reject"),
        ("none", "strings", "defaults-echoed"),
    )
)


def starter() -> Scene:
    """Git for the emulated organisation; its own settings only."""
    spec = uk_spec()
    spec["global"] = {
        "accountIds": [{"code": "acme-uk"}, {"code": "globex-uk"}],
        "integrationDisabledNotificationUsers": [{"email": "billing-oncall@example.com"}],
    }
    spec["chargebee"] |= {"useMultidecimal": True, "multiDecimalPriceDecimalPlaces": 3}
    del spec["configData"]
    scene = Scene(integrations={"uk": spec}, dialect=None)
    scene.sets = {"uk-accounts": uk_set("acme-uk", "globex-uk")}
    scene.environment["credentials"] = {"uk": {"name": "Chargebee UK (test)"}}
    return scene


def apply_all(scene: Scene) -> Plan:
    made = scene.plan()
    guards = sorted({hit.guard for hit in made.body.hits})
    approvals = tuple(approve(made, f"{guard}@{made.id}", by="x", at="t") for guard in guards)
    scene.apply(made, consent=Consent("tester", approvals, confirmed=True))
    return made


@pytest.mark.parametrize(("keys", "unknown", "normalise"), WAYS)
def test_git_arrives_and_nothing_is_left_to_do(
    emulate: Callable[..., RunningEmulator], keys: str, unknown: str, normalise: str
) -> None:
    running = emulate(
        config_keys=keys, unknown_keys=unknown, normalise=normalise, requests_per_second=0
    )
    settings = Settings.from_environment(environment(running.url))
    scene = starter()
    with connect(environment_spec(running.url), settings, clock=FakeClock()) as organisation:
        scene.organisation = organisation  # type: ignore[assignment]
        (found,) = discover(scene.effective(), organisation.integrations, scene.clock)
        made: Any = document("sandbox", found)
        scene.dialect = made["spec"]
        assert [change.type for change in apply_all(scene).body.changes] == [
            "create",
            "create",
            "create",
            "connect",
        ]
        assert is_empty(scene.plan())
        assert scene.plan(fresh=True).body.changes == ()
        chargebee = scene.integrations["uk"]["chargebee"]
        chargebee["splitUsageLineItems"] = "itemPerUsageBand"
        chargebee["priceIdMapping"] = {"AD_HOC": "adhoc-GBP"}
        del chargebee["createInvoice"]
        assert [change.type for change in apply_all(scene).body.changes] == ["update"]
        assert is_empty(scene.plan())
        live = next(
            integration
            for integration in organisation.integrations.list()
            if integration.id == scene.live_id(UK)
        )
        key = "chargebeePriceIdMapping" if keys == "camel" else "CHARGEBEE_PRICE_ID_MAPPING"
        assert live.config_data[key] == {"AD_HOC": "adhoc-GBP"}
        assert live.enabled
