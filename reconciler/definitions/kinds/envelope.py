"""The envelope of every definition, and the frozen base of all kinds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

API_VERSION = "m3ter-reconciler/v1"

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"),
    Field(
        json_schema_extra={"$comment": "Lower-case letters, digits and hyphens; at most 63."},
        examples=["chargebee-uk"],
    ),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Uuid = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
    ),
    Field(
        json_schema_extra={"$comment": "A UUID."},
        examples=["11111111-1111-4111-8111-111111111111"],
    ),
]
Duration = Annotated[
    str,
    StringConstraints(pattern=r"^[1-9][0-9]{0,4}[smhd]$"),
    Field(
        json_schema_extra={"$comment": "A whole number with s, m, h or d."},
        examples=["24h", "5d"],
    ),
]


def camel_case(name: str) -> str:
    """Give the YAML spelling of a field; digits begin no word (``m3terEntity``)."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class DefinitionPart(BaseModel):
    """Any object inside a definition: frozen, closed, camelCase in YAML."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=camel_case,
        populate_by_name=True,
        use_attribute_docstrings=True,
        strict=True,
    )


class Metadata(DefinitionPart):
    """Which object a document defines, and for which environment it is a patch."""

    name: Name
    """The object's name; unique within its kind."""
    environment: Name | None = None
    """When set, `spec` is an RFC 7396 patch on the object of this kind and name there."""


class Envelope(DefinitionPart):
    """What every document has; each kind adds its `kind` and `spec`."""

    api_version: Literal["m3ter-reconciler/v1"]
    """The version of the format."""
    metadata: Metadata
    """Name and, for a patch, environment."""
