from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes.scripted_m3ter import ScriptedM3ter, json, session

from reconciler.kernel.address import IntegrationId, MappingId
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.api.integrations import M3terIntegrations
from reconciler.m3ter.api.mappings import M3terMappings
from reconciler.m3ter.ports import (
    IntegrationBody,
    MappingBody,
    OutcomeUnknownError,
    VersionConflictError,
)
from reconciler.transport.client import Request
from reconciler.transport.retry import LostAnswerError, Outcome

BODY = IntegrationBody("Chargebee", "Bill", "UK", {"a": 1}, None, {})
ROW = MappingBody("Account", "a1", "Chargebee", "Subscription", "s1", None)
CONFLICT = json({"message": "version mismatch"}, 400)
LOST = LostAnswerError("PUT x", "cut")


def _live(version: int, **changes: JsonValue) -> dict[str, JsonValue]:
    data: dict[str, JsonValue] = {"a": 1}
    return {
        "id": "i1",
        "version": version,
        "destination": "Chargebee",
        "entityType": "Bill",
        "name": "UK",
        "configData": data,
        **changes,
    }


def _integrations(puts: list[Outcome], lists: list[JsonValue]) -> M3terIntegrations:
    """Each PUT and each list takes its next outcome; the last one stays."""

    def behave(request: Request) -> Outcome:
        if request.method != "GET":
            return puts.pop(0) if len(puts) > 1 else puts[0]
        one = lists.pop(0) if len(lists) > 1 else lists[0]
        return json({"data": [one] if one else []})

    return M3terIntegrations(session(ScriptedM3ter(behave)))


def test_an_update_that_arrives_after_we_looked_is_recognised_by_the_conflict_it_causes() -> None:
    integrations = _integrations([LOST, CONFLICT], [_live(1, configData={}), _live(2)])
    assert integrations.update(IntegrationId("i1"), 1, BODY).version == 2


@pytest.mark.parametrize("then", [_live(2, configData={"a": 2}), _live(3), None])
def test_a_conflict_by_somebody_else_stays_one(then: JsonValue) -> None:
    integrations = _integrations([LOST, CONFLICT], [_live(1, configData={}), then])
    with pytest.raises(VersionConflictError):
        integrations.update(IntegrationId("i1"), 1, BODY)


@pytest.mark.parametrize(
    "seen",
    [
        _live(3),
        _live(2, name="Other"),
        _live(2, configData={"a": 2}),
        _live(2, configData={}),
        _live(2, integrationCredentialsId="c1"),
    ],
)
def test_only_what_was_sent_at_the_next_version_is_ours(seen: JsonValue) -> None:
    with pytest.raises(OutcomeUnknownError, match="not to what was sent"):
        _integrations([LOST], [seen]).update(IntegrationId("i1"), 1, BODY)


def test_an_update_that_is_seen_done_is_not_sent_again() -> None:
    integrations = _integrations([LOST], [_live(2, configData={"a": "1", "default": "added"})])
    assert integrations.update(IntegrationId("i1"), 1, BODY).config_data["default"] == "added"


def _mappings(behave: Callable[[Request], Outcome | None]) -> M3terMappings:
    return M3terMappings(session(ScriptedM3ter(behave)))


def test_an_entity_without_mappings_may_be_answered_404() -> None:
    made: JsonValue = {
        "id": "m1",
        "version": 1,
        "m3terEntity": "Account",
        "m3terId": "a1",
        "externalSystem": "Chargebee",
        "externalTable": "Subscription",
        "externalId": "s1",
    }

    def behave(request: Request) -> Outcome | None:
        return json(made) if request.method == "POST" else None

    mappings = _mappings(behave)
    assert mappings.create(ROW).id == "m1"


def test_a_created_mapping_is_known_from_then_on() -> None:
    rows: list[JsonValue] = []

    def behave(request: Request) -> Outcome | None:
        if request.method == "POST":
            serial = len(rows) + 1
            rows.append(
                {
                    "id": f"m{serial}",
                    "version": 1,
                    "m3terEntity": "Account",
                    "m3terId": "a1",
                    "externalSystem": "Chargebee",
                    "externalTable": "Subscription",
                    "externalId": "s1",
                }
            )
            return json(rows[-1]) if serial == 1 else LOST
        return json({"data": rows})

    mappings = _mappings(behave)
    assert mappings.list() == ()
    assert [mappings.create(ROW).id for _ in range(2)] == ["m1", "m2"]


def test_a_mapping_update_that_went_elsewhere_is_unknown() -> None:
    seen: JsonValue = {
        "id": "m1",
        "version": 2,
        "m3terEntity": "Account",
        "m3terId": "a1",
        "externalSystem": "Chargebee",
        "externalTable": "Subscription",
        "externalId": "edited",
    }
    mappings = _mappings(lambda request: LOST if request.method == "PUT" else json(seen))
    with pytest.raises(OutcomeUnknownError):
        mappings.update(MappingId("m1"), 1, ROW)
