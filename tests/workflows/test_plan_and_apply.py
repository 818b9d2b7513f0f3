"""Plan and apply together, over an organisation in memory."""

from __future__ import annotations

from fakes.scene import UK, Scene, mapping
from reconciler.errors import ExitCode
from reconciler.workflows.plan import is_empty, standing


def test_a_first_apply_creates_disconnected_maps_and_connects_last() -> None:
    scene = Scene()
    made = scene.plan()
    assert [one.id for one in made.body.changes] == [
        "create:integration/uk",
        "create:mapping/uk-accounts/acme",
        "create:mapping/uk-accounts/globex",
        "connect:integration/uk",
    ]
    assert [(one.guard, one.field, one.needs) for one in made.body.hits] == [
        ("sensitive-field", "connection", "confirmation")
    ]
    scene.apply(made)
    assert [one.split()[0] for one in scene.organisation.writes] == [
        "create",
        "create",
        "create",
        "update",
    ]
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
    scene = Scene()
    scene.apply()
    scene.organisation.writes.clear()
    again = scene.plan()
    assert is_empty(again)
    assert standing(again) is ExitCode.DONE
    scene.apply(again)
    assert scene.organisation.writes == []
    assert scene.live_id(UK)
    assert scene.live_id(mapping("acme"))
