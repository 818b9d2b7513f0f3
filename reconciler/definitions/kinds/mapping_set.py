"""MappingSet: external mappings of one kind, inline or from a CSV file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from reconciler.definitions.kinds.envelope import DefinitionPart, Envelope, Name, Text
from reconciler.definitions.kinds.integration import CodeReference

# Source: m3ter OpenAPI 2026-08-03, ExternalMappingRequest: no control characters, no outer spaces
Plain = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=1000,
        pattern=r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$",
    ),
    Field(json_schema_extra={"$comment": "No control characters, and no spaces before or after."}),
]


class IdReference(DefinitionPart):
    """An m3ter object given by its id."""

    id: Plain
    """The id in m3ter."""


class InlineRow(DefinitionPart):
    """One mapping."""

    m3ter: CodeReference | IdReference
    """The m3ter side."""
    external_id: Plain | dict[Name, Plain]
    """The id in the external system; a map gives one per environment."""


class KeyColumn(DefinitionPart):
    """The CSV column that holds m3ter codes."""

    code: Text
    """Its header."""


class IdColumn(DefinitionPart):
    """The CSV column that holds m3ter ids."""

    id: Text
    """Its header."""


class CsvRows(DefinitionPart):
    """Rows in a CSV file beside the document."""

    csv: Text
    """Path relative to the document, never outside `integrations.d`."""
    m3ter: KeyColumn | IdColumn
    """The column of the m3ter side."""
    external_id: Text | dict[Name, Text]
    """The column of the external id; a map gives one per environment."""


class MappingSetSpec(DefinitionPart):
    """External mappings of one m3ter entity to one external table."""

    integration: Name | None = None
    """Linked to this integration; leave out for unlinked mappings."""
    external_system: Plain
    """The external system, for example `Chargebee`."""
    external_table: Plain
    """The external table, for example `Subscription`; confirmed by `discover`."""
    m3ter_entity: Plain
    """The m3ter entity, for example `Account`."""
    rows: tuple[InlineRow, ...] | CsvRows
    """The mappings."""


class MappingSet(Envelope):
    """A set of external mappings."""

    kind: Literal["MappingSet"]
    """Always `MappingSet`."""
    spec: MappingSetSpec
    """The mappings."""
