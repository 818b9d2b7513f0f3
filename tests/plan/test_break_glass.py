"""The one recorded way past a review: by guard and plan as ever, with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes.place import Place
from fakes.scene import Scene

from reconciler.emulator.running import RunningEmulator
from reconciler.errors import ExitCode
from reconciler.plan.consent import ReviewNeededError, consent
from reconciler.plan.core.break_glass import lately
from reconciler.plan.model.plan import Approval, Plan

NOW = datetime(2026, 12, 1, 6, tzinfo=UTC)
RULES = [{"guards": ["sensitive-field"], "github": ["acme/finance"]}]


def guarded() -> tuple[Scene, Plan]:
    scene = Scene()
    scene.project |= {"approvers": RULES, "state": {"backend": "git-branch"}}
    scene.apply()
    scene.environment["protected"] = True
    scene.integrations["uk"]["chargebee"] = {"defaultPriceId": "dearer"}
    return scene, scene.plan()


def given(scene: Scene, plan: Plan, **about: str) -> tuple[Approval, ...]:
    return consent(
        plan,
        [f"{plan.body.hits[0].guard}@{plan.id}"],
        effective=scene.effective(),
        head=scene.head(),
        actor="tester",
        now=NOW,
        saved=True,
        **about,
    ).approvals


def test_who_types_an_approval_is_not_believed_where_reviews_decide() -> None:
    scene, plan = guarded()
    with pytest.raises(ReviewNeededError, match="in a review of the pull request"):
        given(scene, plan)


def test_breaking_the_glass_is_recorded_with_its_reason() -> None:
    (approval,) = given(*guarded(), break_glass="billing is down")
    assert (approval.forge, approval.by, approval.reason) == (
        "break-glass",
        "tester",
        "billing is down",
    )


@pytest.mark.parametrize("rule", [{"approvers": []}, {"state": {"backend": "directory"}}])
def test_without_approvers_or_a_shared_state_the_command_line_approves(
    rule: dict[str, object],
) -> None:
    scene, plan = guarded()
    scene.project |= rule
    scene.organisation.writes.clear()
    head = scene.head()
    assert head is not None
    fresh = replace(head, definitions={})
    assert consent(
        plan, [f"{plan.body.hits[0].guard}@{plan.id}"], effective=scene.effective(), head=fresh,
        actor="tester", now=NOW, saved=True,
    ).approvals  # fmt: skip


def test_it_is_told_of_for_thirty_days() -> None:
    scene, plan = guarded()
    head = scene.head()
    assert head is not None
    (approval,) = given(scene, plan, break_glass="billing is down")
    broken = replace(head, at="2026-12-01T06:00:00Z", approvals=(approval,))
    assert list(lately([broken, broken], NOW)) == [approval]
    assert list(lately([broken], datetime(2027, 1, 1, tzinfo=UTC))) == []


def test_status_shows_it(emulate: Callable[..., RunningEmulator], tmp_path: Path) -> None:
    place = Place(tmp_path, emulate(requests_per_second=0))
    place.patch_sandbox()
    place.discover()
    place.apply()
    place.patch_sandbox(protected=True)
    approval = ("--approve", f"policy@{place.plan_document_id()}")
    path = place.plan()
    assert place.run("apply", path, *approval, "--break-glass").code == ExitCode.INVALID
    ran = place.run("apply", path, *approval, "--break-glass", "--reason", "an emergency")
    assert ran.code == 0, ran
    told = place.run("status", "--env", "sandbox").out
    assert "break-glass: policy approved by tester" in told
    assert "no review: an emergency" in told
