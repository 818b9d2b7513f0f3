"""A plan is applied once and completely; a second time nothing is sent."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from fakes.place import Place

from reconciler.emulator.running import RunningEmulator
from reconciler.errors import ExitCode

SPELLINGS = [
    {"config_keys": keys, "unknown_keys": unknown, "normalise": normalise}
    for keys, unknown, normalise in itertools.product(
        ("camel", "screaming"), ("keep", "drop", "reject"), ("none", "strings", "defaults-echoed")
    )
]


def test_a_second_apply_writes_nothing_and_the_plan_after_an_apply_is_empty(
    applied: Place,
) -> None:
    assert applied.is_in_sync()
    again = applied.run("apply", "--env", "sandbox", "--yes")
    assert (again.code, applied.writes()) == (0, [])
    assert again.out.endswith("sandbox is as git says; nothing was sent to m3ter.\n")


def test_a_first_apply_creates_disconnected_maps_and_connects_last(place: Place) -> None:
    path = place.plan()
    ran = place.run("apply", path, "--yes")
    assert ran.code == 0
    methods = [(method, path.split("/")[1]) for method, path in place.writes()]
    assert methods == [
        *[("POST", "integrationconfigs")] * 2,
        *[("POST", "externalmappings")] * 10,
        *[("PUT", "integrationconfigs")] * 2,
    ]
    ours = [place.config(f"Chargebee {literal} bills") for literal in ("UK", "US")]
    assert all(entry["integrationCredentialsId"] for entry in ours)


def test_the_same_saved_plan_twice_writes_once(place: Place) -> None:
    path = place.plan()
    assert place.run("apply", path, "--yes").code == 0
    place.forget()
    again = place.run("apply", path, "--yes")
    assert (again.code, place.writes()) == (0, [])
    assert "14 already as desired of 14 changes" in again.out
    records = list(place.state().records("sandbox"))
    assert [record.action for record in records] == ["apply", "apply-started"]


def test_what_this_repository_does_not_manage_is_not_touched(applied: Place) -> None:
    store = applied.emulator.world.store
    strangers = [
        integration
        for integration in store.all("m3ter/integrationconfigs")
        if integration["version"] == 1
    ]
    assert "Stripe internal bills" in {stranger["name"] for stranger in strangers}
    assert any(mapping["externalSystem"] == "Stripe" for mapping in applied.mappings())


@pytest.mark.parametrize("switches", SPELLINGS, ids=lambda entry: "-".join(entry.values()))
def test_every_spelling_of_the_server_is_applied_once_and_stays(
    make_place: Callable[..., Place], switches: dict[str, str]
) -> None:
    place = make_place(**switches)
    place.discover()
    path = place.plan()
    first = place.run("apply", path, "--yes")
    assert first.code == 0, first
    assert place.is_in_sync()
    place.forget()
    assert place.run("apply", "--env", "sandbox", "--yes").code == 0
    assert place.run("apply", path, "--yes").code == 0
    assert place.writes() == []


@pytest.mark.parametrize("switches", SPELLINGS, ids=lambda entry: "-".join(entry.values()))
def test_every_spelling_survives_an_edit_in_git_and_one_in_the_console(
    make_place: Callable[..., Place], switches: dict[str, str]
) -> None:
    place = make_place(**switches)
    place.discover()
    place.apply()
    key = next(
        candidate
        for candidate in place.config("Chargebee UK bills")["configData"]
        if "efault" in candidate.lower()
    )
    place.user_edit(place.config("Chargebee UK bills")["id"], configData={key: "other-GBP"})
    assert place.run("drift", "--env", "sandbox", "--exit-code").code == ExitCode.ONLY_DRIFT
    place.edit(
        "chargebee-uk/integration.yaml",
        "splitUsageLineItems: itemPerProduct",
        "splitUsageLineItems: itemPerUsageBand",
    )
    place.edit(
        "chargebee-uk/integration.yaml",
        "minimumSpendItemPrice: min-spend-GBP",
        "minimumSpendItemPrice: min-GBP",
    )
    ran = place.run("plan", "--env", "sandbox", "--exit-code")
    assert ran.code == ExitCode.BOTH_MOVED
    place.apply()
    assert place.is_in_sync()
    data = place.config("Chargebee UK bills")["configData"]
    assert data[key] == "usage-other-GBP"


@pytest.mark.parametrize("style", ["camel", "screaming"])
def test_a_dialect_of_another_organisation_writes_nothing(
    make_place: Callable[..., Place], emulate: Callable[..., RunningEmulator], style: str
) -> None:
    place = make_place(config_keys=style)
    _discover_elsewhere(place, emulate, style)
    path = place.plan()
    ran = place.run("apply", path, "--yes")
    assert (ran.code, place.writes()) == (ExitCode.NEEDS_APPROVAL, [])
    assert "`global.accountIds` is `" in ran.err
    assert "reconciler discover --env sandbox" in ran.err
    assert place.state().head("sandbox") is None


@pytest.mark.parametrize("style", ["camel", "screaming"])
def test_a_dialect_that_turns_wrong_writes_nothing_to_what_is_live(
    make_place: Callable[..., Place], emulate: Callable[..., RunningEmulator], style: str
) -> None:
    place = make_place(config_keys=style)
    place.discover()
    place.apply()
    _discover_elsewhere(place, emulate, style)
    place.forget()
    ran = place.run("apply", "--env", "sandbox", "--yes")
    assert (ran.code, place.writes()) == (ExitCode.INVALID, [])
    assert "looks like" in ran.out


def _discover_elsewhere(place: Place, emulate: Callable[..., RunningEmulator], style: str) -> None:
    other = {"camel": "screaming", "screaming": "camel"}[style]
    mine, place.emulator = place.emulator, emulate(config_keys=other)
    place.discover()
    place.emulator = mine


def test_without_a_dialect_nothing_is_written_and_nobody_can_approve_it(
    make_place: Callable[..., Place],
) -> None:
    place = make_place()
    path = place.plan()
    ran = place.run("apply", path, "--yes")
    assert (ran.code, place.writes()) == (ExitCode.NEEDS_APPROVAL, [])
    assert "reconciler discover" in ran.err
    plan_id = place.plan_document()["id"]
    refused = place.run("apply", path, "--yes", "--approve", f"dialect@{plan_id}")
    assert (refused.code, place.writes()) == (ExitCode.INVALID, [])
