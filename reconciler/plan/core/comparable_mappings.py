"""Rows of mapping sets in comparable form: names resolved, linked, with their natural key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.definitions.model import DefinedSet, MappingRow
from reconciler.kernel.address import Address
from reconciler.kernel.problem import Origin
from reconciler.plan.core.comparable import NaturalKey
from reconciler.plan.core.unplannable import UnplannableError, UnresolvedReferenceError
from reconciler.plan.model.change import LinkByAddress, LinkById, MappingContent
from reconciler.plan.model.plan import References

ACCOUNT = "Account"


@dataclass(frozen=True, slots=True)
class WantedMapping:
    """A mapping of git, ready to be compared and sent.

    Attributes:
        content: What to send.
        integration: The integration it is linked to.
    """

    address: Address
    content: MappingContent
    integration: Address | None
    origin: Origin

    @property
    def key(self) -> NaturalKey | None:
        """The natural key; ``None`` while the linked configuration does not exist."""
        one = self.content
        if isinstance(one.link, LinkByAddress):
            return None
        link = one.link.id if one.link else ""
        return (one.system, one.table, one.entity, one.m3ter_id, link)


def known_ids(entity: str, references: References) -> Mapping[str, str]:
    """Give the ids by code of one m3ter entity."""
    if entity == ACCOUNT:
        return references.accounts
    return references.entities.get(entity, {})


def wanted_mappings(
    defined: DefinedSet, references: References, link: LinkById | LinkByAddress | None
) -> Iterator[WantedMapping | UnplannableError]:
    """Bring the rows of a set into comparable form; rows without an id are errors of their own."""
    spec = defined.defined.spec
    ids = known_ids(spec.m3ter_entity, references)
    owner = Address("integration", spec.integration) if spec.integration else None
    for row in defined.rows:
        address = row_address(defined, row)
        m3ter_id = row.key.value if row.key.by == "id" else ids.get(row.key.value)
        if m3ter_id is None:
            yield UnresolvedReferenceError(
                address, spec.m3ter_entity.lower(), [row.key.value], row.origin
            )
            continue
        content = MappingContent(
            entity=spec.m3ter_entity,
            m3ter_id=m3ter_id,
            system=spec.external_system,
            table=spec.external_table,
            external_id=row.external_id,
            link=link,
        )
        yield WantedMapping(address, content, owner, row.origin)


def row_address(defined: DefinedSet, row: MappingRow) -> Address:
    """Give the address of a row."""
    return Address("mapping", defined.defined.name, row.key.value)
