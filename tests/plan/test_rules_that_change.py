"""Rules that change are items of a plan, and what judges them is what was applied before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.place import Place
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.emulator.running import RunningEmulator
from reconciler.errors import ExitCode
from reconciler.plan.core.guards.policy import Policy, in_force, policy


@pytest.fixture
def place(emulate: Callable[..., RunningEmulator], tmp_path: Path) -> Place:
    made = Place(tmp_path, emulate(requests_per_second=0))
    made.patch_sandbox()
    made.discover()
    made.apply()
    return made


def held(place: Place) -> str:
    """Plan and apply what is there; it must be held for an approval, and say why."""
    path = place.plan()
    ran = place.run("apply", path, "--yes")
    assert ran.code == ExitCode.NEEDS_APPROVAL, ran
    return ran.err


def test_a_plan_that_only_removes_approvers_is_not_empty(place: Place) -> None:
    place.patch_sandbox(protected=True)
    assert "`environment.protected` would change" in held(place)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("github: [acme/finance-team]", "github: [acme/interns]", "project.approvers"),
        ("sortLineItemsBy]", "sortLineItemsBy, defaultPriceId]", "project.guards.routineFields"),
        ("prune: confirm", "prune: allow", "project.prune"),
        ("onDrift: approve", "onDrift: revert", "project.onDrift"),
    ],
)
def test_a_rule_that_gets_weaker_is_an_item_in_a_protected_place(
    place: Place, old: str, new: str, rule: str
) -> None:
    place.patch_sandbox(protected=True)
    plan_id = place.plan_document_id()
    assert place.run("apply", place.plan(), "--approve", f"policy@{plan_id}").code == 0
    place.edit("project.yaml", old, new)
    assert f"the rule `{rule}` would change" in held(place)


def test_protection_that_is_taken_away_is_judged_while_it_holds(place: Place) -> None:
    place.patch_sandbox(protected=True)
    assert (
        place.run("apply", place.plan(), "--approve", f"policy@{place.plan_document_id()}").code
        == 0
    )
    place.patch_sandbox()
    place.edit("chargebee-uk/integration.yaml", "usage-other-GBP", "usage-else-GBP")
    told = held(place)
    assert "`environment.protected` would change" in told
    assert "sensitive-field" in told


def test_a_freeze_holds_no_rule_that_changes(place: Place) -> None:
    window = {"from": "2020-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z", "reason": "year end"}
    place.patch_sandbox(freeze=[window])
    assert place.run("apply", "--env", "sandbox", "--yes").code == 0
    place.edit(
        "chargebee-uk/integration.yaml", "displayName: Chargebee UK bills", "displayName: UK"
    )
    assert "frozen" in held(place)


def test_a_default_that_is_written_out_changes_nothing(place: Place) -> None:
    place.patch_sandbox(fallback="warn", freeze=[])
    assert place.is_in_sync()


RULES = st.builds(
    lambda **given: Policy(
        ProjectSpec.model_validate(
            {"prune": given["prune"], "adoption": "by-name", "onDrift": given["drift"],
             "guards": {"routineFields": given["routine"], "maxDeletes": {"count": given["count"]}}},
            strict=False,
        ),
        EnvironmentSpec.model_validate(
            {"protected": given["protected"], "m3ter": {
                "organizationId": "11111111-1111-4111-8111-111111111111",
                "accessKey": {"env": "A"}, "apiSecret": {"env": "B"}}},
            strict=False,
        ),
    ),
    prune=st.sampled_from(["never", "confirm", "allow"]),
    drift=st.sampled_from(["approve", "revert"]),
    routine=st.lists(st.sampled_from(["displayName", "defaultPriceId"]), max_size=2),
    count=st.integers(0, 50),
    protected=st.booleans(),
)  # fmt: skip


@given(RULES, RULES)
def test_a_proposal_never_weakens_what_judges_it(applied: Policy, wanted: Policy) -> None:
    judging = in_force(applied, wanted)
    assert judging.environment.protected >= applied.environment.protected
    assert judging.project.guards == applied.project.guards
    assert judging.project.approvers == applied.project.approvers
    assert judging.project.on_drift == applied.project.on_drift
    assert judging.project.prune != "allow" or applied.project.prune == "allow"
    changed = list(policy(applied, wanted))
    assert bool(changed) == (applied != wanted)
    if judging.environment.protected:
        assert {hit.needs for hit in changed} <= {"approval"}
