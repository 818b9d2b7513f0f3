"""What m3ter has: configurations, mappings, accounts and the people and credentials around."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kernel.address import AccountId, CredentialId, IntegrationId, MappingId, UserId
from reconciler.kernel.value import JsonObject


@dataclass(frozen=True, slots=True)
class Audit:
    """Who changed an object last, and when (ISO 8601); empty where m3ter does not say."""

    modified_by: str = ""
    modified_at: str = ""
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class LiveIntegration:
    """An integration configuration as m3ter lists it.

    Attributes:
        destination: As on the wire.
        entity_type: As on the wire.
        name: Empty when m3ter omits it.
        config_data: Wire keys and values, unknown ones included.
        credential_id: Absent from the wire when nothing is connected.
        authorized: ``None`` when m3ter omits it, which counts as connected.
        raw: The whole object as received; a PUT starts from it, so that unknown keys survive.
    """

    id: IntegrationId
    version: int
    destination: str
    entity_type: str
    name: str
    config_data: JsonObject
    credential_id: CredentialId | None
    authorized: bool | None
    enabled: bool
    audit: Audit = Audit()
    raw: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LiveMapping:
    """An external mapping as m3ter lists it; ``integration_id`` is set for a linked one."""

    id: MappingId
    version: int
    entity: str
    m3ter_id: str
    system: str
    table: str
    external_id: str
    integration_id: IntegrationId | None
    audit: Audit = Audit()
    raw: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """An account, as far as filters, codes and mappings need it."""

    id: AccountId
    code: str
    name: str
    currency: str
    address: JsonObject | None = None
    custom_fields: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """An integration credential; never its secret."""

    id: CredentialId
    name: str
    destination: str
    type: str


@dataclass(frozen=True, slots=True)
class User:
    """A user of the organisation."""

    id: UserId
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class NativeRun:
    """One run of m3ter's own integration.

    Attributes:
        status: m3ter's word; a ``RunStatus`` when it is a known one.
    """

    id: str
    entity_type: str
    entity_id: str
    destination: str
    status: str
    started_at: str
    completed_at: str
    error: str
    url: str
    external_id: str
    parent_id: str


@dataclass(frozen=True, slots=True)
class IntegrationEvent:
    """One event about integrations; m3ter deletes events after 28 days."""

    id: str
    name: str
    time: str
    payload: JsonObject
    actioned_at: str
