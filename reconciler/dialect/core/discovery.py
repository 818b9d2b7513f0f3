"""What an organisation publishes -> a Dialect, what a person must decide, what was written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler.definitions.core.settings import Setting
from reconciler.definitions.core.spelling import folded
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.dialect.core.published import Available, Choice, Option, candidates
from reconciler.kernel.address import FieldPath
from reconciler.kernel.value import JsonObject, JsonValue

FindingKind = Literal[
    "missing", "ambiguous", "unknown-value", "changed", "kept", "unknown-key", "unreadable"
]


@dataclass(frozen=True, slots=True)
class DialectFinding:
    """One thing that a person should know or decide.

    Attributes:
        path: The setting; empty where it is about none of ours.
        message: What, in one line.
    """

    kind: FindingKind
    path: FieldPath
    message: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A dialect as the organisation publishes it.

    Attributes:
        spec: The ``spec`` of a Dialect document; ``None`` when the organisation does not publish
            the destination and entity type at all.
        findings: What is missing, ambiguous, new or different from the dialect there was.
    """

    destination: str
    entity_type: str
    spec: JsonObject | None
    findings: tuple[DialectFinding, ...]


@dataclass(frozen=True, slots=True)
class WrittenDialect:
    """What became of one proposed dialect.

    Attributes:
        file: Relative to the repository; empty when there is no dialect.
        outcome: ``none`` when the organisation publishes nothing to write.
    """

    proposal: Proposal
    file: str
    outcome: Literal["new", "changed", "same", "none"]


def propose(
    available: Available,
    settings: Sequence[Setting],
    head: Mapping[str, JsonValue],
    current: DialectSpec | None,
) -> Proposal:
    """Match published options to our settings, by key and by label.

    Args:
        available: What the organisation publishes.
        settings: Ours, for the destination.
        head: ``environment``, ``destination``, ``entityType`` and ``evidence`` of the document.
        current: The dialect there is already; its other keys stay.
    """
    destination, entity_type = str(head["destination"]), str(head["entityType"])
    if not available.destination or not available.entity_type:
        nothing = DialectFinding(
            "missing",
            FieldPath(""),
            f"this organisation publishes no wire names for {destination} and {entity_type}",
        )
        return Proposal(destination, entity_type, None, (nothing,))
    matches = _matches(available.options, settings)
    found = {setting: match.options[0] for setting, match in matches.items() if not match.ambiguous}
    keys: dict[str, JsonValue] = {setting.path: option.key for setting, option in found.items()}
    values: dict[str, JsonValue] = {
        setting.path: words
        for setting, option in found.items()
        if (words := _values(setting, option.choices))
    }
    kept = _unpublished(current, keys, settings)
    findings = (
        *_about_settings(settings, matches),
        *(
            finding
            for setting, option in found.items()
            for finding in _about_values(setting, option)
        ),
        *_about_options(available, matches),
        *(_changes(current, keys, kept) if current else ()),
    )
    spec: dict[str, JsonValue] = {
        **head,
        "wireNames": {"destination": available.destination, "entityType": available.entity_type},
        "keys": {**kept, **keys},
    }
    if values:
        spec["values"] = values
    return Proposal(destination, entity_type, spec, tuple(findings))


@dataclass(frozen=True, slots=True)
class _Match:
    """The options that may be one setting; ``ambiguous`` when a person must choose."""

    options: tuple[Option, ...]
    ambiguous: bool


def _matches(options: Sequence[Option], settings: Sequence[Setting]) -> dict[Setting, _Match]:
    by_setting: defaultdict[Setting, list[Option]] = defaultdict(list)
    uses: Counter[str] = Counter()
    for option in options:
        names = {folded(option.key), folded(option.label)} - {""}
        for setting in settings:
            if names & {folded(setting.label), folded(setting.name)}:
                by_setting[setting].append(option)
                uses[option.key] += 1
    return {
        setting: _Match(tuple(found), len(found) > 1 or uses[found[0].key] > 1)
        for setting, found in by_setting.items()
    }


def _values(setting: Setting, choices: Sequence[Choice]) -> dict[str, JsonValue]:
    """Give our words for the values of a choice; other settings take them as they are written."""
    if setting.shape != "choice":
        return {}
    words: dict[str, JsonValue] = {}
    for ours in setting.choices:
        fits = {
            choice.wire
            for choice in choices
            if folded(ours) in {folded(choice.wire), folded(choice.label)}
        }
        if len(fits) == 1:
            words[ours] = fits.pop()
    return words


def _about_settings(
    settings: Sequence[Setting], matches: Mapping[Setting, _Match]
) -> Iterator[DialectFinding]:
    for setting in settings:
        match = matches.get(setting)
        if match is None:
            camel, screaming = candidates(setting)
            yield DialectFinding(
                "missing",
                setting.path,
                f"no published option is `{setting.path}` ({setting.label}); looked for keys like "
                f"`{camel}` and `{screaming}`",
            )
        elif match.ambiguous:
            keys = ", ".join(f"`{option.key}`" for option in match.options)
            yield DialectFinding(
                "ambiguous",
                setting.path,
                f"`{setting.path}` may be {keys}, and each key can be one setting only; write the "
                "right one by hand, with `evidence: {source: person}`",
            )


def _about_values(setting: Setting, option: Option) -> Iterator[DialectFinding]:
    known = _values(setting, option.choices)
    for ours in setting.choices:
        if ours not in known:
            listed = ", ".join(f"`{choice.wire}`" for choice in option.choices) or "none"
            yield DialectFinding(
                "unknown-value",
                setting.path,
                f"no published value of `{option.key}` is `{ours}` (published: {listed})",
            )


def _about_options(
    available: Available, matches: Mapping[Setting, _Match]
) -> Iterator[DialectFinding]:
    known = {option.key for match in matches.values() for option in match.options}
    for option in available.options:
        if option.key not in known:
            called = f" ({option.label})" if option.label else ""
            yield DialectFinding(
                "unknown-key",
                FieldPath(""),
                f"`{option.key}`{called} is not modelled here; set it under `configData`",
            )
    if available.unreadable:
        yield DialectFinding(
            "unreadable",
            FieldPath(""),
            f"{available.unreadable} published options have no key that could be read",
        )


def _changes(
    current: DialectSpec, keys: Mapping[str, JsonValue], kept: Mapping[str, JsonValue]
) -> Iterator[DialectFinding]:
    for path, key in keys.items():
        before = current.keys.get(path)
        if before is not None and before != key:
            message = f"`{path}` was `{before}` in the dialect, and is published as `{key}`"
            yield DialectFinding("changed", FieldPath(path), message)
    for path, key in kept.items():
        message = f"`{path}` is not published; `{key}` stays, as a person wrote it"
        yield DialectFinding("kept", FieldPath(path), message)


def _unpublished(
    current: DialectSpec | None, keys: Mapping[str, JsonValue], settings: Sequence[Setting]
) -> dict[str, JsonValue]:
    """Keep what a person wrote for settings that are not published, unless a key is taken."""
    if current is None or current.evidence.source != "person":
        return {}
    taken, paths = set(keys.values()), {setting.path for setting in settings}
    return {
        path: key
        for path, key in current.keys.items()
        if path in paths and path not in keys and key not in taken
    }
