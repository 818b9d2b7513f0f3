"""What an organisation publishes, read whatever its shape: options, wire keys, legal mappings.

The type of one option was lost from m3ter's published specification, so that its field names are
guessed among the usual ones; what cannot be read is left out and reported by who compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.definitions.core.settings import Setting
from reconciler.definitions.core.spelling import folded
from reconciler.definitions.model import DefinedSet
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that an option takes, as it is written and as people read it."""

    wire: str
    label: str


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its wire key, what people call it, and the values it takes if it lists any."""

    key: str
    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Available:
    """What an organisation publishes about one destination and entity type.

    Attributes:
        destination: The wire word; empty when the document names none that fits.
        entity_type: The wire word; empty likewise.
        unreadable: How many options have no key that could be read.
    """

    destination: str
    entity_type: str
    options: tuple[Option, ...]
    unreadable: int


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


# Source: m3ter OpenAPI 2026-08-03, AvailableConfigurationResponse; the names inside one option
# (ConfigSetting) are not published.
_KEYS: Final = ("key", "name", "code", "identifier", "id", "property", "field")
_LABELS: Final = ("label", "displayName", "readableName", "title", "name", "description")
_CHOICES: Final = ("options", "values", "choices", "allowedValues", "enum", "enumValues")
_CHOICE_IDS: Final = ("id", "value", "key", "code", "name")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def read_available(document: JsonObject, destination: str, entity_type: str) -> Available:
    """Read the document of ``GET /integrationconfigs/available``.

    Args:
        document: As received.
        destination: Our word, for example ``Chargebee``.
        entity_type: Our word, for example ``Bill``.
    """
    entities = _mapping(document.get("supportedEntities"))
    wire_entity = next(
        (candidate for candidate in entities if folded(candidate) == folded(entity_type)), ""
    )
    entity = _mapping(entities.get(wire_entity))
    place = next(
        (
            candidate
            for candidate in _objects(entity.get("destinations"))
            if _is(candidate, destination)
        ),
        {},
    )
    groups = (
        document.get("globalConfigurationOptions"),
        entity.get("entityConfigurationOptions"),
        place.get("destinationConfigOptions"),
    )
    found = [setting for group in groups for setting in _settings(group)]
    readable = [option for option in map(_option, found) if option is not None]
    options = tuple({option.key: option for option in reversed(readable)}.values())[::-1]
    return Available(
        destination=_first(place, ("destination", "displayName")),
        entity_type=wire_entity,
        options=options,
        unreadable=len(found) - len(readable),
    )


def _is(place: JsonObject, destination: str) -> bool:
    names = (_first(place, (name,)) for name in ("destination", "apiName", "displayName"))
    return any(name and folded(name) == folded(destination) for name in names)


def _settings(group: JsonValue) -> Iterator[JsonObject]:
    """Give the options of a group: a list of objects, or objects by key."""
    if isinstance(group, Mapping):
        for key, value in group.items():
            yield {"key": key, **_mapping(value)}
    else:
        yield from _objects(group)


def _option(setting: JsonObject) -> Option | None:
    names = [text for text in (_first(setting, (name,)) for name in _KEYS) if text]
    key = next((name for name in names if not _UUID.fullmatch(name)), "")
    if not key:
        return None
    label = next(
        (candidate for name in _LABELS if (candidate := _first(setting, (name,))) not in {"", key}),
        "",
    )
    listed = next((setting[name] for name in _CHOICES if setting.get(name)), None)
    return Option(key, label, tuple(_choices(listed)))


def _choices(listed: JsonValue) -> Iterator[Choice]:
    if isinstance(listed, Mapping):
        for wire, label in listed.items():
            yield Choice(wire, label if isinstance(label, str) else "")
    elif isinstance(listed, Sequence) and not isinstance(listed, str):
        for choice in listed:
            if isinstance(choice, str):
                yield Choice(choice, "")
            elif wire := _first(_mapping(choice), _CHOICE_IDS):
                yield Choice(wire, _first(_mapping(choice), _LABELS))


def _first(source: JsonObject, names: Sequence[str]) -> str:
    values = (source.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value), "")


def _mapping(value: JsonValue) -> JsonObject:
    return value if isinstance(value, Mapping) else {}


def _objects(value: JsonValue) -> Iterator[JsonObject]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from (element for element in value if isinstance(element, Mapping))


# Source: m3ter's Console shows labels that look like keys in sentence case; no public text shows
# a key, but for the one constant CHARGEBEE_DEFAULT_PRICE_ID.
def candidates(setting: Setting) -> tuple[str, str]:
    """Give the label in camelCase and in SCREAMING_SNAKE."""
    first, *rest = setting.label.lower().split()
    camel = first + "".join(word.capitalize() for word in rest)
    return camel, "_".join((first, *rest)).upper()


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
    return tuple(name for mapping_set in sets for name in _illegal(mapping_set, entities, systems))


def _illegal(
    mapping_set: DefinedSet, entities: tuple[str, ...], systems: Mapping[str, _System]
) -> Iterator[IllegalName]:
    defined, spec = mapping_set.defined, mapping_set.defined.spec

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
    for item in _items(listed):
        name = item.get("name") if isinstance(item, Mapping) else None
        if isinstance(item, Mapping) and isinstance(name, str):
            any_table = item.get("allowCustomExternalTables") is True or "tables" not in item
            yield name, _System(tuple(_texts(item.get("tables"))), any_table)


def _texts(listed: JsonValue) -> Iterator[str]:
    yield from (item for item in _items(listed) if isinstance(item, str))


def _items(listed: JsonValue) -> Sequence[JsonValue]:
    return listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ()
