"""What happens to ``configData`` on its way into the store: three switches decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.m3ter.http.call import Refusal
from reconciler.emulator.m3ter.integrations.options import Option, options_for
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]


def stored(store: Store, entity_type: str, destination: str, data: Mapping[str, Any]) -> JsonObject:
    """The data as it will be read back.

    Raises:
        Refusal: With 400 on a key that is not available, if switch ``unknown_keys`` rejects.
    """
    options = options_for(entity_type, destination)
    style = store.switches.text("config_keys")
    known = {option.key(style): option for option in options}
    kept = _known_keys(data, known, store.switches.text("unknown_keys"))
    match store.switches.text("normalise"):
        case "strings":
            return {key: _strings(value) for key, value in kept.items()}
        case "defaults-echoed":
            return _defaults(known) | kept
        case _:
            return kept


def value(store: Store, config: Mapping[str, Any], label: str) -> Any:
    """A setting of a stored configuration by its label; ``None`` if it is not set."""
    words = label.lower().split()
    camel = words[0] + "".join(word.capitalize() for word in words[1:])
    style = store.switches.text("config_keys")
    return config["configData"].get(camel if style == "camel" else "_".join(words).upper())


def is_on(store: Store, config: Mapping[str, Any], label: str) -> bool:
    """A boolean setting, also if it was turned into text."""
    return value(store, config, label) in (True, "true")


def _known_keys(data: Mapping[str, Any], known: Mapping[str, Option], way: str) -> JsonObject:
    unknown = [key for key in data if key not in known]
    if unknown and way == "reject":
        raise Refusal(400, f"configData contains unknown keys: {', '.join(unknown)}")
    if way == "drop":
        return {key: one for key, one in data.items() if key in known}
    return dict(data)


def _defaults(known: Mapping[str, Option]) -> JsonObject:
    return {key: option.default for key, option in known.items() if option.default is not None}


def _strings(one: Any) -> Any:
    if isinstance(one, dict):
        return {key: _strings(value) for key, value in one.items()}
    if isinstance(one, list):
        return [_strings(value) for value in one]
    if isinstance(one, bool):
        return "true" if one else "false"
    return one if one is None or isinstance(one, str) else str(one)
