from __future__ import annotations

import time

import pytest

from reconciler.emulator.scenarios.catalogue import SCENARIOS, UnknownScenarioError
from reconciler.emulator.world import World


def contents(world: World) -> dict[str, list[object]]:
    return {kind: list(world.store.all(kind)) for kind in world.store.kinds()}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_depends_on_its_seed_only(name: str) -> None:
    first = contents(World(name, 4))
    assert contents(World(name, 4)) == first
    assert contents(World(name, 5)) != first


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_begins_at_its_own_time(name: str) -> None:
    assert World(name, 1, {"clock": "still"}).store.now() == SCENARIOS[name].start
    assert SCENARIOS[name].summary


def test_an_unknown_scenario_is_refused_with_the_known_names() -> None:
    with pytest.raises(UnknownScenarioError, match="starter"):
        World("beginner")


def test_starter_is_the_organisation_of_the_example() -> None:
    store = World("starter").store
    accounts = {account["code"]: account for account in store.all("m3ter/accounts")}
    assert accounts.keys() >= {
        "acme-uk",
        "globex-uk",
        "initech-uk",
        "acme-us",
        "globex-us",
        "initech-us",
        "internal-demo",
    }
    for code, account in accounts.items():
        country = "US" if code.endswith("-us") else "UK"
        assert account["address"]["country"] == account["customFields"]["country"] == country
        assert account["currency"] == {"US": "USD", "UK": "GBP"}[country]
    assert {
        integrationcredential["name"]
        for integrationcredential in store.all("m3ter/integrationcredentials")
    } >= {
        "Chargebee UK (test)",
        "Chargebee US (test)",
    }
    assert {product["code"] for product in store.all("m3ter/products")} == {"api-calls", "storage"}
    names = {integration["name"] for integration in store.all("m3ter/integrationconfigs")}
    assert not any("Chargebee" in name for name in names)
    assert any(integration["authorized"] for integration in store.all("m3ter/integrationconfigs"))


def test_starter_bills_use_its_own_catalogue() -> None:
    store = World("starter").store
    bands = {
        band["id"] for pricing in store.all("m3ter/pricings") for band in pricing["pricingBands"]
    }
    used = {
        band["pricingBandId"]
        for bill in store.all("m3ter/bills")
        for line in bill["lineItems"]
        for band in line.get("usagePerPricingBand", ())
    }
    assert used <= bands
    assert len(used) >= 6
    sent = {integrationrun["entityId"] for integrationrun in store.all("m3ter/integrationruns")}
    assert sent <= {bill["id"] for bill in store.all("m3ter/bills")}


def test_large_is_large_and_quick_to_build() -> None:
    begun = time.monotonic()
    store = World("large").store
    assert time.monotonic() - begun < 3
    count = {kind: len(store.table(kind).rows) for kind in store.kinds()}
    assert count["m3ter/integrationconfigs"] == 20
    assert count["m3ter/externalmappings"] == 10_000
    assert count["m3ter/accounts"] == 5_000


def test_large_spells_its_keys_by_the_switch() -> None:
    store = World("large", 1, {"config_keys": "screaming"}).store
    config = next(store.all("m3ter/integrationconfigs"))
    assert len(config["configData"]["ACCOUNT_IDS"]) == 250
