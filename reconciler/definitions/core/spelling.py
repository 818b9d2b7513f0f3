"""Our settings to wire keys and values and back, under what an organisation has confirmed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from reconciler.definitions.core.settings import Setting
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.kernel.address import FieldPath
from reconciler.kernel.exact_json import canonical, number_text
from reconciler.kernel.value import ABSENT, Absent, JsonValue

Value: TypeAlias = "JsonValue | frozenset[str]"
"""One field in comparable form: sets as sets, numbers normal."""


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A key that means a modelled setting without being its confirmed key."""

    key: str
    setting: Setting


@dataclass(frozen=True, slots=True)
class Wire:
    """A setting as it is sent: its key inside ``configData`` and its value."""

    key: str
    value: JsonValue


def folded(name: str) -> str:
    """Give what is left of a key or label without case, separators and ``chargebee`` in front."""
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    return letters.removeprefix("chargebee") or letters


def key_of(setting: Setting, dialect: DialectSpec | None) -> str | None:
    """Give the confirmed wire key of a setting."""
    return dialect.keys.get(setting.path) if dialect else None


def lookalikes(
    keys: Iterable[str], settings: Iterable[Setting], dialect: DialectSpec
) -> Iterator[Lookalike]:
    """Find keys that equal a modelled one but for case, separators and prefix."""
    meanings = {
        name: setting
        for setting in settings
        for name in (folded(setting.name), folded(key_of(setting, dialect) or setting.name))
    }
    confirmed = set(dialect.keys.values())
    for key in keys:
        setting = meanings.get(folded(key))
        if setting is not None and key not in confirmed:
            yield Lookalike(key, setting)


def to_wire(setting: Setting, value: Value, dialect: DialectSpec | None) -> Wire | None:
    """Give the wire form of a setting; ``None`` where the dialect does not confirm it."""
    key = key_of(setting, dialect)
    if dialect is None or key is None:
        return None
    words = dialect.values.get(setting.path, {})
    match value:
        case frozenset():
            return Wire(key, sorted(words.get(element, element) for element in value))
        case "all" if setting.shape == "names":
            # Source: m3ter guides: an empty list of account ids means all accounts
            return Wire(key, [])
        case str() if setting.shape == "choice":
            return Wire(key, words[value]) if value in words else None
        case Mapping():
            return Wire(key, {words.get(name, name): member for name, member in value.items()})
        case _:
            return Wire(key, value)


def from_wire(
    setting: Setting, wire: JsonValue | Absent, dialect: DialectSpec | None
) -> dict[FieldPath, Value]:
    """Read a live value; what cannot be understood stays as it is, and so differs.

    Keys of maps become fields of their own; what is not set and has no default is left out.
    """
    words = dialect.values.get(setting.path, {}) if dialect else {}
    ours = {theirs: own for own, theirs in words.items()}
    if wire is ABSENT or wire is None or wire == "":
        return filled(setting)
    if setting.shape == "map" and isinstance(wire, Mapping):
        return {
            FieldPath(f"{setting.path}.{ours.get(key, key)}"): _text(value)
            for key, value in wire.items()
        }
    return {setting.path: _decoded(setting, wire, ours)}


def filled(setting: Setting) -> dict[FieldPath, Value]:
    """Give what a setting is while nobody sets it: its default, or not there."""
    if setting.shape == "map" or setting.default is None:
        return {}
    return {setting.path: default(setting)}


def default(setting: Setting) -> Value:
    """Give the default in comparable form."""
    if setting.shape == "names" and setting.default != "all":
        return frozenset()
    return setting.default


def normal(value: JsonValue) -> JsonValue:
    """Give a value with whole decimals as int, so that equal JSON is equal here."""
    match value:
        case Decimal() if value == value.to_integral_value():
            return int(value)
        case Mapping():
            return {key: normal(member) for key, member in value.items()}
        case str():
            return value
        case Sequence():
            return [normal(element) for element in value]
        case _:
            return value


def equal(left: Value | Absent, right: Value | Absent) -> bool:
    """Compare as JSON: 1 is 1.0 and never true; sets have no order."""
    if left is right:
        return True
    if isinstance(left, str | frozenset | Absent) or isinstance(right, str | frozenset | Absent):
        return left == right
    return canonical(left) == canonical(right)


def _decoded(setting: Setting, wire: JsonValue, ours: Mapping[str, str]) -> Value:
    match setting.shape:
        case "flag":
            return {"true": True, "false": False}.get(_lower(wire), wire)
        case "number" if isinstance(wire, str) and re.fullmatch(r"-?[0-9]{1,9}", wire):
            return int(wire)
        case "names" if isinstance(wire, Sequence) and not isinstance(wire, str):
            named = frozenset(_name(word, ours) for word in wire)
            return named or default(setting)
        case "choice" if isinstance(wire, str):
            return ours.get(wire) or _choice(setting, wire)
        case "text":
            return _text(wire)
        case _:
            return normal(wire)


def _choice(setting: Setting, wire: str) -> str:
    """Reading may guess what writing may not: a spelling that differs only in case is the word."""
    return next((choice for choice in setting.choices if folded(choice) == folded(wire)), wire)


def _lower(wire: JsonValue) -> str:
    return wire.lower() if isinstance(wire, str) else ""


def _name(wire: JsonValue, ours: Mapping[str, str]) -> str:
    text = wire if isinstance(wire, str) else canonical(wire).decode()
    return ours.get(text, text)


def _text(wire: JsonValue) -> JsonValue:
    if isinstance(wire, int | Decimal) and not isinstance(wire, bool):
        return number_text(normal_number(wire))
    return normal(wire)


def normal_number(number: int | Decimal) -> int | Decimal:
    """Give a whole decimal as int."""
    return int(number) if number == int(number) else number
