"""Bindings after an apply that went only so far."""

from __future__ import annotations

from fakes.scene import UK, Scene, mapping

from reconciler.plan.core.bindings import bindings_after
from reconciler.plan.model.applied import Already, ChangeOutcome, Failed, Receipt


def test_a_change_whose_object_was_not_seen_binds_nothing() -> None:
    plan = Scene().plan()
    outcomes = tuple(
        ChangeOutcome(change.id, change.address, Already(None)) for change in plan.body.changes
    )
    assert bindings_after(plan, (), Receipt(plan.id, "", "", outcomes), {}) == ()


def test_what_failed_leaves_the_binding_as_it_was() -> None:
    scene = Scene()
    scene.apply()
    head = scene.head()
    assert head is not None
    scene.organisation.set_key(scene.live_id(UK), "chargebeeCreateInvoice", False)
    plan = scene.plan()
    outcomes = tuple(
        ChangeOutcome(change.id, change.address, Failed("no")) for change in plan.body.changes
    )
    after = bindings_after(plan, head.bindings, Receipt(plan.id, "", "", outcomes), {})
    assert after == head.bindings


def test_protection_is_remembered_for_the_time_after_git() -> None:
    scene = Scene()
    scene.integrations["uk"]["protect"] = True
    scene.apply()
    head = scene.head()
    assert head is not None
    assert {binding.address: binding.protect for binding in head.bindings} == {
        UK: True,
        mapping("acme"): False,
        mapping("globex"): False,
    }
    scene.integrations.clear()
    scene.sets.clear()
    plan = scene.plan()
    outcomes = tuple(
        ChangeOutcome(change.id, change.address, Failed("no")) for change in plan.body.changes
    )
    after = bindings_after(plan, head.bindings, Receipt(plan.id, "", "", outcomes), {})
    assert after == head.bindings
