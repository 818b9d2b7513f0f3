"""Who is meant: addresses of managed objects, paths of fields, and every id as a type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NewType

OrganizationId = NewType("OrganizationId", str)
IntegrationId = NewType("IntegrationId", str)
MappingId = NewType("MappingId", str)
AccountId = NewType("AccountId", str)
CredentialId = NewType("CredentialId", str)
UserId = NewType("UserId", str)
BillId = NewType("BillId", str)
LiveId = NewType("LiveId", str)
PlanId = NewType("PlanId", str)
"""SHA-256 of a plan's canonical body, 64 hexadecimal digits."""

FieldPath = NewType("FieldPath", str)
"""Dotted path of one field below ``spec``, for example ``chargebee.priceIdMapping.USAGE``."""

ObjectKind = Literal["integration", "mapping"]


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """The name under which git knows a live object.

    Attributes:
        kind: ``integration`` or ``mapping``.
        name: ``metadata.name`` of the Integration or MappingSet.
        key: The m3ter code or id of a mapping row; empty for an integration.
    """

    kind: ObjectKind
    name: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" + (f"/{self.key}" if self.key else "")
