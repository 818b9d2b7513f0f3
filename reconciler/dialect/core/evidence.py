"""A dialect from live configurations themselves, where the organisation publishes no options."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from reconciler.definitions.core.settings import Setting
from reconciler.definitions.core.spelling import folded
from reconciler.dialect.core.discovery import DialectFinding, Proposal
from reconciler.kernel.address import FieldPath
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.live import LiveIntegration


def from_evidence(
    live: Sequence[LiveIntegration], settings: Sequence[Setting], at: str, place: Mapping[str, str]
) -> Proposal:
    """Propose a dialect from the keys that configurations really use.

    A key is taken for a setting when both are equal but for case, separators and prefix, and no
    second key of the same configurations is.

    Args:
        live: Configurations of one destination and entity type, at least one.
        settings: Ours, for the destination.
        at: Now, ISO 8601.
        place: ``environment``, ``destination`` and ``entityType`` of the document.
    """
    used = _used(live)
    found: defaultdict[Setting, list[str]] = defaultdict(list)
    for key in used:
        for setting in settings:
            if folded(key) in {folded(setting.label), folded(setting.name)}:
                found[setting].append(key)
    certain = {setting: names[0] for setting, names in found.items() if len(names) == 1}
    keys: dict[str, JsonValue] = {setting.path: key for setting, key in certain.items()}
    values: dict[str, JsonValue] = {
        setting.path: words
        for setting, key in certain.items()
        if (words := _words(setting, used[key]))
    }
    spec: dict[str, JsonValue] = {
        **place,
        "wireNames": {"destination": live[0].destination, "entityType": live[0].entity_type},
        "evidence": {"source": "import", "at": at, "configId": live[0].id},
        "keys": keys,
    }
    if values:
        spec["values"] = values
    findings = tuple(_findings(settings, found))
    return Proposal(place["destination"], place["entityType"], spec, findings)


def _used(live: Iterable[LiveIntegration]) -> dict[str, list[JsonValue]]:
    """Give every key with the values it has anywhere."""
    used: defaultdict[str, list[JsonValue]] = defaultdict(list)
    for integration in live:
        for key, value in integration.config_data.items():
            used[key].append(value)
    return dict(used)


def _words(setting: Setting, values: Iterable[JsonValue]) -> JsonObject:
    """Give our words for the values of a choice that were seen."""
    wires = {value for value in values if isinstance(value, str)}
    words: dict[str, JsonValue] = {}
    for ours in setting.choices:
        fits = {wire for wire in wires if folded(wire) == folded(ours)}
        if len(fits) == 1:
            words[ours] = fits.pop()
    return words


def _findings(
    settings: Iterable[Setting], found: Mapping[Setting, Sequence[str]]
) -> Iterable[DialectFinding]:
    for setting in settings:
        names = found.get(setting, ())
        if len(names) > 1:
            keys = ", ".join(f"`{name}`" for name in names)
            yield DialectFinding(
                "ambiguous", setting.path, f"`{setting.path}` may be {keys}; write the right one"
            )
        elif not names:
            yield DialectFinding(
                "missing",
                FieldPath(setting.path),
                f"`{setting.path}`: no configuration that was read sets it",
            )
