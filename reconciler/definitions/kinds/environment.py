"""Environment: one m3ter organisation, its Chargebee site, and the references to their keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from reconciler.definitions.kinds.envelope import DefinitionPart, Envelope, Name, Text, Uuid

VariableName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"),
    Field(
        json_schema_extra={"$comment": "Letters, digits and `_`; no digit first."},
        examples=["M3TER_API_KEY"],
    ),
]
HttpUrl = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[^\x00-\x20\x7f/?#@]+(/[^\x00-\x20\x7f?#]*)?$"),
    Field(
        json_schema_extra={"$comment": "A URL of http or https; no user, query or fragment."},
        examples=["https://api.m3ter.com"],
    ),
]
NoticeEvent = Literal[
    "disabled", "authentication", "validation", "missing-mapping", "perform", "overdue", "drift"
]


class EnvReference(DefinitionPart):
    """A secret in an environment variable."""

    env: VariableName
    """The variable's name."""


class FileReference(DefinitionPart):
    """A secret in a file."""

    file: Text
    """Path of a regular file of at most 64 KiB."""


Reference = EnvReference | FileReference


class M3terConnection(DefinitionPart):
    """How to reach the organisation."""

    organization_id: Uuid
    """Checked against the token before every write."""
    base_url: HttpUrl = "https://api.m3ter.com"
    """Where m3ter's API is."""
    access_key: Reference
    """Reference to the access key."""
    api_secret: Reference
    """Reference to the API secret."""
    # Source: m3ter docs "Config API limits": 50 requests a second per organisation
    requests_per_second: Annotated[int, Field(ge=1, le=50)] = 30
    """Our share of the organisation's 50 requests a second."""


class ChargebeeConnection(DefinitionPart):
    """How to reach the Chargebee site."""

    site: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$"),
        Field(
            json_schema_extra={"$comment": "Lower-case letters, digits and hyphens."},
            examples=["acme-test"],
        ),
    ]
    """The site's name."""
    base_url: HttpUrl
    """For example `https://acme-test.chargebee.com`."""
    api_key: Reference
    """Reference to the API key."""
    # Source: Chargebee KB "What are the Chargebee API limits": 150 to 3,500 a minute by plan
    requests_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 120
    """Our share of the site's limit; test sites allow 150."""
    timezone: Text = "UTC"
    """The site's IANA time zone."""
    price_decimal_places: Annotated[int, Field(ge=0, le=20)] | None = None
    """Digits the site allows in a decimal price; absent when multi-decimal is off."""
    quantity_decimal_places: Annotated[int, Field(ge=0, le=20)] | None = None
    """Digits the site allows in a decimal quantity; absent when multi-decimal is off."""


class CredentialByName(DefinitionPart):
    """An integration credential found by its name."""

    name: Text
    """The credential's name in m3ter."""


class CredentialById(DefinitionPart):
    """An integration credential given by its id."""

    id: Uuid
    """The credential's id in m3ter."""


class SqliteLedger(DefinitionPart):
    """The memory of pushes in one file."""

    id: Uuid
    """The ledger's id; `sync` refuses any other ledger."""
    sqlite: Text
    """Path of the file, relative to the repository."""


class PostgresLedger(DefinitionPart):
    """The memory of pushes in PostgreSQL, shared by many workers."""

    id: Uuid
    """The ledger's id; `sync` refuses any other ledger."""
    postgresql: Reference
    """Reference to the connection URL."""


class FreezeWindow(DefinitionPart):
    """A time in which apply and sync need an approval."""

    from_: Annotated[Text, Field(alias="from")]
    """Start, ISO 8601 with an offset."""
    until: Text
    """End, ISO 8601 with an offset."""
    reason: Text
    """Why."""


class Notice(DefinitionPart):
    """Where to say that something happened."""

    events: Annotated[tuple[NoticeEvent, ...], Field(min_length=1)]
    """Which events."""
    url: Reference
    """Reference to an Apprise URL."""


class EnvironmentSpec(DefinitionPart):
    """One place that definitions are applied to."""

    protected: bool
    """True for production: apply takes a saved plan only, and sensitive fields, drift and
    conflicts need approvals."""
    m3ter: M3terConnection
    """The organisation."""
    chargebee: ChargebeeConnection | None = None
    """The Chargebee site; needed by `sync`."""
    credentials: dict[Name, CredentialByName | CredentialById] = {}
    """Name in git -> integration credential in m3ter."""
    ledger: SqliteLedger | PostgresLedger | None = None
    """The memory of pushes; needed by `sync`."""
    fallback: Literal["forbid", "warn", "allow"] = "warn"
    """What to think of lines that fall to the default price."""
    freeze: tuple[FreezeWindow, ...] = ()
    """Times in which apply and sync need an approval."""
    notices: tuple[Notice, ...] = ()
    """Who is told what."""


class Environment(Envelope):
    """One m3ter organisation and what belongs to it."""

    kind: Literal["Environment"]
    """Always `Environment`."""
    spec: EnvironmentSpec
    """The settings."""
