"""What is live must be one of the contents that a plan's changes pass through."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.plans import UK, connect, content, create, create_mapping, delete, update
from fakes.scene import Scene

from reconciler.kernel.address import CredentialId, FieldPath, IntegrationId, LiveId, MappingId
from reconciler.kernel.value import JsonObject
from reconciler.m3ter.live import Audit, LiveIntegration, LiveMapping
from reconciler.plan.core.comparable import live_hash
from reconciler.plan.core.still_as_planned import Met, StalePlanError, check_unchanged
from reconciler.plan.model.change import (
    Adopt,
    Change,
    ChangeId,
    ConfigurationContent,
    Connect,
    Enable,
    FieldChange,
    FieldValue,
    Keep,
    LinkById,
    LiveReference,
    MappingContent,
    Update,
)

AUDIT = Audit("k.smith", "2026-11-30T16:40:00Z")


def live(version: int = 3, credential: str | None = None, **changes: object) -> LiveIntegration:
    made = LiveIntegration(
        IntegrationId("us-1"),
        version,
        "Chargebee",
        "Bill",
        "Chargebee UK bills",
        {},
        CredentialId(credential) if credential else None,
        credential is not None,
        enabled=True,
        audit=AUDIT,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def row(**changes: object) -> LiveMapping:
    made = LiveMapping(
        MappingId("m-1"),
        1,
        "Account",
        "id-acme-uk",
        "Chargebee",
        "Subscription",
        "sub_acme-uk",
        IntegrationId("us-1"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def reference(live: LiveIntegration | LiveMapping) -> LiveReference:
    return LiveReference(LiveId(live.id), live.version, live_hash(live))


def met(
    *changes: Change,
    integrations: tuple[LiveIntegration, ...] = (),
    rows: tuple[LiveMapping, ...] = (),
) -> Met:
    return check_unchanged(changes, integrations, rows, {})


def changed(
    before: LiveIntegration, body: ConfigurationContent | None, *fields: FieldChange
) -> Update:
    return replace(update(*fields, reference=reference(before)), content=body, address=UK)


def enable(before: LiveIntegration) -> Enable:
    return Enable(
        id=ChangeId(f"enable:{UK}"),
        address=UK,
        live=reference(before),
        fields=(),
        reason="m3ter disabled it",
    )


def body(**data: str) -> ConfigurationContent:
    return content(None, **data)


def passthrough(key: str, desired: str | None) -> FieldChange:
    value = FieldValue(desired) if desired else None
    return FieldChange(FieldPath(f"configData.{key}"), "ours", None, None, value)


def test_an_object_as_planned_has_everything_ahead_of_it() -> None:
    integration = live()
    found = met(changed(integration, body(a="1")), integrations=(integration,))
    assert (found.moved, found.done, found.live) == ((), frozenset(), {UK: integration})


def test_an_object_that_an_earlier_run_changed_is_done() -> None:
    change = changed(live(), body(a="1"), passthrough("a", "1"))
    found = met(change, integrations=(live(4, config_data={"a": "1"}),))
    assert found.done == {change.id}


def test_an_object_that_someone_else_changed_is_stale_and_they_are_named() -> None:
    change = changed(live(), body(a="1"), passthrough("a", "1"))
    (moved,) = met(change, integrations=(live(4, config_data={"b": "2"}),)).moved
    assert str(moved) == f"{UK} was changed by k.smith at 2026-11-30T16:40:00Z"
    error = StalePlanError("a" * 64, "sandbox", (moved,))
    assert "plan aaaaaaaaaaaa is stale" in str(error)
    assert error.moved == (moved,)


def test_an_object_that_is_gone_is_stale_unless_it_was_to_go() -> None:
    assert [str(moved) for moved in met(changed(live(), body())).moved] == [
        f"{UK} is gone from m3ter"
    ]
    gone = met(delete())
    assert gone.moved == ()
    assert gone.done == frozenset({delete().id})


def test_what_is_to_be_made_and_is_not_there_is_ahead() -> None:
    found = met(create(), create_mapping(), connect())
    assert (found.moved, found.done, found.live) == ((), frozenset(), {})


def test_what_an_earlier_run_made_is_done_as_far_as_it_got() -> None:
    made = met(create(), create_mapping(), connect(), integrations=(live(1),))
    assert made.done == {create().id}
    mapped = met(create(), create_mapping(), connect(), integrations=(live(1),), rows=(row(),))
    assert mapped.done == {create().id, create_mapping().id}
    all_done = met(create(), connect(), integrations=(live(2, "cr-1"),))
    assert all_done.done == {create().id, connect().id}


def test_what_appeared_otherwise_or_twice_is_stale() -> None:
    (other,) = met(create(), integrations=(live(credential="another"),)).moved
    assert str(other).startswith(f"{UK} appeared in m3ter, made by k.smith")
    twin = live(id=IntegrationId("us-2"))
    (twice,) = met(create(), integrations=(live(), twin)).moved
    assert str(twice) == f"{UK} exists 2 times in m3ter"
    found = met(create(), create_mapping(), integrations=(live(),), rows=(row(external_id="x"),))
    assert [moved.address for moved in found.moved] == [create_mapping().address]


def test_a_create_without_confirmed_names_meets_nothing() -> None:
    assert met(replace(create(), content=None), integrations=(live(),)).moved == ()


def test_an_adopted_object_must_be_as_it_was() -> None:
    integration = live()
    adopt = Adopt(
        id=ChangeId(f"adopt:{UK}"),
        address=UK,
        live=reference(integration),
        fields=(),
        reason="named",
    )
    assert met(adopt, integrations=(integration,)).moved == ()
    assert met(adopt, integrations=(live(4),)).moved != ()


@pytest.mark.parametrize("version", [3, 4])
def test_an_enable_alone_is_done_when_it_is_enabled_and_nothing_else_moved(version: int) -> None:
    before = live(enabled=False)
    assert met(enable(before), integrations=(live(version),)).done == {enable(before).id}
    assert met(enable(before), integrations=(live(5),)).moved != ()
    assert met(enable(before), integrations=(live(4, enabled=False),)).moved != ()


def test_an_enable_between_others_needs_their_content() -> None:
    before = live(enabled=False)
    update_, on = changed(before, body(a="1"), passthrough("a", "1")), enable(before)
    finished = met(update_, on, integrations=(live(5, config_data={"a": "1"}),))
    assert finished.done == {update_.id, on.id}
    disabled = live(4, config_data={"a": "1"}, enabled=False)
    assert met(update_, on, integrations=(disabled,)).done == {update_.id}
    later = Connect(
        id=ChangeId(f"connect:{UK}"),
        address=UK,
        live=reference(before),
        content=content("cr-1"),
        fields=(),
        reason="on",
    )
    assert met(on, later, integrations=(live(4),)).done == {on.id}
    assert met(on, later, integrations=(live(4, name="other"),)).moved != ()
    unsaid = replace(later, content=None)
    assert met(on, unsaid, integrations=(live(4),)).done == {on.id}


def test_what_has_no_content_and_what_is_kept_decides_nothing() -> None:
    before = live(enabled=False)
    unsaid, on = changed(before, None), enable(before)
    assert met(unsaid, on, integrations=(live(4),)).done == {unsaid.id, on.id}
    kept = Keep(id=ChangeId(f"keep:{UK}"), address=UK, live=reference(before), reason="protected")
    assert met(kept, integrations=(live(7),)).moved == ()


def test_sets_of_a_modelled_setting_have_no_order() -> None:
    scene = Scene()
    made = scene.plan()
    scene.apply(made)
    found = tuple(scene.organisation.configs.values())
    rows = tuple(scene.organisation.rows.values())
    again = check_unchanged(made.body.changes, found, rows, made.body.definitions)
    assert again.done == {change.id for change in made.body.changes}


def test_a_server_may_drop_echo_and_respell_what_a_change_is_not_about() -> None:
    echoed = live(1, config_data={"echoed": "true"})
    assert met(create(), integrations=(echoed,)).done == {create().id}
    dropped = replace(create(), content=body(unknown="1"), fields=(passthrough("unknown", "1"),))
    assert met(dropped, integrations=(live(1),)).done == {dropped.id}
    sent: JsonObject = {"flag": True, "count": 3, "list": ["b", "a"], "map": {"x": None}}
    stored: JsonObject = {"flag": "true", "count": "3", "list": ["a", "b"], "map": {"x": None}}
    spelled = replace(create(), content=replace(content(), config_data=sent))
    assert met(spelled, integrations=(live(1, config_data=stored),)).done == {spelled.id}


def test_what_a_change_adds_or_removes_must_be_so() -> None:
    added = changed(live(), body(a="1"), passthrough("a", "1"))
    assert met(added, integrations=(live(4),)).moved != ()
    removed = changed(live(), body(), passthrough("a", None))
    assert met(removed, integrations=(live(4, config_data={"a": "1"}),)).moved != ()


def test_a_mapping_is_met_by_its_key_and_far_side() -> None:
    address = create_mapping().address
    body_ = MappingContent(
        "Account", "id-acme-uk", "Chargebee", "Subscription", "new", LinkById(IntegrationId("us-1"))
    )
    change = replace(
        update(reference=reference(row())), id=ChangeId("u"), address=address, content=body_
    )
    assert met(change, rows=(row(version=2, external_id="new"),)).done == {change.id}
    assert met(change, rows=(row(version=2, external_id="odd"),)).moved != ()
    unlinked = replace(change, content=replace(body_, link=None))
    found = met(unlinked, rows=(row(version=2, external_id="new", integration_id=None),))
    assert found.done == {unlinked.id}
    wrong = replace(change, content=content())
    assert met(wrong, rows=(row(version=2, external_id="odd"),)).moved != ()
    on = Enable(
        id=ChangeId("e"), address=address, live=reference(row()), fields=(), reason="no such thing"
    )
    assert met(on, rows=(row(version=2),)).moved != ()
