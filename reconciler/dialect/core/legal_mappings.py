"""Which m3ter entities may be mapped to which tables, as the organisation publishes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.definitions.model import DefinedSet
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class IllegalName:
    """A name in a mapping set that the organisation does not know.

    Attributes:
        setting: ``externalSystem``, ``externalTable`` or ``m3terEntity``.
        known: What it knows instead; empty when it says nothing.
    """

    set_name: str
    setting: str
    name: str
    known: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class _System:
    tables: tuple[str, ...]
    any_table: bool


# Source: m3ter OpenAPI 2026-08-03, ExternalMappingConfigurationResponse: m3terEntities and
# externalSystems of {name, tables, allowCustomExternalTables}
def illegal_names(document: JsonObject, sets: Iterable[DefinedSet]) -> tuple[IllegalName, ...]:
    """Compare the names in mapping sets with those of ``GET /externalmappingconfiguration``.

    Args:
        document: As received; lists that are missing forbid nothing.
        sets: Of one environment.
    """
    entities = tuple(_texts(document.get("m3terEntities")))
    systems = dict(_systems(document.get("externalSystems")))
    return tuple(found for one in sets for found in _illegal(one, entities, systems))


def _illegal(
    one: DefinedSet, entities: tuple[str, ...], systems: Mapping[str, _System]
) -> Iterator[IllegalName]:
    defined, spec = one.defined, one.defined.spec

    def named(setting: str, name: str, known: Iterable[str]) -> IllegalName:
        return IllegalName(defined.name, setting, name, tuple(known), defined.at(setting))

    if entities and spec.m3ter_entity not in entities:
        yield named("m3terEntity", spec.m3ter_entity, entities)
    system = systems.get(spec.external_system)
    if systems and system is None:
        yield named("externalSystem", spec.external_system, systems)
    elif system and not system.any_table and spec.external_table not in system.tables:
        yield named("externalTable", spec.external_table, system.tables)


def _systems(listed: JsonValue) -> Iterator[tuple[str, _System]]:
    for one in _items(listed):
        name = one.get("name") if isinstance(one, Mapping) else None
        if isinstance(one, Mapping) and isinstance(name, str):
            any_table = one.get("allowCustomExternalTables") is True or "tables" not in one
            yield name, _System(tuple(_texts(one.get("tables"))), any_table)


def _texts(listed: JsonValue) -> Iterator[str]:
    yield from (one for one in _items(listed) if isinstance(one, str))


def _items(listed: JsonValue) -> Sequence[JsonValue]:
    return listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ()
