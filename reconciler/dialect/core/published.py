"""The published configuration options of an organisation, read whatever their shape.

The type of one option was lost from m3ter's published specification, so that its field names are
guessed among the usual ones; what cannot be read is left out and reported by who compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.definitions.core.spelling import folded
from reconciler.kernel.value import JsonObject, JsonValue

# Source: m3ter OpenAPI 2026-08-03, AvailableConfigurationResponse; the names inside one option
# (ConfigSetting) are not published.
_KEYS: Final = ("key", "name", "code", "identifier", "id", "property", "field")
_LABELS: Final = ("label", "displayName", "readableName", "title", "name", "description")
_CHOICES: Final = ("options", "values", "choices", "allowedValues", "enum", "enumValues")
_CHOICE_IDS: Final = ("id", "value", "key", "code", "name")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


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


def read_available(document: JsonObject, destination: str, entity_type: str) -> Available:
    """Read the document of ``GET /integrationconfigs/available``.

    Args:
        document: As received.
        destination: Our word, for example ``Chargebee``.
        entity_type: Our word, for example ``Bill``.
    """
    entities = _mapping(document.get("supportedEntities"))
    wire_entity = next((one for one in entities if folded(one) == folded(entity_type)), "")
    entity = _mapping(entities.get(wire_entity))
    place = next((one for one in _objects(entity.get("destinations")) if _is(one, destination)), {})
    groups = (
        document.get("globalConfigurationOptions"),
        entity.get("entityConfigurationOptions"),
        place.get("destinationConfigOptions"),
    )
    found = [one for group in groups for one in _settings(group)]
    readable = [one for one in map(_option, found) if one is not None]
    options = tuple({one.key: one for one in reversed(readable)}.values())[::-1]
    return Available(
        destination=_first(place, ("destination", "displayName")),
        entity_type=wire_entity,
        options=options,
        unreadable=len(found) - len(readable),
    )


def _is(place: JsonObject, destination: str) -> bool:
    names = (_first(place, (name,)) for name in ("destination", "apiName", "displayName"))
    return any(one and folded(one) == folded(destination) for one in names)


def _settings(group: JsonValue) -> Iterator[JsonObject]:
    """Give the options of a group: a list of objects, or objects by key."""
    if isinstance(group, Mapping):
        for key, one in group.items():
            yield {"key": key, **_mapping(one)}
    else:
        yield from _objects(group)


def _option(setting: JsonObject) -> Option | None:
    names = [one for one in (_first(setting, (name,)) for name in _KEYS) if one]
    key = next((one for one in names if not _UUID.fullmatch(one)), "")
    if not key:
        return None
    label = next(
        (one for name in _LABELS if (one := _first(setting, (name,))) not in {"", key}), ""
    )
    listed = next((setting[name] for name in _CHOICES if setting.get(name)), None)
    return Option(key, label, tuple(_choices(listed)))


def _choices(listed: JsonValue) -> Iterator[Choice]:
    if isinstance(listed, Mapping):
        for wire, label in listed.items():
            yield Choice(wire, label if isinstance(label, str) else "")
    elif isinstance(listed, Sequence) and not isinstance(listed, str):
        for one in listed:
            if isinstance(one, str):
                yield Choice(one, "")
            elif wire := _first(_mapping(one), _CHOICE_IDS):
                yield Choice(wire, _first(_mapping(one), _LABELS))


def _first(source: JsonObject, names: Sequence[str]) -> str:
    values = (source.get(name) for name in names)
    return next((one for one in values if isinstance(one, str) and one), "")


def _mapping(value: JsonValue) -> JsonObject:
    return value if isinstance(value, Mapping) else {}


def _objects(value: JsonValue) -> Iterator[JsonObject]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from (one for one in value if isinstance(one, Mapping))
