"""The pure half of import and accept-live: names, references, evidence, accepted sets."""

from __future__ import annotations

import pytest
from fakes.organisation import FakeOrganisation
from fakes.scene import KEYS, UK, Scene, mapping

from reconciler.definitions.core.settings import SETTINGS
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.model import Definitions
from reconciler.dialect.core.evidence import from_evidence
from reconciler.dialect.core.published import illegal_names
from reconciler.importing.core.definition_form import (
    KnownNames,
    UnnamedCredentialError,
    definition_form,
    document_path,
)
from reconciler.importing.core.edits import (
    Accepted,
    AddressSyntaxError,
    FieldAddress,
    KeyMovedError,
    accepted_value,
    integration_edits,
    mapping_edits,
    parse_field_address,
)
from reconciler.importing.core.new_documents import connected_in, free_name, integration_document
from reconciler.kernel.address import Address, FieldPath, IntegrationId
from reconciler.kernel.value import ABSENT, JsonValue
from reconciler.m3ter.live import LiveIntegration
from reconciler.plan.core.comparable import CONNECTION, KEY
from reconciler.plan.model.change import FieldChange, FieldValue

PLACE = {"environment": "sandbox", "destination": "Chargebee", "entityType": "Bill"}
AT = "2026-12-01T06:00:00Z"
NOTHING = Definitions((), {}, 0)


def live(data: dict[str, JsonValue], identity: str = "1", name: str = "UK") -> LiveIntegration:
    return LiveIntegration(
        IntegrationId(identity), 1, "Chargebee", "Bill", name, data, None, False, enabled=True
    )


@pytest.mark.parametrize(
    ("text", "aim"),
    [
        ("integration/uk", FieldAddress(UK)),
        ("integration/uk#a.b", FieldAddress(UK, FieldPath("a.b"))),
        ("mapping/uk-accounts/acme", FieldAddress(mapping("acme"))),
        ("mapping/uk-accounts", FieldAddress(Address("mapping", "uk-accounts"))),
        ("mapping/set/with/slashes", FieldAddress(Address("mapping", "set", "with/slashes"))),
    ],
)
def test_an_address_is_read_as_it_is_written(text: str, aim: FieldAddress) -> None:
    assert parse_field_address(text) == aim
    assert str(aim.address) == text.partition("#")[0]


@pytest.mark.parametrize("text", ["", "uk", "integration/", "integration/a/b", "x/y", "mapping/a/"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressSyntaxError, match="is no address"):
        parse_field_address(text)


def test_names_are_free_and_legal() -> None:
    assert free_name("Chargebee UK (test)", ()) == "chargebee-uk-test"
    assert free_name("Chargebee UK", {"chargebee-uk", "chargebee-uk-2"}) == "chargebee-uk-3"
    assert free_name("日本", ()) == "imported"
    assert len(free_name("x" * 100, {"x" * 63})) <= 63


def test_references_keep_the_order_and_the_form_that_git_has() -> None:
    names = KnownNames("sandbox", accounts={"1": "acme", "2": "globex"}, users={"9": "A@x.com"})
    path = FieldPath("global.accountIds")
    old: JsonValue = [{"code": "globex"}, "3", {"code": "gone"}]
    wanted = FieldValue(["1", "2", "3", "4"])
    assert definition_form(path, wanted, old, names) == [
        {"code": "globex"},
        "3",
        {"code": "acme"},
        "4",
    ]
    users = FieldPath("global.integrationDisabledNotificationUsers")
    kept = definition_form(users, FieldValue(["9"]), [{"email": "a@X.com"}], names)
    assert kept == [{"email": "a@X.com"}]
    types = FieldPath("entity.excludedLineItemTypes")
    assert definition_form(types, FieldValue(["USAGE"]), ABSENT, names) == ["USAGE"]


def test_plain_values_are_written_as_they_are() -> None:
    names = KnownNames("sandbox", credentials={"c": "uk"})
    assert definition_form(FieldPath("displayName"), FieldValue("x"), "y", names) == "x"
    assert definition_form(FieldPath("enabled"), FieldValue(value=False), True, names) is ABSENT
    assert definition_form(FieldPath("configData.x"), None, 1, names) is ABSENT
    assert definition_form(CONNECTION, None, "x", names) == "disconnected"
    assert definition_form(CONNECTION, FieldValue("c"), "x", names) == {"credential": "uk"}
    with pytest.raises(UnnamedCredentialError, match="has no name for the credential d"):
        definition_form(CONNECTION, FieldValue("d"), "x", names)
    assert document_path(FieldPath("configData.a.b")) == ("configData", "a.b")


def sides(base: list[JsonValue], live: list[JsonValue], desired: list[JsonValue]) -> FieldChange:
    path = FieldPath("global.accountIds")
    return FieldChange(path, "theirs", FieldValue(base), FieldValue(live), FieldValue(desired))


def test_of_a_set_that_both_moved_only_what_m3ter_moved_is_accepted() -> None:
    field = sides(["a", "b"], ["a", "c"], ["a", "b", "d"])
    assert accepted_value([field, field]) == FieldValue(["a", "c", "d"])
    assert accepted_value([field]) == field.live


def test_nothing_accepted_edits_nothing() -> None:
    assert integration_edits(NOTHING, "sandbox", (), KnownNames("sandbox")) == ()
    assert mapping_edits(NOTHING, "sandbox", ()) == ()


def test_a_mapping_that_became_another_is_refused() -> None:
    moved = Accepted(mapping("acme"), KEY, None, None)
    with pytest.raises(KeyMovedError, match="about another object or table"):
        mapping_edits(NOTHING, "sandbox", [moved])


def test_a_dialect_is_read_from_live_keys() -> None:
    found = from_evidence(
        [
            live({"ACCOUNT_IDS": ["a"], "SPLIT_USAGE_LINE_ITEMS": "ITEM_PER_PRODUCT"}),
            live({"CHARGEBEE_CREATE_INVOICE": True, "somethingElse": 1}, "2"),
        ],
        SETTINGS,
        AT,
        PLACE,
    )
    assert found.spec is not None
    assert found.spec["keys"] == {
        "global.accountIds": "ACCOUNT_IDS",
        "chargebee.splitUsageLineItems": "SPLIT_USAGE_LINE_ITEMS",
        "chargebee.createInvoice": "CHARGEBEE_CREATE_INVOICE",
    }
    assert found.spec["values"] == {
        "chargebee.splitUsageLineItems": {"itemPerProduct": "ITEM_PER_PRODUCT"}
    }
    assert found.spec["evidence"] == {"source": "import", "at": AT, "configId": "1"}
    DialectSpec.model_validate(found.spec, strict=False)


def test_two_keys_for_one_setting_are_left_to_a_person() -> None:
    found = from_evidence(
        [live({"createInvoice": True, "chargebee_create_invoice": True})], SETTINGS, AT, PLACE
    )
    assert found.spec is not None
    assert found.spec["keys"] == {}
    assert "values" not in found.spec
    (ambiguous,) = [finding for finding in found.findings if finding.kind == "ambiguous"]
    assert ambiguous.path == "chargebee.createInvoice"


def test_unknown_keys_become_config_data() -> None:
    spec = DialectSpec.model_validate(Scene().dialect, strict=False)
    data: dict[str, JsonValue] = {"somethingElse": {"a": 1}, "accountIds": ["1"]}
    document = integration_document(
        "uk", live(data), ("Chargebee", "Bill"), spec, KnownNames("sandbox", accounts={"1": "acme"})
    )
    assert document["spec"] == {
        "displayName": "UK",
        "entityType": "Bill",
        "destination": "Chargebee",
        "connection": "disconnected",
        "global": {"accountIds": [{"code": "acme"}]},
        "chargebee": {},
        "configData": {"somethingElse": {"a": 1}},
    }
    assert connected_in(document, "sandbox") == (document, ())
    assert "global.accountIds" in KEYS


def test_names_in_mapping_sets_are_compared_with_those_published() -> None:
    sets = Scene().effective().mapping_sets
    tables: list[JsonValue] = [{"name": "Chargebee", "tables": ["Customer"]}, "odd", {"x": 1}]
    found = illegal_names({"m3terEntities": ["Plan"], "externalSystems": tables}, sets)
    assert [(name.setting, name.name, name.known) for name in found] == [
        ("m3terEntity", "Account", ("Plan",)),
        ("externalTable", "Subscription", ("Customer",)),
    ]
    other: list[JsonValue] = [{"name": "Xero", "tables": []}]
    (system,) = illegal_names({"externalSystems": other}, sets)
    assert (system.setting, system.known) == ("externalSystem", ("Xero",))
    free: list[JsonValue] = [{"name": "Chargebee", "tables": [], "allowCustomExternalTables": True}]
    assert illegal_names({"externalSystems": free}, sets) == ()
    assert illegal_names(FakeOrganisation().mappings.configuration(), sets) == ()
