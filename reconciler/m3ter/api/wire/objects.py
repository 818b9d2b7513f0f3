"""Configurations, mappings, accounts, people, runs: wire objects <-> domain (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.kernel.address import AccountId, CredentialId, IntegrationId, MappingId, UserId
from reconciler.kernel.line_item import RunStatus
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.api.switches import M3terSwitches
from reconciler.m3ter.api.wire.fields import flag, json_object, required, text, version_of
from reconciler.m3ter.live import (
    Account,
    Audit,
    Credential,
    IntegrationEvent,
    LiveIntegration,
    LiveMapping,
    NativeRun,
    User,
)
from reconciler.m3ter.ports import IntegrationBody, MappingBody

# Source: m3ter OpenAPI 2026-08-03, IntegrationConfigResponse less IntegrationConfigRequest
READ_ONLY = frozenset(
    {
        "id",
        "version",
        "dtCreated",
        "dtLastModified",
        "createdBy",
        "lastModifiedBy",
        "authorized",
        "enabled",
        "triggerType",
    }
)
_RUN_KEYS = frozenset({"status", "dtStarted"})


def audit(found: JsonObject) -> Audit:
    """Read who changed an object last, and when."""
    return Audit(
        modified_by=text(found, "lastModifiedBy"),
        modified_at=text(found, "dtLastModified"),
        created_at=text(found, "dtCreated"),
    )


def is_run(found: JsonObject) -> bool:
    """Say whether an object is a run where a configuration was asked for.

    Source: m3ter OpenAPI 2026-08-03, GetIntegrationConfig declares IntegrationRunResponse.
    """
    return "configData" not in found and not _RUN_KEYS.isdisjoint(found)


def decode_integration(found: JsonObject) -> LiveIntegration:
    """Read an integration configuration.

    Raises:
        UnreadableAnswerError: When it has no id, version, destination or entity type.
    """
    credential = text(found, "integrationCredentialsId")
    enabled = flag(found, "enabled")
    return LiveIntegration(
        id=IntegrationId(required(found, "id")),
        version=version_of(found),
        destination=required(found, "destination"),
        entity_type=required(found, "entityType"),
        name=text(found, "name"),
        config_data=json_object(found, "configData") or {},
        credential_id=CredentialId(credential) if credential else None,
        authorized=flag(found, "authorized"),
        enabled=enabled is not False,
        audit=audit(found),
        raw=found,
    )


def encode_integration(
    body: IntegrationBody, version: int | None, switches: M3terSwitches
) -> dict[str, JsonValue]:
    """Write the body of a POST (no version) or PUT.

    Other top-level keys survive, except those that only m3ter writes.
    """
    sent: dict[str, JsonValue] = {
        key: value
        for key, value in body.extra.items()
        if key not in READ_ONLY and value is not None
    }
    sent |= {
        "destination": body.destination,
        "entityType": body.entity_type,
        "name": body.name,
        "configData": body.config_data,
    }
    sent.pop("integrationCredentialsId", None)
    if body.credential_id is not None:
        sent["integrationCredentialsId"] = body.credential_id
    elif version is not None and switches.disconnect == "null":
        sent["integrationCredentialsId"] = None
    return _versioned(sent, version)


def decode_mapping(found: JsonObject) -> LiveMapping:
    """Read an external mapping.

    Raises:
        UnreadableAnswerError: When a required field is missing.
    """
    linked = text(found, "integrationConfigId")
    return LiveMapping(
        id=MappingId(required(found, "id")),
        version=version_of(found),
        entity=required(found, "m3terEntity"),
        m3ter_id=required(found, "m3terId"),
        system=required(found, "externalSystem"),
        table=required(found, "externalTable"),
        external_id=required(found, "externalId"),
        integration_id=IntegrationId(linked) if linked else None,
        audit=audit(found),
        raw=found,
    )


def encode_mapping(body: MappingBody, version: int | None) -> dict[str, JsonValue]:
    """Write the body of a POST (no version) or PUT."""
    sent: dict[str, JsonValue] = {
        "m3terEntity": body.entity,
        "m3terId": body.m3ter_id,
        "externalSystem": body.system,
        "externalTable": body.table,
        "externalId": body.external_id,
    }
    if body.integration_id is not None:
        sent["integrationConfigId"] = body.integration_id
    return _versioned(sent, version)


def decode_account(found: JsonObject) -> Account:
    """Read an account."""
    return Account(
        id=AccountId(required(found, "id")),
        code=text(found, "code"),
        name=text(found, "name"),
        currency=text(found, "currency"),
        address=json_object(found, "address"),
        custom_fields=json_object(found, "customFields"),
    )


def decode_user(found: JsonObject) -> User:
    """Read a user."""
    name = " ".join(part for part in (text(found, "firstName"), text(found, "lastName")) if part)
    return User(id=UserId(required(found, "id")), email=text(found, "email"), name=name)


def decode_credential(found: JsonObject) -> Credential:
    """Read an integration credential; nothing secret is kept."""
    return Credential(
        id=CredentialId(required(found, "id")),
        name=text(found, "name"),
        destination=text(found, "destination"),
        type=text(found, "type"),
    )


def decode_run(found: JsonObject) -> NativeRun:
    """Read a native integration run."""
    status = required(found, "status")
    return NativeRun(
        id=required(found, "id"),
        entity_type=text(found, "entityType"),
        entity_id=text(found, "entityId"),
        destination=text(found, "destination"),
        status=RunStatus(status) if status in RunStatus.__members__ else status,
        started_at=text(found, "dtStarted"),
        completed_at=text(found, "dtCompleted"),
        error=text(found, "error"),
        url=text(found, "url"),
        external_id=text(found, "externalId"),
        parent_id=text(found, "parentIntegrationRunId"),
    )


def decode_event(found: JsonObject) -> IntegrationEvent:
    """Read an event; the keys of integration events' payloads are not published."""
    return IntegrationEvent(
        id=required(found, "id"),
        name=text(found, "eventName"),
        time=text(found, "eventTime"),
        payload=json_object(found, "m3terEvent") or {},
        actioned_at=text(found, "dtActioned"),
    )


def same_text(value: JsonValue, other: JsonValue) -> bool:
    """Say whether two values are equal but for spelling: numbers as texts, lists in any order.

    A server may write back what it was sent in another form; that is no other value.
    """
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        return value.keys() == other.keys() and all(
            same_text(value[key], other[key]) for key in value
        )
    return _plain(value) == _plain(other)


def _plain(value: JsonValue) -> str | list[str]:
    if isinstance(value, list | tuple):
        return sorted(str(_plain(element)) for element in value)
    if isinstance(value, Mapping):
        return str(sorted((key, _plain(member)) for key, member in value.items()))
    return str(value).lower()


def _versioned(sent: dict[str, JsonValue], version: int | None) -> dict[str, JsonValue]:
    if version is not None:
        sent["version"] = version
    return sent
