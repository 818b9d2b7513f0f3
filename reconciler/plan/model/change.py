"""A change as a value: what will be sent, to which live object, why, and after what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NewType

from reconciler.kernel.address import Address, CredentialId, FieldPath, IntegrationId, LiveId
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonObject, JsonValue

ChangeId = NewType("ChangeId", str)
"""``TYPE:ADDRESS``, unique within a plan, for example ``create:integration/chargebee-uk``."""

Verdict = Literal["same", "ours", "theirs", "both", "conflict", "unmanaged"]
"""Who moved a field since the last apply: nobody, git, m3ter, both alike, both apart, not ours."""


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A value that is there; ``None`` in its place stands for a field that is not set."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field seen from three sides, in our words; sets are sorted lists.

    Attributes:
        path: Below ``spec``; keys of maps are fields of their own.
        base: What the last apply read back, or what it sent where nothing could be read.
        live: What m3ter has; with its default where it shows nothing.
        desired: What git wants; ``None`` means back to m3ter's default.
        origin: The place in git that set it.
        by: Who changed the live object last; only where m3ter moved.
        at: When, ISO 8601.
    """

    path: FieldPath
    verdict: Verdict
    base: FieldValue | None
    live: FieldValue | None
    desired: FieldValue | None
    origin: Origin | None = None
    by: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class LiveReference:
    """A live object as the plan saw it; apply refuses when any of the three is another.

    A second change of one object in one plan expects the version that the first one returned.
    """

    id: LiveId
    version: int
    hash: str


@dataclass(frozen=True, slots=True)
class ConfigurationContent:
    """The complete body of a configuration; ``credential_id`` ``None`` is disconnected.

    Attributes:
        destination: Wire value.
        entity_type: Wire value.
        config_data: Wire keys and values, unknown live ones included.
        extra: Other top-level wire keys that must survive.
    """

    destination: str
    entity_type: str
    name: str
    config_data: JsonObject
    credential_id: CredentialId | None
    extra: JsonObject
    type: Literal["configuration"] = "configuration"


@dataclass(frozen=True, slots=True)
class LinkById:
    """Linked to a configuration that exists."""

    id: IntegrationId
    type: Literal["id"] = "id"


@dataclass(frozen=True, slots=True)
class LinkByAddress:
    """Linked to a configuration that this plan creates; its id comes from that create."""

    address: Address
    type: Literal["address"] = "address"


@dataclass(frozen=True, slots=True)
class MappingContent:
    """The complete body of an external mapping; ``link`` ``None`` is an unlinked one."""

    entity: str
    m3ter_id: str
    system: str
    table: str
    external_id: str
    link: LinkById | LinkByAddress | None
    type: Literal["mapping"] = "mapping"


Content = ConfigurationContent | MappingContent


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What every change says of itself.

    Attributes:
        reason: Why it is planned, for the reader.
        origin: Where in the files it comes from; ``None`` when nothing there asks for it.
    """

    id: ChangeId
    address: Address
    reason: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWrite(Planned):
    """A change that is carried out in its turn.

    Attributes:
        after: Changes that must be done first; one that failed blocks this one.
    """

    fields: tuple[FieldChange, ...]
    after: tuple[ChangeId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(PlannedWrite):
    """Make a new object; a configuration is made disconnected.

    Attributes:
        content: ``None`` when the wire names are not confirmed: guard ``dialect``.
    """

    content: Content | None
    type: Literal["create"] = "create"


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(PlannedWrite):
    """Replace an object's settings; its connection stays as it is by then."""

    live: LiveReference
    content: Content | None
    type: Literal["update"] = "update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(PlannedWrite):
    """Remove an object that this repository manages."""

    live: LiveReference
    type: Literal["delete"] = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt(PlannedWrite):
    """Bind an existing object to its address; nothing is sent.

    The base of the fields whose verdict is ``same`` is stored, and of no other.
    """

    live: LiveReference
    type: Literal["adopt"] = "adopt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enable(PlannedWrite):
    """Switch a configuration on again that m3ter disabled."""

    live: LiveReference
    type: Literal["enable"] = "enable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect(PlannedWrite):
    """Give a configuration its credential: the last step, for then bills flow.

    Attributes:
        live: ``None`` for a configuration that this plan creates.
        content: The whole body, credential included.
    """

    live: LiveReference | None
    content: ConfigurationContent | None
    type: Literal["connect"] = "connect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect(PlannedWrite):
    """Take a configuration's credential away: the first step, for then no bill flows."""

    live: LiveReference
    content: ConfigurationContent
    type: Literal["disconnect"] = "disconnect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep(Planned):
    """Leave an object that git no longer has, because a policy says so; nothing is sent.

    Attributes:
        released: True when the binding ends, because the live object is gone already.
    """

    live: LiveReference | None
    released: bool = False
    type: Literal["keep"] = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore(Planned):
    """Report a difference that this plan leaves alone; nothing is sent."""

    live: LiveReference | None
    fields: tuple[FieldChange, ...]
    type: Literal["ignore"] = "ignore"


Writing = Create | Update | Delete | Enable | Connect | Disconnect
Change = Create | Update | Delete | Adopt | Enable | Connect | Disconnect | Keep | Ignore
