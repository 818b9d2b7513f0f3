"""Dialect: our field names to the wire keys of one organisation, with the evidence for them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reconciler.definitions.kinds.envelope import DefinitionPart, Envelope, Name, Text
from reconciler.definitions.kinds.integration import EntityType
from reconciler.kernel.line_item import Destination


class WireNames(DefinitionPart):
    """How the organisation spells destination and entity type."""

    destination: Text
    """Wire value of `destination`."""
    entity_type: Text
    """Wire value of `entityType`."""


class FoundEvidence(DefinitionPart):
    """Seen in the organisation itself."""

    source: Literal["discover", "import"]
    """The command that saw it."""
    at: Text
    """When, ISO 8601."""
    config_id: Text | None = None
    """The configuration it was read from."""


class PersonEvidence(DefinitionPart):
    """Stated by a person."""

    source: Literal["person"]
    """Always `person`."""
    by: Text
    """Who."""
    at: Text
    """When, ISO 8601."""


class DialectSpec(DefinitionPart):
    """The wire names of one destination and entity type in one environment."""

    environment: Name
    """The environment whose organisation speaks so."""
    destination: Destination
    """The destination."""
    entity_type: EntityType = "Bill"
    """The entity type."""
    wire_names: WireNames
    """Spelling of destination and entity type."""
    evidence: Annotated[FoundEvidence | PersonEvidence, Field(discriminator="source")]
    """Where this knowledge comes from."""
    keys: dict[Text, Text]
    """Our field path -> wire key inside `configData`."""
    values: dict[Text, dict[Text, Text]] = {}
    """Our field path -> our value -> wire value."""


class Dialect(Envelope):
    """Written by `discover` and `import`, or by a person."""

    kind: Literal["Dialect"]
    """Always `Dialect`."""
    spec: DialectSpec
    """The wire names."""
