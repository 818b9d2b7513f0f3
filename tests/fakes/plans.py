"""Small plans and records, for whatever needs one to store, show or fence."""

from __future__ import annotations

from decimal import Decimal

from reconciler.kernel.address import Address, CredentialId, FieldPath, LiveId, OrganizationId
from reconciler.kernel.problem import Origin
from reconciler.plan.model.applied import AppliedRecord, BaseField, Binding
from reconciler.plan.model.change import (
    Change,
    ChangeId,
    ConfigurationContent,
    Connect,
    Create,
    Delete,
    FieldChange,
    FieldValue,
    LinkByAddress,
    LiveReference,
    MappingContent,
    Update,
)
from reconciler.plan.model.identity import named
from reconciler.plan.model.plan import (
    ChainPosition,
    Checked,
    Fingerprint,
    GuardHit,
    Plan,
    PlanBody,
    PlanHead,
    RecordId,
    References,
    Unplanned,
)

ORGANISATION = OrganizationId("11111111-1111-4111-8111-111111111111")
UK = Address("integration", "chargebee-uk")
US = Address("integration", "chargebee-us")
ACME = Address("mapping", "chargebee-uk-accounts", "acme-uk")
FINGERPRINT = Fingerprint(ORGANISATION, "http://127.0.0.1:1")


def content(credential: str | None = None, **data: bool | int | str) -> ConfigurationContent:
    """A configuration's body."""
    identity = CredentialId(credential) if credential else None
    return ConfigurationContent("Chargebee", "Bill", "Chargebee UK bills", data, identity, {})


def field(
    path: str,
    live: str | None,
    desired: str | None,
    verdict: str = "ours",
    *,
    by: str = "",
    at: str = "",
    line: int = 44,
) -> FieldChange:
    """One changed field."""
    return FieldChange(
        FieldPath(path),
        verdict,  # type: ignore[arg-type]
        None,
        FieldValue(live) if live is not None else None,
        FieldValue(desired) if desired is not None else None,
        Origin("integrations.d/chargebee-uk/integration.yaml", line, 5),
        by,
        at,
    )


def create() -> Create:
    """Make the UK configuration."""
    return Create(
        id=ChangeId(f"create:{UK}"),
        address=UK,
        content=content(),
        fields=(),
        reason="m3ter does not have it",
    )


def connect() -> Connect:
    """Connect what ``create`` made."""
    mine = create().id
    return Connect(
        id=ChangeId(f"connect:{UK}"),
        address=UK,
        live=None,
        content=content("cr-1"),
        fields=(),
        reason="connected last",
        after=(mine,),
    )


def create_mapping(key: str = "acme-uk") -> Create:
    """Make a mapping linked to what ``create`` made."""
    address = Address("mapping", "chargebee-uk-accounts", key)
    body = MappingContent(
        "Account", f"id-{key}", "Chargebee", "Subscription", f"sub_{key}", LinkByAddress(UK)
    )
    return Create(
        id=ChangeId(f"create:{address}"),
        address=address,
        content=body,
        fields=(),
        reason="m3ter does not have it",
        origin=Origin("integrations.d/chargebee-uk/accounts.csv", 3),
        after=(create().id,),
    )


def update(*fields: FieldChange, reference: LiveReference | None = None) -> Update:
    """Change the US configuration."""
    live = reference or LiveReference(LiveId("us-1"), 3, "0" * 64)
    return Update(
        id=ChangeId(f"update:{US}"),
        address=US,
        live=live,
        content=content(),
        fields=fields,
        reason="git changed it",
    )


def delete() -> Delete:
    """Remove the US configuration."""
    live = LiveReference(LiveId("us-1"), 3, "0" * 64)
    return Delete(
        id=ChangeId(f"delete:{US}"), address=US, live=live, fields=(), reason="it left git"
    )


def plan(
    *changes: Change,
    hits: tuple[GuardHit, ...] = (),
    unplanned: tuple[Unplanned, ...] = (),
    base: ChainPosition | None = None,
    names: dict[str, str] | None = None,
) -> Plan:
    """A plan of these changes."""
    head = PlanHead(
        tool="m3ter-reconciler 0.1.0",
        created_at="2026-12-01T06:00:00Z",
        source_commit="3f2c9ab0000000000000000000000000000000ab",
        dirty=False,
        estimated_calls=4,
        estimated_seconds=Decimal("1.2"),
        checked=Checked(20, 10_000, 3, 51, Decimal("5.3")),
        names=names or {},
    )
    body = PlanBody(
        environment="sandbox",
        fingerprint=FINGERPRINT,
        base=base,
        changes=changes,
        hits=hits,
        unplanned=unplanned,
        definitions={},
        references=References(),
    )
    return named(head, body)


def record(
    sequence: int = 1, previous: str | None = None, *bindings: Binding, action: str = "apply"
) -> AppliedRecord:
    """A link of the sandbox's chain."""
    return AppliedRecord(
        environment="sandbox",
        sequence=sequence,
        previous=RecordId(previous) if previous else None,
        at="2026-12-01T06:00:00Z",
        actor="j.doe",
        action=action,
        fingerprint=FINGERPRINT,
        source_commit="3f2c9ab",
        plan=None,
        definitions={"Integration": {"chargebee-uk": {"displayName": "UK", "n": Decimal("0.10")}}},
        references=References(),
        bindings=bindings,
        receipt=None,
        approvals=(),
    )


def binding(address: Address = UK, identity: str = "uk-1") -> Binding:
    """A binding with one base field."""
    base = BaseField(FieldPath("displayName"), FieldValue("UK"), FieldValue("UK"))
    return Binding(address, LiveId(identity), 1, "0" * 64, (base,))
