from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.address import CredentialId, IntegrationId
from reconciler.kernel.exact_json import decode, encode
from reconciler.kernel.line_item import RunStatus
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.api.errors import UnreadableAnswerError
from reconciler.m3ter.api.switches import M3terSwitches
from reconciler.m3ter.api.wire import fields
from reconciler.m3ter.api.wire.objects import (
    decode_account,
    decode_credential,
    decode_event,
    decode_integration,
    decode_mapping,
    decode_run,
    decode_user,
    encode_integration,
    encode_mapping,
    is_run,
    same_text,
)
from reconciler.m3ter.ports import IntegrationBody, MappingBody

SWITCHES = M3terSwitches()
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=5),
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
BODY = IntegrationBody("Chargebee", "Bill", "UK", {"a": [1]}, None, {})
CONFIG: JsonObject = {"id": "i1", "version": 3, "destination": "Chargebee", "entityType": "Bill"}
MAPPING: JsonObject = {
    "id": "m1",
    "version": 1,
    "m3terEntity": "Account",
    "m3terId": "a1",
    "externalSystem": "Chargebee",
    "externalTable": "Subscription",
    "externalId": "s1",
}


@given(data=st.dictionaries(st.text(min_size=1, max_size=8), VALUES, max_size=5))
def test_config_data_goes_out_and_comes_back_unchanged(data: dict[str, JsonValue]) -> None:
    sent = encode_integration(replace(BODY, config_data=data), 3, SWITCHES)
    received = decode(encode({**sent, "id": "i1"}))
    assert isinstance(received, dict)
    live = decode_integration(received)
    assert live.config_data == data
    assert (live.name, live.version, live.raw) == ("UK", 3, received)


def test_missing_optional_keys_have_a_meaning() -> None:
    live = decode_integration(CONFIG)
    assert (live.name, live.config_data, live.credential_id) == ("", {}, None)
    assert live.authorized is None
    assert live.enabled is True


@pytest.mark.parametrize("key", ["id", "version", "destination", "entityType"])
def test_a_configuration_without_its_required_keys_is_not_guessed_at(key: str) -> None:
    with pytest.raises(UnreadableAnswerError, match=f"`{key}`"):
        decode_integration({name: value for name, value in CONFIG.items() if name != key})


def test_a_key_of_another_type_names_the_object_and_the_key() -> None:
    with pytest.raises(UnreadableAnswerError, match=r"i1.*`configData` is not an object"):
        decode_integration({**CONFIG, "configData": "x"})


def test_unknown_top_level_keys_survive_an_update_and_m3ters_own_do_not() -> None:
    extra: JsonObject = {
        "entityId": "e1",
        "futureKey": {"x": 1},
        "enabled": False,
        "version": 99,
        "id": "i1",
    }
    sent = encode_integration(replace(BODY, extra=extra), 3, SWITCHES)
    assert sent == {
        "entityId": "e1",
        "futureKey": {"x": 1},
        "destination": "Chargebee",
        "entityType": "Bill",
        "name": "UK",
        "configData": {"a": [1]},
        "version": 3,
    }


def test_a_create_has_no_version_and_a_connection_is_its_credential() -> None:
    body = replace(BODY, credential_id=CredentialId("c1"))
    assert encode_integration(body, None, SWITCHES) == {
        "destination": "Chargebee",
        "entityType": "Bill",
        "name": "UK",
        "configData": {"a": [1]},
        "integrationCredentialsId": "c1",
    }


def test_disconnecting_leaves_the_key_out_or_sends_null_by_switch() -> None:
    extra: JsonObject = {"integrationCredentialsId": "old"}
    body = replace(BODY, extra=extra)
    null = M3terSwitches(disconnect="null")
    assert "integrationCredentialsId" not in encode_integration(body, 3, SWITCHES)
    assert encode_integration(body, 3, null)["integrationCredentialsId"] is None
    assert "integrationCredentialsId" not in encode_integration(body, None, null)


def test_a_run_in_place_of_a_configuration_is_recognised() -> None:
    assert is_run({"id": "1", "status": "COMPLETE", "entityType": "Bill"})
    assert not is_run({**CONFIG, "configData": {}})
    assert not is_run(CONFIG)


def test_a_mapping_goes_out_and_comes_back() -> None:
    body = MappingBody("Account", "a1", "Chargebee", "Subscription", "s1", IntegrationId("i1"))
    sent = encode_mapping(body, 4)
    live = decode_mapping({**sent, "id": "m1"})
    assert (live.entity, live.m3ter_id, live.system, live.table) == (
        "Account",
        "a1",
        "Chargebee",
        "Subscription",
    )
    assert (live.external_id, live.integration_id, live.version) == ("s1", "i1", 4)
    unlinked = encode_mapping(replace(body, integration_id=None), None)
    assert "integrationConfigId" not in unlinked
    assert "version" not in unlinked
    assert decode_mapping(MAPPING).integration_id is None


def test_accounts_people_and_events_are_read() -> None:
    account = decode_account({"id": "a1", "code": "acme", "customFields": {"n": Decimal("1.50")}})
    assert (account.code, account.address, account.custom_fields) == (
        "acme",
        None,
        {"n": Decimal("1.50")},
    )
    user = decode_user({"id": "u1", "email": "a@b", "lastName": "Smith"})
    assert (user.email, user.name) == ("a@b", "Smith")
    credential = decode_credential({"id": "c1", "name": "UK", "apiKey": "hunter2"})
    assert "hunter2" not in repr(credential)
    event = decode_event({"id": "e1", "eventName": "x", "m3terEvent": {"eventData": {}}})
    assert (event.name, event.payload, event.actioned_at) == ("x", {"eventData": {}}, "")


def test_an_unknown_run_status_stays_m3ters_word() -> None:
    known = decode_run({"id": "r1", "status": "COMPLETE"})
    unknown = decode_run({"id": "r1", "status": "PONDERING"})
    assert known.status is RunStatus.COMPLETE
    assert unknown.status == "PONDERING"


@given(value=VALUES)
def test_a_value_is_the_same_as_itself_in_another_spelling(value: JsonValue) -> None:
    assert same_text(value, value)
    if isinstance(value, list):
        assert same_text(value, value[::-1])


def test_spelling_is_no_difference_but_another_value_is() -> None:
    assert same_text(3, "3")
    assert same_text(True, "true")
    assert same_text({"a": [1, 2]}, {"a": ["2", "1"]})
    assert not same_text({"a": 1}, {"a": 1, "b": 2})
    assert not same_text([1, 1], [1])
    assert not same_text("a", None)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (fields.text, 3),
        (fields.whole, "3"),
        (fields.whole, True),
        (fields.whole, Decimal("1.5")),
        (fields.number, "x"),
        (fields.number, "NaN"),
        (fields.number, True),
        (fields.number, []),
        (fields.flag, "true"),
        (fields.json_object, []),
        (fields.objects, {}),
        (fields.objects, "ab"),
        (fields.objects, [1]),
        (fields.calendar_date, "soon"),
        (fields.date_time, "soon"),
        (fields.when, "soon"),
        (fields.when, "2026-13-01T00:00:00Z"),
        (fields.required, ""),
        (fields.version_of, None),
    ],
)
def test_no_field_is_read_as_something_else(read: object, value: JsonValue) -> None:
    assert callable(read)
    with pytest.raises(UnreadableAnswerError, match=r"`key`|`version`"):
        read({"key": value}, "key") if read is not fields.version_of else read({"version": value})


def test_fields_are_read_exactly() -> None:
    found: JsonObject = {
        "n": Decimal("0.1666666666666666666"),
        "quoted": "1E+3",
        "whole": Decimal("3.0"),
        "day": "2026-11-01T00:00:00Z",
        "zoned": "2026-11-01T10:00:00+02:00",
        "bare": "2026-11-01T10:00:00",
        "texts": {"a": True, "b": 1, "c": None},
        "null": None,
    }
    assert fields.number(found, "n") == Decimal("0.1666666666666666666")
    assert fields.number(found, "quoted") == 1000
    assert fields.whole(found, "whole") == 3
    assert fields.calendar_date(found, "day") == date(2026, 11, 1)
    assert fields.date_time(found, "zoned") == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert fields.date_time(found, "bare") == datetime(2026, 11, 1, 10, tzinfo=UTC)
    bare = fields.when(found, "bare")
    assert isinstance(bare, datetime)
    assert bare.tzinfo is None
    assert fields.texts(found, "texts") == {"a": "true", "b": "1", "c": ""}
    for read in (
        fields.number,
        fields.whole,
        fields.flag,
        fields.calendar_date,
        fields.date_time,
        fields.when,
    ):
        assert read(found, "null") is None
