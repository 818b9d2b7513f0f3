"""Plan and apply together, over an organisation in memory."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.organisation import BOT, user
from fakes.scene import UK, US, Scene, mapping, uk_set, uk_spec

from reconciler.cli.progress import SilentProgress
from reconciler.errors import ExitCode
from reconciler.importing.core.move_base import NoSuchFieldError, NotBoundError, SignedBy, move_base
from reconciler.kernel.address import FieldPath, IntegrationId, MappingId
from reconciler.kernel.value import JsonObject
from reconciler.m3ter.ports import RefusedError
from reconciler.plan.apply import Consent
from reconciler.plan.compare import compare
from reconciler.plan.core.guards.approval import NeedsApprovalError, approve
from reconciler.plan.make_plan import PlanPorts, PlanSource, exit_code_of_plan, is_empty, plan
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.change import Update
from reconciler.plan.model.plan import Plan


def ids(plan: Plan) -> list[str]:
    return [change.id for change in plan.body.changes]


def guards(plan: Plan) -> list[tuple[str, str, str]]:
    return [(hit.guard, str(hit.address or ""), hit.field) for hit in plan.body.hits]


def verdicts(plan: Plan) -> dict[str, str]:
    return {
        field.path: field.verdict
        for change in plan.body.changes
        if isinstance(change, Update)
        for field in change.fields
        if field.verdict != "same"
    }


def applied(**rules: str) -> Scene:
    scene = Scene()
    scene.project |= rules
    scene.apply()
    scene.organisation.writes.clear()
    return scene


def apply_all(scene: Scene) -> AppliedRecord:
    """Apply with every approval that the plan asks for."""
    made = scene.plan()
    asked = sorted({hit.guard for hit in made.body.hits if hit.needs != "remedy"})
    approvals = tuple(
        approve(made, f"{literal}@{made.id}", by="finance", at="2026-12-01T06:00:00Z")
        for literal in asked
    )
    return scene.apply(made, consent=Consent("tester", approvals, confirmed=True))


def live_data(scene: Scene) -> JsonObject:
    return scene.organisation.configs[IntegrationId(scene.live_id(UK))].config_data


def test_a_first_apply_creates_disconnected_maps_and_connects_last() -> None:
    scene = Scene()
    made = scene.plan()
    assert ids(made) == [
        "create:integration/uk",
        "create:mapping/uk-accounts/acme",
        "create:mapping/uk-accounts/globex",
        "connect:integration/uk",
    ]
    assert guards(made) == [("sensitive-field", "integration/uk", "connection")]
    assert exit_code_of_plan(made) is ExitCode.GIT_AHEAD
    scene.apply(made)
    verbs = [" ".join(text.split()[:2]) for text in scene.organisation.writes]
    assert verbs[0] == "create integration"
    assert verbs[1:3] == ["create mapping"] * 2
    assert verbs[3] == "update integration"
    live = next(iter(scene.organisation.configs.values()))
    assert live.credential_id == "credential-Chargebee UK"
    assert live.config_data == {
        "accountIds": ["account-acme", "account-globex"],
        "integrationDisabledNotificationUsers": ["user-oncall@example.com"],
        "onlySendBillOnApproval": True,
        "excludedLineItemTypes": ["AD_HOC"],
        "chargebeeCreateInvoice": True,
        "splitUsageLineItems": "ITEM_PER_PRODUCT",
        "chargebeePriceIdMapping": {"USAGE": "usage-GBP"},
        "somethingElse": 1,
    }


def test_the_plan_after_an_apply_is_empty_and_a_second_apply_writes_nothing() -> None:
    scene = applied()
    again = scene.plan()
    assert is_empty(again)
    assert exit_code_of_plan(again) is ExitCode.DONE
    scene.apply(again)
    assert scene.organisation.writes == []
    assert scene.live_id(UK)
    assert scene.live_id(mapping("acme"))


def test_equal_inputs_give_one_plan() -> None:
    assert Scene().plan().id == Scene().plan().id


STORES: dict[str, Any] = {
    "strings": lambda data: {key: _texts(value) for key, value in data.items()},
    "defaults echoed": lambda data: {
        "splitUsageLineItems": "ITEM_PER_USAGE_BAND",
        "sortLineItemsBy": "NONE",
        "chargebeeUseMultidecimal": False,
        "chargebeePriceIdMapping": {"AD_HOC": "default-GBP"},
        **data,
    },
    "unknown keys dropped": lambda data: {
        key: value for key, value in data.items() if key != "somethingElse"
    },
    "lists reversed": lambda data: {
        key: value[::-1] if isinstance(value, list) else value for key, value in data.items()
    },
}


@pytest.mark.parametrize("store", STORES.values(), ids=list(STORES))
def test_a_server_with_its_own_spelling_causes_no_drift(store: Any) -> None:
    scene = Scene()
    del scene.integrations["uk"]["chargebee"]
    scene.integrations["uk"]["chargebee"] = {"multiDecimalPriceDecimalPlaces": 3}
    scene.organisation.store = store
    scene.apply()
    assert is_empty(scene.plan())
    assert is_empty(scene.plan(fresh=True))


def _texts(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _texts(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_texts(value) for value in node]
    return str(node).lower() if isinstance(node, bool) else str(node)


def test_a_console_edit_is_drift_that_names_who_and_when_and_git_returns() -> None:
    scene = applied()
    scene.organisation.set_key(scene.live_id(UK), "chargebeeCreateInvoice", False)
    made = scene.plan()
    (update,) = made.body.changes
    assert isinstance(update, Update)
    (field,) = [change for change in update.fields if change.verdict == "theirs"]
    assert (field.path, field.by, field.at) == (
        "chargebee.createInvoice",
        "k.smith",
        "2026-11-30T16:40:00Z",
    )
    assert guards(made) == [("drift", "integration/uk", "chargebee.createInvoice")]
    assert exit_code_of_plan(made) is ExitCode.ONLY_DRIFT
    scene.apply(made)
    assert live_data(scene)["chargebeeCreateInvoice"] is True
    assert is_empty(scene.plan())


def test_under_revert_drift_is_undone_unasked() -> None:
    scene = applied()
    scene.project["onDrift"] = "revert"
    scene.organisation.edit(scene.live_id(UK), name="UK bills (old)")
    assert guards(scene.plan()) == [
        ("policy", "", "project.onDrift"),
        ("drift", str(UK), "displayName"),
    ]
    scene = applied(onDrift="revert")
    scene.organisation.edit(scene.live_id(UK), name="UK bills (old)")
    made = scene.plan()
    assert guards(made) == []
    assert verdicts(made) == {"displayName": "theirs"}


def test_a_change_of_git_is_ours_and_routine_fields_need_nobody() -> None:
    scene = applied()
    scene.integrations["uk"]["displayName"] = "UK bills, new"
    made = scene.plan()
    assert verdicts(made) == {"displayName": "ours"}
    assert guards(made) == []
    assert exit_code_of_plan(made) is ExitCode.GIT_AHEAD


def test_a_field_that_both_changed_apart_is_a_conflict_that_keep_git_ends() -> None:
    scene = applied()
    scene.integrations["uk"]["chargebee"]["splitUsageLineItems"] = "itemPerUsageBand"
    scene.organisation.set_key(scene.live_id(UK), "splitUsageLineItems", "ITEM_PER_BILL")
    made = scene.plan()
    path = FieldPath("chargebee.splitUsageLineItems")
    assert verdicts(made) == {path: "conflict"}
    assert ("conflict", "integration/uk", path) in guards(made)
    assert exit_code_of_plan(made) is ExitCode.BOTH_MOVED
    head = scene.head()
    assert head is not None
    live = scene.organisation.configs[IntegrationId(scene.live_id(UK))]
    signature = SignedBy("j.doe", "2026-12-01T06:00:00Z", "keep-git")
    scene.chain.append(move_base(head, UK, path, live, signature))
    decided = scene.plan()
    assert verdicts(decided) == {path: "ours"}
    scene.apply(decided)
    assert live_data(scene)["splitUsageLineItems"] == "ITEM_PER_USAGE_BAND"
    assert is_empty(scene.plan())


def test_keep_git_without_a_path_decides_all_that_m3ter_moved() -> None:
    scene = applied()
    scene.organisation.set_key(scene.live_id(UK), "chargebeeCreateInvoice", False)
    scene.organisation.edit(scene.live_id(UK), name="other")
    head, identity = scene.head(), IntegrationId(scene.live_id(UK))
    assert head is not None
    live = scene.organisation.configs[identity]
    scene.chain.append(move_base(head, UK, None, live, SignedBy("j", "t", "keep-git")))
    made = scene.plan()
    assert verdicts(made) == {"chargebee.createInvoice": "ours", "displayName": "ours"}
    assert {guard[0] for guard in guards(made)} == {"sensitive-field"}


def test_keep_git_of_a_mapping_and_of_what_was_never_applied() -> None:
    scene = applied()
    scene.organisation.edit(scene.live_id(mapping("acme")), external_id="sub_other")
    head = scene.head()
    assert head is not None
    live = scene.organisation.rows[MappingId(scene.live_id(mapping("acme")))]
    signature = SignedBy("j", "t", "keep-git")
    record = move_base(head, mapping("acme"), FieldPath("externalId"), live, signature)
    scene.chain.append(record)
    assert verdicts(scene.plan()) == {"externalId": "ours"}
    with pytest.raises(NotBoundError):
        move_base(head, US, None, live, signature)
    with pytest.raises(NoSuchFieldError, match="has no field `nonsense`"):
        move_base(head, mapping("acme"), FieldPath("nonsense"), live, signature)


def test_sets_merge_per_element() -> None:
    scene = applied()
    scene.integrations["uk"]["global"]["accountIds"].append({"code": "initech"})
    scene.organisation.set_key(
        scene.live_id(UK), "accountIds", ["account-globex", "account-acme", "account-umbrella"]
    )
    made = scene.plan()
    (update,) = made.body.changes
    assert isinstance(update, Update)
    both = [field.verdict for field in update.fields if field.path == "global.accountIds"]
    assert both == ["theirs", "ours"]
    apply_all(scene)
    accounts = live_data(scene)["accountIds"]
    assert accounts == ["account-acme", "account-globex", "account-initech"]
    assert is_empty(scene.plan())


def test_what_is_not_modelled_survives_and_what_left_git_goes_back_to_the_default() -> None:
    scene = applied()
    scene.organisation.set_key(scene.live_id(UK), "fromTheConsole", {"a": [1, "x"]})
    assert is_empty(scene.plan())
    del scene.integrations["uk"]["configData"]
    del scene.integrations["uk"]["chargebee"]["splitUsageLineItems"]
    scene.integrations["uk"]["chargebee"]["priceIdMapping"] = {"AD_HOC": "adhoc-GBP"}
    made = scene.plan()
    assert verdicts(made) == {
        "chargebee.priceIdMapping.AD_HOC": "ours",
        "chargebee.priceIdMapping.USAGE": "ours",
        "chargebee.splitUsageLineItems": "ours",
        "configData.fromTheConsole": "unmanaged",
        "configData.somethingElse": "ours",
    }
    apply_all(scene)
    data = live_data(scene)
    assert data["fromTheConsole"] == {"a": [1, "x"]}
    assert data["chargebeePriceIdMapping"] == {"AD_HOC": "adhoc-GBP"}
    assert "somethingElse" not in data
    assert "splitUsageLineItems" not in data
    assert is_empty(scene.plan())


def test_deleting_disconnects_first_and_removes_the_mappings_before_the_configuration() -> None:
    scene = applied()
    scene.integrations.clear()
    scene.sets.clear()
    made = scene.plan()
    assert ids(made) == [
        "disconnect:integration/uk",
        "delete:mapping/uk-accounts/acme",
        "delete:mapping/uk-accounts/globex",
        "delete:integration/uk",
    ]
    last = made.body.changes[-1]
    assert last.type == "delete"
    assert last.after == tuple(ids(made)[:3])
    assert {guard[0] for guard in guards(made)} >= {"empty-scope"}
    apply_all(scene)
    assert scene.organisation.configs == {}
    assert scene.organisation.rows == {}
    assert is_empty(scene.plan())


def test_a_changed_key_is_created_before_the_old_mapping_is_deleted() -> None:
    scene = applied()
    scene.sets["uk-accounts"] = uk_set("acme", "globex", externalTable="Customer")
    old = scene.live_id(mapping("acme"))
    made = scene.plan()
    assert ids(made) == [
        "create:mapping/uk-accounts/acme",
        "create:mapping/uk-accounts/globex",
        f"delete:mapping/uk-accounts/acme@{old}",
        f"delete:mapping/uk-accounts/globex@{scene.live_id(mapping('globex'))}",
    ]
    delete = made.body.changes[2]
    assert delete.type == "delete"
    assert delete.after == ("create:mapping/uk-accounts/acme",)
    assert guards(made) == []
    apply_all(scene)
    assert {row.table for row in scene.organisation.rows.values()} == {"Customer"}
    assert scene.live_id(mapping("acme")) != old
    assert is_empty(scene.plan())


def test_a_replaced_mapping_that_could_not_be_deleted_is_deleted_by_the_next_apply() -> None:
    scene = applied()
    scene.project["prune"] = "never"
    scene.sets["uk-accounts"] = uk_set("acme", "globex", externalTable="Customer")

    def refuse(text: str) -> None:
        if text.startswith("delete"):
            raise RefusedError(text)

    scene.organisation.before_write = refuse
    apply_all(scene)
    assert len(scene.organisation.rows) == 4
    scene.organisation.before_write = lambda _text: None
    made = scene.plan()
    assert [change.type for change in made.body.changes] == ["delete", "delete"]
    apply_all(scene)
    assert {row.table for row in scene.organisation.rows.values()} == {"Customer"}
    assert is_empty(scene.plan())


def test_renaming_a_definition_keeps_its_object_and_its_base() -> None:
    scene = applied()
    identity = scene.live_id(UK)
    scene.integrations["great-britain"] = scene.integrations.pop("uk")
    scene.sets["uk-accounts"][0]["integration"] = "great-britain"
    made = scene.plan()
    assert ids(made) == ["adopt:integration/great-britain"]
    assert guards(made) == []
    scene.apply(made)
    head = scene.head()
    assert head is not None
    assert next((str(binding.address), binding.id) for binding in head.bindings) == (
        "integration/great-britain",
        identity,
    )
    assert is_empty(scene.plan())


def test_an_object_deleted_in_the_console_is_drift_and_is_made_again() -> None:
    scene = applied()
    gone = MappingId(scene.live_id(mapping("acme")))
    del scene.organisation.rows[gone]
    made = scene.plan()
    assert ids(made) == ["create:mapping/uk-accounts/acme"]
    assert guards(made) == [("drift", "mapping/uk-accounts/acme", "")]
    assert exit_code_of_plan(made) is ExitCode.ONLY_DRIFT
    scene.apply(made)
    assert is_empty(scene.plan())


def test_what_m3ter_disabled_is_enabled_if_git_says_so_and_only_reported_otherwise() -> None:
    scene = applied()
    scene.organisation.edit(scene.live_id(UK), user="m3ter", enabled=False)
    assert ids(scene.plan()) == ["enable:integration/uk"]
    assert guards(scene.plan()) == []
    silent = applied()
    del silent.integrations["uk"]["enabled"]
    silent.organisation.edit(silent.live_id(UK), user="m3ter", enabled=False)
    made = silent.plan()
    assert ids(made) == ["ignore:integration/uk"]
    assert exit_code_of_plan(made) is ExitCode.ONLY_DRIFT
    assert is_empty(made)
    scene.apply()
    assert is_empty(scene.plan())


def test_adoption_stores_a_base_for_equal_fields_and_asks_about_the_others() -> None:
    scene = applied()
    scene.chain.links.clear()
    scene.organisation.set_key(scene.live_id_of("UK bills"), "chargebeeCreateInvoice", False)
    made = scene.plan()
    assert ids(made) == [
        "adopt:integration/uk",
        "adopt:mapping/uk-accounts/acme",
        "adopt:mapping/uk-accounts/globex",
        "update:integration/uk",
    ]
    assert guards(made) == [
        ("first-contact", "integration/uk", "update"),
        ("sensitive-field", "integration/uk", "chargebee.createInvoice"),
        ("conflict", "integration/uk", "chargebee.createInvoice"),
    ]
    apply_all(scene)
    assert is_empty(scene.plan())


def test_explicit_adoption_waits_and_so_do_the_linked_mappings() -> None:
    scene = applied()
    scene.chain.links.clear()
    scene.project["adoption"] = "explicit"
    made = scene.plan()
    assert ids(made) == ["ignore:integration/uk", "ignore:mapping/uk-accounts"]
    assert is_empty(made)
    scene.sets["uk-accounts"][0].pop("integration")
    for row in scene.organisation.rows:
        scene.organisation.edit(row, integration_id=None)
    assert ids(scene.plan())[1:] == [
        "ignore:mapping/uk-accounts/acme",
        "ignore:mapping/uk-accounts/globex",
    ]


def test_two_live_objects_of_one_name_are_an_error_that_names_both() -> None:
    scene = applied()
    scene.chain.links.clear()
    (integration,) = scene.organisation.configs.values()
    scene.organisation.edit(integration.id)
    twin = IntegrationId("twin")
    scene.organisation.configs[twin] = type(integration)(
        twin,
        1,
        integration.destination,
        integration.entity_type,
        integration.name,
        {},
        None,
        None,
        enabled=True,
    )
    made = scene.plan()
    (error,) = made.body.unplanned
    assert error.address == UK
    assert integration.id in error.message
    assert twin in error.message
    assert ids(made) == []
    assert exit_code_of_plan(made) is ExitCode.INVALID
    assert not is_empty(made)


def test_a_code_that_m3ter_does_not_know_keeps_the_whole_object_out() -> None:
    scene = Scene()
    scene.integrations["uk"]["global"]["accountIds"].append({"code": "acmee"})
    scene.sets["uk-accounts"] = uk_set("acme", "nobody")
    made = scene.plan()
    assert [str(unplanned.address) for unplanned in made.body.unplanned] == ["integration/uk"]
    assert "`acmee`" in made.body.unplanned[0].message
    assert ids(made) == []


def test_a_row_that_m3ter_does_not_know_keeps_only_that_row_out() -> None:
    scene = applied()
    scene.sets["uk-accounts"] = uk_set("acme", "globex", "nobody")
    made = scene.plan()
    assert [str(unplanned.address) for unplanned in made.body.unplanned] == [
        "mapping/uk-accounts/nobody"
    ]
    assert ids(made) == []


def test_names_are_remembered_but_looked_up_anew_for_what_is_written() -> None:
    scene = applied()
    codes = scene.organisation.account_list
    codes[0] = type(codes[0])(codes[0].id, "acme-old", "ACME", "GBP")
    scene.organisation.calls = 0
    assert is_empty(scene.plan())
    assert scene.organisation.calls == 2
    scene.sets["uk-accounts"] = uk_set("acme", "globex", "initech")
    assert ids(scene.plan()) == ["create:mapping/uk-accounts/initech"]
    scene.sets["uk-accounts"][1]["acme"] = "sub_changed"
    made = scene.plan()
    assert [str(unplanned.address) for unplanned in made.body.unplanned] == ["integration/uk"]
    del scene.sets["uk-accounts"][1]["acme"]
    assert scene.plan(fresh=True).body.unplanned[0].address == UK


def test_audit_of_our_own_writes_is_not_drift() -> None:
    scene = applied()
    scene.organisation.edit(scene.live_id(UK), user=BOT)
    assert is_empty(scene.plan())


def test_prune_never_and_protect_keep_what_left_git() -> None:
    scene = applied()
    scene.project["prune"] = "never"
    kept = scene.sets.pop("uk-accounts")
    assert ids(scene.plan()) == ["keep:mapping/uk-accounts/acme", "keep:mapping/uk-accounts/globex"]
    scene.apply()
    assert scene.live_id(mapping("acme"))
    scene.project["prune"] = "allow"
    scene.sets["uk-accounts"] = kept
    scene.integrations["uk"]["protect"] = True
    scene.apply()
    scene.integrations.clear()
    scene.sets.clear()
    made = scene.plan()
    assert "keep:integration/uk" in ids(made)
    assert "disconnect:integration/uk" not in ids(made)


def test_a_configuration_that_strangers_are_linked_to_is_kept() -> None:
    scene = applied()
    row = scene.organisation.rows[MappingId(scene.live_id(mapping("acme")))]
    stranger = MappingId("stranger")
    scene.organisation.rows[stranger] = type(row)(
        stranger, 1, "Product", "p", "Chargebee", "ItemPrice", "x", row.integration_id
    )
    scene.integrations.clear()
    scene.sets.clear()
    made = scene.plan()
    assert "keep:integration/uk" in ids(made)
    assert stranger in {mapping.id for mapping in scene.organisation.rows.values()}


def test_what_is_gone_from_git_and_m3ter_is_forgotten() -> None:
    scene = applied()
    scene.organisation.rows.clear()
    scene.organisation.configs.clear()
    scene.integrations.clear()
    scene.sets.clear()
    made = scene.plan()
    assert {change.type for change in made.body.changes} == {"keep"}
    scene.apply(made)
    head = scene.head()
    assert head is not None
    assert head.bindings == ()


def test_a_change_of_destination_is_refused() -> None:
    scene = applied()
    scene.integrations["uk"]["destination"] = "Stripe"
    del scene.integrations["uk"]["chargebee"]
    (error,) = scene.plan().body.unplanned
    assert "`destination` is Chargebee in m3ter and Stripe in git" in error.message


def test_without_a_dialect_changes_are_planned_but_cannot_be_sent_or_approved() -> None:
    scene = Scene()
    scene.dialect = None
    made = scene.plan()
    create = made.body.changes[0]
    assert create.type == "create"
    assert create.content is None
    assert [(hit.guard, hit.needs) for hit in made.body.hits if hit.guard == "dialect"] == [
        ("dialect", "remedy")
    ]
    with pytest.raises(NeedsApprovalError, match="has not confirmed any wire name"):
        scene.apply(made)
    assert scene.organisation.writes == []


def test_a_dialect_that_lacks_a_key_or_a_value_blocks_what_git_sets() -> None:
    scene = Scene()
    assert scene.dialect is not None
    del scene.dialect["keys"]["chargebee.createInvoice"]
    del scene.dialect["values"]["chargebee.splitUsageLineItems"]
    made = scene.plan()
    assert [hit.field for hit in made.body.hits if hit.guard == "dialect"] == [
        "chargebee.createInvoice",
        "chargebee.splitUsageLineItems",
    ]


def test_a_live_key_in_another_spelling_is_an_error_and_never_unmanaged() -> None:
    scene = applied()
    scene.organisation.set_key(scene.live_id(UK), "CHARGEBEE_CREATE_INVOICE", True)
    (error,) = scene.plan().body.unplanned
    assert "`CHARGEBEE_CREATE_INVOICE` looks like `chargebee.createInvoice`" in error.message


def test_wrong_wire_names_write_nothing_to_what_is_there() -> None:
    scene = applied()
    assert scene.dialect is not None
    scene.dialect["keys"]["chargebee.createInvoice"] = "CREATE_INVOICE"
    scene.integrations["uk"]["displayName"] = "new"
    assert "`chargebeeCreateInvoice`" in scene.plan().body.unplanned[0].message


def test_disconnecting_comes_before_the_settings_and_keeps_what_is_not_ours() -> None:
    scene = applied()
    scene.integrations["uk"]["connection"] = "disconnected"
    scene.integrations["uk"]["chargebee"]["createInvoice"] = False
    made = scene.plan()
    assert ids(made) == ["disconnect:integration/uk", "update:integration/uk"]
    update = made.body.changes[1]
    assert update.type == "update"
    assert update.after == ("disconnect:integration/uk",)
    apply_all(scene)
    live = scene.organisation.configs[IntegrationId(scene.live_id(UK))]
    assert live.credential_id is None
    assert live.config_data["chargebeeCreateInvoice"] is False
    assert is_empty(scene.plan())


def test_another_credential_is_connected_last() -> None:
    scene = applied()
    scene.integrations["uk"]["connection"] = {"credential": "us"}
    scene.integrations["uk"]["displayName"] = "new name"
    assert ids(scene.plan()) == ["update:integration/uk", "connect:integration/uk"]
    apply_all(scene)
    live = scene.organisation.configs[IntegrationId(scene.live_id(UK))]
    assert (live.credential_id, live.name) == ("credential-Chargebee US", "new name")


def test_credentials_by_id_need_no_list_and_names_must_be_unique() -> None:
    scene = Scene()
    scene.organisation.credential_list = None
    assert "does not list integration credentials" in scene.plan().body.unplanned[0].message
    identity = "22222222-2222-4222-8222-222222222222"
    scene.environment["credentials"]["uk"] = {"id": identity}
    scene.apply()
    (live,) = scene.organisation.configs.values()
    assert live.credential_id == identity
    twice = Scene()
    assert twice.organisation.credential_list is not None
    first = twice.organisation.credential_list[0]
    twice.organisation.credential_list.append(
        type(first)(first.id, first.name, "CHARGEBEE", "CHARGEBEE_AUTH")
    )
    assert "several integration credentials" in twice.plan().body.unplanned[0].message
    twice.organisation.credential_list.clear()
    assert "no integration credential named" in twice.plan().body.unplanned[0].message
    twice.environment["credentials"].clear()
    assert "no credential named in the environment" in twice.plan().body.unplanned[0].message


def test_a_second_route_needs_approval_unless_lists_prove_it_disjoint() -> None:
    scene = applied()
    scene.integrations["us"] = uk_spec() | {
        "displayName": "US bills",
        "connection": {"credential": "us"},
        "global": {"accountIds": [{"code": "initech"}]},
    }
    assert "double-route" not in {guard[0] for guard in guards(scene.plan())}
    scene.integrations["us"]["global"] = {"accountIds": [{"code": "acme"}]}
    assert "double-route" in {guard[0] for guard in guards(scene.plan())}
    scene.integrations["us"]["global"] = {"accountIds": "all"}
    hit = next(
        candidate for candidate in scene.plan().body.hits if candidate.guard == "double-route"
    )
    assert hit.address == US
    assert "integration/uk and integration/us would both be connected" in hit.message


def test_an_unmanaged_connected_configuration_is_a_route_too() -> None:
    scene = applied()
    scene.chain.links.clear()
    (live,) = scene.organisation.configs.values()
    scene.organisation.edit(live.id, name="made by hand")
    hit = next(
        candidate for candidate in scene.plan().body.hits if candidate.guard == "double-route"
    )
    assert '"made by hand"' in hit.message
    scene.organisation.edit(live.id, credential_id=None, authorized=False)
    assert "double-route" not in {guard[0] for guard in guards(scene.plan())}


def test_more_accounts_than_before_are_named() -> None:
    scene = applied()
    scene.integrations["uk"]["global"]["accountIds"].append({"code": "initech"})
    hit = next(candidate for candidate in scene.plan().body.hits if candidate.guard == "widening")
    assert hit.message == "integration/uk would take 1 more account: initech"
    scene.integrations["uk"]["global"]["accountIds"] = "all"
    scene.integrations["uk"]["entity"]["accountFilter"] = 'accountCode != "umbrella"'
    hit = next(candidate for candidate in scene.plan().body.hits if candidate.guard == "widening")
    assert hit.message.endswith("1 more account: initech")
    scene.integrations["uk"]["global"]["accountIds"] = [{"code": "acme"}]
    assert "widening" not in {guard[0] for guard in guards(scene.plan())}


def test_no_mapping_set_means_no_list_of_mappings() -> None:
    scene = Scene()
    scene.sets.clear()
    scene.organisation.calls = 0
    scene.plan()
    assert scene.organisation.calls == 4


def test_freeze_windows_hold_a_plan_that_writes() -> None:
    scene = Scene()
    scene.environment["freeze"] = [
        {"from": "2026-12-01T00:00:00Z", "until": "2026-12-02T00:00:00Z", "reason": "month end"}
    ]
    assert "freeze" in {guard[0] for guard in guards(scene.plan())}
    apply_all(scene)
    assert guards(scene.plan()) == []


def test_mappings_of_other_entities_are_found_by_their_codes() -> None:
    scene = Scene()
    scene.organisation.entity_ids["Product", "api-calls"] = "product-1"
    spec, _ = uk_set(m3terEntity="Product", externalTable="ItemPrice")
    del spec["integration"]
    scene.sets["prices"] = (spec, {"api-calls": "api-GBP"})
    made = scene.plan()
    connect = made.body.changes[-1]
    assert connect.type == "connect"
    assert "create:mapping/prices/api-calls" in connect.after
    scene.apply(made)
    calls = scene.organisation.calls
    assert is_empty(scene.plan())
    assert scene.organisation.calls - calls == 2
    head = scene.head()
    assert head is not None
    assert head.references.entities == {"Product": {"api-calls": "product-1"}}
    scene.sets["prices"][1]["nothing"] = "x"
    (error,) = scene.plan().body.unplanned
    assert "no product `nothing`" in error.message


def test_ids_need_no_look_up() -> None:
    scene = Scene()
    account = "33333333-3333-4333-8333-333333333333"
    scene.integrations["uk"]["global"] = {
        "accountIds": [account],
        "integrationDisabledNotificationUsers": ["user-1"],
    }
    scene.integrations["uk"]["connection"] = "disconnected"
    scene.sets.clear()
    scene.organisation.calls = 0
    scene.apply()
    data = live_data(scene)
    assert data["accountIds"] == [account]
    assert data["integrationDisabledNotificationUsers"] == ["user-1"]
    assert is_empty(scene.plan())


def test_a_default_that_git_spells_out_needs_no_confirmed_name() -> None:
    scene = Scene()
    assert scene.dialect is not None
    del scene.dialect["keys"]["chargebee.createInvoice"]
    scene.integrations["uk"]["chargebee"]["createInvoice"] = False
    made = scene.plan()
    assert "dialect" not in {guard[0] for guard in guards(made)}
    scene.apply(made)
    assert is_empty(scene.plan())


def test_a_key_that_the_dialect_lost_is_blocked_where_git_sets_it_and_forgotten_elsewhere() -> None:
    scene = applied()
    assert scene.dialect is not None
    del scene.dialect["keys"]["chargebee.priceIdMapping"]
    del scene.dialect["keys"]["entity.accountFilter"]
    for identity in list(scene.organisation.configs):
        scene.organisation.set_key(identity, "chargebeePriceIdMapping", None)
    made = scene.plan()
    assert verdicts(made) == {"chargebee.priceIdMapping.USAGE": "ours"}
    assert [hit.field for hit in made.body.hits if hit.guard == "dialect"] == [
        "chargebee.priceIdMapping"
    ]


def test_git_and_m3ter_moving_different_objects_is_both() -> None:
    scene = applied()
    scene.integrations["uk"]["displayName"] = "new"
    scene.organisation.edit(scene.live_id(mapping("acme")), external_id="sub_other")
    scene.project["prune"] = "never"
    del scene.sets["uk-accounts"][1]["globex"]
    made = scene.plan()
    assert {change.type for change in made.body.changes} == {"update", "keep"}
    assert exit_code_of_plan(made) is ExitCode.BOTH_MOVED


def test_a_deletion_that_got_stuck_after_its_disconnect_goes_on_the_next_time() -> None:
    scene = applied()
    scene.integrations.clear()
    scene.sets.clear()

    def refuse(text: str) -> None:
        if text.startswith("delete"):
            raise RefusedError(text)

    scene.organisation.before_write = refuse
    apply_all(scene)
    (live,) = scene.organisation.configs.values()
    assert live.credential_id is None
    scene.organisation.before_write = lambda _text: None
    assert ids(scene.plan())[-1] == "delete:integration/uk"
    assert "disconnect:integration/uk" not in ids(scene.plan())
    apply_all(scene)
    assert scene.organisation.configs == {}
    assert scene.organisation.rows == {}


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("number", range(1, 5))
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "not committed"])
@pytest.mark.parametrize("anew", [True, False], ids=["with a new plan", "with the same plan"])
def test_killing_apply_at_any_write_and_running_it_again_converges(
    number: int, committed: bool, anew: bool
) -> None:
    scene = Scene()
    made, count = scene.plan(), 0

    def kill(_text: str) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise Killed

    if committed:
        scene.organisation.after_write = kill
    else:
        scene.organisation.before_write = kill
    with pytest.raises(Killed):
        scene.apply(made)
    scene.organisation.before_write = scene.organisation.after_write = lambda _text: None
    if anew:
        scene.apply()
    else:
        scene.apply(made)
    assert is_empty(scene.plan())
    assert len(scene.organisation.configs) == 1
    assert len(scene.organisation.rows) == 2
    (live,) = scene.organisation.configs.values()
    assert live.credential_id == "credential-Chargebee UK"


def test_a_configuration_deleted_in_the_console_is_made_again_with_its_mappings() -> None:
    scene = applied()
    old = [scene.live_id(mapping(code)) for code in ("acme", "globex")]
    del scene.organisation.configs[IntegrationId(scene.live_id(UK))]
    made = scene.plan()
    assert ids(made) == [
        "create:integration/uk",
        "create:mapping/uk-accounts/acme",
        "create:mapping/uk-accounts/globex",
        f"delete:mapping/uk-accounts/acme@{old[0]}",
        f"delete:mapping/uk-accounts/globex@{old[1]}",
        "connect:integration/uk",
    ]
    assert "drift" in {guard[0] for guard in guards(made)}
    apply_all(scene)
    assert len(scene.organisation.rows) == 2
    assert is_empty(scene.plan())


def test_ids_that_only_m3ter_has_are_shown_by_their_names() -> None:
    scene = applied()
    identity = scene.live_id(UK)
    scene.organisation.set_key(identity, "accountIds", ["account-acme", "account-umbrella", "?"])
    scene.organisation.user_list.append(user("sre@example.com"))
    users = ["user-sre@example.com"]
    scene.organisation.set_key(identity, "integrationDisabledNotificationUsers", users)
    scene.organisation.edit(identity, credential_id="credential-Chargebee US")
    names = scene.plan().head.names
    assert names["account-umbrella"] == "umbrella"
    assert names["user-sre@example.com"] == "sre@example.com"
    assert names["credential-Chargebee US"] == "Chargebee US"
    assert "?" not in names
    scene.organisation.set_key(identity, "accountIds", [])
    scene.organisation.set_key(identity, "integrationDisabledNotificationUsers", None)
    scene.organisation.edit(identity, credential_id=None)
    assert scene.plan().head.names == Scene().plan().head.names
    scene.integrations["uk"]["global"]["accountIds"] = "all"
    scene.organisation.set_key(identity, "accountIds", ["account-acme"])
    assert "account-initech" in scene.plan().head.names


def test_a_comparison_that_was_made_already_is_not_made_again() -> None:
    scene = applied()
    effective, progress = scene.effective(), SilentProgress()
    compared = compare(effective, scene.head(), scene.organisation, progress)
    scene.organisation.calls = 0
    ports = PlanPorts(scene.organisation, scene.clock, progress)
    made = plan(effective, scene.head(), PlanSource("reconciler test"), ports, compared=compared)
    assert made.body == scene.plan().body
    assert made.head.checked.calls == 0
