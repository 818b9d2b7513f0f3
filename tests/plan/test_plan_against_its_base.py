"""Whose change is it: of this proposal, merged before and not applied, or made in the Console."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.place import Place

from reconciler.emulator.running import RunningEmulator
from reconciler.plan.against import CausedPlan, plan_against
from reconciler.plan.model.cause import Cause
from reconciler.plan.model.plan import Plan
from reconciler.settings import Settings
from reconciler.wiring.desk import open_desk

UK = "chargebee-uk/integration.yaml"


@pytest.fixture
def place(emulate: Callable[..., RunningEmulator], tmp_path: Path) -> Place:
    made = Place(tmp_path / "proposal", emulate(requests_per_second=0))
    made.patch_sandbox()
    made.discover()
    made.apply()
    return made


def branch(place: Place) -> None:
    """Remember how the base branch stands."""
    shutil.copytree(place.folder, place.folder.parent / "base", dirs_exist_ok=True)


def caused(place: Place) -> CausedPlan:
    from fakes.place import _silent

    settings = Settings.from_environment(place.environ)
    desk = open_desk(place.folder, "sandbox", place.environ, settings, progress=_silent())
    with desk.organisation() as organisation:
        return plan_against(
            desk.effective,
            desk.base(place.folder.parent / "base"),
            desk.chain.head("sandbox"),
            desk.made_from,
            desk.plan_ports(organisation),
        )


def causes(made: CausedPlan) -> dict[str, Cause]:
    return {change.id: made.causes.of_change(change.id) for change in made.plan.body.changes}


def guards(made: CausedPlan) -> dict[tuple[str, str], Cause]:
    plan: Plan = made.plan
    return {(hit.guard, hit.field): made.causes.of_item(hit.digest) for hit in plan.body.hits}


def test_each_change_has_its_cause(place: Place) -> None:
    place.user_edit(place.config("Chargebee US bills")["id"], name="edited in the Console")
    place.edit("project.yaml", "onDrift: approve", "onDrift: revert")
    place.edit(UK, "usage-other-GBP", "usage-else-GBP")
    branch(place)
    assert set(causes(caused(place)).values()) == {"waiting", "drift"}
    place.edit("project.yaml", "prune: confirm", "prune: allow")
    found = caused(place)
    assert guards(found)["policy", "project.onDrift"] == "waiting"
    assert guards(found)["policy", "project.prune"] == "proposal"
    assert guards(found)["drift", "displayName"] == "drift"
    place.edit(UK, "Chargebee UK bills", "Chargebee UK")
    assert set(causes(caused(place)).values()) == {"proposal", "drift"}


def test_the_base_costs_no_call_more(place: Place) -> None:
    place.edit(UK, "usage-other-GBP", "usage-else-GBP")
    place.forget()
    place.run("plan", "--env", "sandbox")
    alone = len(place.requests())
    branch(place)
    place.edit(UK, "usage-else-GBP", "usage-more-GBP")
    place.forget()
    ran = place.run("plan", "--env", "sandbox", "--against", str(place.folder.parent / "base"))
    assert len(place.requests()) == alone
    assert "1 change of this proposal, 0 waiting on the base branch, 0 of drift" in ran.err


def test_a_base_with_errors_leaves_everything_to_the_proposal(place: Place) -> None:
    place.edit(UK, "usage-other-GBP", "usage-else-GBP")
    branch(place)
    (place.folder.parent / "base/integrations.d/project.yaml").write_text("kind: Nothing\n")
    assert set(causes(caused(place)).values()) == {"proposal"}
