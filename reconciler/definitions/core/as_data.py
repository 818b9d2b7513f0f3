"""One environment's definitions as data: what a plan and an applied record hold of git."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.definitions.core.settings import Setting, settings_of
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.envelope import DefinitionPart
from reconciler.definitions.kinds.integration import IntegrationSpec
from reconciler.definitions.model import DefinedSet, Effective
from reconciler.kernel.address import Address
from reconciler.kernel.exact_json import as_json
from reconciler.kernel.value import JsonObject, JsonValue


def rendered(effective: Effective) -> JsonObject:
    """Render every document of an environment, by kind and name; unset settings are left out."""
    environment = effective.environment
    return {
        "Project": {effective.project.name: _plain(effective.project.spec)},
        "Environment": {environment.name: _plain(environment.spec)},
        "Integration": {
            integration.name: _plain(integration.spec) for integration in effective.integrations
        },
        "MappingSet": {
            mapping_set.defined.name: _set(mapping_set) for mapping_set in effective.mapping_sets
        },
        "Dialect": {defined.name: _plain(defined.spec) for defined in effective.dialects},
    }


def dialect_for(
    dialects: Iterable[DialectSpec], destination: str, entity_type: str
) -> DialectSpec | None:
    """Choose the dialect of a destination and an entity type."""
    return next(
        (
            dialect
            for dialect in dialects
            if dialect.destination == destination and dialect.entity_type == entity_type
        ),
        None,
    )


def integration_of(definitions: JsonObject, address: Address) -> IntegrationSpec | None:
    """Read an Integration back from rendered definitions."""
    body = _kind(definitions, "Integration").get(address.name)
    return None if body is None else IntegrationSpec.model_validate(body, strict=False)


def voice_of(
    definitions: JsonObject, spec: IntegrationSpec
) -> tuple[tuple[Setting, ...], DialectSpec | None]:
    """Give the settings of an Integration and the dialect that spells them."""
    dialects = [
        DialectSpec.model_validate(dialect, strict=False)
        for dialect in _kind(definitions, "Dialect").values()
    ]
    return settings_of(spec.destination), dialect_for(dialects, spec.destination, spec.entity_type)


def _kind(definitions: JsonObject, kind: str) -> Mapping[str, JsonValue]:
    found = definitions.get(kind)
    return found if isinstance(found, Mapping) else {}


def _plain(spec: DefinitionPart) -> JsonValue:
    return as_json(spec.model_dump(by_alias=True, exclude_unset=True))


def _set(mapping_set: DefinedSet) -> JsonValue:
    body = mapping_set.defined.spec.model_dump(by_alias=True, exclude_unset=True, exclude={"rows"})
    rows: list[JsonValue] = [
        {"m3ter": {row.key.by: row.key.value}, "externalId": row.external_id}
        for row in mapping_set.rows
    ]
    return as_json({**body, "rows": rows})
