"""Writes against the emulator whose answers are lost in every way: exactly one object each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fakes.clock import FakeClock
from fakes.connecting import Connect

from reconciler.emulator.running import RunningEmulator
from reconciler.m3ter.api.errors import (
    M3terOutcomeUnknownError,
    M3terRefusedError,
    SeveralFoundError,
)
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.m3ter.ports import (
    AccessError,
    IntegrationBody,
    MappingBody,
    NotFoundError,
    Organisation,
    OutcomeUnknownError,
    VersionConflictError,
)
from reconciler.transport.client import CallLimits

CONFIGS = "/organizations/11111111-1111-4111-8111-111111111111/integrationconfigs"
MAPPINGS = "/organizations/11111111-1111-4111-8111-111111111111/externalmappings"
BODY = IntegrationBody("Chargebee", "Bill", "UK", {"accountIds": ["a1"]}, None, {})
ROW = MappingBody("Account", "a1", "Chargebee", "Subscription", "sub_1", None)

# Every way to lose the answer to a write; `seconds` keeps the silent ones short.
NOT_DONE: list[dict[str, Any]] = [
    {"fault": "cut_before_commit"},
    {"fault": "http_500"},
    {"fault": "http_502"},
    {"fault": "html_502"},
    {"fault": "http_504"},
]
DONE: list[dict[str, Any]] = [
    {"fault": "cut_after_commit"},
    {"fault": "cut_after_commit", "bytes": 60},
    {"fault": "lost_response", "seconds": 1},
    {"fault": "http_500", "commit": True},
    {"fault": "http_504", "commit": True},
]
SURE = [{"fault": "rate_limit"}, {"fault": "rate_limit_retry_after"}, {"fault": "expired_token"}]
FAULTS = [*NOT_DONE, *DONE, *SURE]


def _names(rule: dict[str, Any]) -> str:
    return "-".join(str(entry) for entry in rule.values())


@pytest.fixture
def quick(emulator: RunningEmulator, connected: Connect) -> Organisation:
    return connected(emulator, limits=CallLimits(read_seconds=0.2))


def _fault(
    emulator: RunningEmulator, rule: dict[str, Any], method: str, path: str, times: int = 1
) -> None:
    match = {"vendor": "m3ter", "method": method, "path": path}
    emulator.world.faults.add([{"times": times, **rule, "match": match}])


def _sent(emulator: RunningEmulator, method: str) -> int:
    log = emulator.world.log.select(vendor="m3ter")
    return sum(request.method == method and "/oauth" not in request.path for request in log)


def _named(organisation: Organisation, name: str = "UK") -> list[LiveIntegration]:
    return [
        integration for integration in organisation.integrations.list() if integration.name == name
    ]


def _rows(organisation: Organisation) -> list[LiveMapping]:
    return [mapping for mapping in organisation.mappings.list() if mapping.m3ter_id == "a1"]


@pytest.mark.parametrize("rule", FAULTS, ids=_names)
def test_a_create_whose_answer_is_lost_makes_exactly_one_integration(
    emulator: RunningEmulator, quick: Organisation, rule: dict[str, Any]
) -> None:
    quick.integrations.list()
    _fault(emulator, rule, "POST", CONFIGS)
    made = quick.integrations.create(BODY)
    emulator.world.faults.clear()
    assert [integration.id for integration in _named(quick)] == [made.id]
    assert made.config_data == {"accountIds": ["a1"]}
    assert _sent(emulator, "POST") == (1 if rule in DONE else 2)


@pytest.mark.parametrize("rule", FAULTS, ids=_names)
def test_a_create_whose_answer_is_lost_makes_exactly_one_mapping(
    emulator: RunningEmulator, quick: Organisation, rule: dict[str, Any]
) -> None:
    _fault(emulator, rule, "POST", MAPPINGS)
    made = quick.mappings.create(ROW)
    emulator.world.faults.clear()
    assert [row.id for row in _rows(quick)] == [made.id]


@pytest.mark.parametrize("rule", FAULTS, ids=_names)
def test_an_update_whose_answer_is_lost_is_done_exactly_once(
    emulator: RunningEmulator, quick: Organisation, rule: dict[str, Any]
) -> None:
    made = quick.integrations.create(BODY)
    body = replace(BODY, config_data={"accountIds": ["a2"]})
    _fault(emulator, rule, "PUT", f"{CONFIGS}/{made.id}")
    updated = quick.integrations.update(made.id, made.version, body)
    emulator.world.faults.clear()
    assert updated.version == made.version + 1
    assert _named(quick) == [updated]
    assert updated.config_data == {"accountIds": ["a2"]}


@pytest.mark.parametrize("rule", FAULTS, ids=_names)
def test_a_mapping_update_whose_answer_is_lost_is_done_exactly_once(
    emulator: RunningEmulator, quick: Organisation, rule: dict[str, Any]
) -> None:
    made = quick.mappings.create(ROW)
    _fault(emulator, rule, "PUT", f"{MAPPINGS}/{made.id}")
    updated = quick.mappings.update(made.id, made.version, replace(ROW, external_id="sub_2"))
    emulator.world.faults.clear()
    assert (updated.version, updated.external_id) == (made.version + 1, "sub_2")
    assert _rows(quick) == [updated]


@pytest.mark.parametrize("rule", FAULTS, ids=_names)
def test_a_deletion_whose_answer_is_lost_leaves_nothing(
    emulator: RunningEmulator, quick: Organisation, rule: dict[str, Any]
) -> None:
    integration, mapping = quick.integrations.create(BODY), quick.mappings.create(ROW)
    _fault(emulator, rule, "DELETE", f"{CONFIGS}/{integration.id}")
    _fault(emulator, rule, "DELETE", f"{MAPPINGS}/{mapping.id}")
    quick.integrations.delete(integration.id)
    quick.mappings.delete(mapping.id)
    emulator.world.faults.clear()
    assert _named(quick) == []
    assert _rows(quick) == []


@pytest.mark.parametrize("rule", FAULTS, ids=_names)
def test_an_integration_is_enabled_though_the_answer_is_lost(
    emulator: RunningEmulator, quick: Organisation, rule: dict[str, Any]
) -> None:
    made = quick.integrations.create(BODY)
    _disable(emulator, made.id)
    assert not _named(quick)[0].enabled
    _fault(emulator, rule, "POST", f"{CONFIGS}/{made.id}/enable")
    assert quick.integrations.enable(made.id).enabled
    emulator.world.faults.clear()
    assert _named(quick)[0].enabled


def _disable(emulator: RunningEmulator, identity: str) -> None:
    store = emulator.world.store
    kind = next(
        candidate for candidate in store.kinds() if store.get(candidate, identity) is not None
    )
    found = store.get(kind, identity)
    assert found is not None
    store.put(kind, {**found, "enabled": False})


def test_what_is_already_gone_is_deleted_without_complaint(organisation: Organisation) -> None:
    made, row = organisation.integrations.create(BODY), organisation.mappings.create(ROW)
    for _ in range(2):
        organisation.integrations.delete(made.id)
        organisation.mappings.delete(row.id)


def test_an_update_of_what_is_gone_says_so(organisation: Organisation) -> None:
    made, row = organisation.integrations.create(BODY), organisation.mappings.create(ROW)
    organisation.integrations.delete(made.id)
    organisation.mappings.delete(row.id)
    with pytest.raises(NotFoundError, match="Nothing of it was changed"):
        organisation.integrations.update(made.id, made.version, BODY)
    with pytest.raises(NotFoundError, match="Nothing of it was changed"):
        organisation.mappings.update(row.id, row.version, ROW)


@pytest.mark.parametrize("status", [400, 409, 412])
def test_a_stale_version_is_a_conflict_and_changes_nothing(
    emulate: Any, connected: Connect, status: int
) -> None:
    emulator = emulate(requests_per_second=0, stale_version=status)
    organisation = connected(emulator)
    made = organisation.integrations.create(BODY)
    newer = organisation.integrations.update(made.id, made.version, BODY)
    with pytest.raises(VersionConflictError, match="no longer at version 1"):
        organisation.integrations.update(made.id, made.version, replace(BODY, name="Late"))
    assert _named(organisation) == [newer]
    row = organisation.mappings.create(ROW)
    organisation.mappings.update(row.id, row.version, ROW)
    with pytest.raises(VersionConflictError, match="sub_1"):
        organisation.mappings.update(row.id, row.version, ROW)


def test_a_console_edit_just_before_an_update_is_a_conflict(
    emulator: RunningEmulator, organisation: Organisation
) -> None:
    made = organisation.integrations.create(BODY)
    _fault(emulator, {"fault": "version_conflict"}, "PUT", f"{CONFIGS}/{made.id}")
    with pytest.raises(VersionConflictError):
        organisation.integrations.update(made.id, made.version, replace(BODY, config_data={}))
    assert _named(organisation)[0].config_data == {"accountIds": ["a1"]}


def test_an_existing_integration_of_the_same_name_is_never_taken_for_ours(
    emulator: RunningEmulator, quick: Organisation
) -> None:
    older = quick.integrations.create(BODY)
    _fault(emulator, {"fault": "cut_after_commit"}, "POST", CONFIGS)
    made = quick.integrations.create(BODY)
    assert made.id != older.id
    assert len(_named(quick)) == 2


def test_a_fresh_session_looks_before_it_creates(
    emulator: RunningEmulator, quick: Organisation, connected: Connect
) -> None:
    older_row, older = quick.mappings.create(ROW), quick.integrations.create(BODY)
    fresh = connected(emulator, limits=CallLimits(read_seconds=0.2))
    _fault(emulator, {"fault": "cut_before_commit"}, "POST", "*", times=1)
    assert fresh.mappings.create(ROW).id != older_row.id
    another = connected(emulator, limits=CallLimits(read_seconds=0.2))
    _fault(emulator, {"fault": "cut_after_commit"}, "POST", CONFIGS)
    assert another.integrations.create(BODY).id != older.id


def test_two_that_appear_after_a_lost_answer_are_both_named(
    emulator: RunningEmulator, quick: Organisation, connected: Connect
) -> None:
    quick.integrations.list()
    other = connected(emulator).integrations.create(BODY)
    _fault(emulator, {"fault": "cut_after_commit"}, "POST", CONFIGS)
    with pytest.raises(SeveralFoundError, match=other.id) as caught:
        quick.integrations.create(BODY)
    assert all(integration.id in str(caught.value) for integration in _named(quick))
    assert isinstance(caught.value, OutcomeUnknownError)


def test_a_create_that_arrives_late_after_it_was_sent_again_is_noticed(
    emulator: RunningEmulator, quick: Organisation
) -> None:
    quick.integrations.list()
    # The first create is stored but not listed yet, so it is sent again and answered.
    _fault(emulator, {"fault": "cut_after_commit"}, "POST", CONFIGS)
    _fault(emulator, {"fault": "list_lag"}, "GET", CONFIGS, times=2)
    with pytest.raises(SeveralFoundError, match="Delete all but one"):
        quick.integrations.create(BODY)
    emulator.world.faults.clear()
    assert len(_named(quick)) == 2


def test_a_create_that_never_gets_through_is_unknown_after_three_sends(
    emulator: RunningEmulator, quick: Organisation, clock: FakeClock
) -> None:
    quick.integrations.list()
    _fault(emulator, {"fault": "http_500"}, "POST", CONFIGS, times=99)
    with pytest.raises(M3terOutcomeUnknownError, match="not found") as caught:
        quick.integrations.create(BODY)
    assert _sent(emulator, "POST") == 3
    assert caught.value.exit_code == 16
    assert clock.monotonic() >= 3 * 2.5


def test_an_update_that_never_gets_through_is_unknown(
    emulator: RunningEmulator, quick: Organisation
) -> None:
    made = quick.integrations.create(BODY)
    _fault(emulator, {"fault": "http_500"}, "PUT", "*", times=99)
    with pytest.raises(M3terOutcomeUnknownError, match="HTTP 500"):
        quick.integrations.update(made.id, made.version, replace(BODY, name="New"))
    assert _named(quick)[0].version == made.version


def test_a_deletion_that_never_gets_through_is_unknown(
    emulator: RunningEmulator, quick: Organisation
) -> None:
    made = quick.integrations.create(BODY)
    _fault(emulator, {"fault": "http_500"}, "DELETE", "*", times=99)
    with pytest.raises(M3terOutcomeUnknownError, match=f"delete integration {made.id}"):
        quick.integrations.delete(made.id)


def test_a_look_that_fails_too_leaves_the_outcome_unknown(
    emulator: RunningEmulator, quick: Organisation
) -> None:
    quick.integrations.list()
    _fault(emulator, {"fault": "cut_after_commit"}, "POST", CONFIGS)
    _fault(emulator, {"fault": "http_500"}, "GET", "*", times=99)
    with pytest.raises(M3terOutcomeUnknownError, match="looking for it failed too"):
        quick.integrations.create(BODY)


def test_a_console_edit_after_a_lost_update_is_not_taken_for_ours(
    emulator: RunningEmulator, quick: Organisation
) -> None:
    made = quick.integrations.create(BODY)
    path = f"{CONFIGS}/{made.id}"
    # A person saves first, then our update is lost before it is carried out.
    _fault(emulator, {"fault": "version_conflict"}, "PUT", path)
    _fault(emulator, {"fault": "http_500"}, "PUT", path)
    with pytest.raises(M3terOutcomeUnknownError, match="not to what was sent"):
        quick.integrations.update(made.id, made.version, replace(BODY, config_data={"x": 1}))


def test_an_object_that_vanishes_while_it_is_updated_is_not_found(
    emulator: RunningEmulator, quick: Organisation
) -> None:
    made = quick.integrations.create(BODY)
    _fault(emulator, {"fault": "http_500"}, "PUT", f"{CONFIGS}/{made.id}")
    _fault(emulator, {"fault": "list_lag"}, "GET", CONFIGS)
    with pytest.raises(NotFoundError):
        quick.integrations.update(made.id, made.version, BODY)


def test_a_refused_create_is_a_refusal_with_m3ters_words(organisation: Organisation) -> None:
    with pytest.raises(M3terRefusedError, match=r"entityType|destination"):
        organisation.integrations.create(replace(BODY, entity_type="not allowed!"))
    assert _named(organisation) == []


def test_a_key_that_may_only_read_changes_nothing(
    emulator: RunningEmulator, connected: Connect
) -> None:
    reader = connected(emulator, M3TER_API_KEY="reader-key", M3TER_API_SECRET="reader-secret")
    with pytest.raises(AccessError, match="may not create integration 'UK'") as caught:
        reader.integrations.create(BODY)
    assert caught.value.exit_code == 11
    assert _named(reader) == []


@pytest.mark.parametrize("normalise", ["none", "strings", "defaults-echoed"])
def test_a_lost_update_is_recognised_in_the_servers_own_spelling(
    emulate: Any, connected: Connect, normalise: str
) -> None:
    emulator = emulate(requests_per_second=0, normalise=normalise)
    organisation = connected(emulator)
    made = organisation.integrations.create(BODY)
    data = {"chargebeeMultiDecimalPriceDecimalPlaces": 3, "onlySendBillOnApproval": True}
    _fault(emulator, {"fault": "cut_after_commit"}, "PUT", f"{CONFIGS}/{made.id}")
    body = replace(BODY, config_data=data)
    assert organisation.integrations.update(made.id, made.version, body).version == 2


@pytest.mark.parametrize("disconnect", ["omit", "null"])
def test_a_credential_is_connected_and_taken_away(
    emulator: RunningEmulator, connected: Connect, disconnect: str
) -> None:
    organisation = connected(emulator, RECONCILER_M3TER=f"disconnect={disconnect}")
    credentials = organisation.people.credentials()
    assert credentials is not None
    made = organisation.integrations.create(BODY)
    on = replace(BODY, credential_id=credentials[0].id)
    joined = organisation.integrations.update(made.id, made.version, on)
    assert (joined.credential_id, joined.authorized) == (credentials[0].id, True)
    parted = organisation.integrations.update(made.id, joined.version, BODY)
    assert (parted.credential_id, parted.authorized) == (None, False)


def test_unknown_top_level_keys_survive_an_update(organisation: Organisation) -> None:
    chat = next(
        integration
        for integration in organisation.integrations.list()
        if integration.destination == "Webhook"
    )
    body = IntegrationBody(
        chat.destination, chat.entity_type, "Renamed", chat.config_data, None, chat.raw
    )
    updated = organisation.integrations.update(chat.id, chat.version, body)
    assert updated.raw["entityId"] == chat.raw["entityId"]
    assert updated.raw["destinationId"] == chat.raw["destinationId"]
    assert updated.name == "Renamed"
